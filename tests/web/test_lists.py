"""Home, lists, the pages of people and organizations, the page that creates a repo."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from access import services
from accounts.actor import Actor
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


def facets(response) -> dict[str, list[str]]:
    """Title -> what is offered, with counts."""
    sections = soup(response).select(".facets section")
    return {words(section.h2): [words(link) for link in section.select("a")] for section in sections}


def link(response, text: str) -> str:
    """The address behind the one link that has this text, or ends with it."""
    (found,) = {a["href"] for a in soup(response).select("main a") if words(a) == text}
    return found


def test_home_lists_the_newest_that_one_may_know_of(shelf, browser, olu):
    assert titles(browser().get("/")) == ["lab/beta", "lab/alpha", "lab/rows"]
    assert titles(browser(olu).get("/")) == ["olu/hidden", "lab/beta", "lab/alpha", "lab/rows"]
    assert "export HF_ENDPOINT=http://testserver" in words(soup(browser().get("/")))


@pytest.mark.parametrize("path", ["/", "/models", "/datasets"])
def test_an_empty_hub_says_what_to_do(browser, sam, path):
    kind = "dataset" if path == "/datasets" else "model"
    page = browser().get(path)
    assert f"No {kind}s yet. Sign in to publish the first one." in words(soup(page))
    page = browser(sam).get(path)
    assert f"No {kind}s yet. Create the first one" in words(soup(page))
    assert soup(page).select_one(f'.empty a[href="/new?type={kind}"]')


def test_home_tells_reviewers_what_waits(shelf, browser, ada, wes, rea, sam, noor, olu, make_repo):
    beta, rows = shelf[1], shelf[3]
    make_repo("olu/other", by=olu, gated="manual")
    for person in (sam, noor, olu):
        services.ask(repo=beta, answers={}, by=Actor(user=person))
    services.ask(repo=rows, answers={}, by=Actor(user=sam))  # Is accepted at once.
    for reviewer in (ada, wes):
        waiting = soup(browser(reviewer).get("/")).select_one(".waiting")
        assert [words(row) for row in waiting.select("li")] == ["lab/beta 3 access requests"]
        assert waiting.a["href"] == "/lab/beta/settings?status=pending#requests"
    for other in (rea, sam, olu):
        assert not soup(browser(other).get("/")).select(".waiting"), other
    assert not soup(browser().get("/")).select(".waiting")


def test_home_names_those_of_which_most_wait(browser, ada, sam, noor, make_repo, monkeypatch):
    monkeypatch.setattr(lists, "WAITING", 1)
    for name, people in (("one", [sam]), ("two", [sam, noor])):
        repo = make_repo(f"ada/{name}", by=ada, gated="manual")
        for person in people:
            services.ask(repo=repo, answers={}, by=Actor(user=person))
    waiting = soup(browser(ada).get("/")).select_one(".waiting")
    assert [words(row) for row in waiting.select("li")] == ["ada/two 2 access requests"]
    assert "Others of your repositories have access requests, too." in words(waiting)


@pytest.mark.parametrize(("query", "found"), [
    ({}, ["lab/beta", "lab/alpha"]),
    ({"search": "ALPH"}, ["lab/alpha"]),
    ({"search": "lab/b"}, ["lab/beta"]),
    ({"search": "hidden"}, []),
    ({"search": "%"}, []),
    ({"search": "\0"}, ["lab/beta", "lab/alpha"]),
    ({"author": "LAB"}, ["lab/beta", "lab/alpha"]),
    ({"author": "la"}, []),
    ({"author": "olu"}, []),
    ({"author": "\0"}, ["lab/beta", "lab/alpha"]),
    ({"gated": "yes"}, ["lab/beta"]),
    ({"gated": "no"}, ["lab/alpha"]),
    ({"gated": "nonsense", "sort": "nonsense", "page": "nonsense"}, ["lab/beta", "lab/alpha"]),
    ({"sort": "created"}, ["lab/beta", "lab/alpha"]),
    ({"sort": "name"}, ["lab/alpha", "lab/beta"]),
    ({"sort": "downloads"}, ["lab/beta", "lab/alpha"]),
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


def test_each_filter_that_is_set_can_be_removed(shelf, browser):
    query = {
        "search": "a",
        "author": "lab",
        "gated": "no",
        "sort": "name",
        "filter": ["license:mit", "text-generation"],
    }
    page = browser().get("/models", query)
    assert titles(page) == ["lab/alpha"]
    rest = "sort=name&filter=license%3Amit&filter=text-generation"
    assert link(page, "Remove Name: a ×") == f"/models?author=lab&gated=no&{rest}"
    assert link(page, "Remove Owner: lab ×") == f"/models?search=a&gated=no&{rest}"
    assert link(page, "Remove Not gated ×") == f"/models?search=a&author=lab&{rest}"
    without = "/models?search=a&author=lab&gated=no&sort=name&filter=text-generation"
    assert link(page, "Remove License: mit ×") == without
    assert titles(browser().get(without)) == ["lab/alpha"]
    assert link(page, "Clear all") == "/models"
    hidden = [field["value"] for field in soup(page).select("form.filters input[type=hidden]")]
    assert hidden == query["filter"], "another search keeps the tags"


def test_what_means_nothing_in_an_address_is_left_out_of_all_others(shelf, browser):
    query = {"gated": "x", "sort": "x", "page": "x", "other": "x", "filter": ["", "\0", *map(str, range(40)), "1"]}
    chips = soup(browser().get("/models", query)).select(".chips a")
    assert [words(chip) for chip in chips] == [*(f"Remove {number} ×" for number in range(10)), "Clear all"]
    assert not [chip for chip in chips if "x" in chip["href"]]
    long = soup(browser().get("/models", {"search": "s" * 4000})).select_one("#search")["value"]
    assert long == "s" * 200


def test_the_same_search_in_the_other_list(shelf, browser):
    page = browser().get("/models?search=ROWS&author=lab")
    assert "No model matches." in words(soup(page))
    assert titles(browser().get(link(page, "search in datasets"))) == ["lab/rows"]
    assert link(browser().get("/datasets?search=ROWS"), "Same search in models") == "/models?search=ROWS"


def test_facets_offer_the_tags_of_what_is_listed(browser, ada, lab, make_repo):
    """Each with its count, the most frequent first; a language once, though the card's tags have it twice."""
    for name, entries in (
        (
            "a",
            "license: mit\npipeline_tag: text-generation\nlibrary_name: transformers\nlanguage: [en, fr]\ntags: [own]",
        ),
        ("b", "license: mit\npipeline_tag: text-generation\nlibrary_name: peft\nlanguage: en\ntags: [own, 'a:b']"),
        ("c", "license: apache-2.0\npipeline_tag: [odd]\nlibrary_name: {odd: true}\nmodel-index: []"),
    ):
        make_repo(f"lab/{name}", by=ada, files={"README.md": f"---\n{entries}\n---\n".encode()})
    page = browser().get("/models")
    assert facets(page) == {
        "Task": ["text-generation 2"],
        "Library": ["peft 1", "transformers 1"],
        "License": ["mit 2", "apache-2.0 1"],
        "Language": ["en 2", "fr 1"],
        "Tags": ["own 2"],
    }
    narrowed = browser().get(link(page, "fr 1"))
    assert titles(narrowed) == ["lab/a"]
    assert facets(narrowed)["License"] == ["mit 1"], "what would lead to nothing is not offered"
    (chosen,) = soup(narrowed).select(".facets a[aria-current=true]")
    assert words(chosen) == "fr 1"
    assert chosen["href"] == "/models?", "and once more takes it away"


def test_facets_of_datasets_know_their_tasks(browser, ada, lab, make_repo):
    card = b"---\ntask_categories: [translation]\n---\n"
    make_repo("lab/rows", by=ada, type_="dataset", files={"README.md": card})
    assert facets(browser().get("/datasets")) == {"Task": ["translation 1"]}
    assert facets(browser().get("/models")) == {}


def test_facets_say_nothing_of_what_one_may_not_know_of(browser, ada, lab, rea, sam, make_repo):
    card = b"---\nlicense: top-secret\nlibrary_name: cloaked\npipeline_tag: spying\ntags: [covert]\n---\n"
    repo = make_repo("lab/secret", by=ada, files={"README.md": card})
    assert "Tags" in facets(browser().get("/models"))
    Repo.objects.filter(pk=repo.pk).update(private=True)
    for client in (browser(), browser(sam)):
        for path in ("/models", "/models?filter=covert", "/models?search=secret"):
            page = client.get(path)
            assert facets(page) == {}, "from the very moment"
            assert titles(page) == []
    assert facets(browser(rea).get("/models"))["Tags"] == ["covert 1"]


def test_what_is_beyond_a_thousand_is_not_counted(shelf, browser, monkeypatch):
    monkeypatch.setattr(lists, "MOST_LISTED", 1)
    page = browser().get("/models")
    assert titles(page) == ["lab/beta"]
    assert words(soup(page).select_one("#found")) == "1+ models"
    assert "There are more, which are not listed." in words(soup(page))
    assert titles(browser().get("/models?page=2")) == ["lab/beta"], "the nearest page that there is"
    assert words(soup(browser().get("/models?search=alpha")).select_one("#found")) == "1 model"


@pytest.mark.parametrize(("path", "queries"), [
    ("/", 6), ("/models", 6), ("/models?search=a&author=lab&filter=x&filter=y&gated=no", 3), ("/lab", 8), ("/sam", 5),
])  # fmt: skip
def test_lists_cost_the_same_few_queries_however_long(
    shelf, browser, path, queries, ada, sam, lab, make_repo, django_assert_num_queries
):
    client = browser(sam)
    with django_assert_num_queries(queries):
        client.get(path)
    for number in range(5):
        make_repo(f"lab/more-{number}", by=ada, files={"README.md": b"---\nlicense: mit\n---\n"})
    with django_assert_num_queries(queries):
        client.get(path)


def test_a_namespace_has_pages_and_ways_to_search_it(shelf, browser, monkeypatch):
    monkeypatch.setattr(lists, "PAGE_SIZE", 2)
    page = browser().get("/lab")
    assert titles(page) == ["lab/rows", "lab/beta"]
    assert titles(browser().get("/lab" + soup(page).select_one("a[rel=next]")["href"])) == ["lab/alpha"]
    assert titles(browser().get(link(page, "Search models"))) == ["lab/beta", "lab/alpha"]
    assert titles(browser().get(link(page, "Search datasets"))) == ["lab/rows"]


def test_a_bare_namespace_says_what_to_do(browser, sam, olu):
    page = browser(olu).get("/olu")
    assert "You have no models or datasets yet." in words(soup(page))
    assert link(page, "Create a repository") == "/new"
    assert "olu shows no models or datasets to you." in words(soup(browser(sam).get("/olu")))


def test_an_organization_does_not_list_members_without_end(shelf, browser, wes, rea, monkeypatch):
    monkeypatch.setattr(lists, "MEMBERS", 2)
    members = soup(browser().get("/lab")).select_one("aside")
    assert [words(row) for row in members.select("li")] == ["ada Admin", "wes Write"]
    assert "And more." in words(members)


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
        ({"name": "taken"}, "There is a model lab/taken already. Choose another name."),
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


def test_each_page_has_our_wordmark_and_favicon(browser, db):
    page = soup(browser().get("/"))
    mark = page.select_one("header a.wordmark")
    assert mark["href"] == "/"
    assert mark.select_one("svg") is not None
    icon = page.select_one("link[rel=icon]")
    assert icon["type"] == "image/svg+xml"
    drawing = finders.find(icon["href"].removeprefix("/static/"))
    assert Path(drawing).read_text().lstrip().startswith("<svg")
