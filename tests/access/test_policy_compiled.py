"""The policy's SQL that is kept, against what Django builds anew from the rule.  The cast is that of `test_policy`."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from django.db import connections

from access import policy, selectors, services, tokens
from access.errors import GatedRepo
from access.models import AccessRequest, AccessToken
from access.policy import Action
from access.tokens import Scope
from accounts import services as accounts
from accounts.actor import SYSTEM, Actor
from accounts.models import Namespace, User
from repos.errors import RepoNotFound
from repos.models import GateForm, Repo
from tests.access.test_policy import PERMISSIONS, SITUATIONS, TOKENS, make_repos, people
from tests.support.geoip import write_database

__all__ = ["people"]

both = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
FRANCE, AMERICA = "81.2.69.160", "2001:db8::1"


@pytest.fixture
def countries(tmp_path: Path, settings) -> None:
    path = tmp_path / "country.mmdb"
    networks = {"81.2.69.0/24": {"country": {"iso_code": "FR"}}, "2001:db8::/32": {"country": {"iso_code": "US"}}}
    write_database(path, networks)
    settings.GATEHUB_GEOIP_DB = str(path)


@pytest.fixture
def repos(people) -> list[Repo]:
    """For each situation one in lab and one of olu: as it is, not offered in the Union, and disabled."""
    made = []
    for number, situation in enumerate(SITUATIONS.values()):
        for kind in ("plain", "eu", "disabled"):
            for repo in make_repos(situation, people, f"{kind}-{number}").values():
                repo.disabled = kind == "disabled"
                repo.gate_form = GateForm.objects.create(
                    repo=repo, digest=kind, commit_sha="0" * 40, spec={}, eu_disallowed=kind == "eu"
                )
                repo.save()
                made.append(repo)
    return made


def _all_repos():
    return Repo.objects.all()


def _token(user: User, kind: str, repos: list[Repo]) -> AccessToken | None:
    """As in the table, with scopes on every other repo, and on one of the two namespaces."""
    if kind == "session":
        return None
    role = kind if kind in ("read", "write") else "fine-grained"
    places = [Scope(kind, repo=repo) for repo in repos[::2]]
    places.append(Scope(kind, namespace=Namespace.objects.get(name="olu")))
    scopes = places if kind in PERMISSIONS else []
    gated = kind == "fine-grained, gated"
    return tokens.create(user=user, name=kind, role=role, scopes=scopes, can_read_gated=gated, by=SYSTEM)[0]


@both
@pytest.mark.parametrize("kind", TOKENS)
def test_what_is_kept_answers_as_the_rule_does(database, kind, people, repos, countries):
    for role, user in people.items():
        token = None if user is None else _token(user, kind, repos)
        for address in (FRANCE, AMERICA):
            actor = Actor(user=user, token=token, address=address)
            permitted = {}
            for action in Action:
                permitted[action] = set(Repo.objects.filter(policy.permitted(actor, action)))
                found = policy.find(actor, action, _all_repos)
                assert set(found) == permitted[action], (role, kind, action, address)
        expected = {repo: {action for action in Action if repo in permitted[action]} for repo in repos}
        for repo in repos:
            assert policy.allowed(actor, repo, Action) == expected[repo], (role, kind, repo)
        for action in Action:
            judged = dict(policy.find_judged(actor, action, Action, _all_repos))
            assert judged == {repo: expected[repo] for repo in permitted[action]}, (role, kind, action)


@both
def test_the_table_has_something_to_tell_apart(database, people, repos, countries):
    """Lest the test above compares nothing with nothing."""
    here, abroad = (Actor(user=people["accepted"], address=address) for address in (AMERICA, FRANCE))
    number_here, number_abroad = (len(policy.find(actor, Action.FILES_READ, _all_repos)) for actor in (here, abroad))
    assert 0 < number_abroad < number_here < len(repos)
    assert len(policy.find(Actor(user=people["admin"]), Action.SETTINGS_CHANGE, _all_repos)) == len(repos) / 2
    assert policy.find(Actor(), Action.SETTINGS_CHANGE, _all_repos) == []


@both
def test_each_caller_gets_the_answer_for_their_own_key(database, people):
    repos = make_repos(SITUATIONS["private manual"], people)
    for _ in range(2):
        assert policy.may(Actor(user=people["admin"]), Action.SETTINGS_CHANGE, repos["lab"])
        assert not policy.may(Actor(user=people["owner"]), Action.SETTINGS_CHANGE, repos["lab"])
        assert policy.may(Actor(user=people["owner"]), Action.SETTINGS_CHANGE, repos["olu"])
        assert not policy.may(Actor(user=people["admin"]), Action.SETTINGS_CHANGE, repos["olu"])


@both
def test_each_token_gets_the_answer_for_its_own_scopes(database, people):
    repos = make_repos(SITUATIONS["private manual"], people)
    ada = people["admin"]
    made = {
        name: tokens.create(user=ada, name=name, role="fine-grained", scopes=scopes, by=SYSTEM)[0]
        for name, scopes in {
            "here": [Scope("repo.write", repo=repos["lab"])],
            "elsewhere": [Scope("repo.write", repo=repos["olu"])],
        }.items()
    }
    for _ in range(2):
        assert policy.may(Actor(user=ada, token=made["here"]), Action.FILES_WRITE, repos["lab"])
        assert not policy.may(Actor(user=ada, token=made["elsewhere"]), Action.FILES_WRITE, repos["lab"])


@both
def test_a_request_that_is_not_accepted_any_more_closes_the_files_at_once(database, gated_repo, sam, ada):
    services.ask(
        repo=gated_repo,
        answers={"Company": "Example University", "Country": "FR", "I agree": "true"},
        by=Actor(user=sam),
    )
    request = AccessRequest.objects.get()
    actor = Actor(user=sam)
    where = (Action.FILES_READ, "model", "lab", "toxic-bert")
    for _ in range(2):
        services.review(access_request=request, status="accepted", by=Actor(user=ada))
        assert selectors.find_repo(actor, *where) == gated_repo
        services.review(access_request=request, status="pending", by=Actor(user=ada))
        with pytest.raises(GatedRepo):
            selectors.find_repo(actor, *where)
        assert policy.allowed(actor, gated_repo, [Action.FILES_READ]) == frozenset()


@both
def test_whoever_is_removed_from_an_organization_is_refused_at_once(database, people, lab):
    repo = make_repos(SITUATIONS["private"], people)["lab"]
    actor = Actor(user=people["write"])
    assert policy.may(actor, Action.FILES_WRITE, repo)
    accounts.remove_member(organization=lab, user=people["write"], by=SYSTEM)
    assert not policy.may(actor, Action.FILES_WRITE, repo)
    with pytest.raises(RepoNotFound):
        selectors.find_repo(actor, Action.CARD_VIEW, "model", "lab", "m")


@both
def test_a_repo_is_found_whatever_its_case_with_namespace_and_form_in_one_query(
    database, gated_repo, ada, django_assert_num_queries
):
    policy._compiled.cache_clear()
    for _ in range(2):
        with django_assert_num_queries(1):
            found = selectors.find_repo(Actor(user=ada), Action.FILES_WRITE, "model", "LAB", "Toxic-BERT")
            assert (found.repo_id, found.gate_form.repo_id) == ("lab/toxic-bert", gated_repo.pk)
        for known, kept in ((gated_repo, found), (gated_repo.gate_form, found.gate_form)):
            assert {field.name: field.value_from_object(known) for field in known._meta.concrete_fields} == {
                field.name: field.value_from_object(kept) for field in kept._meta.concrete_fields
            }


@both
def test_asking_again_builds_no_sql(database, gated_repo, sam, monkeypatch):
    actor = Actor(user=sam)
    assert policy.may(actor, Action.CARD_VIEW, gated_repo)

    def fail(*_):
        raise AssertionError("The rule is built anew.")

    monkeypatch.setattr(policy, "_permitted", fail)
    assert policy.may(actor, Action.CARD_VIEW, gated_repo)


def test_one_repo_is_judged_and_not_searched_for(gated_repo, ada, django_assert_num_queries):
    """With the rule among the conditions, PostgreSQL looked for namespaces that meet it: 120 ms at a million."""
    with django_assert_num_queries(1) as asked:
        assert policy.may(Actor(user=ada), Action.SETTINGS_CHANGE, gated_repo)
    _, _, condition = asked.captured_queries[0]["sql"].rpartition(" WHERE ")
    # PostgreSQL is given the key beside the text.
    assert re.fullmatch(rf'"repos_repo"\."id" = ({gated_repo.pk}|\$\d+)', condition)


@both
@pytest.mark.parametrize("role", ["", "admin", "WRITE"])
def test_token_roles_that_nobody_knows_are_refused_and_not_kept(database, people, role):
    repo = make_repos(SITUATIONS["open"], people)["lab"]
    kept = policy._compiled.cache_info().currsize
    for suffix in ("", "1", "2"):
        actor = Actor(user=people["admin"], token=AccessToken(user=people["admin"], name="odd", role=role + suffix))
        for action in Action:
            assert not policy.may(actor, action, repo)
        assert policy.allowed(actor, repo, Action) == frozenset()
    assert policy._compiled.cache_info().currsize == kept


def test_not_without_bound_is_kept():
    assert policy._compiled.cache_info().maxsize == policy.MOST_KEPT


@both
def test_a_person_who_was_never_saved_is_a_stranger(database, people):
    """Not the owner of whatever belongs to no person, as lab's repos do."""
    repos = make_repos(SITUATIONS["manual"], people)
    ghost = Actor(user=User(username="ghost"))
    for repo in repos.values():
        assert policy.allowed(ghost, repo, Action) == {Action.CARD_VIEW}
    assert set(Repo.objects.filter(policy.permitted(ghost, Action.SETTINGS_CHANGE))) == set()


@both
def test_nothing_is_allowed_to_a_repo_that_was_never_saved(database, people):
    assert policy.allowed(Actor(user=people["admin"]), Repo(), Action) == frozenset()
    assert not policy.may(Actor(user=people["admin"]), Action.CARD_VIEW, Repo())


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_who_ask_at_once_get_their_own_answers(people):
    repos = make_repos(SITUATIONS["private manual"], people)
    policy._compiled.cache_clear()
    start, wrong = threading.Barrier(2), []

    def ask(user: User, own: Repo, other: Repo) -> None:
        start.wait(10)
        for _ in range(100):
            answers = [policy.may(Actor(user=user), Action.REPO_DELETE, repo) for repo in (own, other)]
            if answers != [True, False]:
                wrong.append((user.username, answers))
        connections.close_all()

    threads = [
        threading.Thread(target=ask, args=(people["admin"], repos["lab"], repos["olu"])),
        threading.Thread(target=ask, args=(people["owner"], repos["olu"], repos["lab"])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    assert not any(thread.is_alive() for thread in threads)
