"""What must be said to whom, and what became of it: the outbox, its deliveries, and who wants no mail.

The tables are the truth.  Celery tasks and the schedule are nudges: whatever of them is lost, a sweep finds the rows.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from access.models import AccessRequest
from accounts.models import User
from repos.models import Repo

DEADLINE = timedelta(days=3)
"""How long a mail is tried."""


def _deadline() -> datetime:
    return timezone.now() + DEADLINE


class Kind(models.TextChoices):
    """What a mail is about."""

    NEW_REQUEST = "new-request", "New access request"
    DIGEST = "digest", "Digest of access requests"
    ACCEPTED = "accepted", "Request accepted"
    REJECTED = "rejected", "Request rejected"
    CANCELLED = "cancelled", "Request back to pending"
    GRANTED = "granted", "Access granted"
    TOKEN_CREATED = "token-created", "Token created"
    ACCOUNT = "account", "Account"
    CONFIRM_ADDRESS = "confirm-address", "Notification address to confirm"


DECISIONS = (Kind.ACCEPTED, Kind.REJECTED, Kind.CANCELLED, Kind.GRANTED)
"""What a requester is told."""
REQUESTS = (Kind.NEW_REQUEST, Kind.DIGEST)
"""What whoever reviews is told."""


class OutboxMessage(models.Model):
    """Something that must be said, written in the transaction in which it became true.

    To a person who is known then (a decision, an account mail), with its `Delivery`.  Who is to be told of a new
    request is looked up when the mail goes out: the message waits for that, in a repo with a daily digest until the
    next one, and then points to the message of kind `digest` that lists it.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DISPATCHED = "dispatched", "Dispatched"
        DROPPED = "dropped", "Dropped"

    kind = models.CharField(max_length=15, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    repo = models.ForeignKey(Repo, models.SET_NULL, null=True, blank=True, related_name="+")
    access_request = models.ForeignKey(AccessRequest, models.SET_NULL, null=True, blank=True, related_name="+")
    in_digest = models.BooleanField(default=False, help_text="Goes with the next digest, not alone.")
    digest = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="collected", help_text="The digest that lists it."
    )
    data = models.JSONField(default=dict, help_text="What the mail says beyond the rows it points to. No secrets.")
    sealed = models.TextField(blank=True, help_text="What is secret of an account mail, encrypted; gone once sent.")
    because = models.CharField(max_length=200, blank=True, help_text="Why nothing is sent.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="outbox_message_state_is_known", condition=Q(state__in=["waiting", "dispatched", "dropped"])
            ),
            models.CheckConstraint(
                name="outbox_message_collected_once_dispatched", condition=Q(digest=None) | Q(state="dispatched")
            ),
            models.CheckConstraint(
                name="outbox_message_only_requests_wait", condition=~Q(state="waiting") | Q(kind="new-request")
            ),
        ]
        indexes = [
            # Those that wait are few among all that ever were.
            models.Index(fields=["id"], condition=Q(state="waiting", in_digest=False), name="outbox_at_once"),
            models.Index(fields=["repo", "id"], condition=Q(state="waiting", in_digest=True), name="outbox_for_digest"),
            models.Index(fields=["created_at"], condition=Q(state="waiting"), name="outbox_waiting_since"),
            models.Index(fields=["created_at"], name="outbox_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def waiting(self) -> DeliveryQuerySet:
        return self.filter(state=Delivery.State.WAITING)

    def due(self, now: datetime) -> DeliveryQuerySet:
        """To be sent now.  Those that a worker has in hand are due again when its lease is over."""
        return self.waiting().filter(due_at__lte=now)

    def to_address(self, address: str) -> DeliveryQuerySet:
        return self.alias(address_lower=Lower("address")).filter(address_lower=address.lower())


class Delivery(models.Model):
    """One mail to one recipient: how often it was tried, and what became of it."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        FOLDED = "folded", "In a summary"
        DROPPED = "dropped", "Not sent"
        DEAD = "dead", "Given up"

    message = models.ForeignKey(OutboxMessage, models.CASCADE, related_name="deliveries")
    kind = models.CharField(max_length=15, choices=Kind)
    user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    address = models.EmailField()
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    name = models.UUIDField(
        default=uuid.uuid4,
        unique=True,
        help_text="For the Message-ID: the same at each attempt, which marks a repeat.",
    )
    due_at = models.DateTimeField(default=timezone.now, help_text="When it is tried next.")
    claim = models.UUIDField(null=True, blank=True, help_text="Names the worker that has it in hand, or had it last.")
    attempts = models.PositiveIntegerField(default=0)
    deadline = models.DateTimeField(default=_deadline)
    held = models.BooleanField(default=False, help_text="Waits because the address got too many within the hour.")
    folded_into = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="folded", help_text="The summary that tells it."
    )
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=500, blank=True, help_text="What the last attempt failed of.")
    provider_id = models.CharField(max_length=255, blank=True, help_text="How the mail service calls it.")
    provider_status = models.CharField(max_length=20, blank=True, help_text="What the mail service told of it last.")
    file = models.CharField(max_length=100, blank=True, help_text="The .eml file, where mails go to files.")

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                "message", Lower("address"), "kind", name="delivery_once_per_message_recipient_and_kind"
            ),
            models.CheckConstraint(
                name="delivery_state_is_known", condition=Q(state__in=["waiting", "sent", "folded", "dropped", "dead"])
            ),
            models.CheckConstraint(
                name="delivery_sent_at_set_once_sent",
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at=None)),
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state="waiting"), name="delivery_due"),
            models.Index(
                Lower("address"), F("sent_at").desc(), condition=Q(state="sent"), name="delivery_sent_to_address"
            ),
            models.Index(Lower("address"), condition=Q(state="waiting"), name="delivery_waiting_for_address"),
            models.Index(fields=["provider_id"], condition=~Q(provider_id=""), name="delivery_by_provider_id"),
            models.Index(fields=["state", "-id"], name="delivery_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} to {self.address}"

    @property
    def is_summary(self) -> bool:
        """Whether it tells others' news, too."""
        return self.folded.exists()


class OptOut(models.Model):
    """A kind of mail that somebody does not want."""

    class Topic(models.TextChoices):
        """Kinds as people tell them apart.  Account mails are none: somebody asked for each, or must know."""

        REQUESTS = "requests", "New access requests for repos you manage"
        DECISIONS = "decisions", "Decisions about your own access requests"

    user = models.ForeignKey(User, models.CASCADE, related_name="mail_opt_outs")
    topic = models.CharField(max_length=9, choices=Topic)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "topic"], name="opt_out_once_per_user_and_topic")]

    def __str__(self) -> str:
        return f"{self.user} wants no {self.topic}"


class AddressProblem(models.Model):
    """An address to which no mail is sent: the mail service told that one came back, or that its reader complained."""

    class What(models.TextChoices):
        BOUNCED = "bounced", "Mails came back"
        COMPLAINED = "complained", "A mail was reported as spam"

    address = models.EmailField(unique=True, help_text="In lower case.")
    what = models.CharField(max_length=10, choices=What)
    detail = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.address} {self.what}"


class DigestRun(models.Model):
    """That the digests were made, to the end: of all requests that waited `at` that time."""

    at = models.DateTimeField(unique=True)
    mails = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.mails} at {self.at}"


TOPICS: dict[str, str] = {
    **dict.fromkeys(REQUESTS, OptOut.Topic.REQUESTS),
    **dict.fromkeys(DECISIONS, OptOut.Topic.DECISIONS),
}
"""Which topic a kind of mail belongs to; a kind that is missing cannot be switched off."""
