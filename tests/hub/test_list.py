"""Lists of models and datasets.  olu has three models; lab/secret is private, lab/toxic-bert gated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import User
from repos.models import Repo
from tests.support.cast import Api, MakeRepo

FRENCH = b"---\nlicense: mit\nlanguage: fr\npipeline_tag: text-generation\nlibrary_name: transformers\n---\n"
GERMAN = b"---\nlicense: mit\nlanguage: [de]\ndatasets: lab/corpus\n---\n"


@pytest.fixture
def three(olu: User, make_repo: MakeRepo) -> list[Repo]:
    """olu/alpha, olu/beta, olu/gamma: made and changed in that order, beta downloaded most."""
    repos = [
        make_repo("olu/alpha", by=olu, files={"README.md": FRENCH}),
        make_repo("olu/beta", by=olu, files={"README.md": GERMAN}),
        make_repo("olu/gamma", by=olu),
    ]
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    for number, repo in enumerate(repos):
        moment = noon + timedelta(minutes=number)
        downloads = 5 if repo.name == "beta" else number
        Repo.objects.filter(pk=repo.pk).update(created_at=moment, last_modified=moment, downloads=downloads)
    return repos


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()]


def names(caller: Api, query: Any = None) -> list[str]:
    return [repo_id.rpartition("/")[2] for repo_id in ids(caller.get("/api/models", query))]


def test_the_newest_comes_first(stranger, three):
    assert names(stranger) == ["gamma", "beta", "alpha"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"sort": "lastModified"}, "gamma beta alpha"),
        ({"sort": "last_modified", "direction": "1"}, "alpha beta gamma"),
        ({"sort": "createdAt", "direction": "-1"}, "gamma beta alpha"),
        ({"sort": "downloads"}, "beta gamma alpha"),
        ({"sort": "likes"}, "beta gamma alpha"),
        ({"sort": "trendingScore"}, "beta gamma alpha"),
        ({"filter": "fr"}, "alpha"),
        ({"filter": "language:fr"}, "alpha"),
        ({"filter": "license:mit"}, "beta alpha"),
        ({"filter": ["license:mit", "dataset:lab/corpus"]}, "beta"),
        ({"filter": ["fr", "de"]}, ""),
        ({"filter": "transformers"}, "alpha"),
        ({"pipeline_tag": "text-generation"}, "alpha"),
        ({"author": "OLU"}, "gamma beta alpha"),
        ({"author": "lab"}, ""),
        ({"search": "ALPH"}, "alpha"),
        ({"search": "olu/be"}, "beta"),
        ({"search": ["olu", "gam"]}, "gamma"),
        ({"search": "%"}, ""),
        ({"search": "_"}, ""),
        ({"inference": "warm", "apps": "x", "num_parameters": "min:1B"}, "gamma beta alpha"),
    ],
)
def test_filters_and_orders(query, expected, stranger, three):
    assert names(stranger, query) == expected.split()


@pytest.mark.parametrize("spelled", ["true", "True"])
def test_gated_or_not(spelled, stranger, three, gated_repo):
    assert names(stranger, {"gated": spelled}) == ["toxic-bert"]
    assert "toxic-bert" not in names(stranger, {"gated": "false"})
    assert "toxic-bert" in names(stranger)


def test_private_repos_are_listed_for_those_who_see_them(stranger, api, ada, rea, sam, make_repo):
    make_repo("lab/secret", by=ada, private=True)
    assert names(stranger) == names(api(sam)) == []
    assert names(api(rea, "read")) == names(api(ada)) == ["secret"]
    assert names(api(ada, "fine-grained")) == []


def test_models_are_no_datasets(stranger, olu, three, make_repo):
    make_repo("olu/table", by=olu, type_="dataset")
    assert ids(stranger.get("/api/datasets")) == ["olu/table"]
    assert "table" not in names(stranger)


def test_pages_are_followed_by_absolute_links_with_the_whole_query(stranger, three):
    address, seen = "/api/models?limit=1&filter=license:mit&sort=downloads&full=True", []
    while address:
        answer = stranger.get(address)
        seen += ids(answer)
        link = answer.get("Link", "")
        assert not link or link.startswith("<http://testserver/api/models?")
        assert not link or link.endswith('>; rel="next"')
        assert not link or ("filter=license%3Amit" in link and "full=True" in link and "sort=downloads" in link)
        address = link.partition(">")[0].removeprefix("<http://testserver")
    assert seen == ["olu/beta", "olu/alpha"]


@pytest.mark.parametrize("sort", ["lastModified", "createdAt", "downloads"])
@pytest.mark.parametrize("direction", ["-1", "1"])
def test_pages_hold_each_repo_once_also_where_many_are_alike(sort, direction, stranger, three):
    Repo.objects.update(downloads=7, last_modified=datetime(2026, 1, 1, tzinfo=UTC))
    address, seen = f"/api/models?limit=2&sort={sort}&direction={direction}", []
    while address:
        answer = stranger.get(address)
        seen += ids(answer)
        address = answer.get("Link", "").partition(">")[0].removeprefix("<http://testserver")
    assert sorted(seen) == ["olu/alpha", "olu/beta", "olu/gamma"]


def test_a_limit_above_the_size_of_a_page_gives_a_page(stranger, three):
    assert len(names(stranger, {"limit": "9999999"})) == 3


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "many"},
        {"limit": "१"},
        {"limit": "9" * 100},
        {"sort": "password"},
        {"sort": "namespace__user__password"},
        {"direction": "2"},
        {"direction": "down"},
        {"cursor": "x"},
        {"cursor": "e30"},
        {"cursor": "W251bGwsbnVsbF0"},  # [null,null]
        {"cursor": "WyJhIiwxXQ"},  # ["a",1]
        {"cursor": "WyIyMDI2LTAxLTAxIDAwOjAwWiIsMWU5OTld"},  # [..., 1e999]
        {"search": "a\0b"},
        {"author": "\0"},
        {"filter": "\0"},
        {"filter": ["x"] * 21},
    ],
)
def test_bad_input_is_told_what_is_wrong(query, stranger, three):
    answer = stranger.get("/api/models", query)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_card_data_come_when_asked_for(stranger, three):
    assert "cardData" not in stranger.get("/api/models").json()[0]
    rows = stranger.get("/api/models", {"cardData": "True", "search": "alpha"}).json()
    assert rows[0]["cardData"]["language"] == "fr"
    rows = stranger.get("/api/models", {"expand": ["downloads", "cardData"], "search": "beta"}).json()
    assert set(rows[0]) == {"_id", "id", "modelId", "downloads", "cardData"}


def test_a_list_costs_as_many_queries_for_ten_as_for_one(api, olu, make_repo, django_assert_num_queries):
    caller = api(olu)
    for number in range(10):
        make_repo(f"olu/m{number}", by=olu, files={"README.md": FRENCH})
    caller.get("/api/models")
    for query in ({"limit": "1"}, {}, {"full": "true", "filter": "fr", "search": "olu"}):
        with django_assert_num_queries(2):  # The token, the repos.
            caller.get("/api/models", query)
