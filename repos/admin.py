"""Repos, for staff.  Whatever their owners decide is shown; staff may disable a repo."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction

from accounts.actor import Actor, Entrance
from accounts.admin import ReadOnly
from accounts.models import AuditEvent
from repos.models import ConfirmationMail, Repo


@admin.register(Repo)
class RepoAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["repo_id", "type", "private", "gated", "disabled", "downloads", "last_modified"]
    list_filter = ["type", "gated", "private", "disabled"]
    list_select_related = ["namespace"]
    search_fields = ["name", "namespace__name"]
    show_full_result_count = False
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

    @transaction.atomic
    def save_model(self, request: Any, obj: Repo, form: Any, change: bool) -> None:
        obj.save(update_fields=["disabled"])  # The owners may be changing the rest.
        by = Actor(user=request.user, entrance=Entrance.ADMIN)
        verb = "repo:disable" if obj.disabled else "repo:enable"
        AuditEvent.record(by=by, verb=verb, target=str(obj), repo=obj.pk)


@admin.register(ConfirmationMail)
class ConfirmationMailAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Which addresses were asked whether they want a repo's notifications.  Never the link that was in the mail."""

    list_display = ["address", "repo", "asked_by", "at", "sent_at", "problem", "refused_at"]
    list_filter = ["at", "refused_at"]
    list_select_related = ["repo__namespace", "asked_by"]
    search_fields = ["address", "asked_by__username"]
    ordering = ["-pk"]
    show_full_result_count = False
