"""Home, lists of models and datasets, and the pages of people and organizations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from access import policy, selectors
from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.models import Membership
from gatehub.web.base import SHOW, caller, endpoint_of, only, page_of
from gatehub.web.facets import facets_of
from gatehub.web.search import GATES, SORTS, RepoSearch
from repos.models import Repo, RepoQuerySet

NEWEST = 6
WAITING = 5
MEMBERS = 50
PAGE_SIZE = 30
MOST_LISTED = 1_000
"""What is beyond is neither counted nor paged through: whoever has that many before them searches."""


@only(*SHOW)
def home(request: HttpRequest) -> HttpResponse:
    """`/`"""
    actor = caller(request)
    newest = {
        type_: list(selectors.visible_repos(actor, type_).order_by("-created_at", "-pk")[:NEWEST])
        for type_ in Repo.Type.values
    }
    waiting = list(selectors.repos_with_waiting_requests(actor)[: WAITING + 1])
    context = {
        "models": newest[Repo.Type.MODEL],
        "datasets": newest[Repo.Type.DATASET],
        "waiting": waiting[:WAITING],
        "more_waiting": len(waiting) > WAITING,
        "shell": f"export HF_ENDPOINT={endpoint_of(request)}\nhf auth login",
    }
    return render(request, "home.html", context)


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list, and the keys of all that is listed; `more` says that there is more than that."""

    page: Page[int]
    repos: list[Repo]
    pks: list[int]
    more: bool


def _listed(request: HttpRequest, actor: Actor, rows: RepoQuerySet) -> Listed:
    """In two queries: finding them is the costly part, so it is done once, for page, count and facets alike."""
    pks = list(rows.values_list("pk", flat=True)[: MOST_LISTED + 1])
    page = page_of(request, pks[:MOST_LISTED], PAGE_SIZE)
    found = selectors.visible_repos(actor).in_bulk(list(page.object_list))
    return Listed(page, [found[pk] for pk in page if pk in found], pks[:MOST_LISTED], len(pks) > MOST_LISTED)


@only(*SHOW)
def repos(request: HttpRequest, repo_type: str) -> HttpResponse:
    """`/models` and `/datasets`: see RepoSearch for what can be asked; `page`."""
    actor = caller(request)
    search = RepoSearch.asked_by(request.GET)
    listed = _listed(request, actor, search.among(selectors.visible_repos(actor, repo_type)))
    other = Repo.Type.DATASET if repo_type == Repo.Type.MODEL else Repo.Type.MODEL
    context: dict[str, Any] = {
        "section": f"{repo_type}s",
        "type": repo_type,
        "page": listed.page,
        "more": listed.more,
        "repos": listed.repos,
        "search": search,
        "gates": GATES.items(),
        "sorts": [(value, label) for value, (label, _) in SORTS.items()],
        "chips": search.chips(),
        "facets": [
            (
                facet.title,
                [(option, option.tag in search.tags, search.turned(option.tag).query) for option in facet.options],
            )
            for facet in facets_of(listed.pks)
        ],
        "other": f"{other}s",
    }
    return render(request, "repos.html", context)


@only(*SHOW)
def namespace(request: HttpRequest, name: str) -> HttpResponse:
    """`/{namespace}`: what a person or an organization has here, as far as the caller may know of it."""
    found = selectors.find_namespace(name)
    if found is None or (found.user is not None and not found.user.is_active):
        raise NotFound(f"There is no user or organization {name[:60]!r}.")
    actor = caller(request)
    rows = selectors.visible_repos(actor).filter(namespace=found).order_by("-last_modified", "-pk")
    listed = _listed(request, actor, rows)
    memberships = Membership.objects.select_related("user", "organization__namespace")
    members = organizations = None
    if found.organization is not None:
        present = memberships.active().filter(organization=found.organization)
        members = list(present.order_by("joined_at", "pk")[: MEMBERS + 1])
    elif found.user is not None:
        organizations = memberships.filter(user=found.user).order_by("organization__namespace__name")
    context = {
        "namespace": found,
        "page": listed.page,
        "more": listed.more,
        "repos": listed.repos,
        "members": members,
        "most_members": MEMBERS,
        "organizations": organizations,
        "mine": found.user == request.user,
        "tab": "repos",
        "may_administer": found.organization is not None and policy.may_administer(actor, found.organization),
        "may_create": policy.may_create_in(actor, found),
    }
    return render(request, "namespace.html", context)
