"""How mails leave, as GATEHUB_EMAIL_URL and the ANYMAIL_* variables say: read at the start, or refused by name."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import anymail.backends
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives, get_connection

from gatehub import checks, email_url, env
from tests.support.server import ROOT

SECRET = "do-not-show-me-anywhere"
HOOK = f"hook:{SECRET}"


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch):
    def say(url: str, **variables: str) -> email_url.Mail:
        monkeypatch.setenv("GATEHUB_EMAIL_URL", url)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return email_url.read()

    return say


def test_without_it_mails_go_to_files(monkeypatch):
    monkeypatch.delenv("GATEHUB_EMAIL_URL", raising=False)
    assert email_url.read().backend == "notifications.backends.EmlFileBackend"


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "ssl"),
    [
        ("smtp:", "localhost", 25, False, False),
        ("smtp://mail.example.org", "mail.example.org", 25, False, False),
        ("smtp://mail.example.org:2525?tls=1", "mail.example.org", 2525, True, False),
        ("smtp+tls://mail.example.org", "mail.example.org", 587, True, False),
        ("smtp+tls://mail.example.org:25", "mail.example.org", 25, True, False),
        ("smtp+ssl://mail.example.org", "mail.example.org", 465, False, True),
        ("smtp+ssl://[::1]:4650", "::1", 4650, False, True),
    ],
)
def test_the_ways_of_smtp(say, url, host, port, tls, ssl):
    mail = say(url)
    assert mail.backend == "django.core.mail.backends.smtp.EmailBackend"
    said = {name.removeprefix("EMAIL_"): value for name, value in mail.smtp.items()}
    assert said == {
        "HOST": host,
        "PORT": port,
        "USE_TLS": tls,
        "USE_SSL": ssl,
        "HOST_USER": "",
        "HOST_PASSWORD": "",
    }


def test_a_user_and_a_password_with_odd_characters(say):
    smtp = say("smtp+tls://gatehub%40example.org:a%2Fb%3Fc%23d%40@mail.example.org").smtp
    assert smtp["EMAIL_HOST_USER"] == "gatehub@example.org"
    assert smtp["EMAIL_HOST_PASSWORD"] == "a/b?c#d@"
    assert smtp["EMAIL_HOST"] == "mail.example.org"


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.org",
        "http://mail.example.org",
        "smtps://mail.example.org",
        "memory:",
        "file:///tmp",
        "smtp://mail.example.org:port",
        "smtp://mail.example.org:70000",
        f"smtp://user:{SECRET}#x@mail.example.org",
        f"smtp://user:{SECRET}/x@mail.example.org",
        f"smtp://user:{SECRET}?x@mail.example.org",
        f"smtp://:{SECRET}@mail.example.org",
        "smtp://user@mail.example.org",
        "smtp://mail.example.org/path",
        "smtp://mail.example.org?tsl=1",
        "smtp+tls:",
        "smtp+ssl://",
        "anymail:",
        "anymail://",
        "anymail://test",
        "anymail://console",
        "anymail://../mailgun",
        f"anymail://mailgun:{SECRET}",
    ],
)
def test_what_cannot_be_read_is_refused_and_not_repeated(say, url):
    with pytest.raises(ImproperlyConfigured, match=r"^GATEHUB_EMAIL_URL: ") as refusal:
        say(url)
    assert SECRET not in str(refusal.value)


def test_an_unknown_service_is_refused_with_those_that_are_known(say):
    with pytest.raises(ImproperlyConfigured) as refusal:
        say("anymail://mailgum")
    for known in ("mailgun", "sendgrid", "postmark", "amazon_ses"):
        assert known in str(refusal.value)


def test_every_backend_that_django_anymail_ships_is_known():
    shipped = {module.name for module in pkgutil.iter_modules(anymail.backends.__path__)}
    assert shipped - {"base", "base_requests", "console", "test", "sendinblue"} == set(email_url.SERVICES)


@pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid")
@pytest.mark.parametrize("name", sorted(set(email_url.SERVICES) - {"amazon_ses"}))
def test_each_service_starts_with_what_it_needs_and_not_without(say, monkeypatch, settings, name):
    needs = email_url.SERVICES[name].needs
    given = {f"ANYMAIL_{needed}": "https://api.example.org/v1" if "URL" in needed else SECRET for needed in needs}
    mail = say(f"anymail://{name}", **given)
    settings.ANYMAIL = mail.anymail
    connection = get_connection(mail.backend)
    assert connection.esp_name.lower().replace(" ", "_") == name
    assert connection.timeout == 20
    for missing in given:
        monkeypatch.delenv(missing)
        with pytest.raises(ImproperlyConfigured, match=f"^{missing}: must be set$"):
            email_url.read()
        monkeypatch.setenv(missing, given[missing])


@pytest.mark.parametrize("name", sorted(email_url.SERVICES))
def test_operators_are_told_of_each_service(name):
    told = (ROOT / "docs/operators.md").read_text()
    service = email_url.SERVICES[name]
    assert f"| `anymail://{name}` |" in told
    for variable in (*service.needs, *([service.key] if service.key else [])):
        assert f"`ANYMAIL_{variable}`" in told


def test_amazon_says_what_to_install(say):
    with pytest.raises(ImproperlyConfigured, match="pip install boto3"):
        say("anymail://amazon_ses")


def test_a_variable_that_is_spelled_wrong_is_refused(say):
    with pytest.raises(ImproperlyConfigured, match=r"^ANYMAIL_MAILGUN_WEBOOK_SIGNING_KEY: is not known") as refusal:
        say("anymail://mailgun", ANYMAIL_MAILGUN_API_KEY=SECRET, ANYMAIL_MAILGUN_WEBOOK_SIGNING_KEY=SECRET)
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize("secret", [SECRET, f":{SECRET}", "user:short", f"user:{SECRET},other"])
def test_a_webhook_secret_without_a_user_or_too_short_is_refused(say, secret):
    with pytest.raises(ImproperlyConfigured, match=r"^ANYMAIL_WEBHOOK_SECRET: must be user:password") as refusal:
        say("anymail://postmark", ANYMAIL_POSTMARK_SERVER_TOKEN=SECRET, ANYMAIL_WEBHOOK_SECRET=secret)
    assert SECRET not in str(refusal.value)


def test_other_values_are_read_as_what_they_are(say):
    anymail_settings = say(
        "anymail://postmark",
        ANYMAIL_POSTMARK_SERVER_TOKEN=SECRET,
        ANYMAIL_POSTMARK_USE_BULK_API="yes",
        ANYMAIL_SEND_DEFAULTS='{"tags": ["gatehub"]}',
        ANYMAIL_MAILGUN_API_KEY="of another service",
        GATEHUB_EMAIL_TIMEOUT="7",
    ).anymail
    assert anymail_settings == {
        "POSTMARK_SERVER_TOKEN": SECRET,
        "POSTMARK_USE_BULK_API": True,
        "SEND_DEFAULTS": {"tags": ["gatehub"]},
        "REQUESTS_TIMEOUT": 7,
    }


@pytest.mark.parametrize(
    ("service", "variables", "open_"),
    [
        ("postmark", {"POSTMARK_SERVER_TOKEN": SECRET}, False),
        ("postmark", {"POSTMARK_SERVER_TOKEN": SECRET, "WEBHOOK_SECRET": HOOK}, True),
        ("mailgun", {"MAILGUN_API_KEY": SECRET}, False),
        ("mailgun", {"MAILGUN_API_KEY": SECRET, "WEBHOOK_SECRET": HOOK}, False),
        ("mailgun", {"MAILGUN_API_KEY": SECRET, "MAILGUN_WEBHOOK_SIGNING_KEY": SECRET}, True),
        ("sendgrid", {"SENDGRID_API_KEY": SECRET}, False),
        ("sendgrid", {"SENDGRID_API_KEY": SECRET, "SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY": SECRET}, True),
        ("scaleway", {"SCALEWAY_SECRET_KEY": SECRET, "SCALEWAY_PROJECT_ID": "1", "WEBHOOK_SECRET": HOOK}, False),
    ],
)
def test_webhooks_are_open_only_where_the_service_can_prove_who_it_is(say, service, variables, open_):
    mail = say(f"anymail://{service}", **{f"ANYMAIL_{name}": value for name, value in variables.items()})
    assert mail.webhooks is open_


def test_a_missing_key_stops_the_start_and_is_named(tmp_path):
    environment = {
        "GATEHUB_DATA_DIR": str(tmp_path),
        "GATEHUB_EMAIL_URL": "anymail://sendgrid",
        "PATH": "/usr/bin:/bin",
    }
    checked = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert checked.returncode != 0
    assert "ANYMAIL_SENDGRID_API_KEY: must be set" in checked.stderr


def test_a_key_that_cannot_be_read_is_told_of_by_the_check_and_not_shown(settings):
    settings.EMAIL_BACKEND = "anymail.backends.sendgrid.EmailBackend"
    settings.MAIL_SERVICE, settings.MAIL_WEBHOOKS = "sendgrid", True
    settings.ANYMAIL = {"SENDGRID_API_KEY": SECRET, "SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY": SECRET}
    with warnings.catch_warnings(action="ignore"):
        [error] = checks.mail_service(None)
    assert error.msg == "ANYMAIL_*: the reports of sendgrid cannot be checked: ValueError"
    assert SECRET not in str(error)


def test_the_check_finds_nothing_wrong_with_what_can_be_used(settings):
    assert checks.mail_service(None) == []
    settings.EMAIL_BACKEND = "anymail.backends.mailgun.EmailBackend"
    settings.MAIL_SERVICE, settings.MAIL_WEBHOOKS = "mailgun", True
    settings.ANYMAIL = {"MAILGUN_API_KEY": SECRET, "MAILGUN_WEBHOOK_SIGNING_KEY": SECRET}
    assert checks.mail_service(None) == []
    settings.ANYMAIL = {}
    assert [error.id for error in checks.mail_service(None)] == ["gatehub.E001", "gatehub.E002"]


@pytest.mark.parametrize("sender", ["GateHub", "a@b.org, c@d.org", "GateHub <a@b.org>\nBcc: x@y.org", "a b@c.org", "@"])
def test_a_sender_is_one_address(monkeypatch, sender):
    monkeypatch.setenv("GATEHUB_FROM_EMAIL", sender)
    with pytest.raises(ImproperlyConfigured, match=r"^GATEHUB_FROM_EMAIL: must be one e-mail address"):
        env.mailbox("GATEHUB_FROM_EMAIL", "")


@pytest.mark.parametrize("sender", ["a@b.org", "GateHub <gatehub@127.0.0.1>", '"The Hub, Inc." <hub@example.org>'])
def test_a_sender_may_have_a_name(monkeypatch, sender):
    monkeypatch.setenv("GATEHUB_FROM_EMAIL", sender)
    assert env.mailbox("GATEHUB_FROM_EMAIL", "") == sender


# --- A mail through a service's own API, which listens here ----------------------------------------------------------


@pytest.fixture
def api() -> Iterator[Any]:
    """Postmark's API, as far as sending needs it.  `api.got` are the calls: address, headers, body."""

    class Api(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.server.got.append((self.path, dict(self.headers), body))  # type: ignore[attr-defined]
            answer = {"ErrorCode": 0, "Message": "OK", "MessageID": "abc-123", "To": body["To"]}
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Api)
    server.got = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_mail_arrives_at_the_service_as_it_was_written(say, settings, api):
    mail = say(
        "anymail://postmark",
        ANYMAIL_POSTMARK_SERVER_TOKEN=SECRET,
        ANYMAIL_POSTMARK_API_URL=f"http://127.0.0.1:{api.server_port}",
    )
    settings.ANYMAIL, settings.EMAIL_BACKEND = dict(mail.anymail), mail.backend
    message = EmailMultiAlternatives("Ünlike <any>", "Text", to=["sam@example.org"], headers={"X-Kind": "digest"})
    message.attach_alternative("<p>Text</p>", "text/html")
    message.metadata = {"delivery": "0b0f2c9e"}  # type: ignore[attr-defined]
    assert message.send() == 1
    assert message.anymail_status.message_id == "abc-123"  # type: ignore[attr-defined]
    [(path, headers, body)] = api.got
    assert (path, headers["X-Postmark-Server-Token"]) == ("/email", SECRET)
    assert (body["To"], body["Subject"]) == ("sam@example.org", "Ünlike <any>")
    assert (body["TextBody"], body["HtmlBody"]) == ("Text", "<p>Text</p>")
    assert body["Metadata"] == {"delivery": "0b0f2c9e"}
    assert {"Name": "X-Kind", "Value": "digest"} in body["Headers"]
