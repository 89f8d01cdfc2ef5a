"""A stranger tries every address there is, with every method.

lab has a private repo `secret`, a gated one `closed`, both as model and as dataset, and none named `absent`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver

from accounts.models import AuditEvent
from repos import content
from repos.models import LfsObject, Repo
from tests.support.cast import GATE_CARD, text_of

MACHINE, BROWSER = "*/*", "text/html"
CALLS = [
    *[(method, MACHINE) for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")],
    *[(method, BROWSER) for method in ("GET", "POST")],
]
SECRET_TEXT = b"only-for-members"
GATED_TEXT = b"only-for-the-accepted"

OPEN = {
    # Whoever comes may have it, without a repo in the address.
    "healthz", "readyz", "api/openapi.json", "api/docs", "", "models", "datasets", "login", "signup",
    "api/<repo_type:repo_type>", "api/models-tags-by-type", "api/datasets-tags-by-type", "api/agent-harnesses",
    "api/telemetry/<rest:topic>", "v1/telemetry", "avatars/<rest:file>",
    "api/users/<segment:name>/overview", "api/organizations/<segment:name>/overview", "<segment:name>",
    "organizations/<segment:name>/members",
    "oauth/device", "api/validate-yaml", "account/inactive", "account/verify", "password/reset",
    "password/reset/sent", "password/reset/done", "account/verify/x", "password/reset/1-x",
    "logout",
}  # fmt: skip
OPEN_OF_A_GATED_REPO = {
    # What is open to whoever sees the repo: its card, and what its files are called.
    "", "tree/<rest:rest>", "paths-info/<rest:revision>", "refs", "revision/<rest:revision>",
}  # fmt: skip

MAIL_WEBHOOK = "webhooks/anymail/<slug:service>/tracking/"
"""Takes what the mail service signed; a service asks with HEAD whether it is there, and is told no more."""

VALUES = {
    "service": "mailgun",
    "repo_type": "models",
    "namespace": "lab",
    "rest": "main/config.json",
    "revision": "main",
    "ref": "dev",
    "branch": "main",
    "status": "pending",
    "file": "lab.svg",
    "key": "1",
    "number": "1",
    "request_id": "1",
    "object_id": "1",
    "content_type_id": "1",
}
EXAMPLES = {
    # Addresses that are regular expressions.
    r"^account/verify/(?P<key>[-:\w]+)$": "account/verify/x",
    r"^password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)$": "password/reset/1-x",
}


def routes(patterns: Any = None, prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every address as the URL configuration spells it, with its fixed arguments."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route, pattern.default_args


def address(route: str, name: str, values: dict[str, str]) -> str:
    """An example of the address; `name` is the repo's, where it has one."""
    if route in EXAMPLES:
        return EXAMPLES[route]
    if "(?P<" in route:
        route = route.replace("^", "").replace("$", "")
        route = re.sub(r"\(\?P<app_label>(\w+)[^)]*\)", r"\1", route)
        route = re.sub(r"\(\?P<url>[^)]*\)", "x", route)

    def value(match: re.Match[str]) -> str:
        parameter = match[1]
        if parameter == "name":
            return name if "<segment:namespace>" in route else "lab"
        if parameter == "rest" and re.search("(tree|commits)/<", route):
            return "main"
        return values.get(parameter, "x")

    return re.sub(r"<(?:\w+:)?(\w+)>", value, route)


ALL = sorted({route for route, _ in routes()})
OF_REPOS = [route for route in ALL if "<segment:namespace>" in route]
TAIL = re.compile(r"^(?:api/<repo_type:repo_type>/|datasets/)?<segment:namespace>/<segment:name>/?")


@pytest.fixture(autouse=True)
def mail_service(settings) -> None:
    """Mails go through Mailgun, which tells what became of them."""
    settings.MAIL_SERVICE, settings.MAIL_WEBHOOKS = "mailgun", True
    settings.ANYMAIL = {"MAILGUN_API_KEY": "key", "MAILGUN_WEBHOOK_SIGNING_KEY": "key-of-webhooks"}


@pytest.fixture
def lab_repos(ada, lab, make_repo) -> dict[str, str]:
    """The repos, and what a stranger who knows everything would put into addresses."""
    for type_ in ("model", "dataset"):
        card = {"README.md": GATE_CARD.encode()}
        make_repo("lab/secret", by=ada, type_=type_, private=True, files=card | {"config.json": SECRET_TEXT})
        make_repo(
            "lab/closed",
            by=ada,
            type_=type_,
            gated="manual",
            files=card | {"config.json": GATED_TEXT},
            large={"weights.bin": GATED_TEXT * 3},
        )
    closed = Repo.objects.get(type="model", name="closed")
    return VALUES | {"sha": closed.head_sha, "oid": LfsObject.objects.get(repo=closed).sha256}


def call(method: str, path: str, accept: str) -> Any:
    query = "?service=git-upload-pack" if path.endswith("/info/refs") else ""
    client = Client(headers={"accept": accept}, raise_request_exception=False)
    return client.generic(method, f"/{path}{query}", b"{}", content_type="application/json")


def everywhere(all_routes: list[str], name: str, values: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Each route with its addresses: models and datasets, with and without `.git`."""
    for route in all_routes:
        for repo_type in ("models", "datasets") if "<repo_type" in route else ("models",):
            path = address(route, name, values | {"repo_type": repo_type})
            yield route, path
            if "info/" in route or "git-" in route:
                yield route, path.replace(f"/{name}/", f"/{name}.git/")


def contents(answer: Any) -> bytes:
    """The body, without what differs each time it is shown."""
    return re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", text_of(answer))


@pytest.mark.parametrize(("method", "accept"), CALLS)
def test_only_what_is_meant_to_be_open_is_open(method, accept, lab_repos):
    before, heads = AuditEvent.objects.count(), {repo.pk: content.open_git(repo).head() for repo in Repo.objects.all()}
    wrong = []
    for route, path in everywhere(ALL, "closed", lab_repos):
        answer = call(method, path, accept)
        body = text_of(answer)
        if answer.status_code >= 500:
            wrong.append((answer.status_code, path))
        if 200 <= answer.status_code < 300 and not _is_open(route, method):
            wrong.append((answer.status_code, path))
        if GATED_TEXT in body or SECRET_TEXT in body or b"secret" in body:
            wrong.append(("tells", path))
    assert wrong == []
    assert AuditEvent.objects.count() == before
    assert {repo.pk: content.open_git(repo).head() for repo in Repo.objects.all()} == heads


def _is_open(route: str, method: str) -> bool:
    if method == "OPTIONS":
        return True  # It tells what the address is for, and looks nothing up.
    if route == MAIL_WEBHOOK:
        return method == "HEAD"
    if "<segment:namespace>" in route:
        return TAIL.sub("", route) in OPEN_OF_A_GATED_REPO
    return route in OPEN or EXAMPLES.get(route) in OPEN


@pytest.mark.parametrize(("method", "accept"), CALLS)
def test_a_private_repo_and_a_missing_one_are_the_same_to_a_stranger(method, accept, lab_repos):
    differ = []
    pairs = zip(everywhere(OF_REPOS, "absent", lab_repos), everywhere(OF_REPOS, "secret", lab_repos), strict=True)
    for (route, absent), (_, secret) in pairs:
        first, second = call(method, absent, accept), call(method, secret, accept)
        if 200 <= second.status_code < 300 and method != "OPTIONS":
            differ.append((second.status_code, secret))
        if _seen(first) != _seen(second):
            differ.append((first.status_code, second.status_code, route, secret))
    assert differ == []


def _seen(answer: Any) -> tuple[int, bytes, dict[str, str]]:
    """All that a stranger sees of an answer, with one name for both repos."""
    headers = {
        name: value.replace("secret", "absent")
        for name, value in answer.headers.items()
        if name not in {"X-Request-Id", "Content-Length"}
    }
    return answer.status_code, contents(answer).replace(b"secret", b"absent"), headers


def test_the_walk_knows_every_address(lab_repos):
    assert len(ALL) > 150
    unnamed = [route for route in ALL if "(?P" in route and route not in EXAMPLES and not route.startswith("admin/")]
    assert unnamed == []
