"""Home, lists of models and datasets, and the pages of people and organizations."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from access import selectors
from accounts.errors import NotFound
from accounts.models import Membership
from gatehub.web.base import SHOW, caller, only, page_of
from repos.models import Repo, RepoTag

NEWEST = 6
PAGE_SIZE = 30
MOST_FILTERS = 10
SORTS = {
    "modified": ("Recently updated", "-last_modified"),
    "created": ("Newest", "-created_at"),
    "downloads": ("Most downloads", "-downloads"),
}
GATES: dict[str, tuple[str, Q]] = {
    "": ("Gated or not", Q()),
    "yes": ("Gated", Q(gated__in=[Repo.Gated.AUTO, Repo.Gated.MANUAL])),
    "no": ("Not gated", Q(gated=Repo.Gated.NO)),
}


@only(*SHOW)
def home(request: HttpRequest) -> HttpResponse:
    """`/`"""
    actor = caller(request)
    newest = {
        type_: list(selectors.visible_repos(actor, type_).order_by("-created_at", "-pk")[:NEWEST])
        for type_ in Repo.Type.values
    }
    context = {
        "models": newest[Repo.Type.MODEL],
        "datasets": newest[Repo.Type.DATASET],
        "shell": f"export HF_ENDPOINT={request.build_absolute_uri('/').rstrip('/')}\nhf auth login",
    }
    return render(request, "home.html", context)


@only(*SHOW)
def repos(request: HttpRequest, repo_type: str) -> HttpResponse:
    """`/models` and `/datasets`: `search`, `gated`, `sort`, `filter` (a tag, repeatable), `page`."""
    search = _words(request.GET.get("search", ""))
    gated = request.GET.get("gated", "")
    sort = request.GET.get("sort", "")
    sort = sort if sort in SORTS else "modified"
    tags = [tag for tag in map(_words, request.GET.getlist("filter")) if tag][:MOST_FILTERS]
    rows = selectors.visible_repos(caller(request), repo_type).filter(GATES.get(gated, GATES[""])[1])
    rows = _tagged(_named(rows, search), tags).order_by(SORTS[sort][1], "-pk")
    context: dict[str, Any] = {
        "section": f"{repo_type}s",
        "page": page_of(request, rows, PAGE_SIZE),
        "search": search,
        "gated": gated,
        "gates": [(value, label) for value, (label, _) in GATES.items()],
        "sort": sort,
        "sorts": [(value, label) for value, (label, _) in SORTS.items()],
        "tags": tags,
    }
    return render(request, "repos.html", context)


def _words(text: str) -> str:
    return " ".join(text.replace("\0", "").split())[:200]


def _named(rows: QuerySet[Repo], search: str) -> QuerySet[Repo]:
    """Those whose id contains the text."""
    if not search:
        return rows
    return rows.alias(full_id=Concat(F("namespace__name"), Value("/"), F("name"))).filter(full_id__icontains=search)


def _tagged(rows: QuerySet[Repo], tags: list[str]) -> QuerySet[Repo]:
    for tag in tags:
        rows = rows.filter(Exists(RepoTag.objects.filter(repo=OuterRef("pk"), tag=tag)))
    return rows


@only(*SHOW)
def namespace(request: HttpRequest, name: str) -> HttpResponse:
    """`/{namespace}`: what a person or an organization has here, as far as the caller may know of it."""
    found = selectors.find_namespace(name)
    if found is None or (found.user is not None and not found.user.is_active):
        raise NotFound(f"There is no user or organization {name[:60]!r}.")
    rows = selectors.visible_repos(caller(request)).filter(namespace=found).order_by("-last_modified", "-pk")
    organization = found.organization
    members = organizations = None
    if organization is not None:
        members = organization.memberships.select_related("user").order_by("joined_at", "pk")
    elif found.user is not None:
        memberships = Membership.objects.filter(user=found.user).select_related("organization__namespace")
        organizations = memberships.order_by("organization__namespace__name")
    context = {
        "namespace": found,
        "page": page_of(request, rows, PAGE_SIZE),
        "members": members,
        "organizations": organizations,
        "mine": found.user == request.user,
    }
    return render(request, "namespace.html", context)
