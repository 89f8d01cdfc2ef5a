"""Home, lists, the pages of people and organizations, the page that creates a repo."""

from __future__ import annotations

import pytest

from accounts.models import User
from gatehub.web import lists
from repos.models import Repo
from tests.web.pages import press, soup, words


@pytest.fixture
def shelf(make_repo, lab, ada, olu):
    """lab/alpha (open, tagged), lab/beta (gated), olu/hidden (private), the dataset lab/rows."""
    card = b"---\nlicense: mit\npipeline_tag: text-generation\n---\n"
    return [
        make_repo("lab/alpha", by=ada, files={"README.md": card}),
        make_repo("lab/beta", by=ada, gated="manual"),
        make_repo("olu/hidden", by=olu, private=True),
        make_repo("lab/rows", by=ada, type_="dataset", gated="auto"),
    ]


def titles(response) -> list[str]:
    return [link.text for link in soup(response).select(".rows .title")]


def test_home_lists_the_newest_that_one_may_know_of(shelf, browser, olu):
    assert titles(browser().get("/")) == ["lab/beta", "lab/alpha", "lab/rows"]
    assert titles(browser(olu).get("/")) == ["olu/hidden", "lab/beta", "lab/alpha", "lab/rows"]
    assert "export HF_ENDPOINT=http://testserver" in words(soup(browser().get("/")))


def test_an_empty_hub_says_so(browser, db):
    assert "No models yet." in words(soup(browser().get("/")))


@pytest.mark.parametrize(("query", "found"), [
    ({}, ["lab/beta", "lab/alpha"]),
    ({"search": "ALPH"}, ["lab/alpha"]),
    ({"search": "lab/b"}, ["lab/beta"]),
    ({"search": "hidden"}, []),
    ({"search": "%"}, []),
    ({"search": "\0"}, ["lab/beta", "lab/alpha"]),
    ({"gated": "yes"}, ["lab/beta"]),
    ({"gated": "no"}, ["lab/alpha"]),
    ({"gated": "nonsense", "sort": "nonsense", "page": "nonsense"}, ["lab/beta", "lab/alpha"]),
    ({"sort": "created"}, ["lab/beta", "lab/alpha"]),
    ({"filter": ["license:mit", "text-generation"]}, ["lab/alpha"]),
    ({"filter": ["license:mit", "none"]}, []),
])  # fmt: skip
def test_search_and_filters(shelf, browser, query, found):
    assert titles(browser().get("/models", query)) == found


def test_datasets_and_badges(shelf, browser):
    page = soup(browser().get("/datasets"))
    assert words(page.select_one(".rows li")).startswith("lab/rows Gated")
    assert page.select_one(".rows .title")["href"] == "/datasets/lab/rows"


def test_private_repos_are_listed_for_whom_they_are(shelf, browser, olu, ada):
    assert "olu/hidden" in titles(browser(olu).get("/models"))
    assert "olu/hidden" not in titles(browser(ada).get("/models"))


def test_pages_keep_the_filters(shelf, browser, monkeypatch):
    monkeypatch.setattr(lists, "PAGE_SIZE", 1)
    page = soup(browser().get("/models?search=lab"))
    assert page.select_one("a[rel=next]")["href"] == "?search=lab&page=2"
    assert titles(browser().get("/models?search=lab&page=2")) == ["lab/alpha"]


@pytest.mark.parametrize("path", ["/", "/models", "/lab"])
def test_lists_cost_few_queries_however_long(shelf, browser, path, sam, django_assert_max_num_queries):
    client = browser(sam)
    with django_assert_max_num_queries(6):
        client.get(path)


def test_an_organization_shows_its_members(shelf, browser, wes):
    page = soup(browser().get("/LAB"))
    assert words(page.h1) == "The Lab"
    assert [words(row) for row in page.select(".members li")] == ["ada Admin", "wes Write"]
    assert titles(browser().get("/lab")) == ["lab/rows", "lab/beta", "lab/alpha"]


def test_a_person_shows_organizations_and_what_one_may_know_of(shelf, browser, olu, ada):
    assert titles(browser().get("/olu")) == []
    assert titles(browser(olu).get("/olu")) == ["olu/hidden"]
    assert words(soup(browser().get("/ada")).select_one(".members")) == "The Lab"
    assert "olu@example.org" not in words(soup(browser(ada).get("/olu"))), "addresses are for the authors one asks"


def test_no_such_namespace(browser, db, olu):
    for name in ("/nobody", "/no%20body", "/x" + "y" * 3000, "/%00", "/..%2f"):
        assert browser().get(name).status_code == 404, name
    User.objects.filter(pk=olu.pk).update(is_active=False)
    assert browser().get("/olu").status_code == 404


def test_create_a_repo(browser, ada, lab):
    client = browser(ada)
    page = soup(client.get("/new?type=dataset&namespace=lab"))
    assert [option["value"] for option in page.select("select[name=namespace] option")] == ["ada", "lab"]
    response = press(client, page, "/new", name="rows", visibility="private")
    assert response["Location"] == "/datasets/lab/rows"
    repo = Repo.objects.get()
    assert (repo.type, repo.private, repo.created_by) == ("dataset", True, ada)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"name": ""}, "required"),
        ({"name": "../x"}, "A repo name has letters"),
        ({"name": "taken"}, "You already created this model repo"),
        ({"namespace": "olu"}, "You don't have the rights"),
        ({"namespace": "nobody"}, "There is no user or organization"),
        ({"type": "space"}, "Select a valid choice"),
        ({"visibility": ""}, "required"),
    ],
)
def test_a_repo_that_cannot_be(browser, ada, lab, olu, make_repo, given, says):
    make_repo("lab/taken", by=ada)
    data = {"type": "model", "namespace": "lab", "name": "x", "visibility": "public"} | given
    response = browser(ada).post("/new", data)
    assert response.status_code == 400
    assert says in words(soup(response))
    assert Repo.objects.count() == 1


def test_a_reader_of_an_organization_is_not_offered_it(browser, rea):
    page = soup(browser(rea).get("/new"))
    assert [option["value"] for option in page.select("select[name=namespace] option")] == ["rea"]
