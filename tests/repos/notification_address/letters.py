"""What the tests of the address for notifications look for, and how time passes in them."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.actor import Actor
from accounts.models import AuditEvent

DESK = "desk@example.com"
STRANGER = Actor()


def verbs() -> list[str]:
    events = AuditEvent.objects.filter(verb__startswith="notification_address:").order_by("pk")
    return [event.verb.partition(":")[2] for event in events]


def later(monkeypatch, **time):
    """Let some time pass, for whoever asks Django for it and for what is signed."""
    now = timezone.now() + timedelta(**time)
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    monkeypatch.setattr("django.core.signing.time.time", now.timestamp)


def token_in(message) -> str:
    return message.body.partition("/notifications/address/")[2].split()[0]
