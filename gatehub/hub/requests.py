"""Access requests: the review API, and asking (hub-protocol sections 7.1 to 7.5)."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls.resolvers import URLPattern
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access import services
from access.errors import LoginRequired
from access.models import AccessRequest
from access.policy import Action
from accounts.errors import BadRequest, HubError, InvalidFields, NotFound
from accounts.services import get_user
from gatehub import errors
from gatehub.hub.base import HubView, HubViewSet, api_repo_path, hub_time, web_repo_paths
from gatehub.hub.bodies import json_object, text
from gatehub.hub.pagination import CURSOR, PAGE, keyset_page, next_link
from gatehub.web import repo as repo_pages
from repos import cards
from repos.models import Repo

MIN_LIMIT = 10
MAX_BATCH = 100


def request_object(request: AccessRequest) -> dict[str, Any]:
    """One request as the lists give it (hub-protocol section 7.1)."""
    user = request.user
    person: dict[str, Any] = {
        "_id": user.public_id,
        "user": user.username,
        "fullname": request.fullname,
        "avatarUrl": f"/avatars/{user.username}.svg",
        "isPro": False,
        "type": "user",
        "verifiedOrgNames": [],
    }
    if request.email:  # Whoever was let in unasked has shared no address.
        person["email"] = request.email
    body = {
        "requestId": request.request_id,
        "status": request.status,
        "timestamp": hub_time(request.requested_at),
        "user": person,
        "fields": request.answers,
    }
    if request.reviewed_at is not None:
        body["reviewedAt"] = hub_time(request.reviewed_at)
    if request.granted and request.reviewed_by is not None:
        body["grantedBy"] = {"user": request.reviewed_by.username, "fullname": request.reviewed_by.fullname}
    return body


class AccessRequestViewSet(HubViewSet):
    """`/api/{models|datasets}/{repo_id}/user-access-request/…`

    The order of the checks is the Hub's: signed in, repo visible, may review, gated, body, person, request.
    """

    def _reviewed_repo(self, action: Action) -> Repo:
        repo = self.find_repo(action)
        services.require_gated(repo)
        return repo

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def list(self, request: Request, status: str, **_: str) -> Response:
        """`GET …/{pending|accepted|rejected}?limit=&q=`, oldest first."""
        repo = self._reviewed_repo(Action.REQUESTS_VIEW)
        if status not in AccessRequest.Status.values:
            raise NotFound(f"The lists are {', '.join(AccessRequest.Status.values)}.")
        limit = _limit(request)
        rows = repo.access_requests.filter(status=status).select_related("user", "reviewed_by")
        if wanted := request.query_params.get("q", "").replace("\0", ""):
            rows = rows.filter(
                Q(user__username__icontains=wanted) | Q(fullname__icontains=wanted) | Q(email__icontains=wanted)
            )
        page, cursor = keyset_page(rows, request, column="requested_at", descending=False, limit=limit)
        response = Response([request_object(one) for one in page])
        if cursor is not None:
            path = f"/api/{repo.type}s/{repo.repo_id}/user-access-request/{status}"
            response["Link"] = next_link(request, path, **{CURSOR: cursor})
        return response

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def handle(self, request: Request, **_: str) -> Response:
        """`POST …/handle` with `status`, `user` or `requestId`, and `rejectionReason`."""
        repo = self._reviewed_repo(Action.REQUESTS_REVIEW)
        self._handle(repo, json_object(request))
        return Response({})

    def _handle(self, repo: Repo, body: dict[str, Any]) -> None:
        status = text(body, "status", required=True)
        if status not in AccessRequest.Status.values:
            raise InvalidFields({"status": f"must be one of {', '.join(AccessRequest.Status.values)}"})
        username, request_id = text(body, "user"), text(body, "requestId")
        if username:
            username = get_user(username).username
        found = services.find_request(repo, username=username, request_id=request_id)
        if username and found.user.username != username:
            raise BadRequest("`user` and `requestId` name different requests.")
        services.review(access_request=found, status=status, reason=text(body, "rejectionReason"), by=self.actor)

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def batch(self, request: Request, **_: str) -> Response:
        """`POST …/batch` with one `status` for up to 100 `requests`; says of each what became of it."""
        repo = self._reviewed_repo(Action.REQUESTS_REVIEW)
        body = json_object(request)
        listed = body.get("requests")
        if not isinstance(listed, list) or not 1 <= len(listed) <= MAX_BATCH:
            raise InvalidFields({"requests": f"must be a list of 1 to {MAX_BATCH} requests"})
        shared = {"status": body.get("status"), "rejectionReason": body.get("rejectionReason")}
        return Response([self._one_of_batch(repo, item, shared) for item in listed])

    def _one_of_batch(self, repo: Repo, item: Any, shared: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(item, dict):
            return {"ok": False, "error": "Each request must be an object."}
        named = {name: item[name] for name in ("user", "requestId") if name in item}
        try:
            self._handle(repo, named | shared)
        except HubError as error:  # The others go on: each was decided, or refused, on its own.
            return named | {"ok": False, "error": error.message}
        return named | {"ok": True}

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def grant(self, request: Request, **_: str) -> Response:
        """`POST …/grant` with `user`: access for somebody who did not ask."""
        repo = self._reviewed_repo(Action.REQUESTS_REVIEW)
        username = text(json_object(request), "user", required=True)
        services.grant(repo=repo, user=get_user(username), by=self.actor)
        return Response({})

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def cancel(self, request: Request, **_: str) -> Response:
        """`POST …/cancel`, by the requester: takes the own pending request back."""
        repo = self.find_repo(Action.CARD_VIEW)
        services.withdraw(repo=repo, by=self.actor)
        return Response({"ok": True})


def _limit(request: Request) -> int:
    said = request.query_params.get("limit")
    if said is None:
        return PAGE
    if not (said.isascii() and said.isdigit()) or len(said) > 9 or not MIN_LIMIT <= int(said) <= PAGE:
        raise BadRequest(f"limit must be {MIN_LIMIT} to {PAGE}.")
    return int(said)


class AskAccessView(HubView):
    """`POST /[datasets/]{repo_id}/ask-access`: a form, or a JSON object, whose keys are the labels of the card."""

    @extend_schema(request=OpenApiTypes.OBJECT, responses={303: None})
    def post(self, request: Request, **_: str) -> HttpResponse:
        repo = self.find_repo(Action.CARD_VIEW)
        if self.actor.anonymous:
            return self._sign_in_first(request, repo)
        given = self._given(request, repo)
        try:
            services.ask(repo=repo, answers=given, by=self.actor)
        except InvalidFields as error:
            if errors.for_people(request._request) and self.actor.token is None:
                return repo_pages.gate_page(request._request, repo, self.actor, error.fields, given)
            raise
        return self._see(repo.path)

    def _see(self, path: str) -> HttpResponse:
        response = redirect(self.absolute(path))
        response.status_code = 303
        return response

    def _sign_in_first(self, request: Request, repo: Repo) -> HttpResponse:
        if errors.for_people(request._request):
            return self._see(f"/login?next={repo.path}")
        raise LoginRequired(next_step="Sign in, or send a token: {url}", help_path="/login")

    def _given(self, request: Request, repo: Repo) -> dict[str, Any]:
        """The answers as they came.  Their check is the service's."""
        kind = (request.content_type or "").split(";")[0].strip().lower()
        if kind == "application/json":
            return json_object(request)
        if kind not in {"application/x-www-form-urlencoded", ""}:
            raise errors.UnsupportedMediaType("Send a form (application/x-www-form-urlencoded) or a JSON object.")
        return cards.answers_from_post(services.form_spec(repo.gate_form), request._request.POST)


_lists = AccessRequestViewSet.as_view({"get": "list"})


def _posts(action: str) -> URLPattern:
    view = AccessRequestViewSet.as_view({"post": action})
    return api_repo_path(f"user-access-request/{action}", view, f"api_{action}_access_request")


urlpatterns: list[URLPattern] = [
    *[_posts(action) for action in ("handle", "batch", "grant", "cancel")],
    api_repo_path("user-access-request/<segment:status>", _lists, "api_access_requests"),
    *web_repo_paths("ask-access", AskAccessView.as_view(), "ask_access"),
]
