"""Who may do what: the only place that decides it.

`permitted(actor, action)` is the rule, said once, as a condition on `Repo`: lists filter by it, `require` tests one
repo by it.  `explain` puts a refusal into words; it may cost more queries, an admission may not.  Where one repo is
asked for, Django builds the rule's SQL once for all callers of a shape: see `find`.

The rule has two halves, and both must hold: what the person may do (STANDINGS), and what the token may be used for
(TOKEN_ACTIONS, PERMISSION_ACTIONS).  Whatever is not named here is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet

from access import refusals, region
from access.actions import Action as Action
from access.errors import LoginRequired
from access.models import AccessRequest, AccessToken, TokenScope
from accounts.actor import SYSTEM, Actor, Entrance
from accounts.compiled import Build, ChainedQuery, CompiledQuery, UnfitValue, columns_of
from accounts.errors import HubError, NotAllowed
from accounts.models import Membership, Namespace, Organization
from repos.models import Repo

OPEN_FILES = frozenset({"README.md", "LICENSE", "LICENSE.md", "LICENSE.txt"})
"""Files at the root that whoever sees the repo may read, gated or not.  Exact names."""


class Standing(StrEnum):
    """What a person is to a repo.  Several may hold at once."""

    READ = "read"
    CONTRIBUTOR = "contributor"
    CREATOR = "creator"  # A contributor or writer who created this very repo.
    WRITE = "write"
    ADMIN = "admin"
    OWNER = "owner"


MANAGING = frozenset({Standing.CREATOR, Standing.WRITE, Standing.ADMIN, Standing.OWNER})

STANDINGS: dict[Action, frozenset[Standing]] = {
    # The standings that suffice for each act on a repo, private or gated.  Reading has rules of its own, below.
    Action.FILES_WRITE: MANAGING,
    Action.SETTINGS_CHANGE: MANAGING,
    Action.REQUESTS_VIEW: MANAGING,
    Action.REQUESTS_REVIEW: MANAGING,
    Action.REPO_DELETE: MANAGING,
    Action.REPO_MOVE: MANAGING,
}
NEVER_GATED = frozenset({Standing.CREATOR, Standing.ADMIN, Standing.OWNER})
"""Read the files always; other members may have to ask, when the gate says so."""

STAFF_PERMISSIONS: dict[Action, str] = {
    # Django's permissions with which staff do it to every repo, in the admin alone.  None of them opens a file.
    Action.REQUESTS_VIEW: "access.view_accessrequest",
    Action.REQUESTS_REVIEW: "access.review_accessrequest",
}

REVOKE_TOKENS = "access.revoke_accesstoken"
"""Django's permission with which staff end anybody's token, in the admin alone."""

CREATING_ROLES = frozenset({Membership.Role.CONTRIBUTOR, Membership.Role.WRITE, Membership.Role.ADMIN})
"""Organization roles that may create repos."""

ADMINISTERING_ROLES = frozenset({Membership.Role.ADMIN})
"""Organization roles that may change the organization itself: its members, its full name, its end."""

TOKEN_ACTIONS: dict[str, frozenset[Action]] = {
    # What a token may be used for.  A role missing here may do nothing; a fine-grained one, see below.
    AccessToken.Role.READ: frozenset({Action.CARD_VIEW, Action.FILES_READ}),
    AccessToken.Role.WRITE: frozenset(Action),
}
PERMISSION_ACTIONS: dict[str, frozenset[Action]] = {
    TokenScope.Permission.CONTENT_READ: frozenset({Action.CARD_VIEW, Action.FILES_READ}),
    TokenScope.Permission.ACCESS_READ: frozenset({Action.CARD_VIEW, Action.REQUESTS_VIEW}),
    TokenScope.Permission.ACCESS_WRITE: frozenset({Action.CARD_VIEW, Action.REQUESTS_VIEW, Action.REQUESTS_REVIEW}),
    TokenScope.Permission.WRITE: frozenset(
        {
            Action.CARD_VIEW,
            Action.FILES_READ,
            Action.FILES_WRITE,
            Action.SETTINGS_CHANGE,
            Action.REPO_DELETE,
            Action.REPO_MOVE,
        }
    ),
}

NOBODY = Q(pk__in=[])
EVERY_REPO = Q(pk__isnull=False)


@dataclass(frozen=True, slots=True)
class _Caller:
    """An actor as far as the rule looks: it is made from this, so that it cannot depend on anything else.

    The keys stand in the SQL as values, which can be exchanged; the rest shapes it.
    """

    user: int | None
    token: int | None = None
    token_role: str | None = None  # None for a session.
    can_read_gated: bool = False
    in_disallowed_region: bool = False
    as_staff: frozenset[Action] = frozenset()  # What a permission lets the caller do in the admin.

    @classmethod
    def of(cls, actor: Actor, actions: Iterable[Action]) -> _Caller:
        # Only reading asks where the caller is, and looking that up takes time.
        abroad = Action.FILES_READ in actions and in_disallowed_region(actor)
        if actor.token is None:
            as_staff = frozenset(action for action in actions if _staff_may(actor, action))
            return cls(actor.user_id, in_disallowed_region=abroad, as_staff=as_staff)
        token = actor.token
        return cls(actor.user_id, token.pk, str(token.role), bool(token.can_read_gated), abroad)

    def with_keys(self, user: int, token: int) -> _Caller:
        """The same with other keys, where there are any."""
        return replace(
            self,
            user=None if self.user is None else user,
            token=None if self.token_role is None else token,
        )


def permitted(actor: Actor, action: Action) -> Q:
    """The rule, as a condition on `Repo`."""
    return _permitted(_Caller.of(actor, [action]), action)


def _permitted(caller: _Caller, action: Action) -> Q:
    return _person_may(caller, action) & _token_may(caller, action)


def _standing(caller: _Caller, *standings: Standing) -> Q:
    """Repos to which the caller has at least one of the standings."""
    if caller.user is None:
        return NOBODY
    held = Q()
    memberships = Membership.objects.filter(
        organization=OuterRef("namespace__organization"), user=caller.user
    ).order_by()
    roles = [standing.value for standing in standings if standing.value in Membership.Role.values]
    if roles:
        held |= Q(Exists(memberships.filter(role__in=roles)))
    if Standing.CREATOR in standings and not CREATING_ROLES.issubset(roles):  # Else the roles suffice.
        creating = memberships.filter(role__in=CREATING_ROLES)
        held |= Q(Exists(creating), created_by=caller.user)
    if Standing.OWNER in standings:
        held |= Q(namespace__user=caller.user)
    return held


def _person_may(caller: _Caller, action: Action) -> Q:
    member = _standing(caller, *Standing)
    visible = Q(private=False) | member
    if action is Action.CARD_VIEW:
        return visible
    if action is Action.FILES_READ:
        # What lets most people in comes first: the database stops there.
        return Q(disabled=False) & (
            (visible & (Q(gated=Repo.Gated.NO) | (_has_accepted_request(caller) & _in_region(caller))))
            | (member & Q(org_members_gated=False))
            | _standing(caller, *NEVER_GATED)
        )
    if action is Action.ACCESS_ASK:
        return NOBODY if caller.user is None else visible & Q(gated__in=[Repo.Gated.AUTO, Repo.Gated.MANUAL])
    sufficient = STANDINGS.get(action)
    if sufficient is None:
        return NOBODY
    if action in caller.as_staff:
        return EVERY_REPO
    managed = _standing(caller, *sufficient)
    return managed & Q(disabled=False) if action is Action.FILES_WRITE else managed


def _staff_may(actor: Actor, action: Action) -> bool:
    """Whether a permission of Django's lets the actor do it.  It counts in the admin alone, and never with a token."""
    permission = STAFF_PERMISSIONS.get(action)
    return permission is not None and _holds_as_staff(actor, permission)


def _holds_as_staff(actor: Actor, permission: str) -> bool:
    if actor.entrance is not Entrance.ADMIN or actor.token is not None or actor.user is None:
        return False
    return actor.user.is_active and actor.user.is_staff and actor.user.has_perm(permission)


def may_revoke(actor: Actor, token: AccessToken) -> bool:
    """Whether the actor may end the token: its own user, staff with the permission, and the operator's commands."""
    if actor.user is None:
        return actor == SYSTEM
    return actor.user_id == token.user_id or _holds_as_staff(actor, REVOKE_TOKENS)


def _has_accepted_request(caller: _Caller) -> Q:
    if caller.user is None:
        return NOBODY
    return Q(Exists(AccessRequest.objects.accepted().filter(repo=OuterRef("pk"), user=caller.user).order_by()))


def in_disallowed_region(actor: Actor) -> bool:
    """Whether `extra_gated_eu_disallowed` speaks of the caller's address.

    Without a database nobody is refused, and the settings page says so.  With one the gate fails closed: an address
    whose country is not known might be in the Union, and is refused; so is every address while the database cannot be
    read.  Operators whose people come from a private network say where that is: GATEHUB_LOCAL_COUNTRY.
    """
    is_in_union = region.is_in_union(actor.address)
    return region.is_set() if is_in_union is None else is_in_union


def _in_region(caller: _Caller) -> Q:
    return Q(gate_form=None) | Q(gate_form__eu_disallowed=False) if caller.in_disallowed_region else Q()


def _token_may(caller: _Caller, action: Action) -> Q:
    if caller.token_role is None:
        return Q()
    if caller.token_role != AccessToken.Role.FINE_GRAINED:
        return Q() if action in TOKEN_ACTIONS.get(caller.token_role, frozenset()) else NOBODY
    sufficient = [name for name, actions in PERMISSION_ACTIONS.items() if action in actions]
    scopes = TokenScope.objects.filter(token=caller.token, permission__in=sufficient).order_by()
    # The key sets are small and belong to this token alone, so they are looked up once, not per repo.
    named = Q(pk__in=scopes.filter(repo__isnull=False).values("repo")) | Q(
        namespace__in=scopes.filter(namespace__isnull=False).values("namespace")
    )
    if action is Action.CARD_VIEW:
        return Q(private=False) | named
    if action is Action.FILES_READ:
        open_to_all = Q(private=False, gated=Repo.Gated.NO)
        return open_to_all | named | (Q(private=False) if caller.can_read_gated else NOBODY)
    return named


Question = Callable[..., QuerySet[Any, Any]]
"""A build with the rule applied to it: `_filtered`, `_judged`, or both."""

MOST_KEPT = 1024
"""So many compiled queries are kept: for ten shapes of callers or so, some tens of questions each."""


def find(actor: Actor, action: Action, build: Build, **values: int | str) -> list[Any]:
    """Those repos of `build(**values)` to which the actor may do it, now.

    A test holds the answers of the SQL that is kept against `permitted`, over the whole table of who may do what.
    """
    return _ask(_filtered, build, actor, (action,), values)


def find_judged(
    actor: Actor, action: Action, also: Iterable[Action], build: Build, **values: int | str
) -> list[tuple[Any, frozenset[Action]]]:
    """As `find`, and with each repo those of `also` that the actor may do to it: as `allowed`, in the same query."""
    others = tuple(also)
    found = _ask(_filtered_and_judged, build, actor, (action, *others), values)
    return [(repo, frozenset(other for other in others if getattr(repo, _verdict(other)))) for repo in found]


def _filtered_and_judged(
    build: Build, caller: _Caller, actions: tuple[Action, ...], values: dict[str, Any]
) -> QuerySet[Any, Any]:
    action, *others = actions
    verdicts = {_verdict(other): _judgement(caller, other) for other in others}
    found = _filtered(build, caller, (action,), values)
    return found.annotate(**verdicts) if verdicts else found


def _verdict(action: Action) -> str:
    return f"may_{action.name.lower()}"


def _judgement(caller: _Caller, action: Action) -> Any:
    return ExpressionWrapper(_permitted(caller, action), output_field=BooleanField())


def _filtered(build: Build, caller: _Caller, actions: tuple[Action], values: dict[str, Any]) -> QuerySet[Any, Any]:
    (action,) = actions
    return build(**values).filter(_permitted(caller, action))


def _judged(build: Build, caller: _Caller, actions: tuple[Action, ...], values: dict[str, Any]) -> QuerySet[Any, Any]:
    """For each action, whether it is permitted."""
    return build(**values).values_list(*(_judgement(caller, action) for action in actions))


def _ask(
    question: Question, build: Build, actor: Actor, actions: tuple[Action, ...], values: dict[str, int | str]
) -> list[Any]:
    caller = _Caller.of(actor, actions)
    kinds = tuple((name, type(value)) for name, value in values.items())
    # What is odd, such as the key of what was never saved, is left to Django; kept, it would fill the memory.
    known_token = caller.token_role is None or caller.token_role in AccessToken.Role.values
    if known_token and all(kind in (int, str) for _, kind in kinds):
        database = Repo.objects.db
        vendor = connections[database].vendor
        compiled = _compiled(database, vendor, question, build, caller.with_keys(0, 0), actions, kinds)
        with suppress(UnfitValue):
            return compiled.rows(caller_user=caller.user, caller_token=caller.token, **values)
    return list(question(build, caller, actions, values))


@lru_cache(MOST_KEPT)
def _compiled(
    database: str,
    vendor: str,
    question: Question,
    build: Build,
    shape: _Caller,
    actions: tuple[Action, ...],
    kinds: tuple[tuple[str, type], ...],
) -> CompiledQuery:
    """The SQL for all callers of a shape: their keys, and the values of the build, go into its places."""

    def queryset(caller_user: int, caller_token: int, **values: Any) -> QuerySet[Any, Any]:
        return question(build, shape.with_keys(caller_user, caller_token), actions, values)

    return CompiledQuery(queryset, {"caller_user": int, "caller_token": int, **dict(kinds)})


class TokenParts(NamedTuple):
    """What is looked at of a token that was shown: columns in the order of the model, and one of its person."""

    id: int
    user_id: int
    role: str
    can_read_gated: bool
    expires_at: datetime | None
    last_used_at: datetime | None
    is_active: bool


TOKEN_COLUMNS = columns_of(AccessToken, *TokenParts._fields)
TOKEN_PARTS = (*TOKEN_COLUMNS, "user__is_active")
"""Where the TokenParts come from."""


def find_by_token(
    sha256: str, address: str, action: Action, build: Build, **values: str
) -> list[tuple[TokenParts, tuple[Any, ...]]]:
    """The token with this digest, with each row of `build` that `find` would give its person; together,
    in one query.  Whether the token opens anything now is for the caller to look at.

    Nothing for tokens of a role that needs scopes, which are looked up by the token's key.  PostgreSQL only.
    """
    caller = _Caller.of(Actor(address=address), [action])
    chained = _chained(Repo.objects.db, build, caller.in_disallowed_region, action, tuple(values))
    number = len(TOKEN_PARTS)
    return [(TokenParts._make(row[:number]), row[number:]) for row in chained.rows(sha256=sha256, **values)]


@lru_cache(MOST_KEPT)
def _chained(database: str, build: Build, abroad: bool, action: Action, names: tuple[str, ...]) -> ChainedQuery:
    roles = [role for role, actions in TOKEN_ACTIONS.items() if action in actions]

    def shown(sha256: str) -> QuerySet[Any, Any]:
        return AccessToken.objects.filter(sha256=sha256, role__in=roles).values_list(*TOKEN_PARTS)

    # To the rule, one role that suffices is like any other.
    shape = _Caller(user=0, token=0, token_role=roles[0], in_disallowed_region=abroad)
    kinds = tuple((name, str) for name in names)
    found = _compiled(database, "postgresql", _filtered, build, shape, (action,), kinds)
    return ChainedQuery(CompiledQuery(shown, {"sha256": str}), found, {"caller_user": "user_id"})


def _by_key(key: int) -> QuerySet[Repo]:
    return Repo.objects.filter(pk=key)


def may(actor: Actor, action: Action, repo: Repo) -> bool:
    """Whether the actor may do it to this repo, now."""
    return action in allowed(actor, repo, [action])


def allowed(actor: Actor, repo: Repo, actions: Iterable[Action]) -> frozenset[Action]:
    """Those of the actions that the actor may do to this repo, now: `may` for several, in one query.

    The rule is asked for as a value, not as a condition: PostgreSQL would look for namespaces that meet it, and of a
    million, it has tried them all.
    """
    asked = tuple(actions)
    answers = next(iter(_ask(_judged, _by_key, actor, asked, {"key": repo.pk})), ())
    return frozenset(action for action, answer in zip(asked, answers, strict=False) if answer)


def explain(actor: Actor, action: Action, repo: Repo) -> HubError:
    """Why the actor may not do it, with the next step."""
    if not may(actor, Action.CARD_VIEW, repo):
        return refusals.hidden(actor)
    token_is_the_problem = actor.token is not None and may(_without_token(actor), action, repo)
    if action is not Action.FILES_READ:
        return refusals.of_act(actor, action, repo, token_is_the_problem=token_is_the_problem)
    form = repo.gate_form
    abroad = form is not None and form.eu_disallowed and in_disallowed_region(actor)
    return refusals.of_gate(actor, repo, token_is_the_problem=token_is_the_problem, abroad=abroad)


def _without_token(actor: Actor) -> Actor:
    return Actor(user=actor.user, entrance=actor.entrance, address=actor.address)


def require(actor: Actor, action: Action, repo: Repo) -> None:
    """Raise what `explain` says, unless the actor may do it."""
    if not may(actor, action, repo):
        raise explain(actor, action, repo)


def may_everywhere(actor: Actor, action: Action) -> bool:
    """Whether the actor may do it to every repo there is, now: staff in the admin, by a permission of Django's."""
    return _staff_may(actor, action)


def require_everywhere(actor: Actor, action: Action) -> None:
    """Raise NotAllowed unless the actor may do it to every repo."""
    if not may_everywhere(actor, action):
        raise NotAllowed(
            f"You are not allowed to {refusals.NEEDS[action]} of all repositories.",
            next_step=f"Ask for the permission {STAFF_PERMISSIONS.get(action, '')}."
            if action in STAFF_PERMISSIONS
            else "",
        )


def require_file(actor: Actor, repo: Repo, path: str) -> None:
    """As `require(…, FILES_READ, …)`; four files at the root are open to whoever sees the repo."""
    if path in OPEN_FILES and not repo.disabled:
        require(actor, Action.CARD_VIEW, repo)
    else:
        require(actor, Action.FILES_READ, repo)


def may_create_in(actor: Actor, namespace: Namespace) -> bool:
    """Whether the actor may create repos in the namespace, or move repos there."""
    if actor.user is None:
        return False
    if actor.token is not None and actor.token.role != AccessToken.Role.WRITE:
        if actor.token.role != AccessToken.Role.FINE_GRAINED:
            return False
        scopes = TokenScope.objects.filter(
            token=actor.token.pk, namespace=namespace, permission=TokenScope.Permission.WRITE
        )
        if not scopes.exists():
            return False
    if namespace.user_id == actor.user_id:
        return True
    return Membership.objects.filter(
        organization=namespace.organization_id, user=actor.user_id, role__in=CREATING_ROLES
    ).exists()


def require_create_in(actor: Actor, namespace: Namespace) -> None:
    """Raise LoginRequired or NotAllowed unless the actor may create repos in the namespace."""
    if may_create_in(actor, namespace):
        return
    if actor.user is None:
        raise LoginRequired
    if actor.token is not None and actor.token.role != AccessToken.Role.WRITE:
        raise refusals.token_too_narrow(actor, "create a repository here")
    raise NotAllowed(f"You don't have the rights to create a repository under the namespace {namespace.name!r}.")


def may_administer(actor: Actor, organization: Organization) -> bool:
    """Whether the actor may change the organization and its members, now.  No scope of a token reaches this far."""
    if actor.user is None or (actor.token is not None and actor.token.role != AccessToken.Role.WRITE):
        return False
    members = Membership.objects.active().filter(organization=organization.pk, user=actor.user_id)
    return members.filter(role__in=ADMINISTERING_ROLES).exists()


def require_administer(actor: Actor, organization: Organization) -> None:
    """Raise LoginRequired or NotAllowed unless the actor may change the organization and its members."""
    if may_administer(actor, organization):
        return
    if actor.user is None:
        raise LoginRequired(next_step="Sign in, or send a token: {url}", help_path="/login")
    if actor.token is not None and may_administer(_without_token(actor), organization):
        raise refusals.token_too_narrow(actor, "administer an organization")
    raise NotAllowed(
        f"Only admins of {organization.name} may do this.",
        next_step="See who they are: {url}",
        help_path=f"/organizations/{organization.name}/members",
    )


def require_move_to(actor: Actor, repo: Repo, namespace: Namespace) -> None:
    """Raise as `require_create_in` does unless the repo, which the actor may move, may go to the namespace.

    Whoever may move a repo may rename it where it is.
    """
    if namespace.pk != repo.namespace_id:
        require_create_in(actor, namespace)
