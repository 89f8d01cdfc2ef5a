"""The sidebar of the admin: what the one who asks may see, in groups named by the field's words."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst

GROUPS: dict[str, list[tuple[str, str, str]]] = {
    # What an entry is called, its model, its icon among Google's Material Symbols, which unfold brings.
    "Review": [
        ("Access requests", "access.accessrequest", "inbox"),
        ("Background reviews", "access.bulkreview", "pending_actions"),
    ],
    "Content": [
        ("Repos", "repos.repo", "deployed_code"),
        ("Gate forms", "repos.gateform", "ballot"),
        ("Organizations", "accounts.organization", "domain"),
        ("Memberships", "accounts.membership", "badge"),
    ],
    "People": [
        ("People", "accounts.user", "person"),
        ("Groups", "auth.group", "groups"),
        ("Addresses", "account.emailaddress", "alternate_email"),
        ("Second factors", "mfa.authenticator", "phonelink_lock"),
        ("Connected accounts", "socialaccount.socialaccount", "link"),
        ("Tokens", "access.accesstoken", "key"),
    ],
    "Mail": [
        ("Deliveries", "notifications.delivery", "mail"),
        ("Outbox", "notifications.outboxmessage", "outbox"),
        ("Stopped addresses", "notifications.addressproblem", "unsubscribe"),
        ("Opt-outs", "notifications.optout", "notifications_off"),
        ("Confirmations", "repos.confirmationmail", "mark_email_read"),
    ],
    "Trail": [
        ("Audit trail", "accounts.auditevent", "history"),
    ],
    "Schedules": [
        ("Tasks", "django_celery_beat.periodictask", "schedule"),
        ("Intervals", "django_celery_beat.intervalschedule", "timer"),
        ("Times of day", "django_celery_beat.crontabschedule", "calendar_month"),
        ("Single dates", "django_celery_beat.clockedschedule", "event"),
        ("Sunrises", "django_celery_beat.solarschedule", "wb_twilight"),
    ],
}

NAMES = {label: title for entries in GROUPS.values() for title, label, _ in entries}


def name_of(opts: Any) -> str:
    """What the sidebar calls a model, for its pages to call it so, too; else what the model calls itself."""
    return NAMES.get(opts.label_lower) or capfirst(opts.verbose_name_plural)


def groups(request: HttpRequest) -> list[dict[str, Any]]:
    """As unfold asks for it in `UNFOLD["SIDEBAR"]`.  Groups without an entry are left out."""
    first = [
        {"title": "Dashboard", "icon": "dashboard", "link": reverse("admin:index")},
        {"title": "Back to the site", "icon": "arrow_back", "link": "/", "active": lambda _: False},
    ]
    found: list[dict[str, Any]] = [{"items": first}]
    for title, entries in GROUPS.items():
        items = [entry for entry in (_entry(request, *row) for row in entries) if entry is not None]
        if items:
            found.append({"title": title, "items": items})
    return found


def _entry(request: HttpRequest, title: str, label: str, icon: str) -> dict[str, Any] | None:
    model = apps.get_model(label)
    if not admin.site.is_registered(model) or not admin.site.get_model_admin(model).has_view_permission(request):
        return None
    link = reverse(f"admin:{label.replace('.', '_')}_changelist")
    return {"title": title, "icon": icon, "link": link}
