"""The device flow of `hf auth login`, from both ends: what the device sends, and what sam decides on the page."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from access import device, tokens
from access.errors import LoginRequired
from access.models import AccessToken, DeviceSignIn
from accounts.actor import Actor
from accounts.errors import Conflict, NotAllowed, NotFound
from accounts.models import AuditEvent
from tests.support.cast import make_token

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
CLIENT_ID = "0b4e1f8c-5a0c-4a7b-9a9e-1d1f3a2b4c5d"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def no_guesses_from_the_test_before(db):
    cache.clear()


def post(path, parameters, *, headers=None):
    return Client().generic("POST", path, urlencode(parameters), content_type=FORM, headers=headers or {})


def start() -> dict[str, object]:
    answer = post("/oauth/device", {"client_id": CLIENT_ID}, headers={"User-Agent": "hf/2.4.0; python/3.11"})
    assert answer.status_code == 200, answer.content
    return answer.json()


def poll(device_code):
    return post("/oauth/token", {"grant_type": GRANT, "device_code": device_code, "client_id": CLIENT_ID})


def approve(codes, user) -> None:
    device.approve(device.find(codes["user_code"]), by=Actor(user=user))


def error_of(answer) -> str:
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/json"
    return answer.json()["error"]


def time_passes(**delta) -> None:
    """All sign-ins began that much earlier."""
    for sign_in in DeviceSignIn.objects.all():
        sign_in.expires_at -= timedelta(**delta)
        sign_in.created_at -= timedelta(**delta)
        if sign_in.last_polled_at:
            sign_in.last_polled_at -= timedelta(**delta)
        sign_in.save()


def test_a_device_is_told_two_codes_and_where_to_type_one(db):
    answer = post("/oauth/device", {"client_id": CLIENT_ID})
    codes = answer.json()
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", codes["user_code"])
    assert len(codes["device_code"]) >= 43  # 256 bits in base 64.
    assert codes["verification_uri"] == "http://testserver/device"
    assert codes["verification_uri_complete"] == f"http://testserver/device?code={codes['user_code']}"
    assert (codes["expires_in"], codes["interval"]) == (900, 5)
    assert answer["Cache-Control"] == "no-store"


def test_the_device_code_is_stored_nowhere(db):
    codes = start()
    row = DeviceSignIn.objects.values().get()
    assert codes["device_code"] not in str(row)
    assert re.fullmatch("[0-9a-f]{64}", row["device_code_sha256"])


def test_the_device_gets_a_token_once_the_person_has_approved(sam):
    codes = start()
    assert error_of(poll(codes["device_code"])) == "authorization_pending"
    approve(codes, sam)
    assert not AccessToken.objects.exists()  # It is made when it is fetched.
    answer = poll(codes["device_code"])
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    body = answer.json()
    assert body["token_type"] == "bearer"
    assert not {"expires_in", "refresh_token"} & set(body)
    token = tokens.authenticate(body["access_token"])
    assert (token.user, token.role) == (sam, "write")
    who = Client().get("/api/whoami-v2", headers={"Authorization": f"Bearer {body['access_token']}"}).json()
    assert (who["name"], who["auth"]["accessToken"]["displayName"]) == ("sam", token.name)


def test_a_code_gives_one_token(sam):
    codes = start()
    approve(codes, sam)
    assert poll(codes["device_code"]).status_code == 200
    assert error_of(poll(codes["device_code"])) == "invalid_grant"
    assert AccessToken.objects.count() == 1
    with pytest.raises(NotFound):
        device.find(codes["user_code"])


def test_json_is_understood_as_a_form_is(sam):
    answer = Client().post("/oauth/device", {"client_id": CLIENT_ID}, content_type="application/json")
    codes = answer.json()
    approve(codes, sam)
    body = {"grant_type": GRANT, "device_code": codes["device_code"], "client_id": CLIENT_ID}
    assert "access_token" in Client().post("/oauth/token", body, content_type="application/json").json()


def test_who_polls_too_often_is_told_to_slow_down(db):
    codes = start()
    assert error_of(poll(codes["device_code"])) == "authorization_pending"
    assert error_of(poll(codes["device_code"])) == "slow_down"
    time_passes(seconds=5)
    assert error_of(poll(codes["device_code"])) == "authorization_pending"


def test_a_denied_device_gets_nothing(sam):
    codes = start()
    device.deny(device.find(codes["user_code"]), by=Actor(user=sam))
    assert error_of(poll(codes["device_code"])) == "access_denied"
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("approved", [False, True])
def test_after_a_quarter_of_an_hour_the_code_is_worth_nothing(approved, sam):
    codes = start()
    if approved:
        approve(codes, sam)
    time_passes(seconds=901)
    assert error_of(poll(codes["device_code"])) == "expired_token"
    with pytest.raises(NotFound):
        device.find(codes["user_code"])
    assert not AccessToken.objects.exists()


def test_an_account_that_was_deactivated_meanwhile_gets_no_token(sam):
    codes = start()
    approve(codes, sam)
    sam.is_active = False
    sam.save()
    assert error_of(poll(codes["device_code"])) == "access_denied"
    assert not AccessToken.objects.exists()


def test_another_client_cannot_use_the_code(sam):
    codes = start()
    approve(codes, sam)
    foreign = {"grant_type": GRANT, "device_code": codes["device_code"], "client_id": "another"}
    assert error_of(post("/oauth/token", foreign)) == "invalid_grant"
    assert poll(codes["device_code"]).status_code == 200


@pytest.mark.parametrize("grant_type", ["refresh_token", "password", "authorization_code", "", None])
def test_every_other_grant_type_is_not_supported(grant_type, db):
    parameters = {"device_code": "x", "client_id": CLIENT_ID} | ({"grant_type": grant_type} if grant_type else {})
    assert error_of(post("/oauth/token", parameters)) == "unsupported_grant_type"


def test_a_trusted_publishers_exchange_is_not_supported(db):
    body = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": "x", "resource": "y"}
    answer = Client().post("/oauth/token", body, content_type="application/json")
    assert error_of(answer) == "unsupported_grant_type"


@pytest.mark.parametrize("code", ["", "nonsense", "\0", "x" * 10_000, "é"])
def test_a_code_that_never_was_is_no_grant(code, db):
    body = {"grant_type": GRANT, "device_code": code, "client_id": CLIENT_ID}
    answer = Client().post("/oauth/token", body, content_type="application/json")
    assert error_of(answer) in {"invalid_grant", "invalid_request"}


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"device_code": 7}'])
@pytest.mark.parametrize("type_", [FORM, "application/json", "text/plain"])
def test_a_body_that_makes_no_sense_is_a_bad_request(body, type_, db):
    answer = Client().generic("POST", "/oauth/token", body, content_type=type_)
    assert answer.status_code == 400
    assert answer.json()["error"]


@pytest.mark.parametrize("client_id", ["", "x" * 5000, "a\0b", "é" * 200])
def test_an_odd_client_starts_or_is_refused(client_id, db):
    answer = Client().post("/oauth/device", {"client_id": client_id}, content_type="application/json")
    assert answer.status_code in {200, 400}


def test_an_odd_user_agent_is_shown_as_far_as_it_can_be(db):
    post("/oauth/device", {"client_id": CLIENT_ID}, headers={"User-Agent": "x\x1b[31m" + "y" * 5000})
    assert DeviceSignIn.objects.get().client_name.isprintable()


def test_a_header_or_a_session_makes_no_difference(sam, browser):
    for caller in (Client(headers={"Authorization": "Bearer nonsense"}), browser(sam, enforce_csrf_checks=True)):
        assert caller.post("/oauth/device", {"client_id": CLIENT_ID}).status_code == 200


@pytest.mark.parametrize("path", ["/oauth/device", "/oauth/token"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_both_addresses_take_post_alone(path, method, db):
    assert Client().generic(method, path).status_code == 405


def test_each_sign_in_has_a_token_of_its_own_name(sam):
    for _ in range(3):
        codes = start()
        approve(codes, sam)
        assert poll(codes["device_code"]).status_code == 200
    names = set(sam.access_tokens.values_list("name", flat=True))
    assert len(names) == 3


@pytest.mark.parametrize("typed", ["{}", " {} ", "lower", "nodash", "spaced"])
def test_a_code_may_be_typed_in_any_case_and_without_the_dash(typed, db):
    code = start()["user_code"]
    variants = {"lower": code.lower(), "nodash": code.replace("-", ""), "spaced": code.replace("-", " ")}
    assert device.find(variants.get(typed, typed.format(code))).user_code == code


@pytest.mark.parametrize("typed", ["", "BCDF-GHJK", "x" * 1000, "\0", "ÄÖÜ", "%"])
def test_a_code_that_nobody_was_given_is_not_found(typed, db):
    with pytest.raises(NotFound):
        device.find(typed)


def test_a_stranger_and_a_token_approve_nothing(sam):
    codes = start()
    sign_in = device.find(codes["user_code"])
    with pytest.raises(LoginRequired):
        device.approve(sign_in, by=Actor())
    with pytest.raises(NotAllowed):  # A narrow token would make itself a wide one.
        device.approve(sign_in, by=Actor(user=sam, token=tokens.authenticate(make_token(sam, "read"))))
    assert error_of(poll(codes["device_code"])) == "authorization_pending"


def test_of_two_decisions_the_first_counts(sam, noor):
    sign_in = device.find(start()["user_code"])
    device.approve(sign_in, by=Actor(user=sam))
    with pytest.raises(Conflict):
        device.deny(sign_in, by=Actor(user=noor))
    sign_in.refresh_from_db()
    assert (sign_in.status, sign_in.user) == ("approved", sam)


def test_the_trail_says_who_let_a_device_in(sam):
    codes = start()
    approve(codes, sam)
    poll(codes["device_code"])
    verbs = set(AuditEvent.objects.filter(actor="sam").values_list("verb", flat=True))
    assert {"device:approve", "token:create"} <= verbs


def test_sign_ins_that_nobody_finished_are_forgotten(db):
    start()
    time_passes(hours=2)
    start()
    assert DeviceSignIn.objects.filter(expires_at__gt=timezone.now()).count() == DeviceSignIn.objects.count() == 1


def test_nobody_starts_sign_ins_without_end(db):
    cache.clear()
    answers = [Client().post("/oauth/device", {"client_id": "cli"}).status_code for _ in range(61)]
    cache.clear()
    assert answers == [200] * 60 + [429]
