"""What a mail says: a delivery as an e-mail message in text and HTML."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.mail import EmailMultiAlternatives

from notifications.models import Delivery


class NothingToSay(Exception):
    """What the mail would tell is over: it is not sent.  The text says why, for staff."""


def compose(delivery: Delivery) -> EmailMultiAlternatives:
    """The mail of a delivery, with the rows it points to as they are now.

    The delivery comes with `message`, `message.repo.namespace`, `message.access_request.user` and `user`.  Raises
    NothingToSay.
    """
    raise NothingToSay(f"No words yet for {delivery.kind}")


def prefetch(deliveries: Sequence[Delivery]) -> None:
    """Load what `compose` needs of them, all at once."""
