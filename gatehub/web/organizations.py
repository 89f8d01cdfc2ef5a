"""Organizations: those that a person is in; making one, its members, its settings, its end."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from access import organizations as services
from access import policy, selectors
from accounts import services as accounts
from accounts.actor import Actor
from accounts.errors import BadRequest, HubError, NotFound
from accounts.models import Membership, Organization
from gatehub.web.base import FORM, SHOW, attempt, caller, in_words, only, page_of, person, render_private, signed_in
from gatehub.web.forms import NewOrganizationForm, OrganizationForm

Role = Membership.Role
PAGE_SIZE = 50
SHOWN_REPOS = 20
ROLES: list[tuple[str, str, str]] = [
    (
        Role.READ.value,
        Role.READ.label,
        "Sees the private repositories and downloads from all of them, also from gated ones without asking, unless the "
        "settings of a repository say that members must ask.",
    ),
    (
        Role.CONTRIBUTOR.value,
        Role.CONTRIBUTOR.label,
        "As read. Also creates repositories, and does everything with those: files, settings, access requests, moving, "
        "deleting.",
    ),
    (
        Role.WRITE.value,
        Role.WRITE.label,
        "As contributor, and does everything with the repositories of the others. To download where members must ask, "
        "they have to ask as well.",
    ),
    (
        Role.ADMIN.value,
        Role.ADMIN.label,
        "As write, and downloads without asking, always. Adds and removes members, changes roles, and edits or deletes "
        "the organization. Mails about new access requests go to the first five admins.",
    ),
]
"""What each role may do: value, label, and the rows of the policy's table in words."""


def _find(name: str) -> Organization:
    """The organization of that name.  That it exists is no secret: it has a page that everybody sees."""
    namespace = selectors.find_namespace(name)
    if namespace is None or namespace.organization is None:
        raise NotFound(f"There is no organization {name[:60]!r}.")
    return namespace.organization


def _administered(request: HttpRequest, name: str) -> tuple[Actor, Organization]:
    """The caller, and the organization of that name, if the caller may administer it; else the refusal."""
    actor, organization = caller(request), _find(name)
    policy.require_administer(actor, organization)
    return actor, organization


def header(actor: Actor, organization: Organization, *, tab: str) -> dict[str, Any]:
    """What `organization/_tabs.html` needs."""
    return {
        "namespace": organization.namespace,
        "tab": tab,
        "may_administer": policy.may_administer(actor, organization),
    }


@signed_in
@only(*SHOW)
def mine(request: HttpRequest) -> HttpResponse:
    """`/settings/organizations`"""
    user = person(request)
    admins = Membership.objects.active().filter(organization=OuterRef("organization"), role=Role.ADMIN)
    rows = (
        Membership.objects.filter(user=user)
        .select_related("organization__namespace")
        .annotate(has_other_admin=Exists(admins.exclude(user=user)))
        .order_by("organization__namespace__name")
    )
    context = {"page": page_of(request, rows, PAGE_SIZE), "administering": policy.ADMINISTERING_ROLES}
    return render(request, "me/organizations.html", context)


@signed_in
@only(*SHOW, *FORM)
def new(request: HttpRequest) -> HttpResponse:
    """`/organizations/new`: whoever makes one becomes its admin."""
    form = NewOrganizationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user, actor = person(request), caller(request)
        try:
            made = accounts.create_organization(admin=user, by=actor, **form.cleaned_data)
        except HubError as error:
            form.add_error("name", in_words(request, error))
        else:
            messages.success(request, f"The organization {made.name} is made, and you are its admin. Add its members.")
            return redirect("organization_members", made.name)
    return render(request, "organization/new.html", {"form": form}, status=400 if form.errors else 200)


@only(*SHOW)
def members(request: HttpRequest, name: str) -> HttpResponse:
    """`/organizations/{name}/members`: names and roles for everybody, as on its page; dates for members.

    For admins also `user`, whom the search for new members looks for, and the `role` chosen for them.
    """
    return _members(request, caller(request), _find(name), given=request.GET)


def _members(
    request: HttpRequest, actor: Actor, organization: Organization, *, given: Any, problem: str = "", status: int = 200
) -> HttpResponse:
    shown = header(actor, organization, tab="members")
    rows = organization.memberships.select_related("user").order_by("user__username")
    if not shown["may_administer"]:
        rows = rows.active()  # Whoever cannot sign in has no page either; admins still see whom to remove.
    context = shown | {
        "page": page_of(request, rows, PAGE_SIZE),
        "is_member": organization.memberships.filter(user=actor.user_id).exists(),
        "roles": ROLES,
        "problem": problem,
    }
    if shown["may_administer"]:
        context |= _search(organization, given)
    return render_private(request, "organization/members.html", context, status=status)


def _search(organization: Organization, given: Any) -> dict[str, Any]:
    """What the form for a new member, and `_people.html` below it, need."""
    text = _typed(given)
    role = given.get("role", "")
    return {
        "text": text,
        "people": selectors.people_to_add(organization, text),
        "role": role if role in Role.values else Role.READ.value,
    }


def _typed(given: Any) -> str:
    return " ".join(given.get("user", "").replace("\0", "").split())[:100]


@signed_in
@only(*SHOW)
def people(request: HttpRequest, name: str) -> HttpResponse:
    """`/organizations/{name}/members/people?user=`: who could be added, as a part of the page."""
    _, organization = _administered(request, name)
    return render_private(request, "organization/_people_to_add.html", _search(organization, request.GET))


@signed_in
@only(*FORM)
def add(request: HttpRequest, name: str) -> HttpResponse:
    """`/organizations/{name}/members/add`: a `user`, or the `person` chosen among those found, with a `role`.

    A part of a name leads to those who have it in theirs.
    """
    actor, organization = _administered(request, name)
    typed, chosen = _typed(request.POST), request.POST.get("person", "")[:100]
    try:
        if not (typed or chosen):
            raise BadRequest("Say whom to add.")
        user = accounts.get_user(chosen or typed)
        role = request.POST.get("role", "")
        made = services.add_member(organization=organization, user=user, role=role, by=actor)
    except NotFound as error:
        search = _search(organization, request.POST)
        if search["people"].shown and not chosen:
            messages.info(request, f"Nobody has the user name {typed}. Choose among those who have it in their names.")
            return _back(request, organization, user=typed, role=search["role"])
        problem = f"Nobody here is called “{chosen or typed}”. They need an account first."
        return _members(request, actor, organization, given=request.POST, problem=problem, status=error.status)
    except HubError as error:
        problem = in_words(request, error)
        return _members(request, actor, organization, given=request.POST, problem=problem, status=error.status)
    messages.success(request, f"{user.username} is a member of {organization.name} now, with the role {made.role}.")
    return _back(request, organization)


@signed_in
@only(*FORM)
def change_role(request: HttpRequest, name: str) -> HttpResponse:
    """`/organizations/{name}/members/role`: a new `role` for the `user`; `expected` is the one that was shown."""
    actor, organization = _administered(request, name)

    def act() -> None:
        user = accounts.get_user(request.POST.get("user", ""))
        role, expected = request.POST.get("role", ""), request.POST.get("expected", "")
        services.change_role(organization=organization, user=user, role=role, expected=expected, by=actor)
        messages.success(request, f"{user.username} has the role {role} now. It counts from the next request on.")

    attempt(request, act)
    return _back(request, organization)


@signed_in
@only(*FORM)
def remove(request: HttpRequest, name: str) -> HttpResponse:
    """`/organizations/{name}/members/remove`: end the membership of the `user`."""
    actor, organization = _administered(request, name)

    def act() -> None:
        user = accounts.get_user(request.POST.get("user", ""))
        services.remove_member(organization=organization, user=user, by=actor)
        messages.success(request, f"{user.username} is no member of {organization.name} any more.")

    attempt(request, act)
    return _back(request, organization)


def _back(request: HttpRequest, organization: Organization, **search: str) -> HttpResponse:
    """To the page of the list that the admin was on; with a search, to its results."""
    page = request.GET.get("page", "")
    query = urlencode(search | ({"page": page} if page.isdecimal() else {}))
    address = reverse("organization_members", args=[organization.name]) + (f"?{query}" if query else "")
    return redirect(f"{address}#add" if search else address)


@signed_in
@only(*FORM)
def leave(request: HttpRequest, name: str) -> HttpResponse:
    """`/organizations/{name}/leave`"""
    organization = _find(name)

    def act() -> None:
        accounts.remove_member(organization=organization, user=person(request), by=caller(request))
        messages.success(request, f"You have left {organization.name}.")

    attempt(request, act)
    return redirect("my_organizations")


@signed_in
@only(*SHOW, *FORM)
def settings(request: HttpRequest, name: str) -> HttpResponse:
    """`/organizations/{name}/settings`: its full name."""
    actor, organization = _administered(request, name)
    form = OrganizationForm(request.POST or None, initial={"fullname": organization.fullname})
    if request.method == "POST" and form.is_valid():
        services.change_fullname(organization=organization, fullname=form.cleaned_data["fullname"], by=actor)
        messages.success(request, "The settings are saved.")
        return redirect("organization_settings", organization.name)
    return _settings(request, actor, organization, form=form, status=400 if form.errors else 200)


def _settings(
    request: HttpRequest,
    actor: Actor,
    organization: Organization,
    *,
    form: OrganizationForm,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page; `problem` is what is wrong with the form that deletes."""
    repos = list(services.repos_of(organization)[: SHOWN_REPOS + 1])
    context = header(actor, organization, tab="settings") | {
        "form": form,
        "repos": repos[:SHOWN_REPOS],
        "more_repos": len(repos) > SHOWN_REPOS,
        "problem": problem,
    }
    return render_private(request, "organization/settings.html", context, status=status)


@signed_in
@only(*FORM)
def delete(request: HttpRequest, name: str) -> HttpResponse:
    """`/organizations/{name}/settings/delete`: only with no repo left, and with the name typed to `confirm`."""
    actor, organization = _administered(request, name)
    confirmation = request.POST.get("confirm", "").strip()
    try:
        services.delete(organization=organization, confirmation=confirmation, by=actor)
    except HubError as error:
        form = OrganizationForm(initial={"fullname": organization.fullname})
        problem = in_words(request, error)
        return _settings(request, actor, organization, form=form, problem=problem, status=error.status)
    messages.success(request, f"The organization {organization.name} is deleted.")
    return redirect("my_organizations")
