"""User access tokens, the device sign-in, and access requests with their answers."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from access import answers, search
from accounts.actor import Actor, Entrance
from accounts.models import Namespace, User
from repos import cards
from repos.models import GateForm, Repo


def has_expired(expires_at: datetime | None) -> bool:
    """Whether a token that ends then, or never, has ended: also where no instance of it was made."""
    return expires_at is not None and expires_at <= timezone.now()


class AccessTokenQuerySet(models.QuerySet["AccessToken"]):
    def usable(self) -> AccessTokenQuerySet:
        """Tokens that open something now: not expired, of an active person."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), user__is_active=True)


class AccessToken(models.Model):
    """A user access token.  The token itself is shown once and stored nowhere: only its sha-256."""

    class Role(models.TextChoices):
        READ = "read", "Read"
        WRITE = "write", "Write"
        FINE_GRAINED = "fine-grained", "Fine-grained"

    LAST_USE_PRECISION = timedelta(minutes=10)
    SOON = timedelta(days=7)

    user = models.ForeignKey(User, models.CASCADE, related_name="access_tokens")
    name = models.CharField(max_length=100)
    role = models.CharField(max_length=12, choices=Role)
    sha256 = models.CharField(max_length=64, unique=True)
    last_characters = models.CharField(max_length=4)
    can_read_gated = models.BooleanField(
        default=False, help_text="Fine-grained: read gated repos that its user has access to."
    )
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = AccessTokenQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="access_token_name_once_per_user"),
            models.CheckConstraint(
                name="access_token_role_is_known", condition=Q(role__in=["read", "write", "fine-grained"])
            ),
        ]
        permissions = [("revoke_accesstoken", "Can revoke access tokens")]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"

    @property
    def is_expired(self) -> bool:
        return has_expired(self.expires_at)

    @property
    def expires_soon(self) -> bool:
        """Whether it is time to make another one."""
        return self.expires_at is not None and timezone.now() < self.expires_at <= timezone.now() + self.SOON


class TokenScope(models.Model):
    """What a fine-grained token may do with one repo, or with all repos of one namespace."""

    class Permission(models.TextChoices):
        CONTENT_READ = "repo.content.read", "Read contents"
        ACCESS_READ = "repo.access.read", "See access requests"
        ACCESS_WRITE = "repo.access.write", "Review access requests"
        WRITE = "repo.write", "Write contents and settings"

    token = models.ForeignKey(AccessToken, models.CASCADE, related_name="scopes")
    namespace = models.ForeignKey(Namespace, models.CASCADE, null=True, blank=True, related_name="+")
    repo = models.ForeignKey(Repo, models.CASCADE, null=True, blank=True, related_name="+")
    permission = models.CharField(max_length=17, choices=Permission)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="token_scope_names_one_entity",
                condition=Q(namespace__isnull=False, repo=None) | Q(namespace=None, repo__isnull=False),
            ),
            models.UniqueConstraint(fields=["token", "namespace", "repo", "permission"], name="token_scope_once"),
        ]

    def __str__(self) -> str:
        return f"{self.permission} on {self.repo or self.namespace}"


class DeviceSignIn(models.Model):
    """One run of the OAuth device flow (RFC 8628) of `hf auth login`.

    The device polls with a code that only it knows, kept as sha-256; the person types `user_code` on a page, signed
    in, and approves.  The token is made when the device fetches it, so that it is never at rest.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting for the person"
        APPROVED = "approved", "Approved"
        DENIED = "denied", "Denied"
        DONE = "done", "Token handed out"

    device_code_sha256 = models.CharField(max_length=64, unique=True)
    user_code = models.CharField(max_length=9, unique=True)
    client_id = models.CharField(max_length=100, blank=True)
    client_name = models.CharField(max_length=200, blank=True, help_text="The user agent that asked.")
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="+")
    role = models.CharField(max_length=12, choices=AccessToken.Role, default=AccessToken.Role.WRITE)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    last_polled_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.user_code} ({self.status})"


def _new_request_id() -> str:
    return secrets.token_hex(12)


class AccessRequestQuerySet(models.QuerySet["AccessRequest"]):
    def pending(self) -> AccessRequestQuerySet:
        return self.filter(status=AccessRequest.Status.PENDING)

    def accepted(self) -> AccessRequestQuerySet:
        return self.filter(status=AccessRequest.Status.ACCEPTED)


class AccessRequest(models.Model):
    """One person's standing with one gated repo."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected"

    REASON_MAX_LENGTH = 200

    request_id = models.CharField(max_length=24, unique=True, default=_new_request_id, editable=False)
    repo = models.ForeignKey(Repo, models.CASCADE, related_name="access_requests")
    user = models.ForeignKey(User, models.CASCADE, related_name="access_requests")
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    form = models.ForeignKey(GateForm, models.RESTRICT, null=True, related_name="access_requests", db_index=False)
    answers = models.JSONField(default=dict)
    email = models.EmailField(blank=True, help_text="As it was when the request was sent; empty when granted unasked.")
    fullname = models.CharField(max_length=120, blank=True)
    requested_at = models.DateTimeField(default=timezone.now)
    granted = models.BooleanField(default=False, help_text="Access was given without a request.")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    rejection_reason = models.CharField(max_length=REASON_MAX_LENGTH, blank=True)
    country = models.CharField(
        max_length=2, blank=True, editable=False, default="", help_text="Said in an answer: see access.answers."
    )
    search_text = models.TextField(editable=False, default="", help_text="What a search looks at: see access.search.")

    objects = AccessRequestQuerySet.as_manager()

    sent_now = False
    """Of the instance that `services.ask` has made, rather than found, True."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["repo", "user"], name="access_request_once_per_repo_and_user"),
            models.CheckConstraint(
                name="access_request_status_is_known", condition=Q(status__in=["pending", "accepted", "rejected"])
            ),
            models.CheckConstraint(
                name="access_request_reviewed_at_set_once_decided",
                condition=Q(status="pending", reviewed_at=None)
                | Q(status__in=["accepted", "rejected"], reviewed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="access_request_reason_only_when_rejected", condition=Q(rejection_reason="") | Q(status="rejected")
            ),
        ]
        # One for each order in which a list can be read; that for search and answers is PostgreSQL's, in migration 11.
        indexes = [
            models.Index(fields=["repo", "status", "requested_at", "id"], name="access_request_queue"),
            models.Index(fields=["repo", "status", "reviewed_at", "id"], name="access_request_by_decision"),
            models.Index(fields=["repo", "status", "fullname", "id"], name="access_request_by_name"),
            models.Index(fields=["repo", "requested_at", "id"], name="access_request_by_time"),  # Whatever the status.
            # Those of all repos together, for staff.
            models.Index(fields=["requested_at", "id"], name="access_request_of_all"),
            models.Index(fields=["status", "requested_at", "id"], name="access_request_of_all_queue"),
            models.Index(fields=["status", "reviewed_at", "id", "requested_at"], name="access_request_of_all_decided"),
            models.Index(fields=["country", "requested_at", "id"], name="access_request_of_country"),
            models.Index(fields=["reviewed_by", "requested_at", "id"], name="access_request_of_reviewer"),
            models.Index(fields=["form", "requested_at", "id"], name="access_request_of_form"),
            models.Index(fields=["form", "status", "reviewed_at", "id"], name="access_request_of_form_decided"),
            models.Index(fields=["requested_at", "id"], condition=Q(granted=True), name="access_request_granted"),
        ]
        permissions = [
            ("review_accessrequest", "Can accept, reject and cancel access requests"),
            ("export_accessrequest", "Can export access requests"),
        ]

    def __str__(self) -> str:
        return f"{self.user} on {self.repo}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            self.search_text = self.searchable()
            self.country = answers.country_of({} if self.form is None else self.form.spec, self.answers)
        super().save(*args, **kwargs)

    def searchable(self) -> str:
        """Its `search_text`.  Who asked, and what they answered, stay what they were."""
        said = [answer for _, answer in self.answers_in_words()]
        return search.searchable([self.user.username, self.fullname, self.email, *said])

    def answers_in_words(self) -> list[tuple[str, str]]:
        """Question and answer as the person saw them, in the order of the form version that was answered."""
        spec = cards.FormSpec.from_json({} if self.form is None else self.form.spec)
        return answers.in_words(spec, self.questions_and_answers())

    @property
    def is_pending(self) -> bool:
        return self.status == self.Status.PENDING

    @property
    def is_accepted(self) -> bool:
        return self.status == self.Status.ACCEPTED

    @property
    def is_rejected(self) -> bool:
        return self.status == self.Status.REJECTED

    def questions_and_answers(self) -> list[tuple[str, Any]]:
        """Label and answer, in the order of the form version that was answered."""
        # PostgreSQL keeps the keys of a JSON object in an order of its own.
        fields = [] if self.form is None else self.form.spec.get("fields", [])
        places = {entry["label"]: place for place, entry in enumerate(fields)}
        return sorted(self.answers.items(), key=lambda pair: places.get(pair[0], len(places)))


class RequestTally(models.Model):
    """How many of a repo's requests of one day are in each status now.

    Kept by triggers of the database (`access.tallies`), so that it is right whatever wrote the requests: counting
    600,000 rows takes longer than showing them.
    """

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="request_tallies")
    day = models.DateField(help_text="The day on which they were sent, in UTC.")
    pending = models.IntegerField(default=0)
    accepted = models.IntegerField(default=0)
    rejected = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repo", "day"], name="request_tally_once_per_repo_and_day")]

    def __str__(self) -> str:
        return f"{self.repo} on {self.day}: {self.pending}, {self.accepted}, {self.rejected}"


class BulkReview(models.Model):
    """One decision about all requests that a filter matches, carried out in steps, each of which survives a crash.

    Whoever sent a request after the reviewer pressed is not in it.  Without a repo it is one of staff, over all repos.
    """

    repo = models.ForeignKey(Repo, models.CASCADE, null=True, blank=True, related_name="bulk_reviews")
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    address = models.GenericIPAddressField(null=True, help_text="The reviewer's, for the audit trail.")
    entrance = models.CharField(
        max_length=8,
        choices=[(entrance.value, entrance.name.title()) for entrance in Entrance],
        default=Entrance.PAGE.value,
        help_text="Through which the reviewer came: in the admin, permissions count.",
    )
    chosen = models.JSONField(
        help_text="`access.filters.RequestFilter` as JSON; without a repo, what `access.choices` knows."
    )
    status = models.CharField(max_length=8, choices=AccessRequest.Status, help_text="What they become.")
    reason = models.CharField(max_length=AccessRequest.REASON_MAX_LENGTH, blank=True)
    total = models.IntegerField(help_text="How many there were to decide.")
    decided = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)
    refusals = models.JSONField(default=list, help_text="The first of those refused: [user name, why].")
    last_key = models.BigIntegerField(default=0, help_text="The key of the last request that was looked at.")
    errors = models.IntegerField(default=0, help_text="How often in a row a step failed.")
    created_at = models.DateTimeField(default=timezone.now)
    touched_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    stopped_because = models.TextField(blank=True, help_text="Empty where it went to its end.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="bulk_review_status_is_known", condition=Q(status__in=["pending", "accepted", "rejected"])
            ),
            models.CheckConstraint(
                name="bulk_review_stopped_is_finished", condition=Q(stopped_because="") | Q(finished_at__isnull=False)
            ),
        ]
        indexes = [models.Index(fields=["repo", "-created_at"], name="bulk_review_newest")]

    def __str__(self) -> str:
        return f"Review of {self.total:,} requests of {self.repo or 'all repos'}"

    @property
    def looked_at(self) -> int:
        return self.decided + self.refused

    @property
    def reviewer(self) -> Actor:
        """The one who ordered it, as they came in."""
        return Actor(user=self.by, entrance=Entrance(self.entrance), address=self.address or "")
