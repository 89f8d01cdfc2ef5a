"""Models of the packages that we use, on the admin site: schedules, addresses, second factors, connected accounts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.db.models import QuerySet
from django_celery_beat import admin as beat
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.models import Namespace
from accounts.staff import Link, Log, StaffAdmin
from gatehub import identities

for _model in (
    EmailAddress,
    EmailConfirmation,  # Holds the keys of links in mails.
    Authenticator,  # Its own page would show the secrets.
    SocialAccount,
    SocialApp,  # The settings say which there are.
    SocialToken,
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


@admin.register(EmailAddress)
class EmailAddressAdmin(Log):
    list_display = ["email", "user", "verified", "primary"]
    list_filter = ["verified", "primary"]
    list_select_related = ["user"]
    search_fields = ["email"]  # Shows the field; `get_search_results` searches.
    search_help_text = "An address or a user name, whole."

    def get_search_results(
        self, request: Any, queryset: QuerySet[EmailAddress], search_term: str
    ) -> tuple[QuerySet[EmailAddress], bool]:
        term = search_term.strip()
        if "@" in term:
            return queryset.filter(email__iexact=term), False
        return (queryset.filter(user__in=_people(term)) if term else queryset), False

    def links_of(self, obj: EmailAddress) -> Iterable[Link]:
        yield Link.to_row("Its person", "accounts.user", obj.user_id)
        yield Link.to_list("Mails to it", "notifications.delivery", q=obj.email)
        yield Link.to_list("Problems with it", "notifications.addressproblem", q=obj.email)


class _OfPeople(Log):
    """Rows that belong to a person each, found by user name."""

    list_select_related = ["user"]
    search_fields = ["user__username"]  # Shows the field; `get_search_results` searches.
    search_help_text = "A user name, whole."

    def get_search_results(self, request: Any, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (queryset.filter(user__in=_people(term)) if term else queryset), False

    def links_of(self, obj: Any) -> Iterable[Link]:
        yield Link.to_row("Its person", "accounts.user", obj.user_id)


@admin.register(Authenticator)
class AuthenticatorAdmin(_OfPeople):
    """Who has which second factor.  Never what is secret about it."""

    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type"]
    fields = ["user", "type", "created_at", "last_used_at"]


@admin.register(SocialAccount)
class SocialAccountAdmin(_OfPeople):
    """Accounts at identity providers that let people in."""

    list_display = ["user", "provider", "known_as", "date_joined", "last_login"]
    list_filter = ["provider"]
    fields = ["user", "provider", "known_as", "uid", "date_joined", "last_login"]
    readonly_fields = ["known_as"]
    labels = {"uid": "UID"}
    help_texts = {"uid": "By which the provider knows the account, whatever its name becomes."}

    @admin.display(description="Known there as")
    def known_as(self, obj: SocialAccount) -> str | None:
        return identities.known_as(obj) or None


def _people(username: str) -> list[int]:
    """Whose name it is.  As a list, by which the database looks rows up in an index."""
    found = Namespace.objects.named(username).filter(user__isnull=False)
    return list(found.values_list("user", flat=True))


class _TaskSelect(UnfoldAdminSelectWidget, beat.TaskSelectWidget):  # type: ignore[misc]
    pass


class _PeriodicTaskForm(beat.PeriodicTaskForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = _TaskSelect()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(StaffAdmin, beat.PeriodicTaskAdmin):  # type: ignore[misc]
    """When what is done in the background.  What is changed here stays: see `gatehub.schedules`."""

    form = _PeriodicTaskForm


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(StaffAdmin, beat.CrontabScheduleAdmin):  # type: ignore[misc]
    pass


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(StaffAdmin, beat.IntervalScheduleAdmin):  # type: ignore[misc]
    pass


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(StaffAdmin, beat.ClockedScheduleAdmin):  # type: ignore[misc]
    pass


@admin.register(SolarSchedule)
class SolarScheduleAdmin(StaffAdmin, beat.SolarScheduleAdmin):  # type: ignore[misc]
    pass
