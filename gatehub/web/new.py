"""The page that creates a repo."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.errors import HubError
from gatehub.web.base import FORM, SHOW, caller, in_words, only, signed_in
from gatehub.web.forms import RepoForm
from gatehub.web.namespaces import creatable_namespaces, namespace_to_create_in
from repos import services


@signed_in
@only(*SHOW, *FORM)
def new(request: HttpRequest) -> HttpResponse:
    """`/new`; `?type=` and `?namespace=` choose beforehand."""
    actor = caller(request)
    namespaces = creatable_namespaces(actor)
    initial = {name: request.GET[name] for name in ("type", "namespace") if name in request.GET}
    form = RepoForm(request.POST or None, namespaces=namespaces, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            repo = services.create_repo(
                type_=data["type"],
                namespace=namespace_to_create_in(actor, data["namespace"]),
                name=data["name"],
                private=data["visibility"] == "private",
                by=actor,
            )
        except HubError as error:
            form.add_error("name", in_words(request, error))
        else:
            return redirect(repo)
    return render(request, "new.html", {"form": form}, status=400 if form.errors else 200)
