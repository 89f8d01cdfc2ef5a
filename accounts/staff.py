"""What the admin pages of all apps share: who acts, rows that are only looked at, long lists, a trail of every act.

`gatehub.staff.site` puts the actor on the request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.template.response import TemplateResponse
from django.urls import reverse
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


class ShortCount(Paginator):  # type: ignore[type-arg]
    """Counts no further than anybody turns pages.  What lies behind is found by a filter or a search."""

    most = 5000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        if not isinstance(rows, QuerySet):  # A page that was found by place is in hand already.
            return len(rows)
        return len(rows.values_list("pk", flat=True)[: self.most])

    @property
    def is_cut(self) -> bool:
        """Whether there may be more than were counted."""
        return self.count >= self.most


@dataclass(frozen=True, slots=True)
class Link:
    """From the page of a row to another page: `to_list` and `to_row` name a model as `access.accessrequest`, for its
    admin may be a layer above.  Only whoever may see that model is shown it."""

    words: str
    address: str
    model: str = ""

    @classmethod
    def to_list(cls, words: str, model: str, **query: Any) -> Link:
        return cls(words, reverse(f"admin:{model.replace('.', '_')}_changelist", query=query), model)

    @classmethod
    def to_row(cls, words: str, model: str, key: Any) -> Link:
        return cls(words, reverse(f"admin:{model.replace('.', '_')}_change", args=[key]), model)

    def is_for(self, request: Any) -> bool:
        app, _, name = self.model.partition(".")
        return not app or any(request.user.has_perm(f"{app}.{verb}_{name}") for verb in ("view", "change"))


class StaffAdmin(ModelAdmin):  # type: ignore[misc]
    """Every act of Django's own forms leaves a row in the audit trail, with the fields that it changed.

    The rows of Django's own log are not written: the trail tells more, and cannot be changed.
    """

    list_per_page = 50
    list_disable_select_all = True  # An action takes no more than `MOST_AT_ONCE`.
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = ShortCount
    compressed_fields = False

    change_form_outer_before_template = "admin/_links.html"

    labels: Mapping[str, str] = {}
    help_texts: Mapping[str, str] = {}
    """By field, what its page says instead of the model's words, which are for whoever reads the code."""

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        words = {"labels": self.labels, "help_texts": self.help_texts}
        return super().get_form(request, obj, change=change, **words | kwargs)

    def links_of(self, obj: Any) -> Iterable[Link]:
        """Where to go on from the page of a row."""
        return ()

    def render_change_form(self, request: Any, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        obj = context.get("original")
        links = () if obj is None else self.links_of(obj)
        context["staff_links"] = [link for link in links if link.is_for(request)]
        return super().render_change_form(request, context, *args, **kwargs)

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


class Log(ReadOnly, StaffAdmin):
    """A long list that is only looked at, the newest row first."""

    ordering = ["-pk"]


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
            page.message_user(request, f"{row}: {error.text_for_people}", messages.WARNING)
        else:
            succeeded.append(row)
    if succeeded:
        page.message_user(request, f"{len(succeeded)} of {len(chosen)}: {done}.", messages.SUCCESS)
    return succeeded


def once(page: Any, request: Any, act: Callable[[], object], done: str) -> None:
    """Do it, and tell that it is done, or why not."""
    try:
        act()
    except HubError as error:
        page.message_user(request, error.text_for_people, messages.WARNING)
    else:
        page.message_user(request, done, messages.SUCCESS)


def question(page: Any, request: Any, row: Model, *, title: str, says: str, form: Any = None) -> TemplateResponse:
    """A page that asks before something is done to a row, whose form is sent to its own address.

    `says` is what will come of it.
    """
    context = {
        **page.admin_site.each_context(request),
        "title": title,
        "opts": page.opts,
        "object": row,  # The heading names it.
        "says": says,
        "form": form,
    }
    return TemplateResponse(request, "admin/question.html", context)
