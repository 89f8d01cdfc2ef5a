"""The gate on a repo's page: what it asks, and where the visitor stands with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from access import answers, policy, region, selectors, services
from access.models import AccessRequest
from accounts.actor import Actor
from accounts.models import User
from gatehub.caches import kept
from gatehub.web.countries import country_options
from notifications import opt_outs
from notifications.models import Kind
from repos import cards
from repos.cards.markdown import render_prompts
from repos.models import GateForm, Repo

_RENDERED_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Control:
    """One question as the page shows it.  The control's name is the label, letter for letter."""

    field: cards.Field
    id: str
    value: str = ""
    problem: str = ""
    help: str = ""  # Safe HTML.

    @property
    def described_by(self) -> str:
        """Ids of what is said about the control, for `aria-describedby`."""
        said = [f"{self.id}-problem"] if self.problem else []
        return " ".join([*said, f"{self.id}-help"] if self.help else said)

    @property
    def country_options(self) -> SafeString:
        return country_options(self.value)


@dataclass(frozen=True, slots=True)
class Gate:
    """A repo's gate before one visitor.

    `state` is `stranger`, `form`, `unverified` (the address), `region`, `member` (reads without asking), the status of
    the visitor's request, or `preview`: the form as a requester sees it, of which nothing can be sent.
    """

    state: str
    request: AccessRequest | None
    spec: cards.FormSpec
    prompt: SafeString
    description: SafeString
    controls: list[Control] = field(default_factory=list)
    version: str = ""
    has_problems: bool = False
    has_changed: bool = False
    was_unsent: bool = False
    """Whether the answers are those of a form that was sent without a session."""
    has_expired: bool = False
    """Whether the answers are those of a form that was opened before the last sign-in."""
    has_unread_terms: bool = False
    sent: list[tuple[str, str]] = field(default_factory=list)
    """The visitor's answers that wait for a decision, in the words of the form that was answered."""
    mail_to: str = ""
    """Where a visitor who waits is told of the decision, "" for nowhere."""

    @property
    def eu_rule(self) -> str:
        """What becomes of the rule about the European Union on this server, "" where the card has none."""
        return region.enforcement() if self.spec.eu_disallowed else ""

    @property
    def shows_terms(self) -> bool:
        return self.state in {"stranger", "form", "unverified"}


def gate_of(
    repo: Repo,
    actor: Actor,
    *,
    can_read: bool,
    problems: Mapping[str, str] | None = None,
    given: Mapping[str, Any] | None = None,
    changed: bool = False,
    unsent: bool = False,
    expired: bool = False,
) -> Gate | None:
    """The gate as the actor sees it, None for a repo that is not gated.  `problems` and `given` go by label."""
    if not repo.is_gated:
        return None
    spec = services.form_spec(repo.gate_form)
    found = selectors.request_of(actor, repo)
    prompt, description, *helps = _rendered(repo, spec)
    state = _state(repo, actor, found, can_read=can_read)
    return Gate(
        state=state,
        request=found,
        spec=spec,
        prompt=prompt,
        description=description,
        controls=_controls(spec, helps, actor, problems or {}, given or {}),
        version=services.form_digest(repo.gate_form),
        has_problems=bool(problems),
        has_changed=changed,
        was_unsent=unsent,
        has_expired=expired,
        has_unread_terms=services.has_unread_terms(repo),
        sent=_sent(repo, found) if found is not None and state == "pending" else [],
        mail_to=told_of_decisions_at(actor.user) if actor.user is not None and state == "pending" else "",
    )


def preview_of(repo: Repo, spec: cards.FormSpec, actor: Actor, *, keep: bool) -> Gate:
    """The gate as a requester would see it, whether the repo is gated or not.

    `keep` is for forms that a repo has.  What somebody is typing is rendered anew each time: kept for an hour, it would
    fill the cache with texts that nobody asks for again.
    """
    prompt, description, *helps = _rendered(repo, spec, keep=keep)
    controls = _controls(spec, helps, actor, {}, {})
    return Gate("preview", None, spec, prompt, description, controls)


def told_of_decisions_at(user: User) -> str:
    """The address to which mails about the person's requests go, "" if they want none."""
    return user.email if opt_outs.wants(user, Kind.ACCEPTED) else ""


def _sent(repo: Repo, found: AccessRequest) -> list[tuple[str, str]]:
    if found.form_id == repo.gate_form_id:
        found.form = repo.gate_form  # Which is here already.
    return answers.in_words(services.form_spec(found.form), found.questions_and_answers())


def _state(repo: Repo, actor: Actor, found: AccessRequest | None, *, can_read: bool) -> str:
    if actor.user is None:
        return "region" if _is_closed_to_its_region(repo, actor) else "stranger"
    if can_read:
        return "accepted" if found is not None and found.is_accepted else "member"
    if found is not None and not found.is_accepted:  # Wherever they are now.
        return str(found.status)
    if _is_closed_to_its_region(repo, actor):
        return "region"
    if found is not None:
        return str(found.status)
    return "form" if actor.user.has_verified_address else "unverified"


def _is_closed_to_its_region(repo: Repo, actor: Actor) -> bool:
    form: GateForm | None = repo.gate_form
    return form is not None and form.eu_disallowed and policy.in_disallowed_region(actor)


def _controls(
    spec: cards.FormSpec,
    helps: Sequence[str],
    actor: Actor,
    problems: Mapping[str, str],
    given: Mapping[str, Any],
) -> list[Control]:
    controls = []
    for index, entry in enumerate(spec.fields):
        value = given.get(entry.label, "")
        text = str(value) if isinstance(value, str | int | float) else ""
        if entry.type == "ip_location":
            text = cards.country_name(region.country_of(actor.address))
        elif entry.type == "country":
            text = cards.country_code(text)
        elif entry.type == "select":
            text = cards.chosen_value(entry, text) or ""
        elif entry.type == "checkbox":
            text = "true" if cards.is_ticked(text) else ""
        controls.append(Control(entry, cards.control_name(index), text, problems.get(entry.label, ""), helps[index]))
    return controls


def _rendered(repo: Repo, spec: cards.FormSpec, *, keep: bool = True) -> list[SafeString]:
    """Prompt, description and the helps of all fields as safe HTML."""
    # The id is part of the links, so a moved repo is rendered anew.
    key = f"gate:{spec.digest}:{repo.path}"
    html: list[str] | None = kept.get(key) if keep else None
    if html is None:
        texts = [spec.prompt, spec.description, *(entry.help for entry in spec.fields)]
        # Whoever is shown the terms has no access to the files yet.
        html = render_prompts(texts, resolve_url=f"{repo.path}/resolve/main/", files_closed=True)
        if keep:
            kept.set(key, html, _RENDERED_SECONDS)
    return [mark_safe(text) for text in html]  # noqa: S308 - render_prompts gives what nh3 let through.
