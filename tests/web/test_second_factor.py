"""Second factors by pages: an app's codes, recovery codes, what they protect.  sam has an account."""

from __future__ import annotations

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command

from accounts import sealed
from accounts.models import AuditEvent
from tests.support.authenticator import App, give_app
from tests.support.cast import PASSWORD
from tests.web.pages import assert_nothing_inline, press, soup, words

APP = "/settings/security/app"
CODES = "/settings/security/recovery-codes"


@pytest.fixture(autouse=True)
def no_limits_from_the_test_before(db, settings):
    cache.clear()
    settings.PUBLIC_URL = "https://gate.example.org"


def confirm(client, path: str, **given: str):
    """Go there, by way of the page that asks whether it is you."""
    answer = client.get(path)
    if answer.status_code == 302:
        asked = answer["Location"]
        given = given or {"password": PASSWORD}
        answer = press(client, soup(client.get(asked)), asked.partition("?")[0], **given)
        assert answer.status_code == 302, words(soup(answer).main)
        assert answer["Location"] == path
    return soup(client.get(path))


def set_up(client) -> tuple[App, list[str]]:
    """Set up an app by the pages.  Gives the app and the recovery codes."""
    page = confirm(client, APP)
    app = App(page.select_one(".secret code").text.replace(" ", ""))
    answer = press(client, page, APP, code=app.code())
    assert answer["Location"] == CODES
    return app, soup(client.get(CODES)).select_one(".codes code").text.split()


def first_step(client, name: str = "sam", to: str = "/settings/tokens"):
    page = soup(client.get(f"/login?next={to}"))
    answer = press(client, page, "/login", login=name, password=PASSWORD)
    assert answer["Location"] == "/login/factor"
    return soup(client.get("/login/factor"))


def is_signed_in(client) -> bool:
    return client.get("/settings/profile").status_code == 200


def test_nobody_has_one_until_they_add_it(browser, sam):
    client = browser(sam)
    page = soup(client.get("/settings/security"))
    assert "Set up an app" in words(page.main)
    assert page.select_one("a[aria-current=page]").text == "Two-factor sign-in"
    client = browser()
    assert press(client, soup(client.get("/login")), "/login", login="sam", password=PASSWORD)["Location"] == "/"


def test_an_app_is_set_up_and_then_asked_for(browser, sam, clock):
    app, codes = set_up(browser(sam))
    assert len(set(codes)) == 10
    clock(60)
    client = browser()
    page = first_step(client)
    assert not is_signed_in(client), "the password alone lets nobody in"
    answer = press(client, page, "/login/factor", code=app.code())
    assert answer["Location"] == "/settings/tokens"
    assert is_signed_in(client)


def test_the_picture_shows_what_the_key_says(browser, sam):
    client = browser(sam)
    confirm(client, APP)
    answer = client.get(APP)
    page = soup(answer)
    assert page.select_one("img.qr")["src"].startswith("data:image/svg+xml;base64,")
    secret = page.select_one(".secret code").text.replace(" ", "")
    address = page.select_one('a[href^="otpauth:"]')["href"]
    assert address == f"otpauth://totp/sam?secret={secret}&issuer=GateHub%20on%20gate.example.org"
    assert answer["Cache-Control"] == "no-store"
    assert_nothing_inline(answer)


def test_a_wrong_code_sets_nothing_up(browser, sam):
    client = browser(sam)
    page = confirm(client, APP)
    app = App(page.select_one(".secret code").text.replace(" ", ""))
    page = soup(press(client, page, APP, code=app.wrong_code()))
    assert "That is not right" in words(page.main)
    assert page.select_one(".secret code").text.replace(" ", "") == app.secret, "the picture stays what was scanned"
    assert not Authenticator.objects.exists()


def test_the_password_is_asked_for_before_anything_changes(browser, sam):
    client = browser(sam)
    for path in (APP, "/settings/security/keys/add", f"{CODES}/new"):
        assert client.get(path)["Location"].startswith("/account/confirm?next="), path
        assert client.post(path, {"code": "123456"})["Location"].startswith("/account/confirm?next="), path
    assert not Authenticator.objects.exists()


def test_who_has_a_factor_confirms_with_it_and_not_with_the_password(browser, sam):
    app = give_app(sam)
    client = browser(sam)
    asked = client.get(f"{APP}/remove")["Location"]
    assert asked.startswith("/account/confirm/code?")
    assert client.get("/account/confirm")["Location"] == "/account/confirm/code"
    assert client.post("/account/confirm", {"password": PASSWORD}).status_code == 302
    assert browser(sam).post(f"{APP}/remove").status_code == 302
    assert Authenticator.objects.count() == 1
    page = confirm(client, f"{APP}/remove", code=app.code())
    assert press(client, page, f"{APP}/remove")["Location"] == "/settings/security"
    assert not Authenticator.objects.exists()


def test_removing_the_last_factor_takes_the_recovery_codes_along(browser, sam, clock):
    client = browser(sam)
    set_up(client)
    assert set(Authenticator.objects.values_list("type", flat=True)) == {"totp", "recovery_codes"}
    press(client, confirm(client, f"{APP}/remove"), f"{APP}/remove")
    assert not Authenticator.objects.exists()
    client = browser()
    assert press(client, soup(client.get("/login")), "/login", login="sam", password=PASSWORD)["Location"] == "/"


@pytest.mark.parametrize(("off", "comes_in"), [(-61, False), (-30, True), (0, True), (30, True), (61, False)])
def test_clocks_may_differ_by_half_a_minute(browser, sam, clock, off, comes_in):
    app = give_app(sam)
    clock(30 - time.time() % 30)  # The beginning of a step, so that the test has half a minute.
    client = browser()
    press(client, first_step(client), "/login/factor", code=app.code(time.time() + off))
    assert is_signed_in(client) == comes_in


def test_a_code_is_good_once(browser, sam, clock):
    app = give_app(sam)
    code = app.code()
    client = browser()
    press(client, first_step(client), "/login/factor", code=code)
    assert is_signed_in(client)
    for seconds in (0, 31):  # django-allauth itself has forgotten it by then.
        clock(seconds)
        other = browser()
        page = soup(press(other, first_step(other), "/login/factor", code=f"{code[:3]} {code[3:]}"))
        assert "each is good once" in words(page.main)
        assert not is_signed_in(other)


def test_a_recovery_code_is_good_once_and_the_page_counts_them(browser, sam):
    _, codes = set_up(browser(sam))
    client = browser()
    press(client, first_step(client), "/login/factor", code=codes[3])
    assert is_signed_in(client)
    assert "9 left" in words(soup(client.get("/settings/security")).main)
    other = browser()
    press(other, first_step(other), "/login/factor", code=codes[3])
    assert not is_signed_in(other)


def test_recovery_codes_are_shown_once(browser, sam):
    client = browser(sam)
    _, codes = set_up(client)
    answer = client.get(CODES)
    assert not any(code in answer.content.decode() for code in codes)
    assert "They were shown once" in words(soup(answer).main)
    assert answer["Cache-Control"] == "no-store"
    press(client, confirm(client, f"{CODES}/new"), f"{CODES}/new")
    new = soup(client.get(CODES)).select_one(".codes code").text.split()
    assert len(set(new) | set(codes)) == 20
    other = browser()
    page = soup(press(other, first_step(other), "/login/factor", code=codes[0]))
    assert not is_signed_in(other), "the old ones ended"
    press(other, page, "/login/factor", code=new[0])
    assert is_signed_in(other)


def test_wrong_codes_are_counted_whatever_the_browser_and_the_right_one_waits(browser, sam, clock):
    app = give_app(sam)
    clients = [browser() for _ in range(3)]
    pages = [first_step(client) for client in clients]
    said = [
        words(soup(press(clients[n % 3], pages[n % 3], "/login/factor", code=app.wrong_code())).main) for n in range(6)
    ]
    assert all("That is not right" in one for one in said[:5])
    assert "Too many failed login attempts" in said[5]
    press(clients[0], pages[0], "/login/factor", code=app.code())
    assert not is_signed_in(clients[0])
    clock(5 * 60 + 1)
    press(clients[1], pages[1], "/login/factor", code=app.code())
    assert is_signed_in(clients[1]), "not for good"


def test_who_has_not_the_password_cannot_use_the_tries_up(browser, sam):
    app = give_app(sam)
    stranger = browser()
    for _ in range(20):
        assert stranger.post("/login/factor", {"code": "000000"})["Location"] == "/login"
    client = browser()
    press(client, first_step(client), "/login/factor", code=app.code())
    assert is_signed_in(client)


@pytest.mark.parametrize("odd", ["", " ", "abc", "\uff11\uff12\uff13\uff14\uff15\uff16", "\u0000", "0" * 500, "é"])
def test_odd_codes_are_refused(browser, sam, odd):
    give_app(sam)
    client = browser()
    answer = press(client, first_step(client), "/login/factor", code=odd)
    assert answer.status_code == 200
    assert soup(answer).select(".problem, .notice.error")
    assert not is_signed_in(client)


@pytest.mark.parametrize("odd", ["", "{}", "[]", "7", '"x"', "null", '{"id": 1}', "{", '{"id": "", "response": {}}'])
def test_odd_answers_of_keys_are_refused(browser, sam, odd):
    give_app(sam)
    client = browser()
    first_step(client)
    assert client.post("/login/factor", {"credential": odd}).status_code == 200
    assert not is_signed_in(client)
    signed_in = browser(sam)
    confirm(signed_in, "/settings/security/keys/add", code=give_other(sam).code())
    answer = signed_in.post("/settings/security/keys/add", {"name": "x", "credential": odd})
    assert answer.status_code == 200
    assert not Authenticator.objects.filter(type="webauthn").exists()


def give_other(user) -> App:
    Authenticator.objects.filter(user=user).delete()
    return give_app(user)


def test_secrets_are_sealed_in_the_database(browser, sam):
    app, codes = set_up(browser(sam))
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert app.secret not in kept
    assert not any(code in kept for code in codes)
    secret = Authenticator.objects.get(type="totp").data["secret"]
    assert sealed.open_(secret, purpose="gatehub.second-factors") == app.secret
    with pytest.raises(sealed.CannotOpen):
        sealed.open_(secret, purpose="gatehub.notifications.sealed")


def test_after_a_change_of_the_key_nobody_comes_in_and_is_told_why(browser, sam, settings):
    app = give_app(sam)
    settings.SECRET_KEY = "another-secret-key-of-this-server-now"
    client = browser()
    answer = press(client, first_step(client), "/login/factor", code=app.code())
    assert answer.status_code == 409
    assert "GATEHUB_SECRET_KEY was changed" in words(soup(answer).main)
    assert not is_signed_in(client)


@pytest.mark.django_db(transaction=True)
def test_every_change_leaves_a_trail_and_a_mail(browser, sam, deliver_mails):
    client = browser(sam)
    set_up(client)
    press(client, confirm(client, f"{CODES}/new"), f"{CODES}/new")
    press(client, confirm(client, f"{APP}/remove"), f"{APP}/remove")
    trail = AuditEvent.objects.filter(verb__startswith="second_factor").order_by("pk")
    assert [(event.actor, event.entrance, event.verb, event.before or event.after) for event in trail] == [
        ("sam", "page", "second_factor:added", "totp"),
        ("sam", "page", "second_factor:added", "recovery_codes"),
        ("sam", "page", "second_factor:removed", "recovery_codes"),
        ("sam", "page", "second_factor:added", "recovery_codes"),
        ("sam", "page", "second_factor:removed", "totp"),
        ("sam", "page", "second_factor:removed", "recovery_codes"),
    ]
    deliver_mails()
    assert [letter.subject for letter in mail.outbox] == [
        "[GateHub] An authenticator app was added",
        "[GateHub] New recovery codes were made",
        "[GateHub] The authenticator app was removed",
    ]
    for letter in mail.outbox:
        assert letter.to == ["sam@example.org"]
        ((html, _),) = letter.alternatives
        for body in (letter.body, html):
            assert "https://gate.example.org/password/reset" in body
            assert re.search(r"your account\s+(<[^>]+>)?sam", body)


def test_an_address_must_be_verified_first(browser, sam):
    sam.emailaddress_set.update(verified=False)
    client = browser(sam)
    page = soup(client.get("/settings/security"))
    assert "Confirm your primary email address first" in words(page.main)
    assert not page.select(f'a[href="{APP}"]')
    page = confirm(client, APP)
    app = App(page.select_one(".secret code").text.replace(" ", ""))
    assert "Confirm your primary email address first" in words(soup(press(client, page, APP, code=app.code())).main)
    assert not Authenticator.objects.exists()


def test_with_a_factor_addresses_can_still_be_added(browser, sam):
    give_app(sam)
    browser(sam).post("/settings/addresses", {"email": "sam@uni.example", "action_add": "1"})
    assert sam.emailaddress_set.filter(email="sam@uni.example").exists()


def test_tokens_need_no_factor(browser, sam, api):
    give_app(sam)
    assert api(sam).get("/api/whoami-v2").status_code == 200


def test_a_new_password_by_mail_is_not_the_second_factor(browser, sam):
    give_app(sam)
    sam.set_password("another-battery-9")
    sam.save()
    client = browser()
    answer = press(client, soup(client.get("/login")), "/login", login="sam", password="another-battery-9")
    assert answer["Location"] == "/login/factor"
    assert not is_signed_in(client)


def test_an_account_that_is_closed_between_the_steps_stays_closed(browser, sam):
    app = give_app(sam)
    client = browser()
    page = first_step(client)
    type(sam).objects.update(is_active=False)
    assert press(client, page, "/login/factor", code=app.code())["Location"] == "/account/inactive"
    type(sam).objects.update(is_active=True)
    assert not is_signed_in(client)


def test_the_operator_resets_what_was_lost(browser, sam, deliver_mails, capsys):
    there = browser(sam)
    set_up(there)
    mail.outbox.clear()
    call_command("reset_second_factor", "sam")
    assert "signs in with the password alone" in capsys.readouterr().err
    assert not Authenticator.objects.exists()
    assert not is_signed_in(there), "the lost phone may be signed in"
    event = AuditEvent.objects.get(verb="second_factor:reset")
    assert (event.entrance, event.target, sorted(event.before)) == ("system", "sam", ["recovery_codes", "totp"])
    deliver_mails()
    assert "[GateHub] Your second factor was reset" in [letter.subject for letter in mail.outbox]
    assert "https://gate.example.org/settings/security" in mail.outbox[-1].body
    client = browser()
    assert press(client, soup(client.get("/login")), "/login", login="sam", password=PASSWORD)["Location"] == "/"
    for name, says in (("sam", "has no second factor"), ("nobody", "User not found")):
        with pytest.raises(CommandError, match=says):
            call_command("reset_second_factor", name)
