"""The notification address on the settings page, and the page behind the link in the mail.  ada manages
lab/toxic-bert; desk@example.com belongs to a stranger."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import AuditEvent
from notifications import tasks
from notifications.models import Delivery
from repos import services
from repos.notification_address import address_to_use
from tests.web.pages import assert_nothing_inline, described, form_to, press, soup, words

pytestmark = pytest.mark.usefixtures("mails_at_once")
DESK = "desk@example.com"
SETTINGS = "/lab/toxic-bert/settings"
CHANGE = f"{SETTINGS}/change"
AGAIN = f"{SETTINGS}/confirm-address"


@pytest.fixture
def save(django_capture_on_commit_callbacks, browser, ada):
    """Type an address on the settings page and press Save; the page that follows."""

    def type_and_save(address: str, **given: str):
        client = browser(ada)
        with django_capture_on_commit_callbacks(execute=True):
            response = press(
                client, soup(client.get(SETTINGS)), CHANGE, "gatedNotificationsEmail",
                gatedNotificationsEmail=address, **given,
            )  # fmt: skip
        return soup(client.get(response["Location"])) if response.status_code == 302 else soup(response)

    return type_and_save


@pytest.fixture
def link(gated_repo, save) -> str:
    save(DESK)
    return "/notifications/address/" + mail.outbox[0].body.partition("/notifications/address/")[2].split()[0]


def state(page) -> str:
    return words(page.select_one("#address-state"))


def used(repo) -> str:
    repo.refresh_from_db()
    return address_to_use(repo)


def test_an_own_address_is_in_use_at_once(gated_repo, save):
    page = save("ada@example.org")
    assert "The settings are saved." in words(page)
    assert "ada@example.org is in use: it is the verified address of an account that manages this model" in state(page)
    assert (used(gated_repo), mail.outbox) == ("ada@example.org", [])


@pytest.fixture
def failing(monkeypatch):
    """`with failing():` the mail server cannot be reached."""

    def fail(self, messages):
        raise ConnectionRefusedError("Connection refused")

    @contextmanager
    def failing():
        with monkeypatch.context() as patched:
            patched.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", fail)
            yield

    return failing


def test_a_foreign_address_waits_and_the_page_says_so(transactional_db, gated_repo, save):
    page = save(DESK)
    said = words(page)
    assert "The settings are saved." in said
    assert f"A mail goes to {DESK}. The address is used once its reader has confirmed it." in said
    assert f"{DESK} is not in use: it waits for a confirmation by its reader since" in state(page)
    assert "Notifications go to the first five admins of lab." in state(page)
    assert "A mail with a link was sent on" in state(page)
    assert "It can be sent again from" in state(page)
    assert not page.select("button[form=confirm-address]")
    assert used(gated_repo) == ""


def test_a_personal_repo_s_notifications_go_to_its_owner_meanwhile(make_repo, olu, browser):
    repo = make_repo("olu/bert", by=olu, gated="manual")
    services.change_settings(repo, {"gatedNotificationsEmail": DESK}, by=Actor(user=olu))
    assert "Notifications go to your own address." in state(soup(browser(olu).get("/olu/bert/settings")))


def test_without_an_address_there_is_no_state(gated_repo, save):
    assert save("").select_one("#address-state") is None


def test_a_mail_that_the_mail_server_does_not_take_yet_is_on_its_way(transactional_db, gated_repo, save, failing):
    with failing():
        page = save(DESK)
    assert f"A mail goes to {DESK}." in words(page)
    assert "The mail with the link is on its way. If the mail server does not take it" in state(page)


def test_a_mail_that_could_not_be_sent_is_told_and_can_be_sent_again(
    transactional_db, gated_repo, save, browser, ada, failing
):
    with failing():
        save(DESK)
        Delivery.objects.update(due_at=timezone.now(), deadline=timezone.now())
        tasks.deliver()
    page = soup(browser(ada).get(SETTINGS))
    assert "The mail with the link could not be sent." in state(page)
    button = page.select_one("button[form=confirm-address]")
    assert (words(button), page.find(id="confirm-address")["action"]) == ("Send again", AGAIN)
    first = form_to(page, CHANGE, "gatedNotificationsEmail").select("button[type=submit]:not([form])")
    assert [words(found) for found in first] == ["Save"], "the Enter key saves"
    client = browser(ada)
    assert press(client, page, AGAIN)["Location"] == f"{SETTINGS}#notifications"
    assert len(mail.outbox) == 1
    assert "A mail goes to" in words(soup(client.get(SETTINGS)))


def test_pressing_too_often_says_from_when_on_it_works(link, gated_repo, browser, ada):
    client = browser(ada)
    client.post(AGAIN)
    assert "No further mail can be sent to this address now. Try again after" in words(soup(client.get(SETTINGS)))
    assert len(mail.outbox) == 1


def test_an_address_that_had_enough_mails_is_set_all_the_same(gated_repo, make_repo, save, browser, ada, wes):
    for number in range(3):
        other = make_repo(f"lab/other-{number}", by=wes, gated="manual")
        services.change_settings(other, {"gatedNotificationsEmail": DESK}, by=Actor(user=wes))
    page = save(DESK)
    assert f"No mail was sent to {DESK}, because enough were sent for now." in words(page)
    assert "No mail with a link was sent yet." in state(page)


def test_the_page_of_the_link_needs_no_account_and_a_look_changes_nothing(link, gated_repo, browser, ada):
    response = browser().get(link)
    assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
    assert_nothing_inline(response)
    said = words(soup(response))
    assert "The person ada , who manages the model lab/toxic-bert on this server, gave desk@example.com" in said
    assert ada.fullname not in said
    for method in ("get", "head"):
        getattr(browser(), method)(link)
    assert used(gated_repo) == ""
    assert not AuditEvent.objects.filter(verb__endswith="confirmed").exists()


def test_one_press_confirms(link, gated_repo, browser, save):
    client = browser(enforce_csrf_checks=True)
    assert press(client, soup(client.get(link)), link, answer="confirm")["Location"] == link
    page = soup(client.get(link))
    assert "This address gets the notifications" in words(page.h1)
    said = words(page.select_one("main"))
    assert "requests for access to the model lab/toxic-bert go to desk@example.com" in said
    assert "ada , who manages it, asked for this, and it was confirmed on" in said
    assert [button["value"] for button in page.select("main button")] == ["refuse"]
    assert used(gated_repo) == DESK
    event = AuditEvent.objects.get(verb="notification_address:confirmed")
    assert (event.actor, event.entrance, event.address) == ("", "page", "127.0.0.1")
    assert "is in use: its reader confirmed it on" in state(save(DESK))


def test_one_press_refuses_and_the_settings_page_says_so(link, gated_repo, browser, save):
    client = browser()
    press(client, soup(client.get(link)), link, answer="refuse")
    page = soup(client.get(link))
    assert "This address is not used" in words(page.h1)
    assert [button["value"] for button in page.select("main button")] == ["confirm"]
    assert used(gated_repo) == ""
    page = save(DESK)
    assert "is not in use: its reader said on" in state(page)
    assert not page.select("button[form=confirm-address]")


def test_a_form_of_another_site_confirms_nothing(link, gated_repo, browser):
    assert browser(enforce_csrf_checks=True).post(link, {"answer": "confirm"}).status_code == 403
    assert used(gated_repo) == ""


@pytest.mark.parametrize("data", [{}, {"answer": ""}, {"answer": "yes"}, {"confirm": "1"}])
def test_a_form_without_an_answer_changes_nothing(link, gated_repo, browser, data):
    assert browser().post(link, data).status_code == 400
    assert used(gated_repo) == ""


def test_an_old_link_leads_to_a_page_that_tells_nothing(link, gated_repo, browser, save):
    save("else@example.com")
    for old in (link, link[:-3], "/notifications/address/x", f"/notifications/address/{gated_repo.pk}.x"):
        for response in (browser().get(old), browser().post(old, {"answer": "confirm"})):
            assert response.status_code == 404
            assert "This link is not valid any more" in words(soup(response))
            assert "Copy it whole from the newest mail that you got." in words(soup(response))
            assert "toxic-bert" not in words(soup(response))


def test_an_expired_link_says_what_to_do(link, gated_repo, browser, monkeypatch):
    monkeypatch.setattr("django.core.signing.time.time", lambda: 4_000_000_000)
    page = soup(browser().get(link))
    assert "This link has expired" in words(page.h1)
    assert "have a new mail sent from its settings page" in words(page)
    assert [button["value"] for button in page.select("main button")] == ["refuse"]
    response = browser().post(link, {"answer": "confirm"})
    assert response.status_code == 410
    assert "Nothing was confirmed." in words(soup(response))
    assert used(gated_repo) == ""


def test_who_may_not_change_settings_sends_nothing_again(link, gated_repo, browser, rea, sam):
    for user in (rea, sam):
        assert browser(user).post(AGAIN).status_code == 403
    assert browser().post(AGAIN).status_code == 302
    assert len(mail.outbox) == 1


def test_a_refused_form_keeps_all_that_was_chosen(gated_repo, save):
    given = {"gated": "auto", "orgMembersGated": "true", "gatedNotificationsMode": "real-time"}
    page = save('"\x01"@example.com', **given)
    assert page.select_one("input[name=gated][checked]")["value"] == "auto"
    assert page.select_one("input[name=gatedNotificationsMode][checked]")["value"] == "real-time"
    assert page.select_one("#org-members-gated").has_attr("checked")
    field = page.select_one("#notifications-email")
    assert field["value"] == '"\x01"@example.com'
    assert described(page, field).startswith("Must be an email address, or empty")


def test_the_hub_s_api_answers_as_ever(gated_repo, api, ada, django_capture_on_commit_callbacks):
    path = "/api/models/lab/toxic-bert/settings"
    with django_capture_on_commit_callbacks(execute=True):
        answer = api(ada).put(path, {"gatedNotificationsEmail": DESK, "gated": "auto"})
    assert (answer.status_code, answer.json()) == (200, {"gated": "auto"})
    gated_repo.refresh_from_db()
    assert gated_repo.gated_notifications_email == DESK
    assert used(gated_repo) == ""
    assert [message.to for message in mail.outbox if message.to != [ada.email]] == [[DESK]]
    assert AuditEvent.objects.get(verb="notification_address:asked").entrance == "api"


def test_the_state_costs_few_queries(link, gated_repo, browser, ada, django_assert_max_num_queries):
    EmailAddress.objects.create(user=ada, email="ada@uni.example", verified=True)
    client = browser(ada)
    client.get(SETTINGS)
    with django_assert_max_num_queries(20):
        client.get(SETTINGS)
