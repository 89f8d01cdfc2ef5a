"""What the admin pages of all apps share: who acts, rows that are only looked at, long lists, a trail of every act.

`gatehub.staff.site` puts the actor on the request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin, TabularInline

from accounts.actor import Actor, Entrance
from accounts.errors import HubError
from accounts.models import AuditEvent

M = TypeVar("M", bound=Model)
MOST_AT_ONCE = 200
"""Rows that an action takes: each is a transaction of its own, and each refusal is told."""
SECRET: Final = frozenset({"password", "data"})
"""Fields that the trail says only of that they were changed."""


def actor_of(request: Any) -> Actor:
    """Who acts on a page of the admin."""
    actor = request.actor
    assert isinstance(actor, Actor)
    assert actor.entrance is Entrance.ADMIN
    return actor


class StaffAdmin(ModelAdmin):  # type: ignore[misc]
    """Every act of Django's own forms leaves a row in the audit trail, with the fields that it changed.

    The rows of Django's own log are not written: the trail tells more, and cannot be changed.
    """

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    compressed_fields = False

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        request.before = _snapshot(self.model._base_manager.get(pk=obj.pk)) if change else None
        super().save_model(request, obj, form, change)

    def log_addition(self, request: Any, obj: Any, message: Any) -> None:
        record(request, "admin:add", obj, after=_shown(_snapshot(obj)))

    def log_change(self, request: Any, obj: Any, message: Any) -> None:
        before = getattr(request, "before", None) or {}
        after = _snapshot(self.model._base_manager.get(pk=obj.pk))
        changed = [name for name in after if before.get(name) != after[name]]
        if changed:
            record(
                request,
                "admin:change",
                obj,
                before=_shown({name: before.get(name) for name in changed}),
                after=_shown({name: after[name] for name in changed}),
            )

    def log_deletions(self, request: Any, queryset: Iterable[Any]) -> None:
        for obj in queryset:
            record(request, "admin:delete", obj, before=_shown(_snapshot(obj)))


class ReadOnly:
    """For an admin or an inline: whoever may see the rows, sees them, and nobody adds, changes or deletes any."""

    def has_add_permission(self, *_: Any) -> bool:
        return False

    def has_change_permission(self, *_: Any) -> bool:
        return False

    def has_delete_permission(self, *_: Any) -> bool:
        return False


class Inline(ReadOnly, TabularInline):  # type: ignore[misc]
    """Rows that belong to another, to be seen with it."""

    extra = 0


class ShortCount(Paginator):  # type: ignore[type-arg]
    """Counts no further than anybody turns pages.  What lies behind is found by a filter or a search."""

    most = 5000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return len(rows.values_list("pk", flat=True)[: self.most])


class Log(ReadOnly, StaffAdmin):
    """A long list that is only looked at, the newest row first."""

    ordering = ["-pk"]
    paginator = ShortCount


def record(request: Any, verb: str, obj: Model, *, before: Any = None, after: Any = None) -> None:
    """Write down what was done to a row that has no service of its own."""
    target = f"{obj._meta.label_lower} {obj}"
    AuditEvent.record(by=actor_of(request), verb=verb, target=target, before=before, after=after)


def _snapshot(obj: Model) -> dict[str, Any]:
    """The row's values as text, of many-to-many fields those of the others."""
    values = {field.name: field.value_to_string(obj) for field in obj._meta.concrete_fields}
    several = {field.name: sorted(map(str, getattr(obj, field.name).all())) for field in obj._meta.many_to_many}
    return values | several


def _shown(values: dict[str, Any]) -> dict[str, Any]:
    return {name: "(secret)" if name in SECRET else value for name, value in values.items()}


def each(page: Any, request: Any, rows: QuerySet[M], act: Callable[[M], object], done: str) -> Sequence[M]:
    """Do it to each row, name each that refused, and give those that did not."""
    chosen = list(rows[: MOST_AT_ONCE + 1])
    if len(chosen) > MOST_AT_ONCE:
        page.message_user(request, f"At most {MOST_AT_ONCE} at once. Nothing was changed.", messages.ERROR)
        return []
    succeeded = []
    for row in chosen:
        try:
            act(row)
        except HubError as error:
            page.message_user(request, f"{row}: {error.message} {error.next_step}".strip(), messages.WARNING)
        else:
            succeeded.append(row)
    if succeeded:
        page.message_user(request, f"{len(succeeded)} of {len(chosen)}: {done}.", messages.SUCCESS)
    return succeeded
