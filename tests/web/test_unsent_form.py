"""The gate's form, sent after its session has ended: sam has the page open, and is signed out."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.core.cache import cache

from access.models import AccessRequest
from gatehub.web import unsent
from tests.support.cast import ANSWERS, PASSWORD
from tests.web.pages import data_of, form_to, press, soup, words

PATH = "/lab/toxic-bert"
TYPED = {"Company": "Université <b>de</b> Genève", "Country": "CH", "I agree": "true"}


@pytest.fixture(autouse=True)
def no_limits_from_the_test_before(db):
    cache.clear()  # Sign-ins are counted there.


@pytest.fixture
def signed_out(browser, gated_repo, sam):
    """A browser, with its CSRF checks, whose session has ended while the form was open; and what the form holds."""
    client = browser(sam, enforce_csrf_checks=True)
    form = form_to(soup(client.get(PATH)), f"{PATH}/ask-access")
    del client.cookies[settings.SESSION_COOKIE_NAME]
    return client, data_of(form)


def send(client, data, path=PATH):
    return client.post(f"{path}/ask-access", urlencode(data), content_type="application/x-www-form-urlencoded")


def sign_in(client, name="sam"):
    page = soup(client.get("/login"))
    assert press(client, page, "/login", login=name, password=PASSWORD).status_code == 302


def test_what_was_typed_is_there_after_signing_in(signed_out):
    client, form = signed_out
    answer = send(client, form | TYPED)
    assert (answer.status_code, answer["Location"]) == (303, f"http://testserver/login?next={PATH}")
    assert not AccessRequest.objects.exists()
    sign_in(client)
    page = soup(client.get(PATH))
    assert "You were signed out when you sent this form. Nothing was sent." in words(page.select_one("#gate"))
    shown = form_to(page, f"{PATH}/ask-access")
    assert shown.find(attrs={"name": "Company"})["value"] == TYPED["Company"]
    assert shown.select_one("select[name=Country] option[selected]")["value"] == "CH"
    assert shown.find(attrs={"name": "I agree"}).has_attr("checked")
    press(client, page, f"{PATH}/ask-access")
    assert AccessRequest.objects.get().answers["Company"] == TYPED["Company"]


def test_it_is_shown_once_and_on_the_page_of_its_repo_alone(signed_out, make_repo, ada):
    client, form = signed_out
    make_repo("lab/other", by=ada, gated="manual")
    send(client, form | TYPED)
    sign_in(client)
    assert "You were signed out" not in words(soup(client.get("/lab/other")))
    assert "You were signed out" in words(soup(client.get(PATH)))
    assert "You were signed out" not in words(soup(client.get(PATH)))


def test_a_stranger_is_not_shown_it(signed_out):
    client, form = signed_out
    send(client, form | TYPED)
    assert "Genève" not in client.get(PATH).content.decode()


def test_what_another_page_sends_is_not_kept(signed_out):
    client, _ = signed_out
    assert send(client, TYPED).status_code == 303
    sign_in(client)
    assert "Genève" not in client.get(PATH).content.decode()


def test_more_than_a_person_types_is_not_kept(signed_out):
    client, form = signed_out
    assert send(client, form | {"Company": "x" * unsent.MAX_BYTES}).status_code == 303
    assert not client.session.get("unsent_answers")


def test_one_address_has_few_forms_kept(signed_out, browser, monkeypatch):
    monkeypatch.setattr(unsent, "MOST_AN_HOUR", 1)
    client, form = signed_out
    send(client, form | TYPED)
    assert client.session.get("unsent_answers")
    other = browser()
    send(other, form | TYPED)
    assert not other.session.get("unsent_answers")


def test_whoever_signs_in_there_sends_it_as_their_own(signed_out, noor):
    """As with a paper that lies on a desk: it is their answers only once they send them."""
    client, form = signed_out
    send(client, form | ANSWERS)
    sign_in(client, "noor")
    press(client, soup(client.get(PATH)), f"{PATH}/ask-access")
    assert AccessRequest.objects.get().user == noor


@pytest.fixture
def signed_in_anew(browser, gated_repo, sam):
    """A browser that has the form open from before sam signed out and in again elsewhere; where the form goes, and what
    it holds."""
    client = browser(sam, enforce_csrf_checks=True)
    form = form_to(soup(client.get(PATH)), f"{PATH}/ask-access")
    press(client, soup(client.get(PATH)), "/logout")
    sign_in(client)
    return client, form["action"], data_of(form)


def send_from_page(client, action, data, **headers):
    headers = {"origin": "http://testserver"} | headers
    return client.post(action, urlencode(data), content_type="application/x-www-form-urlencoded", headers=headers)


def test_after_a_sign_in_elsewhere_the_form_is_shown_again_as_it_was_typed(signed_in_anew, sam):
    client, action, form = signed_in_anew
    response = send_from_page(client, action, form | TYPED)
    assert response.status_code == 403
    assert not AccessRequest.objects.exists()
    page = soup(response)
    assert "You have signed in again since you opened this form. Nothing was sent." in words(page.select_one("#gate"))
    shown = form_to(page, f"{PATH}/ask-access")
    assert shown.find(attrs={"name": "Company"})["value"] == TYPED["Company"]
    assert page.select_one(".menu summary").text.strip() == "sam"
    assert send_from_page(client, shown["action"], data_of(shown)).status_code == 303
    assert AccessRequest.objects.get().answers["Company"] == TYPED["Company"]


def test_another_person_is_not_shown_what_the_one_before_typed(browser, gated_repo, sam, noor):
    client = browser(sam, enforce_csrf_checks=True)
    form = form_to(soup(client.get(PATH)), f"{PATH}/ask-access")
    press(client, soup(client.get(PATH)), "/logout")
    sign_in(client, "noor")
    response = send_from_page(client, form["action"], data_of(form) | TYPED)
    assert response.status_code == 403
    assert "Somebody else was signed in when this form was opened." in words(soup(response).main)
    assert "Genève" not in response.content.decode()
    assert not AccessRequest.objects.exists()


def test_nor_after_the_session_had_ended(browser, gated_repo, sam, noor):
    client = browser(sam, enforce_csrf_checks=True)
    form = form_to(soup(client.get(PATH)), f"{PATH}/ask-access")
    del client.cookies[settings.SESSION_COOKIE_NAME]
    assert send_from_page(client, form["action"], data_of(form) | TYPED).status_code == 303
    sign_in(client, "noor")
    assert "Genève" not in client.get(PATH).content.decode()


@pytest.mark.parametrize("origin", ["http://evil.example", "null", ""])
def test_what_another_site_sends_is_not_shown(signed_in_anew, origin):
    client, action, form = signed_in_anew
    response = send_from_page(client, action, form | TYPED, origin=origin)
    assert response.status_code == 403
    assert "Genève" not in response.content.decode()
    assert "This form has expired or came from another site. Nothing was changed." in words(soup(response).main)


def test_a_machine_is_told_in_json(signed_in_anew):
    client, action, form = signed_in_anew
    response = send_from_page(client, action, form | TYPED, accept="application/json")
    assert (response.status_code, "has expired" in response.json()["error"]) == (403, True)


def test_a_hidden_repo_stays_hidden(signed_in_anew, gated_repo):
    client, action, form = signed_in_anew
    gated_repo.private = True
    gated_repo.save(update_fields=["private"])
    assert send_from_page(client, action, form | TYPED).status_code == 404
