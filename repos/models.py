"""Repos with their gate settings, the versions of their gate forms, and the objects each may hand out."""

from __future__ import annotations

import uuid
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Concat, Lower
from django.utils import timezone

from accounts.models import Namespace, User


def _new_storage_id() -> str:
    return uuid.uuid4().hex


class RepoQuerySet(models.QuerySet["Repo"]):
    def with_id(self, type_: str, namespace: str, name: str) -> RepoQuerySet:
        """The repo of that id, whatever its case: one or none."""
        return self.alias(namespace_lower=Lower("namespace__name"), name_lower=Lower("name")).filter(
            type=type_, namespace_lower=namespace.lower(), name_lower=name.lower()
        )

    def containing(self, text: str) -> RepoQuerySet:
        """Those in whose id the text occurs, whatever its case."""
        return self.alias(id_text=Concat(F("namespace__name"), Value("/"), F("name"))).filter(id_text__icontains=text)

    def by_author(self, name: str) -> RepoQuerySet:
        """Those in the namespace of that name, whatever its case."""
        return self.filter(namespace__in=Namespace.objects.named(name))

    def tagged(self, tag: str) -> RepoQuerySet:
        return self.filter(Exists(RepoTag.objects.filter(repo=OuterRef("pk"), tag=tag)))

    def gated_or_not(self, gated: bool) -> RepoQuerySet:
        is_open = Q(gated=Repo.Gated.NO)
        return self.filter(~is_open if gated else is_open)


class Repo(models.Model):
    """A model or dataset repository: a bare git repository, large files beside it, and its gate settings."""

    class Type(models.TextChoices):
        MODEL = "model", "Model"
        DATASET = "dataset", "Dataset"

    class Gated(models.TextChoices):
        NO = "no", "Open to everybody"
        AUTO = "auto", "Automatic approval"
        MANUAL = "manual", "Manual review"

    class NotificationsMode(models.TextChoices):
        BULK = "bulk", "Once a day"
        REAL_TIME = "real-time", "Real-time"

    type = models.CharField(max_length=7, choices=Type)
    namespace = models.ForeignKey(Namespace, models.PROTECT, related_name="repos")
    name = models.CharField(max_length=96)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="created_repos")
    created_at = models.DateTimeField(default=timezone.now)
    last_modified = models.DateTimeField(default=timezone.now, help_text="Date of the newest commit on main.")
    private = models.BooleanField(default=False)
    disabled = models.BooleanField(default=False, help_text="Staff: contents are refused to everybody.")
    disabled_reason = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="What staff tell those who manage the repo."
    )

    gated = models.CharField(max_length=6, choices=Gated, default=Gated.NO)
    org_members_gated = models.BooleanField(default=False, help_text="Members of the organization must ask, too.")
    gated_notifications_mode = models.CharField(max_length=9, choices=NotificationsMode, default=NotificationsMode.BULK)
    gated_notifications_email = models.EmailField(
        blank=True, help_text="As set; `repos.notification_address` says whether it may be used."
    )
    gated_notifications_email_set_at = models.DateTimeField(null=True, blank=True)
    gated_notifications_email_set_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    gated_notifications_email_nonce = models.CharField(
        max_length=22, blank=True, editable=False, help_text="What the links in mails to the address are bound to."
    )
    gated_notifications_email_confirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="When whoever reads the address agreed, by the link in a mail."
    )
    gated_notifications_email_refused_at = models.DateTimeField(null=True, blank=True)

    storage_id = models.CharField(max_length=32, unique=True, default=_new_storage_id, editable=False)
    head_sha = models.CharField(max_length=40, blank=True, help_text="The head of main that the columns below reflect.")
    card_data = models.JSONField(default=dict, help_text="Metadata of the model card.")
    card_error = models.TextField(blank=True, help_text="Why the model card at the head cannot be read.")
    gate_form = models.ForeignKey(
        "GateForm", models.SET_NULL, null=True, related_name="+", help_text="The version in force."
    )
    downloads = models.PositiveBigIntegerField(default=0)

    objects = RepoQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("type", "namespace", Lower("name"), name="repo_id_once_per_type_ignoring_case"),
            models.CheckConstraint(name="repo_type_is_known", condition=Q(type__in=["model", "dataset"])),
            models.CheckConstraint(name="repo_gated_is_known", condition=Q(gated__in=["no", "auto", "manual"])),
            models.CheckConstraint(
                name="repo_reason_only_when_disabled", condition=Q(disabled_reason="") | Q(disabled=True)
            ),
            models.CheckConstraint(
                name="repo_notifications_mode_is_known",
                condition=Q(gated_notifications_mode__in=["bulk", "real-time"]),
            ),
            models.CheckConstraint(
                name="repo_notification_address_answered_once",
                condition=Q(gated_notifications_email_confirmed_at=None) | Q(gated_notifications_email_refused_at=None),
            ),
            models.CheckConstraint(
                name="repo_no_answer_without_notification_address",
                condition=~Q(gated_notifications_email="")
                | Q(
                    gated_notifications_email_set_at=None,
                    gated_notifications_email_confirmed_at=None,
                    gated_notifications_email_refused_at=None,
                    gated_notifications_email_nonce="",
                ),
            ),
            models.CheckConstraint(
                name="repo_notification_address_confirmed_by_a_link",
                condition=Q(gated_notifications_email_confirmed_at=None) | ~Q(gated_notifications_email_nonce=""),
            ),
        ]
        indexes = [
            models.Index(fields=["type", "-last_modified", "-id"], name="repo_by_last_modified"),
            models.Index(fields=["type", "-created_at", "-id"], name="repo_by_created_at"),
            models.Index(fields=["type", "-downloads", "-id"], name="repo_by_downloads"),
        ]

    def __str__(self) -> str:
        return self.repo_id

    @property
    def repo_id(self) -> str:
        return f"{self.namespace.name}/{self.name}"

    @property
    def path(self) -> str:
        """Path of the repo's page: `/ns/name`, `/datasets/ns/name`."""
        return f"/{self.repo_id}" if self.type == self.Type.MODEL else f"/datasets/{self.repo_id}"

    def get_absolute_url(self) -> str:
        return self.path

    @property
    def public_id(self) -> str:
        """The `_id` of the repo in API answers."""
        return f"r-{self.pk}"

    @property
    def is_gated(self) -> bool:
        return self.gated != self.Gated.NO

    @property
    def git_dir(self) -> Path:
        return git_dir_of(self.storage_id)


def git_dir_of(storage_id: str) -> Path:
    """Where the git repository of the repo with this `storage_id` is."""
    return _git_dir(settings.GATEHUB_GIT_DIR, storage_id)


@lru_cache(4096)
def _git_dir(root: str | Path, storage_id: str) -> Path:
    """Kept: making a path, and its hash, takes longer than to look into it."""
    return Path(root) / storage_id[:2] / f"{storage_id}.git"


class ConfirmationMail(models.Model):
    """A mail that asks an address whether it wants a repo's notifications.

    Kept when the repo goes: the limits on such mails count these rows, and a refusal is remembered by them.
    """

    repo = models.ForeignKey(Repo, models.SET_NULL, null=True, related_name="confirmation_mails")
    address = models.EmailField(help_text="In lower case.")
    asked_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, help_text="When the mail server took it.")
    problem = models.CharField(max_length=200, blank=True, help_text="Why it could not be sent.")
    refused_at = models.DateTimeField(null=True, help_text="When whoever reads the address said no.")

    class Meta:
        constraints = [
            models.CheckConstraint(name="confirmation_mail_sent_or_failed", condition=Q(sent_at=None) | Q(problem=""))
        ]
        indexes = [models.Index(fields=["address", "-at"], name="confirmation_mail_by_address")]

    def __str__(self) -> str:
        return f"{self.address} for {self.repo}"


class RepoRedirect(models.Model):
    """An id that a repo had before it was moved.  A repo created there later takes precedence."""

    type = models.CharField(max_length=7, choices=Repo.Type)
    namespace = models.ForeignKey(Namespace, models.CASCADE, related_name="+")
    name = models.CharField(max_length=96)
    repo = models.ForeignKey(Repo, models.CASCADE, related_name="redirects")

    class Meta:
        constraints = [
            models.UniqueConstraint("type", "namespace", Lower("name"), name="repo_redirect_once_per_id_ignoring_case")
        ]

    def __str__(self) -> str:
        return f"{self.namespace.name}/{self.name} is now {self.repo}"


class RepoTag(models.Model):
    """One tag of a model card, such as `license:mit`, for filters."""

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="tags")
    tag = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repo", "tag"], name="repo_tag_once_per_repo")]
        indexes = [models.Index(fields=["tag", "repo"], name="repo_tag_by_tag")]

    def __str__(self) -> str:
        return self.tag


class GateFormIsImmutable(TypeError):
    """Somebody tried to change a version of a gate form that requests may refer to."""


class GateForm(models.Model):
    """One immutable version of a gate's texts and fields, as the model card had them at one commit."""

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="gate_forms")
    digest = models.CharField(max_length=64)
    commit_sha = models.CharField(max_length=40)
    created_at = models.DateTimeField(default=timezone.now)
    spec = models.JSONField(help_text="`repos.cards.FormSpec` as JSON.")
    eu_disallowed = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repo", "digest"], name="gate_form_once_per_repo_and_digest")]

    def __str__(self) -> str:
        return f"{self.repo} at {self.commit_sha[:7]}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise GateFormIsImmutable("A version of a gate form cannot be changed.")
        super().save(*args, **kwargs)


class LfsObject(models.Model):
    """A large file that a repo may hand out.  The key is (repo, sha-256): knowing a hash opens nothing."""

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="lfs_objects")
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repo", "sha256"], name="lfs_object_once_per_repo")]

    def __str__(self) -> str:
        return f"{self.sha256[:12]} in {self.repo}"
