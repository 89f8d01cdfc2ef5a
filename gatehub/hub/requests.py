"""Access requests: the three lists, the review, asking and taking back (hub-protocol section 7)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.urls.resolvers import URLPattern
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from access import selectors, services
from access.errors import FormChanged, LoginRequired, NoAccessRequest, RepoNotGated
from access.models import AccessRequest
from access.policy import Action
from accounts import services as accounts
from accounts.actor import Entrance
from accounts.errors import BadRequest, HubError, InvalidFields, NotFound
from accounts.models import User
from gatehub.authentication import actor_of, check_csrf, is_of_this_site
from gatehub.errors import FormExpired, OthersForm, UnsupportedMediaType, for_people
from gatehub.hub import bodies
from gatehub.hub.base import HubView, HubViewSet, api_repo_path, hub_time, web_repo_paths
from gatehub.hub.identity import avatar_path
from gatehub.hub.pagination import CURSOR, PAGE, keyset_page, next_link, whole_number
from gatehub.web import unsent
from gatehub.web.base import led_above
from gatehub.web.repo import NOTHING_TO_ASK, gate_page
from repos import cards
from repos.models import Repo

Status = AccessRequest.Status

FEWEST_A_PAGE = 10
BATCH = 100


class _Whom(serializers.Serializer[Any]):
    """Whose request: by user name, by the person's `_id`, or by the request's id.  All that are given must agree."""

    user = serializers.CharField(required=False, allow_null=True, max_length=100)
    userId = serializers.CharField(required=False, allow_null=True, max_length=30)
    requestId = serializers.CharField(required=False, allow_null=True, max_length=100)


class _Verdict(serializers.Serializer[Any]):
    status = serializers.CharField(max_length=20)
    rejectionReason = serializers.CharField(required=False, allow_null=True, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs["rejectionReason"] = services.clean_reason(attrs["status"], attrs.get("rejectionReason") or "")
        return attrs


class HandleSerializer(_Verdict, _Whom):
    """`{"status": "accepted" | "rejected" | "pending", "user": …}`, and perhaps a `rejectionReason`."""


class GrantSerializer(serializers.Serializer[Any]):
    user = serializers.CharField(max_length=100)


class BatchSerializer(_Verdict):
    requests = serializers.ListField(child=_Whom(), min_length=1, max_length=BATCH)


def _checked(serializer: type[serializers.Serializer[Any]], body: dict[str, Any]) -> dict[str, Any]:
    checked = serializer(data=body)
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)


class AccessRequestViewSet(HubViewSet):
    """`/api/{models|datasets}/{repo_id}/user-access-request/…`

    Checks come in one order: who asks, whether they see the repo, may review, whether it is gated, whether the body
    makes sense, whether the person exists, whether the request does.
    """

    @extend_schema(
        responses=OpenApiTypes.OBJECT,
        parameters=[
            OpenApiParameter("limit", int, description=f"{FEWEST_A_PAGE} to {PAGE}, which is the default"),
            OpenApiParameter("q", str, description="part of a user name, full name or address"),
            OpenApiParameter(CURSOR, str, description="as in the Link header of the page before"),
        ],
    )
    def list(self, request: Request, status: str, **_: str) -> Response:
        """The requests in one status, oldest first, a thousand a page."""
        repo = self.find_repo(Action.REQUESTS_VIEW)
        services.require_gated(repo)
        if status not in Status.values:
            raise NotFound(f"There is no such list; there are {', '.join(Status.values)}.")
        limit = whole_number(request, "limit", PAGE, least=FEWEST_A_PAGE, most=PAGE + 1)
        if limit > PAGE:
            raise BadRequest(f"limit must be a whole number from {FEWEST_A_PAGE} to {PAGE}.")
        rows = _matching(AccessRequest.objects.filter(repo=repo, status=status), request.query_params.get("q", ""))
        # Forms are large and few, so each is fetched once, not once per row.
        rows = rows.select_related("user", "reviewed_by").prefetch_related("form")
        page, cursor = keyset_page(rows, request, column="requested_at", descending=False, limit=limit)
        response = Response([_request(row) for row in page], headers={"Cache-Control": "no-store"})
        if cursor is not None:
            response["Link"] = next_link(request, request._request.path, **{CURSOR: cursor})
        return response

    @extend_schema(request=HandleSerializer, responses=OpenApiTypes.OBJECT)
    def handle(self, request: Request, **_: str) -> Response:
        """Accept a request, reject it, or cancel it back to pending."""
        repo = self._repo_to_review()
        given = _checked(HandleSerializer, bodies.json_object(request))
        self._review(repo, given, given)
        return Response({})

    @extend_schema(request=GrantSerializer, responses=OpenApiTypes.OBJECT)
    def grant(self, request: Request, **_: str) -> Response:
        """Give a person access, asked or not."""
        repo = self._repo_to_review()
        given = _checked(GrantSerializer, bodies.json_object(request))
        services.grant(repo=repo, user=accounts.get_user(given["user"]), by=self.actor)
        return Response({})

    @extend_schema(request=BatchSerializer, responses=OpenApiTypes.OBJECT)
    def batch(self, request: Request, **_: str) -> Response:
        """Review up to a hundred requests alike.  Each succeeds or fails by itself, and the answer says which."""
        repo = self._repo_to_review()
        given = _checked(BatchSerializer, bodies.json_object(request))
        return Response([self._reviewed(repo, whom, given) for whom in given["requests"]])

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    def cancel(self, request: Request, **_: str) -> Response:
        """The requester takes their own request back, while it is pending."""
        repo = self.find_repo(Action.CARD_VIEW)
        _require_person(self)
        services.require_gated(repo)
        services.withdraw(repo=repo, by=self.actor)
        return Response({"ok": True})

    def _repo_to_review(self) -> Repo:
        repo = self.find_repo(Action.REQUESTS_REVIEW)
        services.require_gated(repo)
        return repo

    def _review(self, repo: Repo, whom: dict[str, Any], verdict: dict[str, Any]) -> AccessRequest:
        found = _find(repo, whom)
        return services.review(
            access_request=found, status=verdict["status"], reason=verdict["rejectionReason"], by=self.actor
        )

    def _reviewed(self, repo: Repo, whom: dict[str, Any], verdict: dict[str, Any]) -> dict[str, Any]:
        """What became of one request of a batch, beside what named it."""
        named = {key: value for key, value in whom.items() if value}
        try:
            done = self._review(repo, whom, verdict)
        except HubError as error:
            return named | {"ok": False, "error": error.text}
        return named | {"user": done.user.username, "ok": True}


def _require_person(view: HubView | HubViewSet) -> None:
    if view.actor.anonymous:
        raise LoginRequired(next_step="Sign in, or send a token: {url}", help_path="/login")


def _find(repo: Repo, whom: dict[str, Any]) -> AccessRequest:
    """Raises BadRequest when nobody is named, NotFound for an unknown person, NoAccessRequest."""
    user = accounts.get_user(whom["user"]) if whom.get("user") else None
    if whom.get("userId"):
        by_id = _user_of_id(whom["userId"])
        if user is not None and user != by_id:
            raise NoAccessRequest
        user = by_id
    found = services.find_request(repo, username=user.username if user else "", request_id=whom.get("requestId") or "")
    if user is not None and found.user_id != user.pk:
        raise NoAccessRequest
    return found


def _user_of_id(public_id: str) -> User:
    key = public_id.removeprefix("u-")
    user = User.objects.filter(pk=int(key)).first() if key.isascii() and key.isdigit() and len(key) < 19 else None
    if user is None:
        raise NotFound("User not found")
    return user


def _matching(rows: QuerySet[AccessRequest], search: str) -> QuerySet[AccessRequest]:
    """Those whose user name, full name or address contains the words."""
    words = " ".join(search.replace("\0", "").split())[:200]
    if not words:
        return rows
    return rows.filter(Q(user__username__icontains=words) | Q(fullname__icontains=words) | Q(email__icontains=words))


def _request(row: AccessRequest) -> dict[str, Any]:
    """One request as clients read it.  Name and address are those of the day it was sent."""
    user: dict[str, Any] = {
        "_id": row.user.public_id,
        "user": row.user.username,
        "fullname": row.fullname or row.user.username,
        "avatarUrl": avatar_path(row.user.username),
        "isPro": False,
        "type": "user",
        "verifiedOrgNames": [],
    }
    if row.email:  # Who was granted access unasked, did not share an address.
        user["email"] = row.email
    body: dict[str, Any] = {
        "requestId": row.request_id,
        "status": row.status,
        "timestamp": hub_time(row.requested_at),
        "user": user,
        "fields": dict(row.questions_and_answers()),
    }
    if row.reviewed_at is not None:
        body["reviewedAt"] = hub_time(row.reviewed_at)
    if row.is_accepted and row.reviewed_by is not None:
        body["grantedBy"] = {"fullname": row.reviewed_by.get_full_name(), "user": row.reviewed_by.username}
    if row.rejection_reason:
        body["rejectionReason"] = row.rejection_reason
    return body


class AskView(HubView):
    """`POST /{repo_id}/ask-access`: a form or a JSON object whose keys are the labels of the gate's questions.

    From the page, with a session and its CSRF token; from a script, with a token.  Answered with 303 to the repo's
    page, whatever became of the request: the page says it.  `?form=` names the version of the form that was read, and
    `?by=` the person for whom the page was made, so that what they typed is shown to nobody else.
    """

    # The check of the CSRF token reads the form, before the view does.
    parser_classes = (FormParser, MultiPartParser, JSONParser)

    @extend_schema(
        request=OpenApiTypes.OBJECT,
        responses={303: None},
        parameters=[
            OpenApiParameter("form", str, description="digest of the version of the form that was read"),
            OpenApiParameter("by", str, description="the person for whom the page was made; pages send it"),
        ],
    )
    def post(self, request: Request, **_: str) -> HttpResponseBase:
        repo = self.find_repo(Action.CARD_VIEW)
        on_page = self.actor.token is None and for_people(request._request)
        if self.actor.anonymous and on_page:
            if request._request.content_type in _FORMS and _is_of_our_page(request):
                unsent.keep(request._request, repo, _answers(request, repo), by=_written_by(request))
            return _see_other(self.absolute(f"{reverse('account_login')}?next={repo.path}"))
        _require_person(self)
        given = _answers(request, repo)
        try:
            asked = services.ask(repo=repo, answers=given, form=request.query_params.get("form"), by=self.actor)
        except RepoNotGated:
            if not on_page or _is_json(request):
                raise
            return self._told_that_it_is_open(repo)
        except (InvalidFields, FormChanged) as error:
            if not on_page or _is_json(request):
                raise
            repo.refresh_from_db()
            problems = error.fields if isinstance(error, InvalidFields) else {}
            return gate_page(
                request._request, repo, self.actor, problems, given, changed=isinstance(error, FormChanged)
            )
        if on_page and (asked is None or not asked.sent_now):
            messages.info(request._request, _NOTHING_SENT[asked.status if asked else ""])
        return _see_other(self.absolute(repo.path))

    def handle_exception(self, exc: Exception) -> HttpResponseBase:  # type: ignore[override]  # A page, as `post` gives.
        plain: HttpRequest = self.request._request
        if (
            isinstance(exc, FormExpired)
            and for_people(plain)
            and plain.content_type in _FORMS
            and is_of_this_site(plain)
        ):
            try:
                return self._shown_again(plain)
            except HubError as error:
                exc = error
        response: HttpResponseBase = super().handle_exception(exc)
        return response

    def _shown_again(self, plain: HttpRequest) -> HttpResponseBase:
        """The form as it was typed, of which nothing was sent: a sign-in in another tab has made a new CSRF token.

        Raises FormExpired for another person than the one who was signed in when the page was made.
        """
        actor, where = actor_of(plain, Entrance.PAGE), self.kwargs
        repo = selectors.find_repo(actor, Action.CARD_VIEW, where["repo_type"], where["namespace"], where["name"])
        if actor.user is None or _written_by(self.request) != actor.user.public_id:
            raise OthersForm("Nothing was sent.", help_path=repo.path)
        if not repo.is_gated:
            return self._told_that_it_is_open(repo)
        return gate_page(plain, repo, actor, {}, _answers(self.request, repo), expired=True)

    def _told_that_it_is_open(self, repo: Repo) -> HttpResponseBase:
        messages.info(self.request._request, NOTHING_TO_ASK)
        return _see_other(self.absolute(repo.path))

    def http_method_not_allowed(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]  # A redirect, too.
        led = led_above(request._request, 1, with_query=False)
        return led if led is not None else super().http_method_not_allowed(request, *args, **kwargs)


_NOTHING_SENT = {
    # To whoever sends the form once more, as from another window, by what has become of the first.
    AccessRequest.Status.PENDING: "You have asked for access already. That request stays as it is, and what you sent "
    "now was not kept; to answer differently, cancel it and ask again.",
    AccessRequest.Status.ACCEPTED: "You have access already, so nothing was sent.",
    AccessRequest.Status.REJECTED: "Your request was rejected already, so nothing was sent.",
    "": "You read the files without asking, so nothing was sent.",
}
_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


def _is_of_our_page(request: Request) -> bool:
    """By its CSRF token, of which nobody is asked who is not signed in: what others send is not kept."""
    try:
        check_csrf(request)
    except FormExpired:
        return False
    return True


def _written_by(request: Request) -> str:
    """The `public_id` of the person for whom the page with the form was made; "" where the form does not say it."""
    return str(request.query_params.get("by", ""))


def _is_json(request: Request) -> bool:
    return request._request.content_type == "application/json"


def _answers(request: Request, repo: Repo) -> dict[str, Any]:
    """What was answered, by label.  A gate without questions needs no body, and so no content type."""
    plain: HttpRequest = request._request
    if _is_json(request):
        return bodies.json_object(request)
    if plain.content_type in _FORMS:
        return cards.answers_from_post(services.form_spec(repo.gate_form), plain.POST)
    if plain.content_type == "" and not plain.body:
        return {}
    raise UnsupportedMediaType("Send a form (application/x-www-form-urlencoded) or a JSON object (application/json).")


def _see_other(address: str) -> HttpResponseRedirect:
    response = redirect(address)
    response.status_code = 303
    return response


_lists = AccessRequestViewSet.as_view({"get": "list"})


def _posts(action: str) -> URLPattern:
    view = AccessRequestViewSet.as_view({"post": action})
    return api_repo_path(f"user-access-request/{action}", view, f"api_{action}_access_request")


urlpatterns: list[URLPattern] = [
    *[_posts(action) for action in ("handle", "batch", "grant", "cancel")],
    api_repo_path("user-access-request/<segment:status>", _lists, "api_access_requests"),
    *web_repo_paths("ask-access", AskView.as_view(), "ask_access"),
]
