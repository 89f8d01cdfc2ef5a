"""The model page.  lab/toxic-bert is gated; ada manages it; sam asks; a stranger looks."""

from __future__ import annotations

import json

import pytest
from allauth.account.models import EmailAddress

from access import services
from access.models import AccessRequest
from accounts.actor import Actor
from gatehub.web import facts
from gatehub.web import repo as repo_page
from repos import services as repo_services
from tests.support.cast import ANSWERS, GATE_CARD, add_files
from tests.web.pages import data_of, form_to, label_of, press, soup, words

PATH = "/lab/toxic-bert"


def ask(repo, user):
    return services.ask(repo=repo, answers=ANSWERS, by=Actor(user=user))


def test_a_stranger_sees_card_and_terms_and_is_told_to_sign_in(gated_repo, browser):
    page = soup(browser().get(PATH))
    assert page.select_one("article.prose h1").text == "A model"
    gate = page.select_one("#gate")
    assert "You agree to not use the model for harm." in words(gate)
    assert gate.select_one("a.button")["href"] == "/login?next=/lab/toxic-bert"
    assert not gate.select("form")
    assert "Settings" not in words(page.select_one(".tabs"))


def test_a_requester_gets_a_form_whose_controls_are_named_as_the_card_names_them(gated_repo, browser, sam):
    page = soup(browser(sam).get(PATH))
    form = form_to(page, f"{PATH}/ask-access")
    controls = [control for control in form.select("[name]") if control["name"] != "csrfmiddlewaretoken"]
    assert [control["name"] for control in controls] == ["Company", "Country", "I agree"]
    assert [label_of(page, control) for control in controls] == ["Company", "Country", "I agree"]
    assert all(control.has_attr("required") for control in controls)
    countries = form.select_one("select[name=Country]").select("option")
    assert len(countries) > 240
    assert "FR" in {option["value"] for option in countries}
    shared = words(form.select_one(".shared"))
    assert "sam" in shared
    assert "Sam Requester" in shared
    assert "sam@example.org" in shared


def test_what_may_be_left_out_says_so(make_repo, browser, lab, ada, sam):
    card = (
        b"---\nextra_gated_fields:\n- News: {type: checkbox, required: false}\n- Team: {type: text, required: false}\n"
    )
    make_repo("lab/m", by=ada, gated="manual", files={"README.md": card + b"- I agree: checkbox\n---\n"})
    form = form_to(soup(browser(sam).get("/lab/m")), "/lab/m/ask-access")
    said = [words(field) for field in form.select(".field")]
    assert ["optional" in field for field in said] == [True, True, False]


def test_each_type_of_field_has_its_control(gated_repo, browser, ada, sam):
    card = """---
extra_gated_heading: Read this first
extra_gated_description: Usually **quick**.
extra_gated_button_content: Ask nicely
extra_gated_fields:
  Born: date_picker
  Purpose:
    type: select
    options: [Yes, {label: Something else, value: other}]
  Story: {type: textarea, required: false, help: "Some *lines*."}
  Work mail: email
  Page: url
  Where: ip_location
---
"""
    add_files(gated_repo, {"README.md": card.encode()}, by=ada)
    page = soup(browser(sam).get(PATH))
    assert words(page.select_one("#gate-heading")) == "Read this first"
    assert page.select_one(".description strong").text == "quick"
    form = form_to(page, f"{PATH}/ask-access")
    kinds = {control["name"]: (control.name, control.get("type")) for control in form.select("[name]")}
    assert kinds["Born"] == ("input", "date")
    assert kinds["Purpose"] == ("select", None)
    assert kinds["Story"] == ("textarea", None)
    assert kinds["Work mail"] == ("input", "email")
    assert kinds["Page"] == ("input", "url")
    assert form.find(attrs={"name": "Where"}).has_attr("readonly")
    options = form.select("select[name=Purpose] option")
    assert [(option["value"], option.text) for option in options[1:]] == [("Yes", "Yes"), ("other", "Something else")]
    story = form.find(attrs={"name": "Story"})
    assert not story.has_attr("required")
    assert page.find(id=story["aria-describedby"]).em.text == "lines"
    assert words(form.find("button")) == "Ask nicely"


def test_the_page_follows_the_life_of_a_request(gated_repo, browser, sam, ada):
    client, by = browser(sam), Actor(user=ada)
    request = ask(gated_repo, sam)
    page = soup(client.get(PATH))
    assert "awaiting review" in words(page.select_one("#gate"))
    assert not page.select('form[action*="/ask-access"]')

    services.review(access_request=request, status="rejected", reason="Use your <work> address", by=by)
    gate = soup(client.get(PATH)).select_one("#gate")
    assert "rejected" in words(gate)
    assert words(gate.select_one(".reason")) == "Use your <work> address"

    services.review(access_request=request, status="accepted", by=by)
    assert "You have been granted access to this model" in words(soup(client.get(PATH)).select_one("#gate"))


def test_a_pending_request_can_be_cancelled(gated_repo, browser, sam):
    ask(gated_repo, sam)
    client = browser(sam)
    response = press(client, soup(client.get(PATH)), f"{PATH}/withdraw-request")
    assert response["Location"] == PATH
    assert not AccessRequest.objects.exists()
    page = soup(client.get(PATH))
    assert "was cancelled" in words(page)
    assert form_to(page, f"{PATH}/ask-access")


def test_what_was_decided_cannot_be_cancelled_by_the_requester(gated_repo, browser, sam, ada):
    services.review(access_request=ask(gated_repo, sam), status="rejected", by=Actor(user=ada))
    client = browser(sam)
    client.post(f"{PATH}/withdraw-request")
    assert AccessRequest.objects.get().status == "rejected"
    told = words(soup(client.get(PATH)).select_one("#toasts"))
    assert "Your request for lab/toxic-bert is not pending any more: it was rejected. Nothing was changed." in told


def test_whoever_cancels_a_request_twice_is_told_that_there_is_none(gated_repo, browser, sam):
    ask(gated_repo, sam)
    client = browser(sam)
    for _ in range(2):
        client.post(f"{PATH}/withdraw-request")
    told = words(soup(client.get(PATH)).select_one("#toasts"))
    assert "You have no request for lab/toxic-bert: it was cancelled already. Nothing was changed." in told


def test_an_unverified_address_is_sent_to_be_verified(gated_repo, browser, sam):
    EmailAddress.objects.filter(user=sam).update(verified=False)
    gate = soup(browser(sam).get(PATH)).select_one("#gate")
    assert gate.select_one("a[href='/settings/addresses']")
    assert not gate.select("form")


def test_a_manager_sees_how_many_wait_and_no_form(gated_repo, browser, sam, ada):
    ask(gated_repo, sam)
    page = soup(browser(ada).get(PATH))
    assert "1 access request waits for your review" in words(page)
    assert not page.select('form[action*="/ask-access"]')
    assert page.select_one(f'.tabs a[href="{PATH}/settings"]')


def test_only_managers_are_told_what_is_wrong_with_the_card(gated_repo, browser, sam, ada):
    add_files(gated_repo, {"README.md": b"---\nextra_gated_fields: {Company: nonsense}\n---\n# B\n"}, by=ada)
    assert "nonsense" in words(soup(browser(ada).get(PATH)))
    page = soup(browser(sam).get(PATH))
    assert "nonsense" not in words(page)
    assert form_to(page, f"{PATH}/ask-access"), "the last good form stays in force"


def test_how_to_use_it_names_this_server(gated_repo, browser):
    page = words(soup(browser().get(PATH, headers={"host": "localhost:9000"})))
    assert "export HF_ENDPOINT=http://localhost:9000" in page
    assert "hf download lab/toxic-bert" in page
    assert "git clone http://localhost:9000/lab/toxic-bert" in page


def test_a_dataset_says_so(make_repo, lab, ada, browser):
    make_repo("lab/rows", by=ada, type_="dataset", gated="auto", files={"README.md": GATE_CARD.encode()})
    page = words(soup(browser().get("/datasets/lab/rows")))
    assert "hf download lab/rows --repo-type dataset" in page
    assert 'load_dataset("lab/rows")' in page
    assert browser().get("/lab/rows").status_code == 404


def test_an_open_repo_has_no_gate_and_an_empty_one_says_what_to_do(make_repo, lab, ada, browser):
    make_repo("lab/open", by=ada)
    assert not soup(browser().get("/lab/open")).select("#gate")
    start = soup(browser(ada).get("/lab/open")).select_one("section.start")
    assert start.select_one("a.button")["href"] == "/lab/open/edit/main/README.md"
    assert "hf upload lab/open ." in words(start)
    assert "git clone http://testserver/lab/open" in words(start)
    assert not soup(browser().get("/lab/open")).select("section.start"), "a stranger can upload nothing"


QUERIES = {
    # The session and its person; the repo, and what the person may; their request; their address, or the owner's
    # counter; whether mails tell them.
    "stranger": 1,
    "nothing asked": 5,
    "pending": 5,
    "accepted": 4,
    "rejected": 4,
    "read": 4,
    "admin": 5,
}


@pytest.mark.parametrize("who", QUERIES)
def test_the_page_costs_few_queries(gated_repo, browser, sam, rea, ada, who, django_assert_num_queries):
    if who in ("pending", "accepted", "rejected"):
        request = ask(gated_repo, sam)
        if who != "pending":
            services.review(access_request=request, status=who, by=Actor(user=ada))
    client = browser({"stranger": None, "read": rea, "admin": ada}.get(who, sam))
    client.get(PATH)
    with django_assert_num_queries(QUERIES[who]):
        assert client.get(PATH).status_code == 200


def test_a_card_is_rendered_once_for_who_reads_the_files_and_who_does_not(gated_repo, browser, sam, ada, monkeypatch):
    rendered = []
    once = repo_page.render_card
    monkeypatch.setattr(repo_page, "render_card", lambda text, **how: rendered.append(how) or once(text, **how))

    def headings(user):
        return {soup(browser(user).get(PATH)).select_one("article.prose h1").text for _ in range(3)}

    add_files(gated_repo, {"README.md": b"# One\n"}, by=ada)
    assert headings(sam) == headings(ada) == {"One"}
    assert [how["files_closed"] for how in rendered] == [True, False]
    add_files(gated_repo, {"README.md": b"# Two\n"}, by=ada)
    assert headings(sam) == headings(ada) == {"Two"}
    assert len(rendered) == 4


def test_a_repo_that_moved_has_its_card_rendered_anew(gated_repo, browser, ada):
    add_files(gated_repo, {"README.md": b"[Notes](notes.md)\n"}, by=ada)
    browser(ada).get(PATH)
    repo_services.move_repo(gated_repo, namespace=gated_repo.namespace, name="kind-bert", by=Actor(user=ada))
    link = soup(browser(ada).get("/lab/kind-bert")).select_one("article.prose a")
    assert link["href"].startswith("/lab/kind-bert/")


def test_an_old_id_leads_to_the_new_one(gated_repo, browser, ada):
    repo_services.move_repo(gated_repo, namespace=gated_repo.namespace, name="kind-bert", by=Actor(user=ada))
    response = browser().get(PATH)
    assert (response.status_code, response["Location"]) == (307, "/lab/kind-bert")


@pytest.mark.parametrize("gated", ["auto", "manual"])
def test_the_button_says_what_it_does(make_repo, lab, ada, sam, browser, gated):
    make_repo("lab/plain", by=ada, gated=gated, files={"README.md": b"# Plain\n"})
    page = soup(browser(sam).get("/lab/plain"))
    form = form_to(page, "/lab/plain/ask-access")
    assert list(data_of(form)) == ["csrfmiddlewaretoken"]
    wanted = {"auto": "Agree and access repository", "manual": "Agree and send request to access repo"}
    assert words(form.find("button")) == wanted[gated]


PICTURES = GATE_CARD.replace("harm.", "harm. ![seal](seal.png)") + "![The loss](img/loss.png)\n"


def test_a_closed_gate_shows_words_in_the_place_of_pictures(gated_repo, browser, sam, rea, ada):
    add_files(gated_repo, {"README.md": PICTURES.encode(), "img/loss.png": b"\x89PNG"}, by=ada)
    for client in (browser(), browser(sam)):
        page = soup(client.get(PATH))
        assert not page.select("main img")
        assert [words(part) for part in page.select("main .unshown")] == ["seal", "The loss"]
        assert "are files behind the gate" in words(page.select_one(".pictures-note"))
    for client in (browser(ada), browser(rea)):
        page = soup(client.get(PATH))
        assert page.select_one("article img")["src"] == f"{PATH}/resolve/main/img/loss.png"
        assert not page.select(".pictures-note")
    services.review(access_request=ask(gated_repo, sam), status="accepted", by=Actor(user=ada))
    assert soup(browser(sam).get(PATH)).select("article img")


def test_who_waits_can_read_what_they_sent(gated_repo, browser, sam, ada):
    ask(gated_repo, sam)
    add_files(gated_repo, {"README.md": b"---\nextra_gated_fields: {Other: text}\n---\n"}, by=ada)
    sent = soup(browser(sam).get(PATH)).select_one("#gate .sent")
    assert [words(term) for term in sent.select("dt")] == ["Company", "Country", "I agree"]
    assert [words(answer) for answer in sent.select("dd")] == ["Example University", "France (FR)", "Yes"]


FACTS = """---
license: other
license_name: lab-community
license_link: {link}
library_name: transformers
pipeline_tag: text-generation
language: [en, fr]
base_model: [Lab/Base, lab/secret, else/where]
base_model_relation: finetune
datasets: [lab/rows]
tags: [small, "a&b"]
---
"""


def about(page):
    """What the side of the page says: each fact with its words, and the addresses of the words that are links."""
    facts = page.select_one(".about .facts")
    said = {words(term): term.find_next_sibling("dd") for term in facts.select("dt")}
    return {name: (words(node), [link["href"] for link in node.select("a")]) for name, node in said.items()}


@pytest.mark.parametrize(
    "link", ["https://[your-org]/LICENSE", "http://[TODO", "https://ex\u2100mple.org", "//[", "http://[::1"]
)
def test_an_address_of_a_licence_that_is_none_leads_nowhere(make_repo, browser, lab, ada, sam, link):
    card = "---\nlicense: other\nlicense_name: ours\nlicense_link: " + json.dumps(link) + "\n---\n"
    make_repo("lab/odd", by=ada, files={"README.md": card.encode()})
    for client in (browser(), browser(sam), browser(ada)):
        assert about(soup(client.get("/lab/odd")))["License"] == ("ours", [])


def test_what_the_card_says_leads_to_what_there_is_here(make_repo, browser, lab, ada, sam):
    make_repo("lab/base", by=ada)
    make_repo("lab/secret", by=ada, private=True)
    make_repo("lab/rows", by=ada, type_="dataset")
    card = FACTS.format(link="LICENSE.md").encode()
    make_repo("lab/tuned", by=ada, files={"README.md": card, "a.txt": b"x" * 1000}, large={"big.bin": b"y" * 5000})
    page = soup(browser(sam).get("/lab/tuned"))
    said = about(page)
    assert said["License"] == ("lab-community", ["/lab/tuned/blob/main/LICENSE.md"])
    assert said["Task"] == ("text-generation", ["/models?filter=text-generation"])
    assert said["Language"] == ("en fr", ["/models?filter=en", "/models?filter=fr"])
    assert said["Finetuned from"] == ("Lab/Base lab/secret else/where", ["/Lab/Base"]), "a hidden repo is no link"
    assert said["Dataset"] == ("lab/rows", ["/datasets/lab/rows"])
    assert said["Size"][0].endswith("KB in 4 files")
    assert [(tag.text, tag["href"]) for tag in page.select(".about .tags a")] == [
        ("small", "/models?filter=small"), ("a&b", "/models?filter=a%26b"),
    ]  # fmt: skip
    assert about(soup(browser(ada).get("/lab/tuned")))["Finetuned from"][1] == ["/Lab/Base", "/lab/secret"]


@pytest.mark.parametrize(("link", "href"), [
    ("https://example.org/terms", ["https://example.org/terms"]), ("../../etc/passwd", []), ("/etc/passwd", []),
    ("javascript:alert(1)", ["/lab/tuned/blob/main/javascript%3Aalert%281%29"]),
    ("./docs/TERMS", ["/lab/tuned/blob/main/docs/TERMS"]), ("[1]", ["/models?filter=license%3Aother"]),
])  # fmt: skip
def test_a_licence_leads_to_its_text_and_nowhere_else(make_repo, browser, lab, ada, link, href):
    make_repo("lab/tuned", by=ada, files={"README.md": FACTS.format(link=link).encode()})
    assert about(soup(browser().get("/lab/tuned")))["License"] == ("lab-community", href)


def test_very_many_files_are_not_added_up(make_repo, browser, lab, ada, monkeypatch):
    monkeypatch.setattr(facts, "MOST_FILES", 3)
    make_repo("lab/many", by=ada, files={f"{number}.txt": b"x" for number in range(9)})
    assert about(soup(browser().get("/lab/many")))["Size"][0] == "more than 3 files"
