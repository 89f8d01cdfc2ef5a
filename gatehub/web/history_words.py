"""What the audit trail says, in words that the people of a repo read.

Each verb that any part of GateHub writes has its words here; a test sees to it.
"""

from __future__ import annotations

from typing import Any, Final

from accounts.audit import AuditEvent

KINDS: Final = {
    # Of a repo's history: what a filter calls them, and the nouns of the verbs.
    "requests": ("Access requests", ("access_request", "bulk_review", "report")),
    "gate": ("Settings and gate", ("gate_form", "notification_address", "delivery")),
    "files": ("Files and versions", ("branch", "tag")),
    "repo": ("The repository itself", ()),
}
_OF_REPO: Final = {
    # The verbs of the noun `repo` by the kind that they belong to.
    "gate": ("repo:settings",),
    "files": ("repo:commit", "repo:push", "repo:sync"),
    "repo": ("repo:create", "repo:move", "repo:delete", "repo:disable", "repo:enable"),
}

WORDS: Final = {
    # {who}: the person whom it is about; {ref}: a branch or tag; {target}, {before}, {after}: as the trail has them;
    # {many}: how many requests; {to_decide}, {decided}: what is to be done with them, and was.
    "access_request:asked": "asked for access",
    "access_request:withdrawn": "took the request for access back",
    "access_request:accepted": "accepted the request of {who}",
    "access_request:rejected": "rejected the request of {who}",
    "access_request:cancelled": "put the request of {who} back to pending",
    "access_request:granted": "gave {who} access",
    "bulk_review:started": "began to {to_decide} {many}",
    "bulk_review:finished": "{decided} {many}",
    "bulk_review:stopped": "{decided} {many}, and stopped before the rest",
    "report:export": "downloaded the report of access requests",
    "audit:export": "downloaded this history",
    "audit:addresses_forgotten": "forgot old network addresses",
    "gate_form:change": "changed the form of the gate",
    "notification_address:asked": "asked the reader of {address} whether they want the notifications",
    "notification_address:mailed": "sent the mail that asks {address} for consent",
    "notification_address:mail_failed": "did not send the mail that asks {address} for consent",
    "notification_address:confirmed": "confirmed {address} for notifications",
    "notification_address:refused": "refused notifications to {address}",
    "delivery:send_again": "had a mail sent again",
    "repo:create": "created the repository",
    "repo:settings": "changed the settings",
    "repo:move": "moved it from {before} to {after}",
    "repo:delete": "deleted the repository",
    "repo:disable": "disabled the repository",
    "repo:enable": "enabled the repository again",
    "repo:commit": "committed to {ref}",
    "repo:push": "pushed {ref}",
    "repo:sync": "caught up with the newest commit",
    "branch:create": "created the branch {ref}",
    "branch:delete": "deleted the branch {ref}",
    "branch:squash": "squashed the history of {ref}",
    "tag:create": "created the tag {ref}",
    "tag:delete": "deleted the tag {ref}",
    "token:create": "made the token {target}",
    "token:revoke": "revoked the token {target}",
    "device:approve": "let {target} sign in",
    "device:deny": "refused to let {target} sign in",
    "organization:create": "created the organization {target}",
    "organization:profile": "renamed the organization {target}",
    "organization:delete": "deleted the organization {target}",
    "membership:set_role": "set the role of {target}",
    "membership:remove": "ended the membership of {target}",
    "user:create": "created the account {target}",
    "user:profile": "changed the full name of {target}",
    "user:rights": "changed the rights of {target}",
    "user:password": "gave {target} a new password",
    "user:deactivate": "closed the account {target}",
    "user:reactivate": "opened the account {target} again",
    "user:end_sessions": "ended all sessions of {target}",
    "mails:on": "switched mails on",
    "mails:off": "switched mails off",
    "mail_address:stopped": "stopped mails to {target}",
    "mail_address:used_again": "had mails sent to {target} again",
    "sign_in:done": "signed in",
    "sign_in:ended": "signed out",
    "sign_in:failed": "failed to sign in",
    "password:changed": "changed the password",
    "password:set": "set a password",
    "password:reset": "reset the password",
    "address:added": "added an e-mail address",
    "address:removed": "removed an e-mail address",
    "address:primary": "changed the primary e-mail address",
    "address:verified": "verified an e-mail address",
    "second_factor:added": "added a second factor to {target}",
    "second_factor:removed": "removed a second factor from {target}",
    "second_factor:reset": "took all second factors from {target}",
    "second_factor:failed": "failed at the second factor",
    "identity:connected": "connected {target} with an account elsewhere",
    "identity:removed": "removed an account elsewhere from {target}",
    "admin:add": "added {target}",
    "admin:change": "changed {target}",
    "admin:delete": "deleted {target}",
}

TOLD: Final = frozenset(
    {"access_request", "bulk_review", "branch", "gate_form", "notification_address", "repo", "report", "tag", "audit"}
)
"""Nouns of which a repo's people see before and after.  Of others these may hold what is not theirs."""

_DECIDED: Final = {
    "accepted": ("accept", "accepted"),
    "rejected": ("reject", "rejected"),
    "pending": ("put back to pending", "put back to pending"),
}

ENTRANCES: Final = {"page": "on the pages", "api": "by the API", "git": "by git", "admin": "in the admin", "system": ""}
STAFF, ITSELF, STRANGER = "Staff of this server", "GateHub", "Somebody who was not signed in"


def kind_verbs(kind: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The nouns of a kind, and the single verbs that belong to it beside."""
    return KINDS[kind][1], _OF_REPO.get(kind, ())


def sentence(event: AuditEvent) -> str:
    """What was done.  A verb without words, of a newer or older GateHub, is shown as it is."""
    words = WORDS.get(event.verb)
    if words is None:
        return event.verb.replace("_", " ").replace(":", ": ")
    after = event.after if isinstance(event.after, dict) else {}
    to_decide, decided = _DECIDED.get(str(after.get("status")), ("decide about", "decided about"))
    said = words.format(
        to_decide=to_decide,
        decided=decided,
        many=_requests(after.get("total", after.get("decided"))),
        who=event.target.partition(" on ")[0],
        ref=_short(event.target.partition("@")[2]),
        target=event.target,
        before=_text(event.before),
        after=_text(event.after),
        address=_text(after.get("address", "")) or "no address",
    )
    return said.strip()


def person_of(event: AuditEvent) -> str:
    """Who did it, as a repo's people may know: staff are not named to them."""
    if event.entrance == "admin":
        return STAFF
    if event.actor:
        return event.actor
    return ITSELF if event.entrance == "system" else STRANGER


def _requests(number: Any) -> str:
    """So many requests, which were decided in one step.  Other GateHubs may say no number."""
    if not isinstance(number, int):
        return "many requests at once"
    return "1 request" if number == 1 else f"{number:,} requests at once" if number else "no request"


def _short(ref: str) -> str:
    for prefix, kind in (("refs/heads/", ""), ("refs/tags/", "tag ")):
        if ref.startswith(prefix):
            return kind + ref.removeprefix(prefix)
    return ref


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
