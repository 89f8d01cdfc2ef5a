"""Repos and what belongs to them, for staff.  What owners decide is shown; staff may disable a repo."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.html import format_html, format_html_join
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.errors import InvalidFields
from accounts.staff import Link, Log, actor_of, each, once, question
from repos import cards, services
from repos.models import ConfirmationMail, GateForm, Repo

CLOSED_TO_EU: Final = "EU disallowed"
"""As cards have it, `eu_disallowed`; Django would write `Eu`."""


class DisableForm(forms.Form):
    reason = forms.CharField(
        label="Reason",
        required=False,
        max_length=200,
        help_text="Optional, up to 200 characters. Shown to those who manage the repo, and kept in the trail.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )

    def clean_reason(self) -> str:
        try:
            return services.clean_reason(self.cleaned_data["reason"])
        except InvalidFields as error:
            raise forms.ValidationError(f"It {error.fields['reason']}.") from None


@admin.register(Repo)
class RepoAdmin(Log):
    list_display = ["repo_id", "type", "private", "gated", "disabled", "downloads", "last_modified"]
    list_filter = ["type", "gated", "private", "disabled"]
    list_select_related = ["namespace"]
    search_fields = ["name", "namespace__name"]
    search_help_text = "A repo id, or a part of a name."
    fieldsets = [
        (None, {"fields": ["repo_id", "type", "private"]}),
        ("Disabled by staff", {"fields": ["disabled", "disabled_reason"]}),
        ("Gate", {"fields": ["gated", "org_members_gated", "gate_form", "card_error"]}),
        (
            "Notifications",
            {
                "fields": [
                    "gated_notifications_mode",
                    "gated_notifications_email",
                    "gated_notifications_email_confirmed_at",
                    "gated_notifications_email_refused_at",
                ]
            },
        ),
        ("Facts", {"fields": ["created_by", "created_at", "last_modified", "head_sha", "downloads"]}),
    ]
    labels = {"head_sha": "head SHA"}
    help_texts = {
        "gated_notifications_email": "As its owners set it. Mails go there once whoever reads it has agreed.",
        "head_sha": "The head of main.",
    }
    actions = ["disable_selected", "enable_selected"]
    actions_detail = ["disable", "enable"]

    def get_search_results(
        self, request: Any, queryset: QuerySet[Repo], search_term: str
    ) -> tuple[QuerySet[Repo], bool]:
        namespace, slash, name = search_term.strip().partition("/")
        if slash:
            return queryset.filter(namespace__name__iexact=namespace, name__icontains=name), False
        found, duplicates = super().get_search_results(request, queryset, search_term)
        return found, duplicates

    def has_switch_permission(self, request: HttpRequest, *_: Any) -> bool:
        return bool(request.user.has_perm("repos.change_repo"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """That of the two which there is something to do for."""
        offered: list[Any] = super().get_actions_detail(request, object_id)
        is_disabled = Repo.objects.filter(pk=object_id, disabled=True).exists()
        return [one for one in offered if one.path == ("enable" if is_disabled else "disable")]

    def links_of(self, obj: Repo) -> Iterable[Link]:
        yield Link.to_list("Access requests", "access.accessrequest", repo=f"{obj.type}s/{obj.repo_id}")
        yield Link.to_list("Versions of its form", "repos.gateform", repo__id__exact=obj.pk)
        yield Link.to_list("Mails", "notifications.delivery", q=obj.repo_id)
        yield Link.to_list("Audit trail", "accounts.auditevent", q=obj.repo_id)

    @action(
        description="Disable", permissions=["switch"], url_path="disable", icon="block", variant=ActionVariant.DANGER
    )
    def disable(self, request: HttpRequest, object_id: str) -> HttpResponse:
        repo = get_object_or_404(Repo.objects.select_related("namespace"), pk=object_id)
        form = DisableForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            act = lambda: services.disable(repo, reason=reason, by=actor_of(request))  # noqa: E731
            once(self, request, act, f"{repo.repo_id} is disabled.")
            return redirect("admin:repos_repo_change", repo.pk)
        says = (
            f"Nobody will be able to read or change the files of {repo.repo_id}, neither its owners nor whoever was "
            "accepted, through any entrance. Its requests and settings stay. You can enable it again."
        )
        return question(self, request, repo, title=f"Disable {repo.repo_id}", says=says, form=form)

    @action(
        description="Enable", permissions=["switch"], url_path="enable", icon="check", variant=ActionVariant.PRIMARY
    )
    def enable(self, request: HttpRequest, object_id: str) -> HttpResponse:
        repo = get_object_or_404(Repo.objects.select_related("namespace"), pk=object_id)
        if request.method == "POST":
            act = lambda: services.enable(repo, by=actor_of(request))  # noqa: E731
            once(self, request, act, f"{repo.repo_id} is enabled.")
            return redirect("admin:repos_repo_change", repo.pk)
        says = f"The files of {repo.repo_id} will be given out again to those whom its gate lets in."
        return question(self, request, repo, title=f"Enable {repo.repo_id}", says=says)

    @admin.action(description="Disable selected repos", permissions=["switch"])
    def disable_selected(self, request: Any, queryset: QuerySet[Repo]) -> None:
        by = actor_of(request)
        each(self, request, queryset, lambda repo: services.disable(repo, by=by), "disabled")

    @admin.action(description="Enable selected repos", permissions=["switch"])
    def enable_selected(self, request: Any, queryset: QuerySet[Repo]) -> None:
        by = actor_of(request)
        each(self, request, queryset, lambda repo: services.enable(repo, by=by), "enabled")


class ClosedToEuFilter(admin.BooleanFieldListFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = CLOSED_TO_EU


@admin.register(GateForm)
class GateFormAdmin(Log):
    """The versions of gate forms: what people were asked, as their authors wrote it then."""

    list_display = ["repo", "commit", "questions_in_short", "closed_to_eu", "created_at"]
    list_filter = [("eu_disallowed", ClosedToEuFilter), "created_at"]
    list_select_related = ["repo__namespace"]
    search_fields = ["repo__name"]
    search_help_text = "A repo id, or a part of a repo's name."
    fields = ["repo", "commit", "created_at", "in_force", "closed_to_eu", "heading", "description", "prompt",
              "button", "questions"]  # fmt: skip

    def get_search_results(
        self, request: Any, queryset: QuerySet[GateForm], search_term: str
    ) -> tuple[QuerySet[GateForm], bool]:
        namespace, slash, name = search_term.strip().partition("/")
        if slash:
            return queryset.filter(repo__namespace__name__iexact=namespace, repo__name__iexact=name), False
        found, duplicates = super().get_search_results(request, queryset, search_term)
        return found, duplicates

    def links_of(self, obj: GateForm) -> Iterable[Link]:
        yield Link.to_row("The repo", "repos.repo", obj.repo_id)
        yield Link.to_list("Requests that answered it", "access.accessrequest", form=obj.digest)

    @admin.display(description="commit", ordering="commit_sha")
    def commit(self, form: GateForm) -> str:
        address = f"{form.repo.path}/commit/{form.commit_sha}"
        return format_html('<a href="{}">{}</a>', address, form.commit_sha[:7])

    @admin.display(description="questions")
    def questions_in_short(self, form: GateForm) -> str:
        return str(len(form.spec.get("fields", [])))

    @admin.display(description=CLOSED_TO_EU, boolean=True, ordering="eu_disallowed")
    def closed_to_eu(self, form: GateForm) -> bool:
        return form.eu_disallowed

    @admin.display(description="in force", boolean=True)
    def in_force(self, form: GateForm) -> bool:
        return form.repo.gate_form_id == form.pk

    @admin.display(description="heading")
    def heading(self, form: GateForm) -> str:
        return cards.FormSpec.from_json(form.spec).heading

    @admin.display(description="description")
    def description(self, form: GateForm) -> str:
        return cards.FormSpec.from_json(form.spec).description

    @admin.display(description="terms")
    def prompt(self, form: GateForm) -> str:
        return format_html('<div class="staff-text">{}</div>', cards.FormSpec.from_json(form.spec).prompt)

    @admin.display(description="button")
    def button(self, form: GateForm) -> str:
        return cards.FormSpec.from_json(form.spec).button_content

    @admin.display(description="questions")
    def questions(self, form: GateForm) -> str:
        """Each with its type, its choices, and whether it must be answered."""
        rows = (
            (
                entry.label,
                entry.type,
                "" if entry.required else ", not required",
                ": " + "; ".join(option.label for option in entry.options) if entry.options else "",
            )
            for entry in cards.FormSpec.from_json(form.spec).fields
        )
        items = format_html_join("", "<li>{} <small>({}{}{})</small></li>", rows)
        return format_html('<ol class="staff-list">{}</ol>', items) if items else "None."


@admin.register(ConfirmationMail)
class ConfirmationMailAdmin(Log):
    """Which addresses were asked whether they want a repo's notifications.  Never the link that was in the mail."""

    list_display = ["address", "repo", "asked_by", "at", "sent_at", "problem", "refused_at"]
    list_filter = ["at", "refused_at"]
    list_select_related = ["repo__namespace", "asked_by"]
    search_fields = ["address", "asked_by__username"]
