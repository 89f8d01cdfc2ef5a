"""What the pages share: the caller, who must be signed in, paging, messages about refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import escape_leading_slashes, url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_exempt

from access import selectors
from access.policy import Action
from accounts.actor import Actor, Entrance
from accounts.errors import HubError, TooLarge
from accounts.models import User
from gatehub.authentication import actor_of, check_csrf
from gatehub.errors import FormExpired, MethodNotAllowed, for_people, in_html
from repos.models import Repo

View = Callable[..., HttpResponse]
T = TypeVar("T")


def caller(request: HttpRequest) -> Actor:
    """Who asks.  Pages know sessions only: a token in a header makes nobody of a page's visitor."""
    return actor_of(request, Entrance.PAGE)


def person(request: HttpRequest) -> User:
    """The one who is signed in, on a page that `signed_in` guards."""
    assert isinstance(request.user, User)
    return request.user


def endpoint_of(request: HttpRequest) -> str:
    """The address of this server as the visitor used it: what HF_ENDPOINT must be."""
    return request.build_absolute_uri("/").rstrip("/")


def signed_in(view: View) -> View:
    """Send strangers to the sign-in page first, whatever the address names: hidden and missing repos look alike."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            if is_partial(request):
                # The script would put the sign-in page into the middle of this one.
                page = _page_of_the_script(request)
                address = redirect_to_login(page).url if page else resolve_url(settings.LOGIN_URL)
                return HttpResponse(status=204, headers={"HX-Redirect": address})
            return redirect_to_login(request.get_full_path() if request.method in ("GET", "HEAD") else "/")
        return view(request, *args, **kwargs)

    return guarded


def _page_of_the_script(request: HttpRequest) -> str:
    """Path and query of the page on which htmx asked, "" where it names none of this site."""
    address = request.headers.get("HX-Current-URL", "")
    if not url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
        return ""
    parts = urlsplit(address)
    page = parts.path + (f"?{parts.query}" if parts.query else "")
    # Without its host it could name another: "//elsewhere".
    return page if url_has_allowed_host_and_scheme(page, None) else ""


def is_partial(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page.  For a step back in the history it wants the whole, as others do."""
    headers = request.headers
    return headers.get("HX-Request") == "true" and headers.get("HX-History-Restore-Request") != "true"


def led_above(request: HttpRequest, up: int, *, with_query: bool = True) -> HttpResponse | None:
    """Lead people who look at an address that only takes forms to the page `up` segments above it.

    By the address alone, so that it tells nobody what is there.  None for machines, other methods, and paths of dots.
    """
    path = request.path_info
    if request.method not in SHOW or not for_people(request) or "/." in path:
        return None
    query = request.META.get("QUERY_STRING", "") if with_query else ""
    page = quote(path.rsplit("/", up)[0]) + (f"?{query}" if query else "")
    return redirect(escape_leading_slashes(page))


def only(*methods: str, up: int = 1) -> Callable[[View], View]:
    """Refuse other methods, with a page that says so.

    Whoever looks at an address that only takes forms is led to where they stand, `up` segments above; 0 is for nowhere.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method not in methods:
                led = led_above(request, up) if methods == FORM and up else None
                if led is not None:
                    return led
                raise MethodNotAllowed(
                    "This address takes forms only, and there is no page at it."
                    if methods == FORM
                    else "This address takes no forms. Nothing was changed.",
                    next_step="Go back, and use the buttons of the page from which you came.",
                    headers={"Allow": ", ".join(methods)},
                )
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def large_form(limit: int, *, expired: View | None = None) -> Callable[[View], View]:
    """Take a form of up to `limit` bytes, which may be more than Django's DATA_UPLOAD_MAX_MEMORY_SIZE lets through.

    Reads the form, then checks the CSRF token, which elsewhere the middleware does before the view: so it comes below
    `signed_in`.  A form whose token does not fit goes to `expired` where there is one.  Raises TooLarge, FormExpired.
    """

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method == "POST" and request.content_type == "application/x-www-form-urlencoded":
                raw = request.read(limit + 1)
                if len(raw) > limit:
                    raise TooLarge(f"The form is larger than {limit} bytes.")
                request.POST = QueryDict(raw, encoding="utf-8")
            try:
                check_csrf(request)
            except FormExpired:
                if expired is None:
                    raise
                return expired(request, *args, **kwargs)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


SHOW = ("GET", "HEAD")
FORM = ("POST",)


def find_repo(request: HttpRequest, action: Action, where: dict[str, str]) -> tuple[Actor, Repo]:
    """The caller, and the repo that the address names, if the caller may do `action` to it; else the refusal."""
    return find_repo_judged(request, action, (), where)[:2]


def find_repo_judged(
    request: HttpRequest, action: Action, also: Iterable[Action], where: dict[str, str]
) -> tuple[Actor, Repo, frozenset[Action]]:
    """As `find_repo`; and those of `also` that the caller may do to it."""
    actor = caller(request)
    repo_id = where["repo_type"], where["namespace"], where["name"]
    return actor, *selectors.find_repo_judged(actor, action, also, *repo_id)


def render_private(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """A page that tells of one person, or of who asked for a repo: no cache keeps it, not even the browser's."""
    response = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def page_of(
    request: HttpRequest, rows: QuerySet[Any] | Sequence[Any], size: int, total: int | None = None
) -> Page[Any]:
    """The page that `?page=` asks for, the nearest one where there is none.  `total` spares counting the rows."""
    paginator: Paginator[Any] = Paginator(rows, size)
    if total is not None:
        paginator.count = total
    return paginator.get_page(request.GET.get("page"))


def attempt(request: HttpRequest, act: Callable[[], T]) -> T | None:
    """Run a change; a refusal becomes a message on the page that follows, and None."""
    try:
        return act()
    except HubError as error:
        messages.error(request, in_words(request, error))
        return None


def in_words(request: HttpRequest, error: HubError) -> SafeString:
    """A refusal with its next step, as one text for people, in HTML: it may lead somewhere."""
    return in_html(request, error.text_for_people, error.help_path)
