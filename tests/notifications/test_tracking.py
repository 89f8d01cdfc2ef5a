"""What a mail service tells of our mails, as it tells it: signed calls to `/webhooks/anymail/…/tracking/`.

A decision was mailed to sam; the services are Mailgun (signs), Postmark (knows a secret) and SendGrid (signs).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from anymail.signals import AnymailTrackingEvent, tracking
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.actor import Actor, Entrance
from accounts.models import AuditEvent
from notifications import addresses
from notifications.delivery import deliver
from notifications.models import AddressProblem, Delivery, Kind, OutboxMessage

SIGNING_KEY = "key-that-signs-webhooks"
SECRET = "hook:a-long-enough-password"
ADDRESS = "sam@example.org"
TOKEN = {"name": "laptop", "role": "read", "expires_at": None, "address": ""}
SENDGRID = "ignore:django-anymail has dropped official support for SendGrid"


@pytest.fixture
def delivery(sam) -> Delivery:
    message = OutboxMessage.objects.create(kind=Kind.ACCEPTED, state="dispatched")
    return Delivery.objects.create(
        message=message,
        kind=message.kind,
        user=sam,
        address="Sam@Example.org",
        state="sent",
        sent_at=timezone.now(),
        provider_id="<of-the-service@example.org>",
    )


@pytest.fixture
def mailgun(settings, db):
    settings.MAIL_SERVICE, settings.MAIL_WEBHOOKS = "mailgun", True
    settings.ANYMAIL = {"MAILGUN_API_KEY": "key", "MAILGUN_WEBHOOK_SIGNING_KEY": SIGNING_KEY}

    def call(event: str, *, key: str = SIGNING_KEY, at: float | None = None, **said: Any) -> Any:
        at, token = at or time.time(), "t" * 50
        signature = hmac.new(key.encode(), f"{int(at)}{token}".encode(), hashlib.sha256).hexdigest()
        data = {"event": event, "timestamp": at, "id": "x", "recipient": ADDRESS, "user-variables": {}} | said
        body = {
            "signature": {"timestamp": str(int(at)), "token": token, "signature": signature},
            "event-data": data,
        }
        return post("mailgun", body)

    return call


@pytest.fixture
def postmark(settings, db):
    settings.MAIL_SERVICE, settings.MAIL_WEBHOOKS = "postmark", True
    settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "token", "WEBHOOK_SECRET": [SECRET]}

    def call(kind: str, *, secret: str = SECRET, record: str = "Bounce", **said: Any) -> Any:
        body = {
            "RecordType": record,
            "Type": kind,
            "Email": ADDRESS,
            "BouncedAt": datetime.now(UTC).isoformat(),
            "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
            "Description": "The server was unable to deliver your message",
            "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
            "Metadata": {},
        } | said
        return post("postmark", body, {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()})

    return call


@pytest.fixture
def sendgrid(settings, db):
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    settings.MAIL_SERVICE, settings.MAIL_WEBHOOKS = "sendgrid", True
    settings.ANYMAIL = {
        "SENDGRID_API_KEY": "key",
        "SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY": base64.b64encode(public).decode(),
    }

    def call(*events: dict[str, Any], signer: Any = key) -> Any:
        body = [{"email": ADDRESS, "timestamp": int(time.time()), "sg_event_id": "x"} | event for event in events]
        raw, at = json.dumps(body).encode(), str(int(time.time()))
        signature = base64.b64encode(signer.sign(at.encode() + raw, ec.ECDSA(hashes.SHA256()))).decode()
        named = "X-Twilio-Email-Event-Webhook-"
        return post("sendgrid", raw, {f"{named}Signature": signature, f"{named}Timestamp": at})

    return call


def post(service: str, body: Any, headers: dict[str, str] | None = None) -> Any:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = f"/webhooks/anymail/{service}/tracking/"
    return client.post(path, raw, content_type="application/json", headers=headers)


def status_of(delivery: Delivery) -> str:
    delivery.refresh_from_db()
    return delivery.provider_status


def nothing_was_changed(delivery: Delivery) -> bool:
    trail = AuditEvent.objects.filter(verb__startswith="mail_address:")
    return status_of(delivery) == "" and not AddressProblem.objects.exists() and not trail.exists()


# --- What stops an address ------------------------------------------------------------------------------------------


def test_a_mail_that_came_back_stops_the_address_and_leaves_a_trail(mailgun, delivery):
    said = {"code": 550, "message": "5.1.1 No such user\x00\r\nBcc: x"}
    answer = mailgun("failed", severity="permanent", reason="bounce", **{"delivery-status": said})
    assert answer.status_code == 200
    problem = AddressProblem.objects.get()
    assert (problem.address, problem.what) == (ADDRESS, "bounced")
    assert problem.detail == "5.1.1 No such user Bcc: x"
    event = AuditEvent.objects.get(verb="mail_address:stopped")
    assert (event.actor, event.entrance, event.target) == ("", "system", ADDRESS)
    assert addresses.is_stopped("SAM@example.org")


def test_a_complaint_stops_the_address(postmark, delivery):
    assert (
        postmark("SpamComplaint", record="SpamComplaint", Metadata={"delivery": str(delivery.name)}).status_code == 200
    )
    assert AddressProblem.objects.get().what == "complained"
    assert status_of(delivery) == "complained"


@pytest.mark.parametrize(
    ("kind", "what"), [("HardBounce", "bounced"), ("BadEmailAddress", "bounced"), ("ManuallyDeactivated", "bounced")]
)
def test_what_the_service_refuses_for_the_address_stops_it(postmark, delivery, kind, what):
    assert postmark(kind, Metadata={"delivery": str(delivery.name)}).status_code == 200
    assert AddressProblem.objects.get().what == what


@pytest.mark.filterwarnings(SENDGRID)
def test_several_at_once_are_all_heard(sendgrid, delivery):
    answer = sendgrid(
        {"event": "bounce", "type": "bounce", "reason": "550 no such user", "delivery": str(delivery.name)},
        {"event": "spamreport", "email": "noor@example.org"},
        {"event": "bounce", "type": "blocked", "reason": "421 too many", "email": "rea@example.org"},
        {"event": "open", "email": "wes@example.org"},
    )
    assert answer.status_code == 200
    stopped = AddressProblem.objects.order_by("address").values_list("address", "what")
    assert list(stopped) == [("noor@example.org", "complained"), (ADDRESS, "bounced")]
    assert status_of(delivery) == "bounced"


def test_a_mail_that_is_not_known_stops_its_address_too(mailgun, delivery):
    variables = {"delivery": "not-one-of-ours"}
    answer = mailgun("failed", severity="permanent", recipient="Noor@Example.org", **{"user-variables": variables})
    assert answer.status_code == 200
    assert AddressProblem.objects.get().address == "noor@example.org"
    assert status_of(delivery) == ""


def test_the_address_that_we_wrote_to_is_stopped_not_the_one_it_was_forwarded_to(postmark, delivery):
    postmark("HardBounce", Email="elsewhere@example.net", Metadata={"delivery": str(delivery.name)})
    assert AddressProblem.objects.get().address == ADDRESS


def test_what_waits_for_the_address_is_not_sent_any_more(mailgun, queue, sam, noor):
    to_sam, to_noor = queue("token-created", user=sam, data=TOKEN), queue("token-created", user=noor, data=TOKEN)
    assert mailgun("complained").status_code == 200
    deliver()
    assert [message.to for message in mail.outbox] == [["noor@example.org"]]
    to_sam.refresh_from_db()
    to_noor.refresh_from_db()
    assert (to_sam.state, to_noor.state) == ("dropped", "sent")
    assert "reported as spam" in to_sam.problem


# --- What does not --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status"), [("SoftBounce", "soft-bounced"), ("Transient", "deferred"), ("DnsError", "deferred")]
)
def test_a_mail_that_came_back_this_time_is_only_noted(postmark, delivery, kind, status):
    assert postmark(kind, Metadata={"delivery": str(delivery.name)}).status_code == 200
    assert status_of(delivery) == status
    assert not AddressProblem.objects.exists()


def test_a_temporary_failure_is_only_noted(mailgun, delivery):
    variables = {"delivery": str(delivery.name)}
    assert mailgun("failed", severity="temporary", **{"user-variables": variables}).status_code == 200
    assert status_of(delivery) == "deferred"
    assert not AddressProblem.objects.exists()


@pytest.mark.parametrize(
    ("service", "raw"),
    [
        ("Amazon SES", {"bounce": {"bounceType": "Transient"}}),
        ("Brevo", {"event": "soft_bounce"}),
        ("MailerSend", {"data": {"type": "soft_bounced"}}),
        ("Mandrill", {"event": "soft_bounce"}),
        ("Resend", {"data": {"bounce": {"type": "Transient"}}}),
        ("SparkPost", {"msys": {"message_event": {"bounce_class": "22"}}}),
    ],
)
@pytest.mark.parametrize("for_good", [False, True])
def test_each_service_has_words_of_its_own_for_not_for_good(db, service, raw, for_good):
    event = AnymailTrackingEvent(event_type="bounced", recipient=ADDRESS, esp_event={} if for_good else raw)
    tracking.send(sender=None, event=event, esp_name=service)
    assert addresses.is_stopped(ADDRESS) is for_good


def test_a_mail_that_is_refused_for_another_reason_stops_nobody(mailgun, delivery):
    variables = {"delivery": str(delivery.name)}
    answer = mailgun("rejected", reject={"reason": "Sandbox domain"}, **{"user-variables": variables})
    assert answer.status_code == 200
    assert status_of(delivery) == "rejected"
    assert not AddressProblem.objects.exists()


@pytest.mark.parametrize("event", ["opened", "clicked", "unsubscribed", "something-new"])
def test_an_event_that_says_nothing_of_arrival_changes_nothing(mailgun, delivery, event):
    assert mailgun(event, **{"user-variables": {"delivery": str(delivery.name)}}).status_code == 200
    assert nothing_was_changed(delivery)


def test_what_is_no_address_stops_nothing(mailgun, delivery):
    for recipient in (None, "", "nobody", "a b@example.org", "x" * 300 + "@example.org"):
        assert mailgun("complained", recipient=recipient).status_code == 200
    assert nothing_was_changed(delivery)


# --- Forged ---------------------------------------------------------------------------------------------------------


def test_a_forged_signature_is_refused(mailgun, delivery, caplog):
    answer = mailgun("complained", key="guessed", **{"user-variables": {"delivery": str(delivery.name)}})
    assert answer.status_code == 400
    assert nothing_was_changed(delivery)
    assert "refused" in caplog.text


def test_a_wrong_secret_and_none_are_refused(postmark, delivery):
    assert postmark("HardBounce", secret="hook:guessed").status_code == 400
    assert post("postmark", {"RecordType": "Bounce", "Type": "HardBounce", "Email": ADDRESS}).status_code == 400
    assert nothing_was_changed(delivery)


@pytest.mark.filterwarnings(SENDGRID)
def test_a_signature_of_another_key_is_refused(sendgrid, delivery):
    stranger = ec.generate_private_key(ec.SECP256R1())
    assert sendgrid({"event": "spamreport"}, signer=stranger).status_code == 400
    assert nothing_was_changed(delivery)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"signature": 1}', b'{"signature": {}}'])
def test_nonsense_of_a_stranger_is_refused_and_no_fault_of_the_server(mailgun, delivery, body):
    assert post("mailgun", body).status_code == 400
    assert nothing_was_changed(delivery)


def test_nonsense_of_the_service_is_refused_and_no_fault_of_the_server(postmark, delivery):
    headers = {"Authorization": "Basic " + base64.b64encode(SECRET.encode()).decode()}
    for body in (b"", b"[]", b"null", b'{"RecordType": "Bounce", "Metadata": 7}', b'{"RecordType": "Inbound"}'):
        assert post("postmark", body, headers).status_code == 400
    assert nothing_was_changed(delivery)


def test_only_the_service_that_sends_has_an_address(mailgun, delivery, settings):
    for service in ("postmark", "sendgrid", "sendinblue", "x"):
        assert post(service, {}).status_code == 404
    settings.MAIL_WEBHOOKS = False
    assert mailgun("complained").status_code == 404
    assert nothing_was_changed(delivery)


# --- Told twice, and in any order -----------------------------------------------------------------------------------


def test_told_twice_it_is_noted_once(mailgun, delivery):
    for _ in range(2):
        assert mailgun("complained", **{"user-variables": {"delivery": str(delivery.name)}}).status_code == 200
    assert AddressProblem.objects.count() == 1
    assert AuditEvent.objects.filter(verb="mail_address:stopped").count() == 1


def test_one_row_holds_the_newest(mailgun, delivery):
    mailgun("failed", severity="permanent", **{"delivery-status": {"code": 550, "message": "no such user"}})
    mailgun("complained")
    assert AddressProblem.objects.get().what == "complained"
    assert AuditEvent.objects.filter(verb="mail_address:stopped").count() == 2


def test_an_older_report_undoes_no_newer_one(mailgun, delivery):
    variables = {"user-variables": {"delivery": str(delivery.name)}}
    for event, status in [("delivered", "delivered"), ("accepted", "delivered"), ("complained", "complained"),
                          ("delivered", "complained")]:  # fmt: skip
        mailgun(event, **variables)
        assert status_of(delivery) == status


def test_the_service_s_own_name_finds_the_mail_where_it_keeps_no_metadata(mailgun, delivery):
    answer = mailgun("delivered", message={"headers": {"message-id": "of-the-service@example.org"}})
    assert answer.status_code == 200
    assert status_of(delivery) == "delivered"


def test_a_report_that_is_told_again_later_does_not_stop_an_address_that_is_used_again(mailgun, delivery, sam):
    before = time.time() - 60
    mailgun("failed", severity="permanent", at=before)
    addresses.use_again(address=ADDRESS, by=Actor(user=sam, entrance=Entrance.PAGE))
    mailgun("failed", severity="permanent", at=before)
    assert not addresses.is_stopped(ADDRESS)
    mailgun("failed", severity="permanent", at=time.time() + 1)
    assert addresses.is_stopped(ADDRESS)


def test_a_report_costs_few_queries(mailgun, delivery, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        mailgun("complained", **{"user-variables": {"delivery": str(delivery.name)}})
