"""The short way to a file: whoever comes with a token gets what the whole way gives, and nothing else.

lab/gated is gated, and not offered in the Union; lab/hidden is private; lab/off is disabled; lab/open is open.
"""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from access import services, tokens
from access.models import AccessToken
from access.tokens import Scope
from accounts.actor import SYSTEM, Actor
from accounts.models import User
from accounts.prepared import Statement
from gatehub.hub.quick import QuickFiles
from repos.models import Repo
from tests.support.cast import make_token, text_of
from tests.support.geoip import write_database

QUICK = f"{QuickFiles.__module__}.{QuickFiles.__qualname__}"
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


def answers_to(headers: dict[str, str], address: str) -> dict[tuple[str, ...], tuple]:
    client, answers = Client(REMOTE_ADDR=address), {}
    for who, authorization in headers.items():
        for name in (*NAMES, "missing"):
            for path, more in REQUESTS if name == "gated" and who in ("ada", "accepted") else REQUESTS[:1]:
                for method in ("get", "head"):
                    given = {"Authorization": authorization, **more}
                    answer = getattr(client, method)(f"/lab/{name}/resolve/main/{path}", headers=given)
                    left_out = OF_THE_FRAMEWORK | ({"Content-Length"} if answer.status_code == 304 else set())
                    told = {name: value for name, value in answer.headers.items() if name not in left_out}
                    key = (who, name, path, *more.values(), method)
                    answers[key] = (answer.status_code, text_of(answer), told)
    return answers


@pytest.fixture
def by_libpq(monkeypatch) -> list[int]:
    """How many rows each statement gave that libpq was asked for at once."""
    given: list[int] = []
    usual = Statement.rows

    def rows(*args):
        found = usual(*args)
        given.extend([] if found is None else [len(found)])
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
def test_outside_of_transactions_a_decision_counts_at_the_next_request(repos, headers, sam, ada, by_libpq):
    test_a_decision_counts_at_the_next_request(repos, headers, sam, ada)
    assert by_libpq == [1, 0, 1, 0]


@pytest.mark.parametrize("address", [AMERICA, FRANCE])
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_it_gives_what_the_whole_way_gives(database, address, repos, headers, settings):
    assert QUICK in settings.MIDDLEWARE
    quick = answers_to(headers, address)
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != QUICK]
    assert quick == answers_to(headers, address)
    gave = {who for (who, name, *_, method), answer in quick.items() if name == "gated" and answer[0] == 200
            and method == "get" and answer[1] == b"0123456789"}  # fmt: skip
    here = {"accepted", "accepted, to write", "accepted, of what is gated", "accepted, of this repo", "basic"}
    assert gave == {"ada", "a member"} | (here if address == AMERICA else set())


@pytest.mark.parametrize(
    ("database", "who", "queries"),
    [
        ("sqlite", "accepted", 2),
        pytest.param("postgresql", "accepted", 1, marks=pytest.mark.postgresql),
        pytest.param("postgresql", "accepted, of this repo", 3, marks=pytest.mark.postgresql),
    ],
)
def test_a_file_costs_few_queries_and_a_large_one_one_more(
    database, who, queries, repos, headers, django_assert_num_queries
):
    client = Client(REMOTE_ADDR=AMERICA, headers={"Authorization": headers[who]})
    for path, more in (("a.txt", 0), ("big.bin", 1)):
        assert client.head(f"/lab/gated/resolve/main/{path}").status_code == 200
        with django_assert_num_queries(queries + more):
            assert client.head(f"/lab/gated/resolve/main/{path}").status_code == 200


def test_sessions_forms_and_pages_are_not_thought_of(repos, headers, settings):
    """With the rest of the chain gone, a file is handed out all the same."""
    kept = settings.MIDDLEWARE.index(QUICK) + 1
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[:kept], "tests.hub.test_quick.Fails"]
    client = Client(REMOTE_ADDR=AMERICA, headers={"Authorization": headers["accepted"]})
    assert client.head("/lab/gated/resolve/main/a.txt").status_code == 200
    for path in ("/lab/gated", "/api/models/lab/gated", "/lab/gated/resolve/main/missing.txt"):
        with pytest.raises(AssertionError, match="the whole way"):
            client.head(path)
    with pytest.raises(AssertionError, match="the whole way"):
        client.post("/lab/gated/resolve/main/a.txt")
    with pytest.raises(AssertionError, match="the whole way"):
        Client().head("/lab/open/resolve/main/a.txt")  # Without a token.


class Fails:
    def __init__(self, get_response):
        pass

    def __call__(self, request):
        raise AssertionError("the whole way")


def test_a_decision_counts_at_the_next_request(repos, headers, sam, ada):
    client = Client(REMOTE_ADDR=AMERICA, headers={"Authorization": headers["accepted"]})
    path = "/lab/gated/resolve/main/a.txt"
    assert client.head(path).status_code == 200
    request = repos["gated"].access_requests.get(user=sam)
    services.review(access_request=request, status="rejected", by=Actor(user=ada))
    assert client.head(path).status_code == 403
    services.review(access_request=request, status="accepted", by=Actor(user=ada))
    assert client.head(path).status_code == 200
    for token in AccessToken.objects.filter(user=sam, role="read"):
        tokens.revoke(token=token, by=SYSTEM)
    assert client.head(path).status_code == 401


def test_the_use_of_the_token_is_noted(repos, headers, sam):
    client = Client(REMOTE_ADDR=AMERICA, headers={"Authorization": headers["accepted"]})
    client.head("/lab/gated/resolve/main/a.txt")
    token = AccessToken.objects.filter(user=sam, role="read").earliest("pk")
    assert timezone.now() - token.last_used_at < timedelta(minutes=1)


def test_a_name_that_is_not_this_servers_is_refused(repos, headers, settings):
    settings.ALLOWED_HOSTS = ["hub.example.org"]
    given = {"Authorization": headers["accepted"], "Host": "elsewhere.example.org"}
    client = Client(REMOTE_ADDR=AMERICA)
    assert client.head("/lab/gated/resolve/main/a.txt", headers=given).status_code == 400
    given["Host"] = "hub.example.org"
    assert client.head("/lab/gated/resolve/main/a.txt", headers=given).status_code == 200


def test_what_the_database_refuses_is_an_error_of_the_server(repos, headers, monkeypatch):
    """Nothing is handed out while nobody can be asked."""

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("The database is gone.")

    monkeypatch.setattr("access.tokens.rows", fails)
    client = Client(REMOTE_ADDR=AMERICA, headers={"Authorization": headers["accepted"]}, raise_request_exception=False)
    assert client.head("/lab/gated/resolve/main/a.txt").status_code == 500
    assert connection.in_atomic_block
