"""How often one may try to sign in.  sam has an account; a stranger tries to get in, or to keep sam out."""

from __future__ import annotations

import multiprocessing
import os

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache, caches
from django.core.cache.backends.db import DatabaseCache
from django.test import Client

from tests.support.cast import PASSWORD
from tests.web.pages import press, soup, words

BLOCKED = "Too many failed login attempts"


@pytest.fixture(autouse=True)
def no_limits_from_the_test_before(db):
    cache.clear()


def sign_in(client: Client, password: str = PASSWORD, login: str = "sam", address: str = "192.0.2.1") -> str:
    """What the page says; empty when it lets one in."""
    answer = client.post("/login", {"login": login, "password": password}, REMOTE_ADDR=address)
    return "" if answer.status_code == 302 else words(soup(answer).main)


def fail(times: int, *, login: str = "sam", address: str = "203.0.113.9") -> list[str]:
    return [sign_in(Client(), "wrong", login, address) for _ in range(times)]


def test_wrong_passwords_are_counted_by_name_across_addresses_and_browsers(sam):
    said = [fail(1, address=f"203.0.113.{n}")[0] for n in range(6)]
    assert not any(BLOCKED in one for one in said[:5])
    assert BLOCKED in said[5]
    assert BLOCKED in sign_in(Client()), "the right one is not told from the wrong ones"


def test_wrong_passwords_are_counted_by_address_across_names(sam, noor):
    for n in range(10):
        fail(1, login=f"somebody-{n}")
    assert BLOCKED in fail(1, login="noor")[0]
    assert sign_in(Client(), address="203.0.113.10") == "", "others are not"


def test_the_address_is_that_which_the_proxy_saw(sam, settings):
    settings.BEHIND_PROXY = True
    for n in range(10):
        headers = {"x-forwarded-for": f"198.51.100.{n}, 203.0.113.7"}  # The first is the caller's own invention.
        Client(headers=headers).post("/login", {"login": f"somebody-{n}", "password": "wrong"})
    data = {"login": "sam", "password": PASSWORD}
    assert Client(headers={"x-forwarded-for": "203.0.113.7"}).post("/login", data).status_code == 200
    assert Client(headers={"x-forwarded-for": "203.0.113.8"}).post("/login", data).status_code == 302


def test_an_address_that_anybody_can_claim_counts_for_nothing(sam, settings):
    settings.BEHIND_PROXY = False
    for n in range(10):
        headers = {"x-forwarded-for": f"198.51.100.{n}"}
        Client(headers=headers).post("/login", {"login": f"somebody-{n}", "password": "wrong"})
    assert BLOCKED in sign_in(Client(headers={"x-forwarded-for": "198.51.100.77"}), address="127.0.0.1")


def test_a_stranger_does_not_lock_out_a_browser_that_sam_has_used(sam):
    mine = Client()
    assert sign_in(mine) == ""
    mine.post("/logout")
    fail(8)
    assert BLOCKED in sign_in(Client()), "elsewhere, sam waits"
    assert sign_in(mine) == ""


def test_by_the_address_as_well_as_by_the_name(sam):
    mine = Client()
    sign_in(mine)
    mine.post("/logout")
    fail(8, login="sam@example.org")
    assert sign_in(mine, login="Sam@Example.org") == ""


def test_a_new_password_by_mail_lets_sam_in_while_the_stranger_goes_on(sam):
    from allauth.account.forms import EmailAwarePasswordResetTokenGenerator
    from allauth.account.utils import user_pk_to_url_str

    mine = Client(headers={"accept": "text/html"})
    fail(8)
    assert BLOCKED in sign_in(mine)
    key = EmailAwarePasswordResetTokenGenerator().make_token(sam)
    answer = mine.get(f"/password/reset/{user_pk_to_url_str(sam)}-{key}", follow=True)
    new = {"password1": "another-battery-9", "password2": "another-battery-9"}
    press(mine, soup(answer), answer.request["PATH_INFO"], **new)
    fail(8)
    assert sign_in(mine, "another-battery-9") == ""


def test_a_browser_that_sam_has_used_does_not_guess_without_end(sam):
    mine = Client()
    sign_in(mine)
    mine.post("/logout")
    said = [sign_in(mine, "wrong") for _ in range(6)]
    assert BLOCKED in said[5]
    assert sign_in(Client(), address="192.0.2.2") == "", "and it is counted for itself"


def test_a_browser_of_somebody_else_is_a_stranger(sam, noor):
    theirs = Client()
    assert sign_in(theirs, login="noor") == ""
    theirs.post("/logout")
    assert BLOCKED not in "".join(sign_in(theirs, "wrong") for _ in range(5))
    assert BLOCKED in sign_in(Client())


@pytest.mark.parametrize("forged", ["", "x", "eyJ1c2VyIjoxfQ:1:x", "\u00e9"])
def test_a_forged_cookie_makes_no_known_browser(sam, forged):
    client = Client()
    client.cookies["gatehub_known"] = forged
    fail(5)
    assert BLOCKED in sign_in(client)


def test_limits_are_counted_where_all_processes_see_them():
    """Not in the memory of one of them: no test runs with a Redis, which would be shared by its nature."""
    assert not django_settings.REDIS_URL
    assert isinstance(caches["default"], DatabaseCache)


def _count(name: str) -> None:
    from django.db import connection

    connection.close()
    cache.set(f"counted-{name}", os.getpid())


@pytest.mark.django_db(transaction=True)
def test_what_another_process_counted_counts():
    from django.db import connection

    connection.close()
    other = multiprocessing.get_context("fork").Process(target=_count, args=("there",))
    other.start()
    other.join(30)
    assert cache.get("counted-there") == other.pid != os.getpid()
    cache.clear()
