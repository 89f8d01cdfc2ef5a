"""What a person does with their own things: tokens, profile, requests."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from access import policy, tokens
from access.models import AccessRequest, AccessToken
from access.policy import Action
from accounts import services as accounts
from accounts.errors import Conflict, InvalidFields, NotFound
from gatehub.web.base import FORM, SHOW, attempt, caller, only, page_of, person, render_private, signed_in
from gatehub.web.forms import ProfileForm, TokenForm
from gatehub.web.gate import told_of_decisions_at
from gatehub.web.namespaces import own_namespaces
from repos.models import Repo

Status = AccessRequest.Status
REQUESTS_A_PAGE = 50


@signed_in
@only(*SHOW, *FORM)
def token_list(request: HttpRequest) -> HttpResponse:
    """`/settings/tokens`: the tokens, and the form for a new one, which is shown in the answer to the form alone."""
    actor = caller(request)
    made: tuple[AccessToken, str] | None = None
    form = TokenForm(request.POST or None, actor=actor, namespaces=own_namespaces(actor))
    if request.method == "POST" and form.is_valid():
        try:
            made = tokens.create(user=person(request), by=actor, **form.arguments())
        except InvalidFields as error:
            for name, problem in error.fields.items():
                form.add_error(name if name in form.fields else None, problem)
        except Conflict as error:
            form.add_error("name", error.message)
        else:
            form = TokenForm(actor=actor, namespaces=own_namespaces(actor))
    rows = person(request).access_tokens.order_by("-created_at", "-pk")
    rows = rows.prefetch_related("scopes__namespace", "scopes__repo__namespace")
    context = {"tokens": rows, "form": form, "made": made}
    return render_private(request, "me/tokens.html", context, status=400 if form.errors else 200)


@signed_in
@only(*FORM, up=2)
def revoke_token(request: HttpRequest, key: int) -> HttpResponse:
    """`/settings/tokens/{key}/revoke`"""

    def act() -> None:
        token = person(request).access_tokens.filter(pk=key).first()
        if token is None:
            raise NotFound("There is no such token. It may be revoked already.")
        tokens.revoke(token=token, by=caller(request))
        messages.success(request, f"The token {token.name} is revoked: the next request with it will be refused.")

    attempt(request, act)
    return redirect("tokens")


@signed_in
@only(*SHOW, *FORM)
def profile(request: HttpRequest) -> HttpResponse:
    """`/settings/profile`"""
    user = person(request)
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        accounts.change_own_fullname(user, form.cleaned_data["fullname"], by=caller(request))
        messages.success(request, "Your profile is saved.")
        return redirect("profile")
    return render(request, "me/profile.html", {"form": form}, status=400 if form.errors else 200)


@signed_in
@only(*SHOW)
def my_requests(request: HttpRequest) -> HttpResponse:
    """`/settings/requests`: what the person asked for, as far as they may still know of the repo; of one `status`."""
    seen = policy.permitted(caller(request), Action.CARD_VIEW)
    rows = AccessRequest.objects.filter(user=person(request), repo__in=Repo.objects.filter(seen))
    counts: dict[str, int] = dict(rows.order_by().values_list("status").annotate(Count("pk")))
    status = request.GET.get("status", "")
    if status in Status.values:
        rows = rows.filter(status=status)
    rows = rows.select_related("repo__namespace").order_by("-requested_at", "-pk")
    context = {
        "page": page_of(request, rows, REQUESTS_A_PAGE),
        "status": status if status in Status.values else "",
        "mail_to": told_of_decisions_at(person(request)),
        "total": sum(counts.values()),
        "tabs": [(choice.value, choice.label, counts.get(choice, 0)) for choice in Status],
    }
    return render(request, "me/requests.html", context)
