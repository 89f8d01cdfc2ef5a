"""Who wants no mail of a kind, and the links in mails that say so without signing in.

A link never expires: whoever finds an old mail may end them by it.  It can end and take back, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse

from accounts.actor import Actor
from accounts.models import AuditEvent, User
from notifications.models import REQUESTS, TOPICS, Delivery, OptOut
from repos import notification_address
from repos.errors import InvalidLink
from repos.models import Repo

Topic = OptOut.Topic
MOST_REPOS: Final = 50
_SIGNER: Final = signing.Signer(salt="notifications.opt_outs")


def wants(user: User, kind: str) -> bool:
    """Whether the person is to get mails of this kind."""
    topic = TOPICS.get(kind)
    return topic is None or not OptOut.objects.filter(user=user, topic=topic).exists()


def topics_off(user: User) -> set[str]:
    """What the person has switched off."""
    return set(OptOut.objects.filter(user=user).values_list("topic", flat=True))


@transaction.atomic
def turn_off(user: User, topic: str, *, by: Actor) -> None:
    """No more mails of this topic to the person.  Doing so again changes nothing."""
    _, is_new = OptOut.objects.get_or_create(user=user, topic=Topic(topic))
    if is_new:
        _record("off", user, topic, by=by)


@transaction.atomic
def turn_on(user: User, topic: str, *, by: Actor) -> None:
    """Mails of this topic to the person again.  Doing so again changes nothing."""
    gone, _ = OptOut.objects.filter(user=user, topic=Topic(topic)).delete()
    if gone:
        _record("on", user, topic, by=by)


def _record(event: str, user: User, topic: str, *, by: Actor) -> None:
    AuditEvent.record(by=by, verb=f"mails:{event}", target=user.username, after={"topic": str(topic)})


# --- The link in a mail ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unsubscription:
    """What a link switches off: a topic for a person, or repos' notifications to an address of their own."""

    user: User | None
    topic: str
    repos: tuple[Repo, ...]
    address: str

    @property
    def is_off(self) -> bool:
        """Whether nothing is sent, as the link asks."""
        if self.user is not None:
            return OptOut.objects.filter(user=self.user, topic=self.topic).exists()
        return all(repo.gated_notifications_email_refused_at is not None for repo in self.repos)


def unsubscribe_link(delivery: Delivery, repos: Iterable[int] = ()) -> str:
    """The address that ends mails like this one, "" where nothing can be ended.

    `repos` are the keys of those that a summary is about, beside that of the message.
    """
    topic = TOPICS.get(delivery.kind)
    if topic is None:
        return ""
    if delivery.user_id is not None:
        said: list[object] = [topic, delivery.user_id]
    elif delivery.kind in REQUESTS:
        keys = {key for key in (delivery.message.repo_id, *repos) if key is not None}
        said = ["address", delivery.address, *sorted(keys)[:MOST_REPOS]]
    else:
        return ""
    token = _SIGNER.sign_object(said)
    return settings.PUBLIC_URL.rstrip("/") + reverse("unsubscribe", args=[token])


def find(token: str) -> Unsubscription:
    """What the link is about.  Raises InvalidLink."""
    try:
        about, whom, *keys = _SIGNER.unsign_object(token)
    except (signing.BadSignature, ValueError):
        raise InvalidLink from None
    if about == "address":
        repos = notification_address.of_reader(keys, whom)
        return Unsubscription(user=None, topic=Topic.REQUESTS, repos=tuple(repos), address=whom)
    user = User.objects.filter(pk=whom).first()
    if user is None:
        raise InvalidLink
    return Unsubscription(user=user, topic=about, repos=(), address="")


def answer(token: str, *, wanted: bool, by: Actor) -> Unsubscription:
    """The reader wants such mails no more, or wants them again.  Again changes nothing.  Raises InvalidLink."""
    found = find(token)
    if found.user is not None:
        (turn_on if wanted else turn_off)(found.user, found.topic, by=by)
        return found
    keys = [repo.pk for repo in found.repos]
    notification_address.answer_of_reader(keys, found.address, wanted=wanted, by=by)
    return find(token)
