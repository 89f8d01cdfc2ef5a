"""The addresses page, where mails to an address came back.  sam has sam@example.org; noor is somebody else."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress

from notifications import addresses
from notifications.models import AddressProblem
from tests.web.pages import assert_nothing_inline, press, soup, words

PAGE, AGAIN = "/settings/addresses", "/settings/addresses/use-again"


@pytest.fixture
def bounced(sam) -> AddressProblem:
    return addresses.mark(address="sam@example.org", what="bounced", detail='550 <script>alert("no")</script> user')


def test_a_person_sees_why_no_mail_comes_and_has_the_address_used_again(browser, sam, bounced):
    client = browser(sam)
    response = client.get(PAGE)
    assert_nothing_inline(response)
    notice = soup(response).select_one(".address-problem")
    assert "We send no mail to this address" in words(notice)
    assert '550 <script>alert("no")</script> user' in words(notice)
    answer = press(client, soup(response), AGAIN)
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    page = soup(client.get(PAGE))
    assert "Mails go to sam@example.org again" in words(page)
    assert not page.select(f"form[action='{AGAIN}']")
    assert not addresses.is_stopped("sam@example.org")


def test_a_second_time_on_one_day_is_refused_with_what_to_do(browser, sam, bounced):
    client = browser(sam)
    press(client, soup(client.get(PAGE)), AGAIN)
    addresses.mark(address="sam@example.org", what="complained")
    page = soup(client.get(PAGE))
    assert "reported as spam" in words(page.select_one(".address-problem"))
    press(client, page, AGAIN)
    assert "Try again after" in words(soup(client.get(PAGE)))
    assert addresses.is_stopped("sam@example.org")


def test_where_the_person_may_not_decide_no_button_is_shown(browser, sam):
    EmailAddress.objects.create(user=sam, email="other@example.org", verified=False)
    addresses.mark(address="other@example.org", what="complained")
    page = soup(browser(sam).get(PAGE))
    assert "Only whoever has verified this address" in words(page.select_one(".address-problem"))
    assert not page.select(f"form[action='{AGAIN}']")


def test_nobody_has_the_address_of_somebody_else_used_again(browser, noor, bounced):
    client = browser(noor)
    assert not soup(client.get(PAGE)).select(".address-problem")
    for email in ("sam@example.org", "nobody@example.org", ""):
        assert client.post(AGAIN, {"email": email}).status_code == 302
    assert words(soup(client.get(PAGE))).count("no address of yours") == 2
    assert addresses.is_stopped("sam@example.org")


def test_a_stranger_is_sent_to_sign_in_and_a_look_changes_nothing(browser, sam, bounced):
    assert browser(None).post(AGAIN, {"email": "sam@example.org"})["Location"].startswith("/login")
    assert browser(sam).get(AGAIN)["Location"] == PAGE
    assert browser(sam, enforce_csrf_checks=True).post(AGAIN, {"email": "sam@example.org"}).status_code == 403
    assert addresses.is_stopped("sam@example.org")


def test_the_page_costs_few_queries(browser, sam, django_assert_max_num_queries):
    client = browser(sam)
    client.get(PAGE)
    with django_assert_max_num_queries(11):
        client.get(PAGE)
