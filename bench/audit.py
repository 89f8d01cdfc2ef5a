"""The audit trail in the admin with millions of rows on PostgreSQL: server time of lists, filters and searches.

    python -m tests.support.postgresql python -m bench.audit --rows 5000000 --rounds 5

Asked through Django's test client in this process, so without the web server; a superuser looks, who sees addresses.
Also the history of a repo with a million events, and the export: seconds to its first byte and rows a second.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    from tests.support.postgresql import SOCKET_VARIABLE, PostgreSQL

    os.environ["GATEHUB_DATABASE_URL"] = PostgreSQL(Path(os.environ[SOCKET_VARIABLE])).create_database()
    os.environ["GATEHUB_DATA_DIR"] = tempfile.mkdtemp(prefix="gatehub-bench-")
    os.environ["GATEHUB_ALLOWED_HOSTS"] = "testserver"
    os.environ["GATEHUB_ADMIN_SECOND_FACTOR"] = "optional"
    os.environ["GATEHUB_SECRET_KEY"] = "for-benchmarks-" * 4
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatehub.settings")
    import django

    django.setup()

from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import services
from accounts.actor import SYSTEM, Actor
from accounts.models import Namespace, User
from repos import services as repo_services
from repos.models import Repo

LIST = "/admin/accounts/auditevent/"
FILL = """
INSERT INTO accounts_auditevent
    (at, verb, target, actor, actor_id_at_the_time, entrance, token_name, repo, before, after)
SELECT now() - (%(rows)s - n) * interval '20 seconds',
    CASE WHEN n %% 10 < 4 THEN 'repo:commit' WHEN n %% 10 < 7 THEN 'access_request:asked'
        WHEN n %% 10 < 9 THEN 'access_request:accepted' WHEN n %% 1000 = 9 THEN 'token:create'
        WHEN n %% 50000 = 19 THEN 'organization:delete' ELSE 'sign_in:done' END,
    'person-' || (n * 7919 %% 200000) || ' on lab/repo-' || (n %% 3000), 'person-' || (n * 104729 %% 200000), n,
    CASE WHEN n %% 5000 = 0 THEN 'admin' WHEN n %% 4 = 0 THEN 'git' WHEN n %% 4 = 1 THEN 'api' ELSE 'page' END,
    CASE WHEN n %% 4 = 1 THEN 'token-' || (n %% 5000) ELSE '' END,
    CASE WHEN n %% 5 = 0 THEN %(repo)s ELSE 1000000 + n %% 3000 END, NULL, '{"status": "pending"}'
FROM generate_series(1::bigint, %(rows)s) AS n
"""
ADDRESSES = """
INSERT INTO accounts_auditaddress (event_id, at, address)
SELECT id, at, ('10.' || (id / 65536 %% 64) || '.' || (id / 256 %% 256) || '.' || id %% 256)::inet
FROM accounts_auditevent
"""
INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE tablename IN ('accounts_auditevent', 'accounts_auditaddress') AND indexdef LIKE 'CREATE INDEX%'
"""
QUESTIONS = {
    "newest": "",
    "page 100": "?p=99",
    "entrance git": "?entrance__exact=git",
    "entrance admin (rare)": "?entrance__exact=admin",
    "noun repo": "?noun=repo",
    "noun token (1 in 1000)": "?noun=token",
    "noun organization (1 in 50000)": "?noun=organization",
    "noun and entrance that never meet": "?noun=organization&entrance__exact=admin",
    "last 24 hours": "?age=1",
    "one person": "?q=person-77777",
    "part of many names": "?q=person-1",
    "a verb": "?q=organization:delete",
    "a token": "?q=token-1234",
    "nothing": "?q=nobody-of-this-name",
    "a deleted repo's id": "?q=lab/repo-77",
    "a repo with a fifth of all": "?q=big/large",
    "an address": "?q=10.3.4.5",
    "search and filter": "?q=person-77777&noun=access_request&entrance__exact=api",
    "two letters": "?q=zz",
}


def fill(rows: int) -> tuple[User, Repo]:
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("migrate", verbosity=0)
    stef = services.create_user(
        username="stef", email="stef@example.org", password="correct-horse-battery", is_superuser=True, by=SYSTEM
    )
    services.create_organization(name="big", admin=stef, by=SYSTEM)
    namespace = Namespace.objects.get(name="big")
    repo = repo_services.create_repo(
        type_="model", namespace=namespace, name="large", private=False, by=Actor(user=stef)
    )
    with connection.cursor() as cursor:
        # Made anew below: row by row they take much longer.
        cursor.execute(INDEXES)
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute(FILL, {"rows": rows, "repo": repo.pk})
        cursor.execute(ADDRESSES, {})
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for _, definition in indexes:
            cursor.execute(definition)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE accounts_auditevent")
        cursor.execute("VACUUM ANALYZE accounts_auditaddress")
    return stef, repo


def ask(client: Client, path: str, rounds: int) -> dict[str, Any]:
    client.get(path)
    seconds, slowest = [], 0.0
    for _ in range(rounds):
        began = time.perf_counter()
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(path)
        seconds.append(time.perf_counter() - began)
        assert answer.status_code == 200, path
        slowest = max(slowest, *(float(query["time"]) for query in queries.captured_queries))
    return {
        "ms": round(statistics.median(seconds) * 1000),
        "most": round(max(seconds) * 1000),
        "query": round(slowest * 1000),
    }


def export(client: Client, rows: int) -> dict[str, Any]:
    began = time.perf_counter()
    pieces: Any = client.post(f"{LIST}export/", {"format": "csv"}).streaming_content
    next(pieces), next(pieces)
    first = time.perf_counter() - began
    taken = sum(piece.count(b"\r\n") for piece in itertools.islice(pieces, rows // 500))
    return {"first byte s": round(first, 3), "rows a second": round(taken / (time.perf_counter() - began))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--into", type=Path, default=Path("bench/results/audit.json"))
    options = parser.parse_args()
    began = time.perf_counter()
    stef, repo = fill(options.rows)
    report: dict[str, Any] = {"rows": options.rows, "filled in s": round(time.perf_counter() - began)}
    client = Client(headers={"accept": "text/html"})
    client.force_login(stef, backend="accounts.backends.Backend")
    paths = {name: LIST + query for name, query in QUESTIONS.items()}
    history = f"{repo.path}/settings/history"
    paths |= {"history": history, "history of files": f"{history}?kind=files",
              "history of a person": f"{history}?person=person-77777"}  # fmt: skip
    for name, path in paths.items():
        report[name] = ask(client, path, options.rounds)
        print(name, report[name], flush=True)
    report["export"] = export(client, min(options.rows, 100_000))
    options.into.parent.mkdir(parents=True, exist_ok=True)
    options.into.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
