"""Which mails somebody gets: the settings page, and the page behind the link in each mail.  sam has an account; ada
manages lab/toxic-bert."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from access import services as access
from accounts.actor import Actor
from accounts.models import AuditEvent
from notifications import addresses, opt_outs
from notifications.models import Delivery, OptOut, OutboxMessage
from repos import notification_address, services
from repos.notification_address import address_to_use
from tests.support.cast import ANSWERS
from tests.web.pages import assert_nothing_inline, data_of, form_to, label_of, press, soup, words

PAGE = "/settings/notifications"
DESK = "desk@example.com"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def link(kind: str, user=None, repo=None, address: str = DESK) -> str:
    message = OutboxMessage.objects.create(kind=kind, state="dispatched", repo=repo)
    delivery = Delivery.objects.create(message=message, kind=kind, user=user, address=user.email if user else address)
    return opt_outs.unsubscribe_link(delivery).partition("8000")[2]


@pytest.fixture(autouse=True)
def public_address(settings):
    settings.PUBLIC_URL = "http://127.0.0.1:8000"


# --- The settings page ------------------------------------------------------------------------------------------------


def test_all_is_on_at_first_and_each_can_be_switched_off(browser, sam):
    client = browser(sam)
    page = soup(client.get(PAGE))
    boxes = page.select("input[name=topic]")
    assert [(box["value"], box.has_attr("checked")) for box in boxes] == [("requests", True), ("decisions", True)]
    assert label_of(page, boxes[0]) == "New access requests for repos you manage"
    assert "What you always get" in words(page)
    response = press(client, page, PAGE, topic=["requests"])
    assert response["Location"] == PAGE
    page = soup(client.get(PAGE))
    assert "Your choice is saved." in words(page.select_one("#toasts"))
    assert [box.has_attr("checked") for box in page.select("input[name=topic]")] == [True, False]
    event = AuditEvent.objects.get(verb="mails:off")
    assert (event.actor, event.entrance, event.after) == ("sam", "page", {"topic": "decisions"})
    press(client, page, PAGE, topic=["requests", "decisions"])
    assert not OptOut.objects.exists()


def test_nothing_ticked_switches_all_off_and_what_is_no_topic_is_left_out(browser, sam, noor):
    browser(sam).post(PAGE, {"topic": ["account", "nothing"]})
    assert set(OptOut.objects.values_list("user__username", "topic")) == {("sam", "requests"), ("sam", "decisions")}
    assert opt_outs.topics_off(noor) == set()


def test_a_form_of_another_site_chooses_nothing(browser, sam):
    client = browser(sam, enforce_csrf_checks=True)
    assert client.post(PAGE, {}).status_code == 403
    assert not OptOut.objects.exists()


def test_whoever_wants_no_mails_about_decisions_is_promised_none(browser, gated_repo, sam):
    access.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    client = browser(sam)
    pages = ("/lab/toxic-bert", "/settings/requests")
    for path in pages:
        assert "sam@example.org" in words(soup(client.get(path)).main)
    opt_outs.turn_off(sam, "decisions", by=Actor(user=sam))
    for path in pages:
        said = words(soup(client.get(path)).main)
        assert "sam@example.org" not in said
        assert "You get a mail" not in said
    assert "This page says how it was decided." in words(soup(client.get("/lab/toxic-bert")).main)


def test_an_address_that_gets_no_mail_is_told_with_the_way_back(browser, sam, noor):
    addresses.mark(address="sam@example.org", what="bounced", detail="550 no such user")
    client = browser(sam)
    page = soup(client.get(PAGE))
    section = page.select_one("section:has(#stopped-heading)")
    assert "sam@example.org" in words(section.h3)
    assert "The mail service said: 550 no such user" in words(section)
    press(client, page, "/settings/addresses/use-again")
    assert not addresses.is_stopped("sam@example.org")
    assert not soup(client.get(PAGE)).select("#stopped-heading")
    assert not soup(browser(noor).get(PAGE)).select("#stopped-heading")


# --- The page behind the link -----------------------------------------------------------------------------------------


def test_a_look_changes_nothing_and_shows_one_button(browser, sam):
    path = link("accepted", sam)
    for method in ("get", "head"):
        response = getattr(browser(), method)(path)
        assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
    response = browser().get(path)
    assert_nothing_inline(response)
    page = soup(response)
    assert "Switch these mails off?" in words(page.h1)
    assert "decisions on sam's own access requests" in words(page.main)
    assert [words(button) for button in page.select("main button")] == ["Switch these mails off"]
    assert not OptOut.objects.exists()
    assert not AuditEvent.objects.filter(verb__startswith="mails:").exists()


def test_mail_programs_switch_off_by_one_click_without_cookies(sam):
    path = link("digest", sam)
    client = Client(enforce_csrf_checks=True)
    for body in (ONE_CLICK, ONE_CLICK):
        response = client.post(path, body)
        assert response.status_code == 200, "RFC 8058 forbids to redirect"
    assert list(OptOut.objects.values_list("user__username", "topic")) == [("sam", "requests")]
    assert AuditEvent.objects.filter(verb="mails:off").count() == 1
    raw = "List-Unsubscribe=One-Click"
    other = link("accepted", sam)
    assert client.post(other, raw, content_type="application/x-www-form-urlencoded").status_code == 200
    assert opt_outs.topics_off(sam) == {"requests", "decisions"}


def test_people_press_a_button_and_may_take_it_back(browser, sam):
    path = link("new-request", sam)
    client = browser(enforce_csrf_checks=True)
    page = soup(press(client, soup(client.get(path)), path))
    assert "These mails are switched off" in words(page.h1)
    assert page.select_one(f'main a[href="{PAGE}"]')
    assert opt_outs.topics_off(sam) == {"requests"}
    assert [words(button) for button in page.select("main button")] == ["Switch them on again"]
    page = soup(press(client, page, path))
    assert "These mails are switched on" in words(page.h1)
    assert opt_outs.topics_off(sam) == set()
    assert "These mails are switched" not in words(soup(client.get(path)).h1)


def test_a_repo_s_address_is_refused_and_taken_back(browser, gated_repo, ada):
    services.change_settings(gated_repo, {"gatedNotificationsEmail": DESK}, by=Actor(user=ada))
    gated_repo.refresh_from_db()
    notification_address.confirm(notification_address.token_for(gated_repo, timezone.now()), by=Actor())
    path = link("digest", repo=gated_repo)
    client = browser()
    page = soup(client.get(path))
    assert "Mails to desk@example.com about access requests for the model lab/toxic-bert ." in words(page.main)
    assert not page.select(f'main a[href="{PAGE}"]'), "there is no account"
    page = soup(press(client, page, path))
    assert "The people who manage the repository are told instead." in words(page.main)
    gated_repo.refresh_from_db()
    assert address_to_use(gated_repo) == ""
    press(client, page, path)
    gated_repo.refresh_from_db()
    assert address_to_use(gated_repo) == DESK
    services.change_settings(gated_repo, {"gatedNotificationsEmail": ""}, by=Actor(user=ada))
    page = soup(client.get(path))
    assert "No repository sends its notifications to desk@example.com any more." in words(page.main)
    assert not page.select("main form")


@pytest.mark.parametrize("body", [{}, {"answer": ""}, {"answer": "x"}, {"off": "1"}])
def test_a_form_without_an_answer_changes_nothing(browser, sam, body):
    response = browser().post(link("accepted", sam), body)
    assert response.status_code == 400
    assert "Nothing was changed." in words(soup(response))
    assert not OptOut.objects.exists()


def test_a_forged_link_is_a_page_that_tells_nothing(browser, sam):
    path = link("accepted", sam)
    for wrong in (path[:-1], path[:-1] + ("A" if path[-1] != "A" else "B"), "/notifications/unsubscribe/x"):
        for response in (browser().get(wrong), browser().post(wrong, ONE_CLICK)):
            assert response.status_code == 404
            assert "This link is not valid any more" in words(soup(response))
            assert "sam" not in words(soup(response).main)
    assert not OptOut.objects.exists()


def test_whoever_is_signed_in_switches_off_for_the_one_the_mail_was_to(browser, sam, noor):
    browser(noor).post(link("accepted", sam), ONE_CLICK)
    assert (opt_outs.topics_off(sam), opt_outs.topics_off(noor)) == ({"decisions"}, set())
    assert AuditEvent.objects.get(verb="mails:off").actor == "", "the link says it, not the session"


def test_the_form_needs_no_token_of_the_page(browser, sam):
    path = link("accepted", sam)
    form = form_to(soup(browser().get(path)), path)
    assert data_of(form) == {}
