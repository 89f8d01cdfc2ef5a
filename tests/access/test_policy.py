"""Who may do what: the table of the design, cell by cell.

What is expected is written here in the design's words, one letter per act.  ada is lab's admin, wes writes, con
contributes, cleo contributed the repo itself, rea reads; olu owns a namespace; sam and the others are outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.db import IntegrityError
from django.utils import timezone

from access import policy, selectors, tokens
from access.errors import GatedRepo, LoginRequired
from access.models import AccessRequest, AccessToken, TokenScope
from access.policy import Action
from access.tokens import Scope
from accounts import services as accounts
from accounts.actor import SYSTEM, Actor
from accounts.errors import NotAllowed
from accounts.models import Namespace, Organization, User
from repos.errors import RepoDisabled, RepoNotFound
from repos.models import Repo

LETTERS = {
    "c": Action.CARD_VIEW,
    "r": Action.FILES_READ,
    "a": Action.ACCESS_ASK,
    "w": Action.FILES_WRITE,
    "s": Action.SETTINGS_CHANGE,
    "v": Action.REQUESTS_VIEW,
    "k": Action.REQUESTS_REVIEW,
    "d": Action.REPO_DELETE,
    "m": Action.REPO_MOVE,
}
MANAGE = "wsvkdm"


@dataclass(frozen=True, slots=True)
class Situation:
    """A state of the repo, and what each role may do to it, as letters; `+` stands for all that managers may."""

    private: bool
    gated: str
    members_gated: bool
    expected: dict[str, str]


def _roles(**said: str) -> dict[str, str]:
    return {role: letters.replace("+", MANAGE) for role, letters in said.items()}


OPEN = _roles(
    stranger="cr", outsider="cr", pending="cr", rejected="cr", accepted="cr", staff="cr",
    read="cr", contributor="cr", creator="cr+", write="cr+", admin="cr+", owner="cr+", accepted_member="cr",
)  # fmt: skip
GATED = _roles(
    stranger="c", outsider="ca", pending="ca", rejected="ca", accepted="cra", staff="ca",
    read="cra", contributor="cra", creator="cra+", write="cra+", admin="cra+", owner="cra+", accepted_member="cra",
)  # fmt: skip
MEMBERS_GATED = _roles(
    stranger="c", outsider="ca", pending="ca", rejected="ca", accepted="cra", staff="ca",
    read="ca", contributor="ca", creator="cra+", write="ca+", admin="cra+", owner="cra+", accepted_member="cra",
)  # fmt: skip
PRIVATE = _roles(
    stranger="", outsider="", pending="", rejected="", accepted="", staff="",
    read="cr", contributor="cr", creator="cr+", write="cr+", admin="cr+", owner="cr+", accepted_member="cr",
)  # fmt: skip
PRIVATE_GATED = _roles(
    stranger="", outsider="", pending="", rejected="", accepted="", staff="",
    read="cra", contributor="cra", creator="cra+", write="cra+", admin="cra+", owner="cra+", accepted_member="cra",
)  # fmt: skip
PRIVATE_MEMBERS_GATED = _roles(
    stranger="", outsider="", pending="", rejected="", accepted="", staff="",
    read="ca", contributor="ca", creator="cra+", write="ca+", admin="cra+", owner="cra+", accepted_member="cra",
)  # fmt: skip

SITUATIONS = {
    "open": Situation(False, "no", False, OPEN),
    "open, members gated": Situation(False, "no", True, OPEN),  # Without a gate the switch means nothing.
    "auto": Situation(False, "auto", False, GATED),
    "manual": Situation(False, "manual", False, GATED),
    "auto, members gated": Situation(False, "auto", True, MEMBERS_GATED),
    "manual, members gated": Situation(False, "manual", True, MEMBERS_GATED),
    "private": Situation(True, "no", False, PRIVATE),
    "private, members gated": Situation(True, "no", True, PRIVATE),
    "private auto": Situation(True, "auto", False, PRIVATE_GATED),
    "private manual": Situation(True, "manual", False, PRIVATE_GATED),
    "private manual, members gated": Situation(True, "manual", True, PRIVATE_MEMBERS_GATED),
}

EVERYTHING = "".join(LETTERS)
TOKENS: dict[str, tuple[str, str, str]] = {
    # What each credential may be used for on a repo that is: open to all; public and gated; private.
    "session": (EVERYTHING, EVERYTHING, EVERYTHING),
    "write": (EVERYTHING, EVERYTHING, EVERYTHING),
    "read": ("cr", "cr", "cr"),
    "fine-grained, nothing": ("cr", "c", ""),
    "fine-grained, gated": ("cr", "cr", ""),
    "repo.content.read": ("cr", "cr", "cr"),
    "repo.access.read": ("crv", "cv", "cv"),
    "repo.access.write": ("crvk", "cvk", "cvk"),
    "repo.write": ("crwsdm", "crwsdm", "crwsdm"),
}
PERMISSIONS = list(TokenScope.Permission.values)


@pytest.fixture
def people(
    lab: Organization, ada: User, wes: User, con: User, rea: User, sam: User, olu: User, make_user: Callable[..., User]
) -> dict[str, User | None]:
    """Each role of the table, by somebody who has it and no other."""
    creator, accepted_member = make_user("cleo"), make_user("mia")
    accounts.set_role(organization=lab, user=creator, role="contributor", by=SYSTEM)
    accounts.set_role(organization=lab, user=accepted_member, role="read", by=SYSTEM)
    staff = make_user("staff-member")
    User.objects.filter(pk=staff.pk).update(is_staff=True, is_superuser=True)
    staff.refresh_from_db()
    return {
        "stranger": None, "outsider": sam, "pending": make_user("pen"), "rejected": make_user("rej"),
        "accepted": make_user("acc"), "staff": staff, "read": rea, "contributor": con, "creator": creator,
        "write": wes, "admin": ada, "owner": olu, "accepted_member": accepted_member,
    }  # fmt: skip


def make_repos(situation: Situation, people: dict[str, User | None], name: str = "m") -> dict[str, Repo]:
    """By namespace: lab's repo, and olu's of the same kind."""
    made = {}
    for namespace, creator in (("lab", people["creator"]), ("olu", people["owner"])):
        made[namespace] = Repo.objects.create(
            type="model",
            namespace=Namespace.objects.get(name=namespace),
            name=name,
            created_by=creator,
            private=situation.private,
            gated=situation.gated,
            org_members_gated=situation.members_gated,
        )
    for role, status in (
        ("pending", "pending"),
        ("rejected", "rejected"),
        ("accepted", "accepted"),
        ("accepted_member", "accepted"),
    ):
        reviewed_at = None if status == "pending" else timezone.now()
        user = people[role]
        AccessRequest.objects.create(repo=made["lab"], user=user, status=status, reviewed_at=reviewed_at)
    return made


def _repo_of(role: str, repos: dict[str, Repo]) -> Repo:
    return repos["olu"] if role == "owner" else repos["lab"]


def _token(user: User, kind: str, repo: Repo) -> AccessToken | None:
    if kind == "session":
        return None
    role = kind if kind in ("read", "write") else "fine-grained"
    scopes = [Scope(kind, repo=repo)] if kind in PERMISSIONS else []
    gated = kind == "fine-grained, gated"
    return tokens.create(user=user, name=kind, role=role, scopes=scopes, can_read_gated=gated, by=SYSTEM)[0]


def _allowed(actor: Actor, repo: Repo) -> str:
    return "".join(letter for letter, action in LETTERS.items() if policy.may(actor, action, repo))


def _in_order(letters: str) -> str:
    return "".join(letter for letter in EVERYTHING if letter in letters)


def _callers(people: dict[str, User | None], repos: dict[str, Repo]) -> Iterator[tuple[str, str, Actor]]:
    for role, user in people.items():
        if user is None:
            yield role, "session", Actor()
            continue
        for kind in TOKENS:
            yield role, kind, Actor(user=user, token=_token(user, kind, _repo_of(role, repos)))


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_table(name, people):
    situation = SITUATIONS[name]
    repos = make_repos(situation, people)
    kind_of_repo = 2 if situation.private else int(situation.gated != "no")
    found, expected = {}, {}
    for role, token, actor in _callers(people, repos):
        found[role, token] = _allowed(actor, _repo_of(role, repos))
        # A token never grants more than its user has.
        granted = set(situation.expected[role]) & set(TOKENS[token][kind_of_repo])
        expected[role, token] = _in_order("".join(granted))
    assert found == expected


@pytest.mark.parametrize("name", ["open", "manual, members gated", "private manual"])
def test_lists_show_what_can_be_seen_one_by_one(name, people):
    repos = make_repos(SITUATIONS[name], people)
    for role, token, actor in _callers(people, repos):
        listed = set(selectors.visible_repos(actor))
        assert listed == {repo for repo in repos.values() if policy.may(actor, Action.CARD_VIEW, repo)}, (role, token)


@pytest.mark.parametrize("name", ["open", "manual, members gated", "private manual"])
def test_several_acts_asked_at_once_are_answered_as_one_by_one(name, people, django_assert_num_queries):
    repos = make_repos(SITUATIONS[name], people)
    for role, token, actor in _callers(people, repos):
        repo = _repo_of(role, repos)
        with django_assert_num_queries(1):
            found = policy.allowed(actor, repo, LETTERS.values())
        assert found == {LETTERS[letter] for letter in _allowed(actor, repo)}, (role, token)


def test_nothing_is_allowed_to_a_repo_that_is_gone(people):
    repo = make_repos(SITUATIONS["open"], people)["olu"]
    gone = Repo(pk=repo.pk)
    repo.delete()
    assert policy.allowed(Actor(user=people["owner"]), gone, Action) == frozenset()


@pytest.mark.parametrize("name", ["open", "manual, members gated", "private manual"])
def test_a_refusal_is_worded_for_every_cell(name, people):
    repos = make_repos(SITUATIONS[name], people)
    for role, token, actor in _callers(people, repos):
        repo = _repo_of(role, repos)
        allowed = _allowed(actor, repo)
        for letter in set(LETTERS) - set(allowed):
            action = LETTERS[letter]
            error = policy.explain(actor, action, repo)
            assert 400 <= error.status < 500
            if "c" not in allowed:
                assert isinstance(error, RepoNotFound), (role, token, letter)
            elif action is Action.FILES_READ:
                assert isinstance(error, GatedRepo), (role, token, letter)
            elif actor.anonymous:
                assert isinstance(error, LoginRequired), (role, token, letter)
            else:
                assert isinstance(error, NotAllowed), (role, token, letter)


def test_a_scope_on_the_namespace_covers_its_repos_and_no_others(people):
    repos = make_repos(SITUATIONS["private manual"], people)
    ada = people["admin"]
    here = Scope("repo.content.read", namespace=Namespace.objects.get(name="lab"))
    elsewhere = Scope("repo.write", namespace=Namespace.objects.get(name="olu"))
    for scope, expected in ((here, "cr"), (elsewhere, "")):
        token, _ = tokens.create(user=ada, name=scope.permission, role="fine-grained", scopes=[scope], by=SYSTEM)
        assert _allowed(Actor(user=ada, token=token), repos["lab"]) == expected
        assert _allowed(Actor(user=ada, token=token), repos["olu"]) == "", "her token does not make her an owner there"


def test_a_membership_in_one_organization_is_none_in_another(people, make_user):
    repos = make_repos(SITUATIONS["private"], people)
    boss = make_user("boss")
    accounts.create_organization(name="rivals", admin=boss, by=SYSTEM)
    assert _allowed(Actor(user=boss), repos["lab"]) == ""


def test_an_accepted_request_opens_one_repo_only(people):
    repos = make_repos(SITUATIONS["manual"], people)
    assert "r" in _allowed(Actor(user=people["accepted"]), repos["lab"])
    assert "r" not in _allowed(Actor(user=people["accepted"]), repos["olu"])


def test_who_left_the_organization_has_no_right_to_what_they_created(people, lab):
    repos = make_repos(SITUATIONS["private"], people)
    accounts.remove_member(organization=lab, user=people["creator"], by=SYSTEM)
    assert _allowed(Actor(user=people["creator"]), repos["lab"]) == ""


def test_a_demoted_creator_reads_as_others_read(people, lab):
    repos = make_repos(SITUATIONS["manual, members gated"], people)
    accounts.set_role(organization=lab, user=people["creator"], role="read", by=SYSTEM)
    assert _allowed(Actor(user=people["creator"]), repos["lab"]) == "ca"


def test_a_disabled_repo_gives_and_takes_no_files(people):
    repos = make_repos(SITUATIONS["open"], people)
    Repo.objects.update(disabled=True)
    for role, token, actor in _callers(people, repos):
        repo = Repo.objects.get(pk=_repo_of(role, repos).pk)
        assert not policy.may(actor, Action.FILES_READ, repo), (role, token)
        assert not policy.may(actor, Action.FILES_WRITE, repo), (role, token)
    disabled = Repo.objects.get(pk=repos["lab"].pk)
    with pytest.raises(RepoDisabled, match=r"Access to this resource is disabled\."):
        policy.require(Actor(user=people["admin"]), Action.FILES_READ, disabled)
    with pytest.raises(RepoDisabled):
        policy.require_file(Actor(user=people["admin"]), disabled, "README.md")


@pytest.mark.parametrize("value", ["", "yes", "AUTO", "false", "open"])
def test_the_database_keeps_no_gate_that_nobody_knows(people, value):
    repos = make_repos(SITUATIONS["manual"], people)
    with pytest.raises(IntegrityError):
        Repo.objects.filter(pk=repos["lab"].pk).update(gated=value)


@pytest.mark.parametrize("role", ["", "admin", "WRITE"])
def test_a_token_role_that_nobody_knows_opens_nothing(people, role):
    repos = make_repos(SITUATIONS["open"], people)
    token = AccessToken(user=people["admin"], name="odd", role=role)
    actor = Actor(user=people["admin"], token=token)
    assert _allowed(actor, repos["lab"]) == ""
    assert not policy.may_create_in(actor, Namespace.objects.get(name="lab"))


def test_four_files_at_the_root_are_open_to_whoever_sees_the_repo(people):
    repo = make_repos(SITUATIONS["manual"], people)["lab"]
    for path in ("README.md", "LICENSE", "LICENSE.md", "LICENSE.txt"):
        policy.require_file(Actor(), repo, path)
    for path in ("readme.md", "sub/README.md", "./README.md", "LICENSE.TXT", "README.md/", "config.json", ""):
        with pytest.raises(GatedRepo):
            policy.require_file(Actor(), repo, path)


def test_a_hidden_repo_and_a_missing_one_are_refused_alike(people):
    make_repos(SITUATIONS["private manual"], people)
    for actor in (Actor(), Actor(user=people["outsider"]), Actor(user=people["accepted"])):
        for action in Action:
            errors = []
            for name in ("m", "absent"):
                with pytest.raises(RepoNotFound) as refused:
                    selectors.find_repo(actor, action, "model", "lab", name)
                error = refused.value
                errors.append((error.status, error.code, error.message, error.next_step, error.extra, error.headers))
            assert errors[0] == errors[1], (actor, action)


CREATES = {
    "stranger": "", "outsider": "", "staff": "", "read": "", "contributor": "lab", "creator": "lab", "write": "lab",
    "admin": "lab", "owner": "olu",
}  # fmt: skip


@pytest.mark.parametrize("role", CREATES)
def test_who_may_create_where(people, role):
    user = people[role]
    for name in ("lab", "olu"):
        namespace = Namespace.objects.get(name=name)
        expected = CREATES[role] == name
        assert policy.may_create_in(Actor(user=user), namespace) == expected
        if user is None:
            continue
        read, _ = tokens.create(user=user, name=f"read {name}", role="read", by=SYSTEM)
        narrow, _ = tokens.create(user=user, name=f"narrow {name}", role="fine-grained", by=SYSTEM)
        scope = Scope("repo.write", namespace=namespace)
        wide, _ = tokens.create(user=user, name=f"wide {name}", role="fine-grained", scopes=[scope], by=SYSTEM)
        assert not policy.may_create_in(Actor(user=user, token=read), namespace)
        assert not policy.may_create_in(Actor(user=user, token=narrow), namespace)
        assert policy.may_create_in(Actor(user=user, token=wide), namespace) == expected
