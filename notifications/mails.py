"""A delivery as an e-mail message in text and HTML, with the headers by which filters and mail programs know it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, cast
from urllib.parse import urlsplit

import css_inline
from anymail.message import AnymailMessage
from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from notifications.letters import accounts, decisions, requests
from notifications.letters.base import Letter, NothingToSay, filtered_id
from notifications.models import DECISIONS, TOPICS, Delivery, Kind

__all__ = ["NothingToSay", "compose", "prefetch"]

_CSS: Final = css_inline.CSSInliner(load_remote_stylesheets=False)
_WRITERS: Final[dict[str, Callable[[Delivery], Letter]]] = {
    Kind.NEW_REQUEST: requests.new_request,
    Kind.DIGEST: requests.digest,
    **dict.fromkeys(DECISIONS, decisions.decision),
    Kind.TOKEN_CREATED: accounts.token_created,
    Kind.ACCOUNT: accounts.account,
    Kind.CONFIRM_ADDRESS: accounts.confirm_address,
}


def compose(delivery: Delivery) -> EmailMultiAlternatives:
    """The mail of a delivery, with the rows it points to as they are now.

    The delivery comes with `message`, `message.repo.namespace`, `message.access_request.user` and `user`.  Raises
    NothingToSay.
    """
    if not vars(delivery).get("is_prefetched"):
        prefetch([delivery])
    letter = _WRITERS[delivery.kind](delivery)
    message = AnymailMessage(
        subject=letter.subject,
        body=letter.text,
        to=[delivery.address],
        headers=_headers(delivery, letter),
        tags=[str(delivery.kind)],
        metadata={"delivery": str(delivery.name)},
    )
    if letter.html:
        message.attach_alternative(_CSS.inline(letter.html), "text/html")
    return cast(EmailMultiAlternatives, message)


def prefetch(deliveries: Sequence[Delivery]) -> None:
    """Load for many deliveries what `compose` needs, in a number of queries that does not grow with them."""
    for kinds, load in _PREFETCH:
        if some := [delivery for delivery in deliveries if delivery.kind in kinds]:
            load(some)
    for delivery in deliveries:
        vars(delivery)["is_prefetched"] = True


_PREFETCH: Final[list[tuple[Sequence[str], Callable[[Sequence[Delivery]], None]]]] = [
    ([Kind.DIGEST], requests.prefetch_digests),
    ([Kind.NEW_REQUEST], requests.prefetch_new),
    (DECISIONS, decisions.prefetch),
]


def _headers(delivery: Delivery, letter: Letter) -> dict[str, str]:
    headers = {
        "Message-ID": f"<{delivery.name}@{_host()}>",
        "Auto-Submitted": "auto-generated",
        "X-GateHub-Kind": str(delivery.kind),
    }
    if letter.repo is not None:
        repo, name = letter.repo, filtered_id(letter.repo)
        headers["X-GateHub-Repo"] = name
        if delivery.kind in TOPICS:
            headers["List-ID"] = f"{name} <{repo.name}.{repo.namespace.name}.{repo.type}s.{_host()}>"
    if letter.unsubscribe:
        headers["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _host() -> str:
    return (urlsplit(settings.PUBLIC_URL).hostname or "localhost").replace(":", "-")  # An IPv6 address has colons.
