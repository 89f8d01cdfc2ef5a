"""`/device`: sam runs `hf auth login` and approves it on the page."""

from __future__ import annotations

import datetime

import pytest
from django.core.cache import cache
from django.utils import timezone

from access.models import DeviceSignIn
from tests.web.pages import press, soup, words


@pytest.fixture(autouse=True)
def no_guesses_from_the_test_before(db):
    cache.clear()


@pytest.fixture
def sign_in(db):
    return DeviceSignIn.objects.create(
        device_code_sha256="0" * 64,
        user_code="KXTR-BCDF",
        client_id="cli",
        client_name="huggingface-cli/2.4.0 <b>",
        expires_at=timezone.now() + datetime.timedelta(minutes=15),
    )


def test_the_page_shows_what_is_asked_for_and_approves_it(sign_in, browser, sam):
    client = browser(sam)
    page = soup(client.get("/device", {"code": sign_in.user_code}))
    text = words(page.main)
    assert sign_in.user_code in text
    assert "huggingface-cli/2.4.0 <b>" in text
    assert "act as sam" in text
    assert "it may do everything that you may do" in text
    response = press(client, page, "/device", decision="approve")
    assert "Approved." in words(soup(response))
    assert response["Cache-Control"] == "no-store"
    sign_in.refresh_from_db()
    assert (sign_in.status, sign_in.user) == ("approved", sam)


def test_a_look_approves_nothing(sign_in, browser, sam):
    browser(sam).get("/device", {"code": sign_in.user_code, "decision": "approve"})
    assert DeviceSignIn.objects.get().status == "pending"


def test_denied(sign_in, browser, sam):
    client = browser(sam)
    page = soup(client.get("/device", {"code": sign_in.user_code}))
    said = words(soup(press(client, page, "/device", decision="deny")))
    assert "The device got nothing." in said
    assert "Start hf auth login there anew." in said
    assert DeviceSignIn.objects.get().status == "denied"


def test_the_code_is_typed_as_people_type(sign_in, browser, sam):
    client = browser(sam)
    page = soup(client.get("/device"))
    assert page.select_one("label[for=code]").text == "Code"
    page = soup(client.get("/device", {"code": f" {sign_in.user_code.lower().replace('-', ' ')} "}))
    assert "act as sam" in words(page.main)


@pytest.mark.parametrize("code", ["XXXX-XXXX", "x", "\0", "a" * 3000])
def test_a_code_that_waits_for_nothing(browser, sam, code):
    response = browser(sam).get("/device", {"code": code})
    assert response.status_code == 404
    page = soup(response)
    assert "under this code" in words(page.select_one("#code-problem"))
    assert page.select_one("#code")["value"] == code[:20]


def test_a_code_is_good_once_and_for_a_while(sign_in, browser, sam, noor):
    first, second = browser(sam), browser(noor)
    page = soup(second.get("/device", {"code": sign_in.user_code}))
    press(first, soup(first.get("/device", {"code": sign_in.user_code})), "/device", decision="approve")
    assert press(second, page, "/device", decision="approve").status_code == 404
    assert DeviceSignIn.objects.get().user == sam
    DeviceSignIn.objects.update(status="pending", expires_at=timezone.now() - datetime.timedelta(seconds=1))
    assert first.get("/device", {"code": sign_in.user_code}).status_code == 404


def test_a_stranger_signs_in_first_and_comes_back(sign_in, browser):
    response = browser().get("/device", {"code": sign_in.user_code})
    assert response["Location"] == f"/login?next=/device%3Fcode%3D{sign_in.user_code}"


def test_approval_needs_the_csrf_token(sign_in, browser, sam):
    client = browser(sam, enforce_csrf_checks=True)
    response = client.post("/device", {"code": sign_in.user_code, "decision": "approve"})
    assert response.status_code == 403
    assert DeviceSignIn.objects.get().status == "pending"


def test_what_is_no_decision_decides_nothing(sign_in, browser, sam):
    response = browser(sam).post("/device", {"code": sign_in.user_code, "decision": "perhaps"})
    assert response.status_code == 400
    assert DeviceSignIn.objects.get().status == "pending"


def test_nobody_tries_many_sign_in(sign_in, browser, sam):
    client = browser(sam)
    seen = [client.get("/device", {"code": "BBBB-BBBB"}).status_code for _ in range(21)]
    assert seen == [404] * 20 + [429]
    assert client.get("/device", {"code": sign_in.user_code}).status_code == 429
