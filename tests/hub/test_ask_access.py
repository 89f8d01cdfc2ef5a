"""`POST /{repo_id}/ask-access`: sam asks for lab/toxic-bert, which is gated for manual review."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from allauth.account.models import EmailAddress

from access import services
from access.models import AccessRequest
from accounts.actor import Actor
from repos import services as repo_services
from tests.support.cast import ANSWERS, add_files
from tests.web.pages import soup, words

ASK = "/lab/toxic-bert/ask-access"
PAGE = "http://testserver/lab/toxic-bert"
FORM = "application/x-www-form-urlencoded"


def the_request() -> AccessRequest:
    return AccessRequest.objects.select_related("form").get()


def nobody_asked() -> bool:
    return not AccessRequest.objects.exists()


def without_csrf(page: bytes) -> bytes:
    """The page without what differs each time it is shown."""
    return re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", page)


def test_a_json_object_asks_and_leads_to_the_page(gated_repo, api, sam):
    answer = api(sam).post(ASK, ANSWERS)
    assert (answer.status_code, answer["Location"]) == (303, PAGE)
    asked = the_request()
    assert (asked.user, asked.status, asked.answers) == (sam, "pending", ANSWERS)
    assert (asked.email, asked.fullname) == ("sam@example.org", "Sam Requester")
    assert asked.form == gated_repo.gate_form


def test_a_form_with_a_token_asks_too(gated_repo, api, sam):
    body = urlencode({"Company": "Example University", "Country": "France", "I agree": "on"}).encode()
    answer = api(sam).post(ASK, body, content_type=FORM)
    assert (answer.status_code, answer["Location"]) == (303, PAGE)
    assert the_request().answers == ANSWERS


def test_a_form_from_the_page_asks_in_the_name_of_the_session(gated_repo, browser, sam):
    client = browser(sam, enforce_csrf_checks=True)
    page = client.get("/lab/toxic-bert").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    answer = client.post(ASK, ANSWERS | {"csrfmiddlewaretoken": token})
    assert (answer.status_code, answer["Location"]) == (303, PAGE)
    assert the_request().answers == ANSWERS


@pytest.mark.parametrize("type_", [FORM, "application/json", "multipart/form-data; boundary=x"])
def test_a_form_of_another_site_asks_nothing(type_, gated_repo, browser, sam):
    client = browser(sam, enforce_csrf_checks=True)
    assert client.post(ASK, b"{}", content_type=type_).status_code == 403
    assert nobody_asked()


def test_automatic_mode_accepts_at_once(make_repo, api, ada, lab, sam):
    make_repo("lab/auto", by=ada, gated="auto")
    assert api(sam).post("/lab/auto/ask-access", {}).status_code == 303
    assert the_request().is_accepted


def test_datasets_are_asked_for_under_their_own_address(make_repo, api, ada, lab, sam):
    make_repo("lab/corpus", by=ada, type_="dataset", gated="manual")
    answer = api(sam).post("/datasets/lab/corpus/ask-access", {})
    assert (answer.status_code, answer["Location"]) == (303, "http://testserver/datasets/lab/corpus")
    assert the_request().is_pending


def test_a_gate_without_questions_needs_no_body(make_repo, api, ada, lab, sam):
    make_repo("lab/plain", by=ada, gated="manual")
    assert api(sam).send("POST", "/lab/plain/ask-access", b"", content_type="").status_code == 303
    assert the_request().answers == {}


@pytest.mark.parametrize("status", ["pending", "accepted", "rejected"])
def test_asking_again_changes_nothing(status, gated_repo, api, ada, sam):
    asked = services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    if status != "pending":
        services.review(access_request=asked, status=status, by=Actor(user=ada))
    before = AccessRequest.objects.values().get()
    answer = api(sam).post(ASK, ANSWERS | {"Company": "Another"})
    assert (answer.status_code, answer["Location"]) == (303, PAGE)
    assert AccessRequest.objects.values().get() == before


def test_who_reads_the_files_anyway_asks_for_nothing(gated_repo, api, rea):
    assert api(rea).post(ASK, ANSWERS).status_code == 303
    assert nobody_asked()


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("pending", "That request stays as it is"),
        ("accepted", "You have access already"),
        ("rejected", "was rejected already"),
    ],
)
def test_whoever_asks_again_from_another_window_is_told(status, says, gated_repo, browser, ada, sam):
    asked = services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    if status != "pending":
        services.review(access_request=asked, status=status, by=Actor(user=ada))
    client = browser(sam)
    client.post(ASK, ANSWERS | {"Company": "Another"})
    assert says in words(soup(client.get(PAGE)))


def test_whoever_asks_for_the_first_time_is_told_of_nothing_else(gated_repo, browser, rea, sam):
    client = browser(sam)
    client.post(ASK, ANSWERS)
    assert "already" not in words(soup(client.get(PAGE)))
    client = browser(rea)
    client.post(ASK, {})
    assert "You read the files without asking" in words(soup(client.get(PAGE)))


def test_a_script_is_told_what_is_missing_where(gated_repo, api, sam):
    answer = api(sam).post(ASK, {"Company": "Example University", "Country": "Atlantis"})
    assert answer.status_code == 400
    assert set(answer.json()["fields"]) == {"Country", "I agree"}
    assert "Country" in answer.json()["error"]
    assert nobody_asked()


def test_a_script_that_accepts_pages_gets_json_all_the_same(gated_repo, api, sam):
    answer = api(sam).post(ASK, {}, headers={"Accept": "text/html,*/*"})
    assert answer.status_code == 400
    assert nobody_asked()


def test_a_person_is_shown_the_form_again_with_what_was_typed(gated_repo, browser, sam):
    answer = browser(sam).post(ASK, {"Company": "Example <b>University"})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert 'value="Example &lt;b&gt;University"' in page
    assert "The form is not complete." in page
    assert nobody_asked()


@pytest.mark.parametrize("answers", [{"Country": {"a": 1}}, {"Company": ["x"]}, {"I agree": 7}, {"Company": "a\x00b"}])
def test_an_answer_that_is_none_is_refused(answers, gated_repo, api, sam):
    assert api(sam).post(ASK, ANSWERS | answers).status_code == 400
    assert nobody_asked()


@pytest.mark.parametrize(
    ("body", "type_", "status"),
    [
        (b"[]", "application/json", 400),
        (b'"x"', "application/json", 400),
        (b"{", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"<x/>", "application/xml", 415),
        (b"Company=x", "", 415),
        (b"x" * (3 * 1024**2), "application/json", 413),
        (b"Company=" + b"x" * (10 * 1024**2), FORM, 413),
        (b"&".join(b"a%d=" % number for number in range(2500)), FORM, 413),
        (b"no multipart", "multipart/form-data; boundary=x", 400),
        (b"no multipart", "multipart/form-data", 400),
    ],
)
def test_a_body_that_is_neither_form_nor_object_is_refused(body, type_, status, gated_repo, api, sam):
    answer = api(sam).send("POST", ASK, body, content_type=type_)
    assert answer.status_code == status, answer.content
    assert answer.json()["error"]
    assert nobody_asked()


def test_a_stranger_must_sign_in_first(gated_repo, stranger, browser):
    answer = stranger.post(ASK, ANSWERS)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="GateHub"')
    page = browser().post(ASK, ANSWERS)
    assert (page.status_code, page["Location"]) == (303, "http://testserver/login?next=/lab/toxic-bert")
    assert nobody_asked()


def test_a_repo_that_is_not_gated_cannot_be_asked_for(make_repo, api, ada, lab, sam):
    make_repo("lab/open", by=ada)
    answer = api(sam).post("/lab/open/ask-access", {})
    assert (answer.status_code, answer["X-Error-Code"]) == (400, "RepoNotGated")
    assert nobody_asked()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_asking_takes_post_alone(method, gated_repo, api, sam):
    assert api(sam).send(method, ASK, ANSWERS).status_code == 405
    assert nobody_asked()


def test_a_hidden_repo_and_a_missing_one_cannot_be_told_apart(make_repo, api, browser, ada, lab, sam, stranger):
    make_repo("lab/secret", by=ada, gated="manual", private=True)
    for send in (stranger.post, api(sam).post, browser().post, browser(sam).post):
        hidden, missing = (send(f"/lab/{name}/ask-access", {}) for name in ("secret", "absent"))
        assert hidden.status_code == missing.status_code
        assert hidden.status_code in {401, 404}
        assert without_csrf(hidden.content).replace(b"secret", b"absent") == without_csrf(missing.content)
    assert nobody_asked()


def test_an_unverified_address_must_be_verified_first(gated_repo, api, sam):
    EmailAddress.objects.filter(user=sam).update(verified=False)
    answer = api(sam).post(ASK, ANSWERS)
    assert answer.status_code == 403
    assert "http://testserver/settings/addresses" in answer["X-Error-Message"]
    assert nobody_asked()


def test_a_read_token_asks_for_nothing(gated_repo, api, sam):
    assert api(sam, "read").post(ASK, ANSWERS).status_code == 403
    assert nobody_asked()


def test_identity_comes_from_the_account_and_not_from_the_form(gated_repo, api, sam, noor):
    api(sam).post(ASK, ANSWERS | {"user": "noor", "email": "noor@example.org", "status": "accepted"})
    asked = the_request()
    assert (asked.user, asked.email, asked.status, asked.answers) == (sam, "sam@example.org", "pending", ANSWERS)


def test_the_request_keeps_the_version_of_the_form_that_was_answered(gated_repo, api, ada, sam):
    api(sam).post(ASK, ANSWERS)
    card = b"---\nextra_gated_fields:\n  Another question: text\n---\n"
    add_files(gated_repo, {"README.md": card}, by=ada)
    gated_repo.refresh_from_db()
    asked = the_request()
    assert asked.form != gated_repo.gate_form
    assert [entry["label"] for entry in asked.form.spec["fields"]] == list(ANSWERS)


def test_a_moved_repo_is_asked_for_under_its_old_name(gated_repo, api, ada, sam, lab):
    repo_services.move_repo(gated_repo, namespace=lab.namespace, name="kind-bert", by=Actor(user=ada))
    answer = api(sam).post(ASK, ANSWERS)
    assert (answer.status_code, answer["Location"]) == (307, "/lab/kind-bert/ask-access")
