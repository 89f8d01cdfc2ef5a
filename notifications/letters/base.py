"""What all letters share: their two parts from templates, and how they name repos and times.

Whatever people wrote goes through `notifications.plain` first; HTML is escaped by the templates on top of that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.template import Context
from django.template.loader import get_template
from django.urls import reverse
from django.utils import timezone

from notifications import opt_outs
from notifications.models import Delivery, OutboxMessage
from notifications.plain import one_line, unlinked, wrapped
from repos.models import Repo

LISTED: Final = 50
"""So many things are named in one mail."""
SUBJECT_LENGTH: Final = 240


class NothingToSay(Exception):
    """What the mail would tell is over: it is not sent.  The text says why, for staff."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What stands in a mail, without its address and its headers.  `repo` is the one that it is about, if it is one."""

    subject: str
    text: str
    html: str = ""
    repo: Repo | None = None
    unsubscribe: str = ""


def letter(
    delivery: Delivery,
    template: str,
    subject: str,
    context: dict[str, Any],
    *,
    repo: Repo | None = None,
    repos: Iterable[int] = (),
) -> Letter:
    """From the two parts of a template.  `repos` are the keys of those that the mail is about."""
    unsubscribe = opt_outs.unsubscribe_link(delivery, repos)
    line = subject_line(settings.ACCOUNT_EMAIL_SUBJECT_PREFIX + subject)
    has_account = delivery.user is not None
    said = {"subject": line, "unsubscribe": unsubscribe, "has_account": has_account, **frame(), **context}
    text, html = _templates(template)
    return Letter(
        subject=line,
        text=wrapped(text.render(Context(said, autoescape=False))),
        html=html.render(Context(said)),
        repo=repo,
        unsubscribe=unsubscribe,
    )


@cache
def _templates(name: str) -> tuple[Any, Any]:
    """Compiled once: a run of digests sends ten thousand."""
    text, html = (cast(Any, get_template(f"notifications/mail/{name}.{part}")).template for part in ("txt", "html"))
    return text, html


def frame() -> dict[str, str]:
    """What the layout of every mail needs, beside its subject."""
    return {
        "home": public_url("/"),
        "server": urlsplit(settings.PUBLIC_URL).netloc,
        "settings_url": public_url(reverse("mail_settings")),
    }


def subject_line(text: str) -> str:
    """Of bounded length, and with no encoded word (RFC 2047) in it, which mail programs would decode."""
    return one_line(text.replace("=?", "= ?"), SUBJECT_LENGTH)


def public_url(path: str = "") -> str:
    return str(settings.PUBLIC_URL).rstrip("/") + path


def filtered_id(repo: Repo) -> str:
    """The id by which a filter tells repos apart: a model and a dataset may have the same."""
    return repo.path.removeprefix("/")


def in_words(at: datetime) -> str:
    # Not by filters of the templates, which take longer than all else.
    local = timezone.localtime(at)
    return f"{local:%-d %B %Y, %H:%M} {local.tzname()}"


def counted(number: int, singular: str, plural: str = "") -> str:
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def messages_of(delivery: Delivery) -> list[OutboxMessage]:
    """What the mail tells, as far as `notifications.mails.prefetch` has loaded it, the oldest first."""
    told = [delivery.message, *(other.message for other in cast(Any, delivery).told_too)]
    return sorted(told, key=lambda message: message.pk)


@dataclass(frozen=True, slots=True)
class About:
    """A repo as mails name it."""

    repo: Repo
    name: str
    url: str

    @classmethod
    def of(cls, repo: Repo) -> About:
        return cls(repo, unlinked(repo.repo_id), public_url(repo.path))

    @property
    def type(self) -> str:
        return self.repo.type

    @property
    def settings_url(self) -> str:
        return f"{self.url}/settings"
