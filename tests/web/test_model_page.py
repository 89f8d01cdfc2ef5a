"""The model page.  lab/toxic-bert is gated; ada manages it; sam asks; a stranger looks."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress

from access import services
from access.models import AccessRequest
from accounts.actor import Actor
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
    assert "No access request found" in words(soup(client.get(PATH)))


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
    # The session and its person; the repo; what the person may; their request; their address, or the owner's counter.
    "stranger": 2,
    "nothing asked": 6,
    "pending": 5,
    "accepted": 5,
    "rejected": 5,
    "read": 5,
    "admin": 6,
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
