"""Mails and their fate, for staff: to see, and to send again what was given up.

Lists stay quick over a million rows: nothing is counted to its end, and a search finds by an index or one plain column.
"""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html

from accounts.models import User
from accounts.staff import Inline, Log, actor_of, each
from notifications import addresses, delivery, tracking
from notifications.models import AddressProblem, Delivery, DeliveryQuerySet, OptOut, OutboxMessage
from repos.models import Repo

_INDEXED: Final = (Delivery.State.SENT, Delivery.State.WAITING)
_IN_ANY_STATE: Final = (
    Q(state=_INDEXED[0]) | Q(state=_INDEXED[1]) | Q(state__in=set(Delivery.State.values) - set(_INDEXED))
)
"""True of every row.  Said so, PostgreSQL finds an address by the indexes of single states."""


class ToldByTheService(admin.SimpleListFilter):
    """A filter of Django's own would look for every status that any row has."""

    title = "what the mail service told"
    parameter_name = "told"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        return [(status, status.capitalize()) for status in tracking.STATUSES]

    def queryset(self, request: Any, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        status = self.value()
        return queryset if status is None else queryset.filter(provider_status=status)


class DeliveryInline(Inline):
    model = Delivery
    fk_name = "message"
    fields = ["kind", "address", "state", "attempts", "due_at", "sent_at", "problem"]
    show_change_link = True


@admin.register(OutboxMessage)
class OutboxMessageAdmin(Log):
    """What must be said.  What is sealed stays so."""

    list_display = ["__str__", "kind", "state", "repo", "access_request", "in_digest", "because", "created_at"]
    list_filter = ["state", "kind", "in_digest", "created_at"]
    list_select_related = ["repo__namespace", "access_request__user", "access_request__repo__namespace"]
    search_fields = ["repo"]  # Shows the field; `get_search_results` searches.
    search_help_text = "A repo id."
    fields = ["kind", "state", "repo", "access_request", "in_digest", "digest", "data", "because", "created_at"]
    inlines = [DeliveryInline]

    def get_search_results(
        self, request: Any, queryset: QuerySet[OutboxMessage], search_term: str
    ) -> tuple[QuerySet[OutboxMessage], bool]:
        term = search_term.strip()
        return (queryset.filter(repo__in=_repos(term)) if term else queryset), False


@admin.register(Delivery)
class DeliveryAdmin(Log):
    list_display = [
        "__str__",
        "state",
        "repo",
        "user",
        "attempts",
        "sent_or_next",
        "provider_status",
        "fault",
    ]
    list_filter = ["state", "kind", ToldByTheService, "created_at"]
    list_select_related = ["message__repo__namespace", "user"]
    search_fields = ["address"]  # Shows the field; `get_search_results` searches.
    search_help_text = "An address, a repo id or a user name, whole."
    fields = [
        "kind",
        "state",
        "address",
        "user",
        "repo",
        "message",
        "mail",
        "attempts",
        "next_attempt",
        "deadline",
        "created_at",
        "sent_at",
        "problem",
        "provider_status",
        "provider_id",
        "held",
        "folded_into",
        "name",
    ]
    actions = ["send_again"]

    def get_search_results(
        self, request: Any, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        assert isinstance(queryset, DeliveryQuerySet)
        term = search_term.strip()
        if "@" in term:
            return queryset.to_address(term).filter(_IN_ANY_STATE), False
        if "/" in term:
            return queryset.filter(message__repo__in=_repos(term)), False
        return (queryset.filter(user__in=_people(term)) if term else queryset), False

    def has_send_again_permission(self, request: Any) -> bool:
        return bool(request.user.has_perm("notifications.change_delivery"))

    @admin.display(description="repo")
    def repo(self, row: Delivery) -> Repo | None:
        return row.message.repo

    @admin.display(description="next attempt", ordering="due_at")
    def next_attempt(self, row: Delivery) -> Any:
        return row.due_at if row.state == Delivery.State.WAITING else None

    @admin.display(description="sent, or next try", ordering="due_at")
    def sent_or_next(self, row: Delivery) -> Any:
        """Which of the two, the state tells: a list with both would be wider than most windows."""
        return row.sent_at or self.next_attempt(row)

    @admin.display(description="problem")
    def fault(self, row: Delivery) -> str | None:
        return addresses.plain(row.problem, 80) or None

    @admin.display(description="mail")
    def mail(self, row: Delivery) -> str:
        if not row.file:
            return "Mails that go out by a mail server or a service are not kept."
        return format_html('<a href="{}">Show the mail</a>', reverse("delivery_mail", args=[row.pk]))

    @admin.action(description="Send selected mails again", permissions=["send_again"])
    def send_again(self, request: Any, queryset: QuerySet[Delivery]) -> None:
        by = actor_of(request)
        each(self, request, queryset, lambda row: delivery.send_again(row, by=by), "will be sent again")


@admin.register(AddressProblem)
class AddressProblemAdmin(Log):
    list_display = ["address", "what", "detail", "at"]
    list_filter = ["what", "at"]
    search_fields = ["address"]
    actions = ["use_again"]

    def has_use_again_permission(self, request: Any) -> bool:
        return bool(request.user.has_perm("notifications.change_addressproblem"))

    @admin.action(description="Use selected addresses again", permissions=["use_again"])
    def use_again(self, request: Any, queryset: QuerySet[AddressProblem]) -> None:
        by = actor_of(request)
        each(self, request, queryset, lambda row: addresses.use_again(address=row.address, by=by), "used again")


@admin.register(OptOut)
class OptOutAdmin(Log):
    list_display = ["user", "topic", "at"]
    list_filter = ["topic", "at"]
    list_select_related = ["user"]
    search_fields = ["user__username"]


def _repos(repo_id: str) -> list[int]:
    """The keys of the model and the dataset of that id.  As lists, by which the database looks rows up in an index."""
    namespace, _, name = repo_id.partition("/")
    found = Repo.objects.filter(namespace__name__iexact=namespace, name__iexact=name)
    return list(found.values_list("pk", flat=True))


def _people(username: str) -> list[int]:
    return list(User.objects.filter(username__iexact=username).values_list("pk", flat=True))
