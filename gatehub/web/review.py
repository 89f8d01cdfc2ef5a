"""The review: what a reviewer does with the pending, accepted and rejected requests of one repo."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from access import selectors, services
from access.models import AccessRequest
from access.moments import Clock
from access.policy import Action
from accounts import services as accounts
from accounts.errors import BadRequest, HubError, NotFound
from gatehub.web.base import FORM, SHOW, attempt, find_repo, in_words, is_partial, only, render_private, signed_in
from gatehub.web.repo import header
from gatehub.web.review_lists import kept, lists
from gatehub.web.review_rows import answer_of, day_of_earlier_form
from repos.models import Repo

Status = AccessRequest.Status


def section(request: HttpRequest, repo: Repo) -> HttpResponse:
    """The review alone, with the messages: what htmx puts in the place of the one on the page."""
    context = {"repo": repo, "review": lists(request, repo), "partial": True}
    return render_private(request, "repo/_review.html", context)


def back(request: HttpRequest, repo: Repo) -> HttpResponse:
    """To the page of the list that the reviewer was on."""
    place = {name: request.GET.get(name, "") for name in ("after", "before")}
    query = kept(request.GET, **place)
    return redirect(f"{repo.path}/settings?{query}#requests" if query else f"{repo.path}/settings#requests")


@signed_in
@only(*FORM)
def decide(request: HttpRequest, **where: str) -> HttpResponse:
    """`/{repo_id}/settings/review`: `request_id`, the `expected` status that the page showed, the new `status`,
    perhaps a `reason`."""
    actor, repo = find_repo(request, Action.REQUESTS_REVIEW, where)

    def act() -> None:
        found = services.find_request(repo, request_id=request.POST.get("request_id", ""))
        done = services.review(
            access_request=found,
            status=request.POST.get("status", ""),
            reason=request.POST.get("reason", ""),
            expected=request.POST.get("expected") or None,
            by=actor,
        )
        messages.success(request, f"{found.user.username} {_NOW[done.status]}")

    attempt(request, act)
    return back(request, repo)


_NOW: Mapping[str, str] = {
    Status.ACCEPTED: "has access now.",
    Status.REJECTED: "was rejected.",
    Status.PENDING: "is waiting for a decision again.",
}


@signed_in
@only(*FORM)
def grant(request: HttpRequest, **where: str) -> HttpResponse:
    """`/{repo_id}/settings/grant`: give the `user` access.  A part of a name leads to those who have it in theirs."""
    actor, repo = find_repo(request, Action.REQUESTS_REVIEW, where)
    name = " ".join(request.POST.get("user", "").replace("\0", "").split())[:100]

    def act() -> None:
        if not name:
            raise BadRequest("Say whom to give access.")
        user = accounts.get_user(name)
        services.grant(repo=repo, user=user, by=actor)
        messages.success(request, f"{user.username} has access now.")

    try:
        act()
    except NotFound as error:
        if selectors.people_to_grant(repo, name).shown:
            messages.info(request, f"Nobody has the user name {name}. Choose among those who have it in their names.")
            return redirect(f"{repo.path}/settings?{kept(request.GET, user=name)}#add")
        messages.error(request, in_words(request, error))
    except HubError as error:
        messages.error(request, in_words(request, error))
    return back(request, repo)


@signed_in
@only(*SHOW)
def answer(request: HttpRequest, request_id: str, number: int, **where: str) -> HttpResponse:
    """`/{repo_id}/settings/answers/{request_id}/{number}`: a whole answer, of which the list shows the beginning."""
    _, repo = find_repo(request, Action.REQUESTS_REVIEW, where)
    found = services.find_request(repo, request_id=request_id)
    question, said = answer_of(found, number)
    if is_partial(request):
        return render_private(request, "repo/_answer.html", {"answer": said})
    context = {
        **header(repo, tab="settings", can_change=True),
        "who": found.user.username,
        "fullname": found.fullname,
        "asked": Clock().moment(found.requested_at),
        "form_date": day_of_earlier_form(repo, found.form),
        "question": question,
        "answer": said,
        "request_id": found.request_id,
        "query": lists(request, repo).query,
    }
    return render_private(request, "repo/answer.html", context)


@signed_in
@only(*SHOW)
def people(request: HttpRequest, **where: str) -> HttpResponse:
    """`/{repo_id}/settings/people?user=`: who could be given access, as a part of the page."""
    _, repo = find_repo(request, Action.REQUESTS_REVIEW, where)
    return render_private(request, "repo/_people.html", {"repo": repo, "review": lists(request, repo)})
