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
