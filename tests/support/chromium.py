"""Debian's Chromium, driven by Playwright: one browser for all tests of a worker, a context for each test that asks.

    def test_home(new_context, server):
        page = new_context(server.url, javascript=False, color_scheme="dark", width=390).new_page()
        page.goto("/")

Whatever a person's browser would complain of fails the test: errors of scripts, refusals by the Content-Security-
Policy, parts of a page that do not come, answers from 500 on, and whatever is fetched from elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Literal, Protocol, TypedDict, Unpack

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    Response,
    WebError,
    sync_playwright,
)

from tests.support.skips import program

HEIGHTS = {1280: 900, 390: 844}
"""How high the window is that has this width."""
_PATIENCE = 10_000  # Milliseconds.
_ARGUMENTS = [
    "--no-sandbox",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--js-flags=--always-sparkplug",  # Compiles at once: axe takes a quarter less.
]
_TELL_OF_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`Content-Security-Policy: ${event.violatedDirective} forbids ${event.blockedURI} ${event.sample}`));
"""


class Chromium:
    """The browser of one worker.

    Playwright keeps an event loop running in the thread of the tests, where Django then refuses its database; so the
    loop is put away while no test uses the browser.
    """

    def __init__(self, playwright: Playwright, executable: str) -> None:
        self._loop = asyncio.get_running_loop()
        self.browser: Browser = playwright.chromium.launch(executable_path=executable, args=_ARGUMENTS)
        self.kept: dict[tuple[str, str], tuple[Page, Watch]] = {}
        """By origin and session: see `kept_page`."""

    def awake(self) -> None:
        asyncio._set_running_loop(self._loop)

    def asleep(self) -> None:
        asyncio._set_running_loop(None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    executable = program("chromium-headless-shell", "chromium")
    playwright = sync_playwright().start()
    started = Chromium(playwright, executable)
    started.asleep()
    yield started
    started.awake()
    started.browser.close()
    playwright.stop()
    started.asleep()


class Watch:
    """What went wrong in the pages of one context, as sentences in `problems`."""

    def __init__(
        self, context: BrowserContext, origin: str, *, broken: bool = False, onward: tuple[str, ...] = ()
    ) -> None:
        self.problems: list[str] = []
        self.statuses: list[int] = []
        """Of the pages that were shown, frames within them included."""
        self.broken = broken
        self._origins = ("data:", "about:", "blob:", origin, *onward)
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)
        context.on("requestfailed", self._failed)
        context.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        # That an answer was a refusal is `_response`'s to judge.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.problems.append(f"console: {message.text}")

    def _error(self, error: WebError) -> None:
        self.problems.append(f"error of a script: {error.error}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith(self._origins):
            self.problems.append(f"asks elsewhere: {request.url}")

    def _failed(self, request: Request) -> None:
        # Downloads, and requests of a page that was left, count as aborted.
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"{request.failure}: {request.url}")

    def _response(self, response: Response) -> None:
        # A page may be a refusal, and the test reads it; so may the part of a page that a form of htmx gets back.
        of_a_page = response.request.is_navigation_request()
        if of_a_page:
            self.statuses.append(response.status)
            if self.broken:
                return
        if response.status >= (500 if of_a_page or response.status in (400, 409) else 400):
            self.problems.append(f"{response.status}: {response.request.method} {response.url}")


class Options(TypedDict, total=False):
    """`session` is the value of a session cookie; `broken` allows pages to be answers from 500 on; `onward` are other
    origins to which pages lead.
    """

    session: str
    javascript: bool
    color_scheme: Literal["light", "dark"]
    width: int
    broken: bool
    onward: tuple[str, ...]


class NewContext(Protocol):
    """What the fixture `new_context` gives: a browser profile of its own, in which addresses may be paths."""

    def __call__(self, origin: str, **options: Unpack[Options]) -> BrowserContext: ...


@pytest.fixture
def new_context(chromium: Chromium) -> Iterator[NewContext]:
    opened: list[tuple[BrowserContext, Watch]] = []

    def open_context(origin: str, **options: Unpack[Options]) -> BrowserContext:
        context, watch = _open(chromium, origin, **options)
        opened.append((context, watch))
        return context

    chromium.awake()
    try:
        yield open_context
        for context, _ in opened:
            context.close()
    finally:
        chromium.asleep()
    problems = [problem for _, watch in opened for problem in watch.problems]
    assert problems == []


def _open(
    chromium: Chromium,
    origin: str,
    *,
    session: str = "",
    javascript: bool = True,
    color_scheme: Literal["light", "dark"] = "light",
    width: int = 1280,
    broken: bool = False,
    onward: tuple[str, ...] = (),
) -> tuple[BrowserContext, Watch]:
    context = chromium.browser.new_context(
        base_url=origin,
        java_script_enabled=javascript,
        color_scheme=color_scheme,
        viewport={"width": width, "height": HEIGHTS[width]},
        reduced_motion="reduce",
        locale="en-US",
        timezone_id="UTC",
    )
    watch = Watch(context, origin, broken=broken, onward=onward)
    context.set_default_timeout(_PATIENCE)
    context.add_init_script(_TELL_OF_VIOLATIONS)
    _sign_in(context, origin, session)
    return context, watch


def _sign_in(context: BrowserContext, origin: str, session: str) -> None:
    if session:
        context.add_cookies([{"name": "gatehub_session", "value": session, "url": origin}])


class KeptPage(Protocol):
    """What the fixture `kept_page` gives: a page in a wide and light window, and what is seen of it."""

    def __call__(self, origin: str, *, session: str = "", broken: bool = False) -> tuple[Page, Watch]: ...


@pytest.fixture
def kept_page(chromium: Chromium) -> Iterator[KeptPage]:
    """For tests that show one page and look at it closely: the browser of a session goes from one to the next.

    It keeps what it has compiled and fetched, which for a new one took as long as the page.  What a page could leave to
    the next one is taken away: cookies, storage, where the mouse is.
    """
    used: list[tuple[str, str]] = []

    def open_page(origin: str, *, session: str = "", broken: bool = False) -> tuple[Page, Watch]:
        key = (origin, session)
        used.append(key)
        if key not in chromium.kept:
            context, watch = _open(chromium, origin, session=session)
            chromium.kept[key] = context.new_page(), watch
        page, watch = chromium.kept[key]
        if page.url.startswith(origin):
            page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
            page.goto("about:blank")
        page.set_viewport_size({"width": 1280, "height": HEIGHTS[1280]})
        page.emulate_media(color_scheme="light")
        page.mouse.move(0, 0)
        page.context.clear_cookies()
        _sign_in(page.context, origin, session)
        watch.problems.clear()
        watch.statuses.clear()
        watch.broken = broken
        return page, watch

    chromium.awake()
    try:
        yield open_page
        problems = [problem for key in used for problem in chromium.kept[key][1].problems]
    finally:
        chromium.asleep()
    assert problems == []
