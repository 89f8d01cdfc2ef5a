"""The three lists of access requests.  ada reviews lab/toxic-bert; sam and noor ask, olu was let in unasked."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from access import services, tokens
from access.models import AccessRequest
from accounts.actor import Actor
from repos import services as repo_services
from tests.support.cast import ANSWERS, Api

LISTS = "/api/models/lab/toxic-bert/user-access-request"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def asked(gated_repo, sam, noor):
    return [services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=user)) for user in (sam, noor)]


@pytest.fixture
def crowd(gated_repo, make_user):
    """Twenty-five pending requests, of which pairs were sent at the same moment."""
    start = timezone.now()
    for number in range(25):
        user = make_user(f"person-{number:02d}", f"Person {number}")
        AccessRequest.objects.create(
            repo=gated_repo,
            user=user,
            email=user.email,
            fullname=user.fullname,
            requested_at=start + timedelta(seconds=number // 2),
        )


def users(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [item["user"]["user"] for item in answer.json()]


def test_a_pending_request_has_what_every_client_reads(asked, api, ada, sam):
    answer = api(ada).get(f"{LISTS}/pending")
    first = answer.json()[0]
    assert TIME.fullmatch(first.pop("timestamp"))
    assert first == {
        "requestId": asked[0].request_id,
        "status": "pending",
        "user": {
            "_id": f"u-{sam.pk}",
            "user": "sam",
            "fullname": "Sam Requester",
            "email": "sam@example.org",
            "avatarUrl": "/avatars/sam.svg",
            "isPro": False,
            "type": "user",
            "verifiedOrgNames": [],
        },
        "fields": ANSWERS,
    }
    assert "Link" not in answer
    assert answer["Cache-Control"] == "no-store"


def test_answers_stand_in_the_order_of_the_form(asked, api, ada):
    assert list(api(ada).get(f"{LISTS}/pending").json()[0]["fields"]) == list(ANSWERS)


def test_each_request_is_in_the_list_of_its_status_oldest_first(asked, api, ada, gated_repo, olu):
    by = Actor(user=ada)
    assert users(api(ada).get(f"{LISTS}/pending")) == ["sam", "noor"]
    services.review(access_request=asked[0], status="accepted", by=by)
    services.review(access_request=asked[1], status="rejected", reason="Not this time", by=by)
    services.grant(repo=gated_repo, user=olu, by=by)
    assert users(api(ada).get(f"{LISTS}/pending")) == []
    assert users(api(ada).get(f"{LISTS}/accepted")) == ["sam", "olu"]
    rejected = api(ada).get(f"{LISTS}/rejected").json()
    assert [item["user"]["user"] for item in rejected] == ["noor"]
    assert rejected[0]["rejectionReason"] == "Not this time"
    assert TIME.fullmatch(rejected[0]["reviewedAt"])


def test_who_was_granted_access_shared_no_address(gated_repo, api, ada, olu):
    services.grant(repo=gated_repo, user=olu, by=Actor(user=ada))
    (item,) = api(ada).get(f"{LISTS}/accepted").json()
    assert "email" not in item["user"]
    assert item["grantedBy"] == {"fullname": "Ada Lovelace", "user": "ada"}
    assert item["fields"] == {}


def test_name_and_address_stay_as_they_were_when_the_request_was_sent(asked, api, ada, sam):
    sam.fullname, sam.email = "Someone Else", "else@example.org"
    sam.save()
    person = api(ada).get(f"{LISTS}/pending").json()[0]["user"]
    assert (person["fullname"], person["email"]) == ("Sam Requester", "sam@example.org")


def test_datasets_have_the_same_lists(make_repo, ada, lab, sam, api):
    repo = make_repo("lab/corpus", by=ada, type_="dataset", gated="manual")
    services.ask(repo=repo, answers={}, by=Actor(user=sam))
    assert users(api(ada).get("/api/datasets/lab/corpus/user-access-request/pending")) == ["sam"]
    assert api(ada).get("/api/models/lab/corpus/user-access-request/pending").status_code == 404


# --- Pages ----------------------------------------------------------------------------------------------------------


def test_pages_follow_each_other_and_hold_each_request_once(crowd, api, ada):
    caller, found = api(ada), []
    address = f"{LISTS}/pending?limit=10&q=person"
    sizes = []
    while address:
        answer = caller.get(address)
        found += users(answer)
        sizes.append(len(answer.json()))
        address = ""
        if "Link" in answer:
            match = re.fullmatch(r'<(http://testserver/api/[^>]+)>; rel="next"', answer["Link"])
            address = match[1].removeprefix("http://testserver")
            assert "limit=10" in address
            assert "q=person" in address
    assert sizes == [10, 10, 5]
    assert found == [f"person-{number:02d}" for number in range(25)]


def test_a_request_decided_between_two_pages_moves_no_other(crowd, api, ada, gated_repo):
    caller = api(ada)
    first = caller.get(f"{LISTS}/pending?limit=10")
    decided = AccessRequest.objects.get(user__username="person-00")
    services.review(access_request=decided, status="accepted", by=Actor(user=ada))
    address = first["Link"].split(">")[0].removeprefix("<http://testserver")
    assert users(caller.get(address))[0] == "person-10"


def test_a_page_of_a_thousand_needs_as_many_queries_as_one_of_ten(crowd, api, ada, django_assert_num_queries):
    caller = api(ada)
    caller.get(f"{LISTS}/pending")  # Notes the use of the token.
    with django_assert_num_queries(3) as few:  # The token, the repo, the list.
        caller.get(f"{LISTS}/pending?limit=10")
    with django_assert_num_queries(len(few)):
        assert len(caller.get(f"{LISTS}/pending?limit=1000").json()) == 25


def test_forms_cost_one_query_however_many_answered_them(asked, api, ada, django_assert_num_queries):
    caller = api(ada)
    caller.get(f"{LISTS}/pending")
    with django_assert_num_queries(4):
        caller.get(f"{LISTS}/pending")


@pytest.mark.parametrize("limit", ["9", "1001", "0", "-1", "ten", "", "1e2", "٣٣", "9" * 400])
def test_a_limit_is_ten_to_a_thousand(limit, gated_repo, api, ada):
    answer = api(ada).get(f"{LISTS}/pending", {"limit": limit})
    assert answer.status_code == 400
    assert "limit" in answer.json()["error"]


@pytest.mark.parametrize("cursor", ["", "x", "bm90LWpzb24", "W10", "WyIyMDI2IiwgIngiXQ"])
def test_a_cursor_of_somebody_elses_is_refused(cursor, gated_repo, api, ada):
    assert api(ada).get(f"{LISTS}/pending", {"cursor": cursor}).status_code == 400


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("SAM", ["sam"]),
        ("haddad", ["noor"]),
        ("noor@example", ["noor"]),
        ("example.org", ["sam", "noor"]),
        ("nobody", []),
        ("%", []),
        ("", ["sam", "noor"]),
        ("sa\0m", ["sam"]),
    ],
)
def test_q_searches_names_and_addresses(words, found, asked, api, ada):
    assert users(api(ada).get(f"{LISTS}/pending", {"q": words})) == found


def test_q_finds_names_of_any_script_in_any_case(asked, api, ada):
    AccessRequest.objects.filter(user__username="sam").update(fullname="Émile Дмитриев")
    for words in ("ÉMILE", "дмит"):
        assert users(api(ada).get(f"{LISTS}/pending", {"q": words})) == ["sam"]


# --- Who may not, and what is not there -----------------------------------------------------------------------------


def test_checks_come_in_the_order_of_the_hub(gated_repo, stranger, api, ada, sam, make_repo):
    open_repo = "/api/models/lab/open/user-access-request/nonsense"
    make_repo("lab/open", by=ada)
    anonymous = stranger.get(open_repo)
    assert anonymous.status_code == 401
    assert anonymous["X-Error-Message"] == "Invalid username or password."
    no_right = api(sam).get(open_repo)
    assert no_right.status_code == 403
    message = "You have read access but not the required permissions for this operation"
    assert no_right["X-Error-Message"] == message
    assert no_right.json()["error"] == message
    not_gated = api(ada).get(open_repo)
    assert (not_gated.status_code, not_gated["X-Error-Code"]) == (400, "RepoNotGated")
    assert not_gated.json()["error"] == "model lab/open is not gated"
    assert api(ada).get(f"{LISTS}/nonsense").status_code == 404


@pytest.mark.parametrize("word", ["reset", "Pending", "accepted ", "granted"])
def test_any_other_status_is_no_list(word, gated_repo, api, ada):
    assert api(ada).get(f"{LISTS}/{word}").status_code == 404


@pytest.mark.parametrize("status", ["pending", "accepted", "rejected"])
def test_a_hidden_repo_and_a_missing_one_look_alike(status, make_repo, ada, lab, sam, api, stranger):
    make_repo("lab/secret", by=ada, gated="manual", private=True)
    for caller, expected in ((stranger, 401), (api(sam), 404)):
        answers = [caller.get(f"/api/models/lab/{name}/user-access-request/{status}") for name in ("secret", "absent")]
        assert [answer.status_code for answer in answers] == [expected, expected]
        assert answers[0].content == answers[1].content
        assert {answer["X-Error-Code"] for answer in answers} == {"RepoNotFound"}


def test_of_members_those_who_write_see_the_lists(asked, api, ada, wes, con, rea):
    shown = {user.username: api(user).get(f"{LISTS}/pending").status_code for user in (ada, wes, con, rea)}
    assert shown == {"ada": 200, "wes": 200, "con": 403, "rea": 403}


def test_a_read_token_of_the_owner_shows_no_list(asked, api, ada):
    answer = api(ada, "read").get(f"{LISTS}/pending")
    assert answer.status_code == 403
    assert "may not see access requests" in answer["X-Error-Message"]


@pytest.mark.parametrize(
    ("permission", "status"),
    [("repo.access.read", 200), ("repo.access.write", 200), ("repo.content.read", 403), ("repo.write", 403)],
)
def test_a_fine_grained_token_needs_the_permission_by_name(permission, status, asked, api, ada, gated_repo):
    caller = api(ada, "fine-grained", scopes=[tokens.Scope(permission, repo=gated_repo)])
    assert caller.get(f"{LISTS}/pending").status_code == status


def test_a_gate_that_was_closed_and_opened_again_has_its_requests_back(asked, api, ada, gated_repo):
    by = Actor(user=ada)
    repo_services.change_settings(gated_repo, {"gated": False}, by=by)
    assert api(ada).get(f"{LISTS}/pending").status_code == 400
    repo_services.change_settings(gated_repo, {"gated": "auto"}, by=by)
    assert users(api(ada).get(f"{LISTS}/pending")) == ["sam", "noor"]


def test_a_bad_token_is_refused_even_where_a_stranger_would_be(asked):
    answer = Api("gate_nonsense").get(f"{LISTS}/pending")
    assert answer.status_code == 401
    assert answer["X-Error-Message"] == "Invalid credentials in Authorization header"
