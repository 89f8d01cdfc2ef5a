"""Before and after of what the history tells, under names and in words that the people of a repo know.

The trail keeps columns and their values: `gated`, `manual`.  The page says what the settings page says.  A download has
all of it as it is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from accounts.audit_changes import Change, compared
from repos.models import Repo

_SHOWN: Final[dict[str, Mapping[str, str]]] = {
    # By verb or else by noun: what is shown beside the sentence, and what people call it.
    "access_request": {"reason": "Reason"},
    "bulk_review": {"refused": "Left as they were", "because": "Why"},
    "gate_form": {},
    "notification_address": {},
    "report": {"format": "Format"},
    "audit": {"format": "Format"},
    "repo:create": {"private": "Visibility"},
    "repo:disable": {"reason": "Reason"},
    "repo:enable": {},
    "repo:settings": {
        "private": "Visibility",
        "gated": "Who may download",
        "org_members_gated": "Members must ask, too",
        "gated_notifications_mode": "Notifications",
        "gated_notifications_email": "Notification address",
    },
}
"""What is in neither shows everything, and a setting that is not here is called as its column: nothing is hidden that a
newer or older GateHub has changed."""

_WORDS: Final[dict[str, Mapping[str, str]]] = {
    "private": {"yes": "Private", "no": "Public"},
    "gated": {"no": "Open", "auto": "Gated, automatic approval", "manual": "Gated, manual review"},
    "gated_notifications_mode": dict(Repo.NotificationsMode.choices),
    "format": {"csv": "CSV", "jsonl": "JSON Lines", "json": "JSON"},
    "refused": {"0": ""},  # Nothing to tell.
}
_NOTHING: Final = {"gated_notifications_email": "none"}
_ALL_NAMED: Final = frozenset({"repo:settings"})


class Fact(NamedTuple):
    """One value, as the page shows it.  None: a side that had none."""

    label: str
    before: str | None
    after: str | None


def facts(verb: str, before: Any, after: Any) -> list[Fact]:
    """What differs, by name.  A single value is in the sentence, or is a commit, which the files tell of."""
    labels = _SHOWN.get(verb, _SHOWN.get(verb.partition(":")[0]))
    shown = [change for change in compared(before, after) if change.name and change.differs]
    if labels is not None and verb not in _ALL_NAMED:
        shown = [change for change in shown if change.name in labels]
    told = [_fact(change, labels or {}) for change in shown]
    return [fact for fact in told if fact.before or fact.after]


def _fact(change: Change, labels: Mapping[str, str]) -> Fact:
    label = labels.get(change.name) or change.label.capitalize()
    return Fact(label, _in_words(change.name, change.before), _in_words(change.name, change.after))


def _in_words(name: str, text: str | None) -> str | None:
    if not text:
        return _NOTHING.get(name) if text == "" else None
    return _WORDS.get(name, {}).get(text, text)
