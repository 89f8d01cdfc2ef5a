"""What every mail keeps, whatever it tells: its headers, and that nothing people wrote does anything.

ada manages lab/toxic-bert; sam asks for it, and may be called anything.
"""

from __future__ import annotations

import email
import email.policy
import re

import pytest
from bs4 import BeautifulSoup
from django.core import mail
from django.utils import timezone

from access.models import AccessRequest
from accounts.models import User
from notifications import mails, sealed
from notifications.models import TOPICS, Delivery, Kind, OutboxMessage
from repos.models import ConfirmationMail, Repo
from tests.notifications.conftest import as_claimed, html_of, mail_of
from tests.repos.notification_address.letters import later
from tests.support.server import ROOT

HOSTILE = [
    "x\r\nBcc: everybody@evil.example",
    "x\nContent-Type: text/html\n\n<script>alert(1)</script>",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\"><a href='https://evil.example'>here</a>",
    "https://evil.example/?a=b",
    "www.evil.example",
    "evil.example",
    "\u202efdp.exe\u202c",
    "\u2068\u2067\u05d0\u05d1",
    "\u0000\u0007\u001b[31mred",
    "=?utf-8?q?x=0d=0aBcc:_y?=",
    "{{ 7|add:7 }}{% now 'Y' %}",
    "👩\u200d🔬" * 20,
    "x" * 120,
    "Ö" * 120,
]


@pytest.fixture
def told(gated_repo, ada, sam, ask, queue):
    """`told(kind)`: a delivery of that kind, with what people wrote in it as they like."""

    def make(kind: str, written: str = "Sam") -> Delivery:
        User.objects.filter(pk=sam.pk).update(fullname=written[:120])
        sam.refresh_from_db()
        data = {"reason": written, "name": written, "role": "read", "expires_at": None, "address": ""}
        request = AccessRequest.objects.first() or ask(gated_repo, sam, answers={written: written, "Company": written})
        if kind == Kind.DIGEST:
            delivery = queue(kind, repo=gated_repo, user=ada)
            collected = queue("new-request", request, user=ada).message
            OutboxMessage.objects.filter(pk=collected.pk).update(digest=delivery.message)
            return delivery
        if kind == Kind.CONFIRM_ADDRESS:
            address = "desk@example.com"
            Repo.objects.filter(pk=gated_repo.pk).update(
                gated_notifications_email=address, gated_notifications_email_set_at=timezone.now()
            )
            row = ConfirmationMail.objects.create(repo=gated_repo, address=address, asked_by=sam)
            return queue(kind, repo=gated_repo, address=address, data={"confirmation": row.pk})
        if kind == Kind.ACCOUNT:
            said = {"subject": f"[GateHub] {written}", "text": "Hello", "html": "<p>Hello</p>"}
            return queue(kind, user=sam, sealed=sealed.seal(said))
        if kind == Kind.TOKEN_CREATED:
            return queue(kind, user=sam, data=data)
        if kind != Kind.NEW_REQUEST:
            status = {"cancelled": "pending", "granted": "accepted"}.get(kind, kind)
            reviewed = None if status == "pending" else timezone.now()
            AccessRequest.objects.update(status=status, reviewed_at=reviewed)
        return queue(kind, request, user=ada if kind == Kind.NEW_REQUEST else sam, data=data)

    return make


@pytest.mark.parametrize("kind", Kind.values)
def test_each_kind_has_its_headers(told, kind):
    delivery = told(kind)
    message = mail_of(delivery)
    headers = message.message()
    assert headers["Message-ID"] == f"<{delivery.name}@gate.example.org>"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["X-GateHub-Kind"] == kind
    assert headers["Subject"].startswith("[GateHub] ")
    assert headers.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in headers.get_payload()] == ["text/plain", "text/html"]
    of_a_repo = kind not in (Kind.ACCOUNT, Kind.TOKEN_CREATED)
    assert headers["X-GateHub-Repo"] == ("lab/toxic-bert" if of_a_repo else None)
    can_be_switched_off = kind in TOPICS
    list_id = "lab/toxic-bert <toxic-bert.lab.models.gate.example.org>"
    assert headers["List-ID"] == (list_id if can_be_switched_off else None)
    assert headers["List-Unsubscribe-Post"] == ("List-Unsubscribe=One-Click" if can_be_switched_off else None)
    if can_be_switched_off:
        link = headers["List-Unsubscribe"].replace("\n ", "").strip("<>")
        assert link.startswith("https://gate.example.org/notifications/unsubscribe/")
        assert link in message.body
        assert link in html_of(message)
    else:
        assert "/unsubscribe/" not in message.body + html_of(message)


@pytest.mark.parametrize("kind", Kind.values)
def test_each_attempt_is_the_same_mail(told, kind, monkeypatch):
    delivery = told(kind)
    first = mail_of(delivery)
    later(monkeypatch, minutes=5)
    second = mail_of(delivery)
    assert first.extra_headers == second.extra_headers
    assert (first.subject, first.body, first.alternatives) == (second.subject, second.body, second.alternatives)


def test_mail_services_get_what_they_tell_mails_apart_by_and_smtp_none_of_it(told):
    delivery = told("accepted")
    message = mail_of(delivery)
    assert (message.tags, message.metadata) == (["accepted"], {"delivery": str(delivery.name)})
    message.send()
    assert "metadata" not in mail.outbox[0].message().as_string()


@pytest.mark.parametrize("written", HOSTILE)
@pytest.mark.parametrize("kind", Kind.values)
def test_what_people_wrote_does_nothing(told, kind, written):
    message = mail_of(told(kind, written))
    raw = message.message().as_bytes()
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    assert parsed["To"] == message.to[0]
    assert not {"bcc", "cc"} & {name.lower() for name in parsed.keys()}  # noqa: SIM118 - a message has keys twice.
    assert len(parsed["Subject"]) <= 240
    assert parsed["Subject"].isprintable() or "\u200d" in parsed["Subject"]
    text, html = parsed.get_body(("plain",)).get_content(), parsed.get_body(("html",)).get_content()
    for part in (text, html):
        assert not set(part) & set("\0\x07\x1b\u202e\u2067\u202c")
        assert set(re.findall(r"https?://[^/\s\"'<]*", part)) <= {"https://gate.example.org"}, "no link but ours"
        assert "www.evil" not in part
        assert "evil.example" not in part
    page = BeautifulSoup(html, "html.parser")
    assert not page.select("script, img, iframe, form, [onerror], link")
    for link in page.select("a"):
        assert link["href"].startswith("https://gate.example.org/")


def test_a_user_name_that_looks_like_an_address_is_no_link(gated_repo, ada, make_user, ask, queue):
    message = mail_of(queue("new-request", ask(gated_repo, make_user("evil.example")), user=ada))
    assert "evil.example asks" not in message.body
    assert "evil.\u2060example asks" in message.body
    page = BeautifulSoup(html_of(message), "html.parser")
    assert page.find("a", string="evil.\u2060example")["href"] == "https://gate.example.org/evil.example"
    assert message.subject.endswith(" from evil.example"), "a subject is no place for links, and filters match it"


@pytest.mark.parametrize("kind", Kind.values)
def test_text_is_narrow_and_html_is_whole(told, kind):
    message = mail_of(told(kind))
    for line in message.body.splitlines():
        assert len(line) <= 76 or "https://" in line or line.startswith(" "), line
    assert "\n\n\n" not in message.body
    assert "{{" not in message.body + html_of(message)
    if kind != Kind.ACCOUNT:
        page = BeautifulSoup(html_of(message), "html.parser")
        assert page.select_one("h1").text.strip()
        assert page.title.text == message.subject
        assert page.select_one('meta[name="color-scheme"]')["content"] == "light dark"
        assert "prefers-color-scheme: dark" in page.style.text
        for cell in page.select("td"):
            assert cell["style"], "mail programs read no style but that of the element"


def test_links_lead_to_the_public_address_alone(told, settings):
    settings.PUBLIC_URL = "http://[::1]:8000/"
    message = mail_of(told("accepted"))
    assert "http://[::1]:8000/lab/toxic-bert\n" in message.body
    assert message.extra_headers["Message-ID"].endswith("@--1>")
    settings.PUBLIC_URL = "https://other.example.org"
    assert "gate.example.org" not in mail_of(told("rejected")).message().as_string()


def test_a_subject_has_an_end(told, gated_repo, settings):
    message = mail_of(told("account", "x" * 2000))
    assert len(message.subject) == 240
    assert message.subject.endswith("…")


def test_what_was_loaded_once_is_not_loaded_again(told, django_assert_num_queries):
    claimed = as_claimed(told("digest"))
    mails.prefetch([claimed])
    with django_assert_num_queries(0):
        mails.compose(claimed)


def test_the_colours_are_those_of_the_pages():
    tokens = (ROOT / "static/css/tokens.css").read_text().lower().replace("#fff;", "#ffffff;")
    folder = ROOT / "templates/notifications/mail"
    for name in ("_style.css", "_media.css"):
        colours = set(re.findall(r"#[0-9a-f]{3,6}\b", (folder / name).read_text()))
        assert colours
        for colour in colours:
            assert colour in tokens, f"{name} has a colour of its own: {colour}"
