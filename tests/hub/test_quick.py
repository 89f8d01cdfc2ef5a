"""The short way to a file: whoever comes with a token gets what the whole way gives, and nothing else.

lab/gated is gated, and not offered in the Union; lab/hidden is private; lab/off is disabled; lab/open is open.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from django.core import signals
from django.core.handlers.wsgi import WSGIHandler
from django.db import OperationalError, close_old_connections, connection
from django.test import RequestFactory
from django.utils import timezone

from access import services, tokens
from access.models import AccessToken
from access.tokens import Scope
from accounts.actor import SYSTEM, Actor
from accounts.models import User
from accounts.prepared import Statement
from gatehub.hub import downloads
from gatehub.hub.quick import QuickFiles
from repos.models import Repo
from tests.support.cast import add_files, make_token
from tests.support.geoip import write_database

NAMES = ("gated", "hidden", "off", "open")
FRANCE, AMERICA = "81.2.69.160", "2001:db8::1"
CARD = b"---\nextra_gated_eu_disallowed: true\n---\n# A model\n"
REQUESTS = [
    ("a.txt", {}),
    ("big.bin", {}),
    ("a.txt", {"Range": "bytes=2-4"}),
    ("big.bin", {"Range": "bytes=100-"}),
    ("a.txt", {"Range": "bytes=999-"}),
    ("a.txt", {"If-None-Match": "*"}),
    ("README.md", {}),
    ("missing.txt", {}),
    ("folder", {}),
]
OF_THE_FRAMEWORK = frozenset({"Allow", "Vary", "X-Request-Id"})
"""Headers that the whole way adds to any answer, or that differ each time; of a 304 it says that its body is empty."""


@pytest.fixture
def repos(lab, ada, make_repo, tmp_path, settings) -> dict[str, Repo]:
    networks = {"81.2.69.0/24": {"country": {"iso_code": "FR"}}, "2001:db8::/32": {"country": {"iso_code": "US"}}}
    write_database(tmp_path / "country.mmdb", networks)
    settings.GATEHUB_GEOIP_DB = str(tmp_path / "country.mmdb")
    files = {"README.md": CARD, "a.txt": b"0123456789", "folder/b.txt": b"b"}
    made = {
        name: make_repo(
            f"lab/{name}", by=ada, files=files, large={"big.bin": bytes(range(256)) * 8}, private=name == "hidden",
            **({"gated": "manual"} if name == "gated" else {}),
        )
        for name in NAMES
    }  # fmt: skip
    Repo.objects.filter(pk=made["off"].pk).update(disabled=True)
    return made


def ask(repo: Repo, user: User, status: str, by: User) -> None:
    request = services.ask(repo=repo, answers={}, by=Actor(user=user, address=AMERICA))
    if status != "pending":
        services.review(access_request=request, status=status, by=Actor(user=by))


@pytest.fixture
def headers(repos, ada, rea, sam, noor, olu, make_user) -> dict[str, str]:
    """Authorization, by who sends it."""
    ask(repos["gated"], sam, "accepted", ada)
    ask(repos["gated"], noor, "rejected", ada)
    ask(repos["gated"], olu, "pending", ada)
    gone = make_user("gone")
    ask(repos["gated"], gone, "accepted", ada)
    secrets = {
        "ada": make_token(ada),
        "a member": make_token(rea, "read"),
        "accepted": make_token(sam, "read"),
        "accepted, to write": make_token(sam, "write"),
        "accepted, without scopes": make_token(sam, "fine-grained"),
        "accepted, of what is gated": make_token(sam, "fine-grained", can_read_gated=True),
        "accepted, of this repo": make_token(
            sam, "fine-grained", scopes=[Scope("repo.content.read", repo=repos["gated"])]
        ),
        "accepted, of another repo": make_token(
            sam, "fine-grained", scopes=[Scope("repo.content.read", repo=repos["open"])]
        ),
        "accepted, expired": make_token(sam, "read", name="old"),
        "accepted, revoked": make_token(sam, "read", name="ended"),
        "accepted, not active": make_token(gone, "read"),
        "rejected": make_token(noor),
        "pending": make_token(olu),
        "mistyped": "gate_" + "a" * 46,
        "of somebody else's hub": "hf_" + "a" * 34,
    }
    AccessToken.objects.filter(name="old").update(expires_at=timezone.now() - timedelta(seconds=1))
    tokens.revoke(token=AccessToken.objects.get(name="ended"), by=SYSTEM)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    basic = base64.b64encode(f"anybody:{secrets['accepted']}".encode()).decode()
    odd = {"basic": f"Basic {basic}", "digest": "Digest x", "nothing": " "}
    return {who: f"Bearer {secret}" for who, secret in secrets.items()} | odd


@pytest.fixture(autouse=True)
def in_a_transaction(db, monkeypatch):
    """The test's own, which would be closed with its connection after each request; as Django's test client does it."""
    if not connection.in_atomic_block:
        yield
        return
    monkeypatch.setattr("gatehub.hub.quick.close_old_connections", lambda: None)
    both = (signals.request_started, signals.request_finished)
    for signal in both:
        signal.disconnect(close_old_connections)
    yield
    for signal in both:
        signal.connect(close_old_connections)


@dataclass
class Answer:
    """What a WSGI application says."""

    status: int
    headers: dict[str, str]
    body: bytes


class Caller:
    """Asks a WSGI application, from an address."""

    def __init__(self, application: Any, address: str = AMERICA) -> None:
        self.application = application
        self.address = address

    def __call__(self, method: str, path: str, **headers: str) -> Answer:
        headers = {"Host": "testserver", **headers}
        request = RequestFactory().generic(method, path, REMOTE_ADDR=self.address, headers=headers)
        request.environ["PATH_INFO"] = unquote_to_bytes(path.partition("?")[0]).decode("latin-1")
        started: list[tuple[str, list[tuple[str, str]]]] = []
        given = self.application(request.environ, lambda *args: started.append(args))
        try:
            body = b"".join(given)
        finally:
            if hasattr(given, "close"):
                given.close()
        ((status, told),) = started
        assert len({name.lower() for name, _ in told}) == len(told)
        return Answer(int(status[:3]), dict(told), body)


def fails(environ: object, start_response: object) -> None:
    raise AssertionError("the whole way")


@pytest.fixture
def short():
    """The short way alone."""
    return Caller(QuickFiles(fails))


@pytest.fixture
def both():
    """As requests are answered: the short way, or else the whole one."""
    return Caller(QuickFiles(WSGIHandler()))


def answers_to(caller: Caller, headers: dict[str, str]) -> dict[tuple[str, ...], tuple]:
    answers = {}
    for who, authorization in headers.items():
        for name in (*NAMES, "missing"):
            for path, more in REQUESTS if name == "gated" and who in ("ada", "accepted") else REQUESTS[:1]:
                for method in ("GET", "HEAD"):
                    answer = caller(method, f"/lab/{name}/resolve/main/{path}", Authorization=authorization, **more)
                    left_out = OF_THE_FRAMEWORK | ({"Content-Length"} if answer.status == 304 else set())
                    told = {name: value for name, value in answer.headers.items() if name not in left_out}
                    key = (who, name, path, *more.values(), method)
                    answers[key] = (answer.status, answer.body, told)
    return answers


@pytest.fixture
def by_libpq(monkeypatch) -> list[int]:
    """How many rows each statement gave that begins a download, and that libpq was asked for at once."""
    given: list[int] = []
    usual = Statement.rows

    def rows(*args):
        found = usual(*args)
        if found is not None and b"LATERAL" in args[0]._sql:
            given.append(len(found))
        return found

    monkeypatch.setattr(Statement, "rows", rows)
    return given


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("address", [AMERICA, FRANCE])
def test_outside_of_transactions_it_gives_what_the_whole_way_gives(address, repos, headers, settings, by_libpq):
    """As requests are answered on PostgreSQL: libpq is asked at once."""
    test_it_gives_what_the_whole_way_gives("postgresql", address, repos, headers, settings)
    assert set(by_libpq) == {0, 1}


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_outside_of_transactions_a_decision_counts_at_the_next_request(repos, headers, sam, ada, both, by_libpq):
    test_a_decision_counts_at_the_next_request(repos, headers, sam, ada, both)
    assert by_libpq[-3:] == [0, 1, 0]  # Before the first, psycopg may have let all go with a rollback.


@pytest.mark.parametrize("address", [AMERICA, FRANCE])
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_it_gives_what_the_whole_way_gives(database, address, repos, headers, settings):
    whole = WSGIHandler()
    quick = answers_to(Caller(QuickFiles(whole), address), headers)
    assert quick == answers_to(Caller(whole, address), headers)
    gave = {who for (who, name, *_, method), answer in quick.items() if name == "gated" and answer[0] == 200
            and method == "GET" and answer[1] == b"0123456789"}  # fmt: skip
    here = {"accepted", "accepted, to write", "accepted, of what is gated", "accepted, of this repo", "basic"}
    assert gave == {"ada", "a member"} | (here if address == AMERICA else set())


@pytest.mark.parametrize("path", ["a.txt", "big.bin"])
@pytest.mark.parametrize("query", ["?download=true", "?download=1&x=y"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_query_is_heeded(method, query, path, repos, headers, both):
    address = f"/lab/gated/resolve/main/{path}{query}"
    given = both(method, address, Authorization=headers["accepted"])
    assert given.headers["Content-Disposition"].startswith("attachment;")
    assert given.status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_addresses_that_clients_send_in_other_words_are_the_same(method, repos, headers, short, ada, make_repo):
    make_repo("lab/names", by=ada, files={"ünï/ß 李.txt": b"letters", "a%41.txt": b"percent"})
    for path, contents in {"%C3%BCn%C3%AF/%C3%9F%20%E6%9D%8E.txt": b"letters", "a%2541.txt": b"percent"}.items():
        answer = short(method, f"/lab/names/resolve/main/{path}", Authorization=headers["ada"])
        assert (answer.status, answer.body) == (200, contents if method == "GET" else b"")
    assert short(method, "//LAB/gated/resolve/main/a.txt", Authorization=headers["ada"]).status == 200


def test_a_dataset_is_not_a_model_of_the_same_name(repos, headers, both, ada, make_repo):
    make_repo("lab/gated", type_="dataset", by=ada, files={"only.txt": b"of the dataset"})
    assert both("GET", "/datasets/lab/gated/resolve/main/only.txt", Authorization=headers["ada"]).status == 200
    assert both("GET", "/lab/gated/resolve/main/only.txt", Authorization=headers["ada"]).status == 404


def test_the_trace_id_of_the_client_comes_back(repos, headers, short):
    path = "/lab/gated/resolve/main/a.txt"
    first, second = (short("HEAD", path, Authorization=headers["ada"]) for _ in range(2))
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    given = {"Authorization": headers["ada"], "X-Amzn-Trace-Id": "0123-456789"}
    assert short("HEAD", path, **given).headers["X-Request-Id"] == "0123-456789"
    odd = given | {"X-Amzn-Trace-Id": "a b\r\nc: d"}
    assert len(short("HEAD", path, **odd).headers["X-Request-Id"]) == 32


@pytest.mark.parametrize(
    ("database", "who", "queries"),
    [
        ("sqlite", "accepted", 2),
        pytest.param("postgresql", "accepted", 1, marks=pytest.mark.postgresql),
        pytest.param("postgresql", "accepted, of this repo", 3, marks=pytest.mark.postgresql),
    ],
)
def test_a_file_costs_few_queries_and_a_large_one_one_more(
    database, who, queries, repos, headers, short, django_assert_num_queries
):
    for path, more in (("a.txt", 0), ("big.bin", 1)):
        address = f"/lab/gated/resolve/main/{path}"
        assert short("HEAD", address, Authorization=headers[who]).status == 200
        with django_assert_num_queries(queries + more):
            assert short("HEAD", address, Authorization=headers[who]).status == 200


def test_the_rest_is_not_thought_of(repos, headers, short):
    """Without the rest of the server, a file is handed out all the same."""
    authorization = {"Authorization": headers["accepted"]}
    path = "/lab/gated/resolve/main/a.txt"
    assert short("HEAD", path, **authorization).status == 200
    for other in ("/lab/gated", "/api/models/lab/gated", "/lab/gated/resolve/main/missing.txt"):
        with pytest.raises(AssertionError, match="the whole way"):
            short("HEAD", other, **authorization)
    with pytest.raises(AssertionError, match="the whole way"):
        short("POST", path, **authorization)
    with pytest.raises(AssertionError, match="the whole way"):
        short("HEAD", "/lab/open/resolve/main/a.txt")  # Without a token.


def test_a_decision_counts_at_the_next_request(repos, headers, sam, ada, both):
    authorization, path = {"Authorization": headers["accepted"]}, "/lab/gated/resolve/main/a.txt"
    assert both("HEAD", path, **authorization).status == 200
    request = repos["gated"].access_requests.get(user=sam)
    services.review(access_request=request, status="rejected", by=Actor(user=ada))
    assert both("HEAD", path, **authorization).status == 403
    services.review(access_request=request, status="accepted", by=Actor(user=ada))
    assert both("HEAD", path, **authorization).status == 200
    for token in AccessToken.objects.filter(user=sam, role="read"):
        tokens.revoke(token=token, by=SYSTEM)
    assert both("HEAD", path, **authorization).status == 401


def test_a_file_that_has_changed_is_the_new_one(repos, headers, ada, short):
    authorization, path = {"Authorization": headers["accepted"]}, "/lab/gated/resolve/main/a.txt"
    before = short("HEAD", path, **authorization)
    add_files(repos["gated"], {"a.txt": b"another text"}, by=ada)
    after = short("GET", path, **authorization)
    assert after.body == b"another text"
    assert {before.headers[name] == after.headers[name] for name in ("ETag", "X-Repo-Commit")} == {False}


def test_the_use_of_the_token_is_noted(repos, headers, sam, short):
    short("HEAD", "/lab/gated/resolve/main/a.txt", Authorization=headers["accepted"])
    token = AccessToken.objects.filter(user=sam, role="read").earliest("pk")
    assert timezone.now() - token.last_used_at < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("method", "path", "more", "counted"),
    [
        ("GET", "a.txt", {}, 1),
        ("GET", "big.bin", {}, 1),
        ("HEAD", "a.txt", {}, 0),
        ("GET", "a.txt", {"Range": "bytes=0-3"}, 1),
        ("GET", "a.txt", {"Range": "bytes=3-"}, 0),
        ("GET", "a.txt", {"If-None-Match": "*"}, 0),
        ("GET", "a.txt", {"Sec-Fetch-Dest": "image"}, 0),
        ("GET", "missing.txt", {}, 0),
    ],
)
def test_what_holds_the_file_or_its_beginning_is_a_download(
    method, path, more, counted, repos, headers, both, monkeypatch
):
    for writes in (True, False):
        fresh = downloads.Tally()
        if not writes:
            fresh._next_write = monotonic() + 1000
        for module in ("quick", "resolve"):
            monkeypatch.setattr(f"gatehub.hub.{module}.tally", fresh)
        Repo.objects.filter(pk=repos["gated"].pk).update(downloads=0)
        both(method, f"/lab/gated/resolve/main/{path}", Authorization=headers["accepted"], **more)
        fresh.write()
        assert Repo.objects.get(pk=repos["gated"].pk).downloads == counted


def test_a_name_that_is_not_this_servers_is_refused(repos, headers, settings, both):
    settings.ALLOWED_HOSTS = ["hub.example.org"]
    given, path = {"Authorization": headers["accepted"]}, "/lab/gated/resolve/main/a.txt"
    for host in ("elsewhere.example.org", "", "hub.example.org@elsewhere.example.org"):
        assert both("HEAD", path, Host=host, **given).status == 400
    assert both("HEAD", path, Host="hub.example.org", **given).status == 200
    assert both("HEAD", path, Host="hub.example.org:8000", **given).status == 200


def test_where_only_https_is_served_that_is_asked_for_first(repos, headers, settings):
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 3600
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    both, given = Caller(QuickFiles(WSGIHandler())), {"Authorization": headers["accepted"]}
    path = "/lab/gated/resolve/main/a.txt"
    for more in ({}, {"X-Forwarded-Proto": "http"}):
        answer = both("GET", path, **given, **more)
        assert (answer.status, answer.headers["Location"]) == (301, f"https://testserver{path}")
    answer = both("GET", path, **given, **{"X-Forwarded-Proto": "https"})
    assert (answer.status, answer.headers["Strict-Transport-Security"]) == (200, "max-age=3600")


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
@pytest.mark.parametrize(
    "name", ["access.tokens.rows", "gatehub.hub.quick.find_file", "gatehub.hub.quick.file_headers"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_fails_is_an_error_of_the_server_and_hands_out_nothing(
    method, name, accept, repos, headers, short, monkeypatch, caplog
):
    """Nor is it asked again: while the database is away, that would take as long once more."""

    def fails(*_: object, **__: object) -> None:
        raise OperationalError("The database is gone.")

    monkeypatch.setattr(name, fails)
    answer = short(method, "/lab/gated/resolve/main/a.txt", Authorization=headers["accepted"], Accept=accept)
    assert answer.status == 500
    assert answer.headers["X-Error-Message"].startswith("Something went wrong on the server.")
    assert {"X-Request-Id", "X-Content-Type-Options", "X-Frame-Options"} <= answer.headers.keys()
    assert b"0123456789" not in answer.body
    assert (answer.body == b"") == (method == "HEAD")
    (record,) = caplog.records
    assert (record.name, record.exc_info[0]) == ("django.request", OperationalError)
    assert connection.in_atomic_block
