"""Repos, for staff.  Whatever their owners decide is shown; staff may disable a repo."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction

from accounts.models import AuditEvent
from accounts.staff import Log, StaffAdmin, actor_of
from repos.models import ConfirmationMail, Repo


@admin.register(Repo)
class RepoAdmin(StaffAdmin):
    list_display = ["repo_id", "type", "private", "gated", "disabled", "downloads", "last_modified"]
    list_filter = ["type", "gated", "private", "disabled"]
    list_select_related = ["namespace"]
    search_fields = ["name", "namespace__name"]
    readonly_fields = [
        "type",
        "repo_id",
        "private",
        "gated",
        "org_members_gated",
        "gated_notifications_mode",
        "gated_notifications_email",
        "gated_notifications_email_confirmed_at",
        "gated_notifications_email_refused_at",
        "created_by",
        "created_at",
        "last_modified",
        "head_sha",
        "card_error",
        "downloads",
    ]
    fields = ["disabled", *readonly_fields]

    def has_add_permission(self, *_: Any) -> bool:
        return False

    def has_delete_permission(self, *_: Any) -> bool:
        return False

    def log_change(self, request: Any, obj: Any, message: Any) -> None:
        """Nothing more: `save_model` did."""

    @transaction.atomic
    def save_model(self, request: Any, obj: Repo, form: Any, change: bool) -> None:
        obj.save(update_fields=["disabled"])  # The owners may be changing the rest.
        verb = "repo:disable" if obj.disabled else "repo:enable"
        AuditEvent.record(by=actor_of(request), verb=verb, target=str(obj), repo=obj.pk)


@admin.register(ConfirmationMail)
class ConfirmationMailAdmin(Log):
    """Which addresses were asked whether they want a repo's notifications.  Never the link that was in the mail."""

    list_display = ["address", "repo", "asked_by", "at", "sent_at", "problem", "refused_at"]
    list_filter = ["at", "refused_at"]
    list_select_related = ["repo__namespace", "asked_by"]
    search_fields = ["address", "asked_by__username"]
