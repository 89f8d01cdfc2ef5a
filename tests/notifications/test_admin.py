"""Mails and their fate in the admin.

stef is a superuser, vic may see deliveries, max may also change them; sam was told of a decision on lab/toxic-bert.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Permission
from django.core.mail import EmailMultiAlternatives, get_connection
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from accounts import services as accounts
from accounts import staff as staff_pages
from accounts.actor import SYSTEM
from accounts.models import AuditEvent, User
from notifications import addresses
from notifications.models import AddressProblem, Delivery, OptOut, OutboxMessage
from repos.models import ConfirmationMail
from tests.support.cast import PASSWORD
from tests.web.pages import assert_nothing_inline, soup, told_to_staff, words

SHOWN = [OutboxMessage, Delivery, AddressProblem, OptOut, ConfirmationMail]
SEALED = "gAAAAA-of-a-secret-link"


def staff(name: str, *permissions: str, superuser: bool = False) -> User:
    user = accounts.create_user(
        username=name, email=f"{name}@example.org", password=PASSWORD, is_staff=True, is_superuser=superuser, by=SYSTEM
    )
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def stef(db):
    return staff("stef", superuser=True)


@pytest.fixture
def vic(db):
    return staff("vic", "view_delivery", "view_addressproblem")


@pytest.fixture
def max_(db):
    return staff("max", "view_delivery", "change_delivery", "view_addressproblem", "change_addressproblem")


@pytest.fixture
def delivery(gated_repo, sam, queue) -> Delivery:
    return queue("accepted", user=sam, repo=gated_repo, data={"reason": ""})


@pytest.fixture
def dead(delivery) -> Delivery:
    delivery.state, delivery.attempts, delivery.problem = "dead", 31, "SMTPRecipientsRefused: 550 no such user"
    delivery.save()
    return delivery


def address(model, what: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=args)


def act(client, action: str, *rows) -> str:
    """Tick the rows in their list, run the action, and give the messages that follow."""
    path = address(type(rows[0]), "changelist")
    form = {"action": action, "_selected_action": [row.pk for row in rows]}
    answer = client.post(path, form, follow=True)
    assert answer.status_code == 200
    return told_to_staff(answer)


# --- Lists and rows -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", SHOWN, ids=lambda model: model.__name__)
def test_all_are_shown_and_nothing_is_added_changed_or_deleted(model, delivery, gated_repo, sam, stef, browser):
    OutboxMessage.objects.update(sealed=SEALED)
    addresses.mark(address="noor@example.org", what="bounced")
    OptOut.objects.create(user=sam, topic="decisions")
    ConfirmationMail.objects.create(repo=gated_repo, address="desk@example.com", asked_by=sam)
    client, row = browser(stef), model.objects.first()
    for path in (address(model, "changelist"), address(model, "change", row.pk)):
        answer = client.get(path)
        assert answer.status_code == 200
        assert SEALED not in answer.content.decode()
    before = model.objects.values().get(pk=row.pk)
    assert client.get(address(model, "add")).status_code == 403
    assert client.post(address(model, "change", row.pk), {"state": "sent", "what": "complained"}).status_code == 403
    assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert "delete_selected" not in client.get(address(model, "changelist")).content.decode()
    assert model.objects.values().get(pk=row.pk) == before


def test_what_became_of_a_mail_is_on_its_page(dead, stef, browser):
    page = words(soup(browser(stef).get(address(Delivery, "change", dead.pk))).select_one("#content"))
    for said in ("Given up", "31", "550 no such user", "sam@example.org", "lab/toxic-bert", "Deadline"):
        assert said in page


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("SAM@example.org", True),
        ("lab/toxic-bert", True),
        ("LAB/Toxic-Bert", True),
        ("sam", True),
        ("ada@example.org", False),
        ("lab/other", False),
        ("ada", False),
        ("am@example", False),
    ],
)
def test_deliveries_are_found_by_address_repo_and_user(delivery, stef, browser, term, found):
    answer = browser(stef).get(address(Delivery, "changelist"), {"q": term})
    assert answer.status_code == 200
    assert bool(soup(answer).select("#result_list tbody tr")) is found


def test_a_search_for_what_no_text_can_hold_is_no_fault_of_the_server(delivery, stef, browser):
    for model in SHOWN:
        assert browser(stef).get(address(model, "changelist"), {"q": "a\0@b/c"}).status_code == 200


def test_messages_are_found_by_repo(delivery, stef, browser):
    for term, found in [("lab/toxic-bert", 1), ("lab/other", 0), ("", 1)]:
        answer = browser(stef).get(address(OutboxMessage, "changelist"), {"q": term})
        assert len(soup(answer).select("#result_list tbody tr")) == found


@pytest.mark.parametrize("query", [{"state__exact": "dead"}, {"kind__exact": "accepted"}, {"told": "bounced"}])
def test_filters(dead, queue, sam, stef, browser, query):
    Delivery.objects.update(provider_status="bounced")
    other = queue("rejected", user=sam)
    page = browser(stef).get(address(Delivery, "changelist"), query).content.decode()
    assert address(Delivery, "change", dead.pk) in page
    assert address(Delivery, "change", other.pk) not in page


def test_a_long_list_costs_as_many_queries_as_a_short_one_and_counts_no_further_than_it_shows(
    gated_repo, sam, queue, stef, browser, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr(staff_pages.ShortCount, "most", 60)
    for _ in range(70):
        queue("accepted", user=sam, repo=gated_repo)
    client = browser(stef)
    client.get(address(Delivery, "changelist"))
    for model, most in ((Delivery, 8), (OutboxMessage, 8)):
        with django_assert_max_num_queries(most) as made:
            answer = client.get(address(model, "changelist"))
        assert len(soup(answer).select("#result_list tbody tr")) == 50
        assert not [query for query in made.captured_queries if "COUNT(" in query["sql"].upper()]
    assert len(soup(client.get(address(Delivery, "changelist"), {"p": "2"})).select("#result_list tbody tr")) == 10


def test_staff_see_what_they_may(delivery, vic, make_user, browser):
    other = make_user("other")
    other.is_staff = True
    other.save()
    for model in SHOWN:
        assert browser(other).get(address(model, "changelist")).status_code == 403
    assert browser(vic).get(address(Delivery, "changelist")).status_code == 200
    assert browser(vic).get(address(OutboxMessage, "changelist")).status_code == 403


# --- Send again -----------------------------------------------------------------------------------------------------


def test_what_was_given_up_is_sent_again_and_the_others_are_named(dead, queue, sam, max_, browser):
    dropped = queue("rejected", user=sam)
    Delivery.objects.filter(pk=dropped.pk).update(state="dropped")
    waiting = queue("cancelled", user=sam)
    said = act(browser(max_), "send_again", dead, dropped, waiting)
    assert "Request back to pending to sam@example.org: It is waiting" in said
    assert "2 of 3: will be sent again" in said
    states = Delivery.objects.values_list("state", flat=True)
    assert set(states) == {"waiting"}
    dead.refresh_from_db()
    assert (dead.attempts, dead.problem) == (0, "")
    assert dead.deadline > timezone.now()
    events = AuditEvent.objects.filter(verb="delivery:send_again")
    assert {(event.actor, event.entrance) for event in events} == {("max", "admin")}
    assert len(events) == 2


def test_an_account_mail_whose_contents_are_forgotten_says_so(queue, sam, max_, browser):
    account = queue("account", user=sam)
    Delivery.objects.update(state="dead")
    assert "forgotten" in act(browser(max_), "send_again", account)
    assert Delivery.objects.get().state == "dead"


def test_who_may_only_see_sends_nothing_again(dead, vic, browser):
    client = browser(vic)
    assert "send_again" not in client.get(address(Delivery, "changelist")).content.decode()
    act(client, "send_again", dead)
    dead.refresh_from_db()
    assert dead.state == "dead"


def test_an_action_takes_no_more_rows_than_it_can_name(dead, queue, sam, max_, browser, monkeypatch):
    monkeypatch.setattr(staff_pages, "MOST_AT_ONCE", 1)
    other = queue("rejected", user=sam)
    assert "At most 1 at once" in act(browser(max_), "send_again", dead, other)
    dead.refresh_from_db()
    assert dead.state == "dead"


# --- Addresses ------------------------------------------------------------------------------------------------------


def test_staff_have_an_address_used_again(max_, vic, browser):
    problem = addresses.mark(address="noor@example.org", what="complained", detail="spam")
    act(browser(vic), "use_again", problem)
    assert addresses.is_stopped("noor@example.org")
    assert "1 of 1: used again" in act(browser(max_), "use_again", problem)
    assert not addresses.is_stopped("noor@example.org")
    event = AuditEvent.objects.get(verb="mail_address:used_again")
    assert (event.actor, event.entrance) == ("max", "admin")


# --- The mail itself ------------------------------------------------------------------------------------------------

TEXT = "Your request was accepted. <script>alert('text')</script>"
HTML = '<p style="color: red">Accepted</p><script>parent.alert("html")</script><img src="https://example.org/pixel">'


@pytest.fixture
def written(delivery, settings) -> Delivery:
    """The delivery, once it was written to a file by the backend that does so by default."""
    message = EmailMultiAlternatives("Accepted: lab/toxic-bert ü", TEXT, "hub@example.org", ["sam@example.org"])
    message.attach_alternative(HTML, "text/html")
    get_connection("notifications.backends.EmlFileBackend").send_messages([message])
    Delivery.objects.update(state="sent", sent_at=timezone.now(), file=message.eml_name)  # type: ignore[attr-defined]
    delivery.refresh_from_db()
    return delivery


def test_the_mail_is_shown_as_text_and_runs_nothing(written, vic, browser):
    client = browser(vic)
    page = soup(client.get(address(Delivery, "change", written.pk)))
    [link] = page.select("a[href$='/mail/']")
    answer = client.get(link["href"])
    assert_nothing_inline(answer)
    shown = soup(answer)
    assert TEXT in shown.select_one("pre").text
    assert "Accepted: lab/toxic-bert ü" in words(shown.select_one(".staff-mail table"))
    frame = shown.select_one("iframe")
    assert frame.has_attr("sandbox")
    assert not frame["sandbox"]
    assert "no-store" in answer["Cache-Control"]
    assert "frame-src 'self'" in answer["Content-Security-Policy"]
    html = client.get(frame["src"])
    policy = html["Content-Security-Policy"]
    assert html.content.decode().strip() == HTML
    assert "default-src 'none'" in policy
    assert policy.endswith("; sandbox")
    assert "script-src" not in policy
    assert "img-src" not in policy
    assert html["X-Frame-Options"] == "SAMEORIGIN"
    assert html["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("kind", ["account", "confirm-address"])
def test_a_mail_with_a_link_that_acts_is_for_superusers(written, vic, stef, browser, kind):
    Delivery.objects.update(kind=kind)
    page, html = reverse("delivery_mail", args=[written.pk]), reverse("delivery_mail_html", args=[written.pk])
    answer = browser(vic).get(page)
    assert answer.status_code == 200
    assert "only superusers may see it" in words(soup(answer))
    assert TEXT not in soup(answer).text
    assert browser(vic).get(html).status_code == 404
    assert TEXT in soup(browser(stef).get(page)).select_one("pre").text
    assert browser(stef).get(html).status_code == 200


def test_who_may_not_see_deliveries_sees_no_mail(written, sam, make_user, browser):
    other = make_user("other")
    other.is_staff = True
    other.save()
    for name in ("delivery_mail", "delivery_mail_html"):
        path = reverse(name, args=[written.pk])
        assert browser(other).get(path).status_code == 403
        for stranger in (sam, None):
            answer = browser(stranger).get(path)
            assert (answer.status_code, urlsplit(answer["Location"]).path) == (302, "/admin/login/")


@pytest.mark.parametrize(
    "name",
    [
        "../gatehub.sqlite3",
        "../outside.eml",
        "/etc/passwd",
        "sub/inside.eml",
        ".draft.eml",
        "..",
        "",
        "gone.eml",
        "link.eml",
    ],
)
def test_no_other_file_is_shown(delivery, stef, browser, name):
    folder = Path(django_settings.EMAIL_FILE_PATH)
    (folder / "sub").mkdir(parents=True)
    for path in (folder.parent / "outside.eml", folder / "sub/inside.eml", folder / ".draft.eml"):
        path.write_bytes(b"Subject: s\r\n\r\nnot-for-you")
    (folder / "link.eml").symlink_to(folder.parent / "outside.eml")
    Delivery.objects.filter(pk=delivery.pk).update(file=name)
    answer = browser(stef).get(reverse("delivery_mail", args=[delivery.pk]))
    assert answer.status_code == 200
    assert "not-for-you" not in answer.content.decode()
    assert "There is no file of this mail" in words(soup(answer))
    assert browser(stef).get(reverse("delivery_mail_html", args=[delivery.pk])).status_code == 404


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no headers at all",
        b"Subject: =?utf-8?q?broken\r\nContent-Type: text/plain; charset=hex\r\n\r\n\xff\xfe",
        b"Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n",
        b"Content-Type: multipart/mixed\r\n\r\nx",
        b"Content-Type: image/png\r\n\r\nx",
    ],
)
def test_a_broken_file_is_no_fault_of_the_server(written, stef, browser, raw):
    (Path(django_settings.EMAIL_FILE_PATH) / written.file).write_bytes(raw)
    assert browser(stef).get(reverse("delivery_mail", args=[written.pk])).status_code == 200
    assert browser(stef).get(reverse("delivery_mail_html", args=[written.pk])).status_code in (200, 404)


def test_a_delivery_that_is_not_there(stef, browser):
    assert browser(stef).get(reverse("delivery_mail", args=[4711])).status_code == 404


# --- Schedules ------------------------------------------------------------------------------------------------------


def test_a_schedule_is_changed_there(stef, browser):
    every, seldom = (IntervalSchedule.objects.create(every=number, period="seconds") for number in (60, 3600))
    task = PeriodicTask.objects.create(name="sweep", task="repos.tasks.sweep_leftovers", interval=every)
    client = browser(stef)
    answer = client.get(address(PeriodicTask, "changelist"))
    assert answer.status_code == 200
    assert told_to_staff(answer) == ""
    path = address(PeriodicTask, "change", task.pk)
    page = client.get(path)
    assert page.status_code == 200
    assert_nothing_inline(page)
    form = {"name": task.name, "regtask": "", "task": task.task, "interval": seldom.pk, "args": "[]", "kwargs": "{}",
            "headers": "{}", "description": "Mine"}  # fmt: skip
    assert client.post(path, form).status_code == 302
    task.refresh_from_db()
    assert (task.interval, task.enabled, task.description) == (seldom, False, "Mine")
