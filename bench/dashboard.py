"""How long the admin's dashboard and lists take at 1,000,000 requests of 10,000 repos, on PostgreSQL.

    python -m bench.dashboard --requests 1000000 --repos 10000 --people 200000

The rows are made by SQL, the tallies by one statement for all, as the triggers would have made them one by one; what a
page costs is the time within Django, asked for again and again by the test client.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 15
PAGES = {
    "dashboard": "/admin/",
    "repos": "/admin/repos/repo/",
    "repos, by id": "/admin/repos/repo/?q=person-7/repo-7",
    "tokens": "/admin/access/accesstoken/",
    "tokens of a person": "/admin/access/accesstoken/?q=person-7",
    "addresses": "/admin/account/emailaddress/",
    "memberships": "/admin/accounts/membership/",
    "deliveries": "/admin/notifications/delivery/",
    "deliveries given up": "/admin/notifications/delivery/?state__exact=dead",
}
FILL = """
INSERT INTO accounts_user (username, fullname, email, password, is_superuser, is_staff, is_active, date_joined)
    SELECT 'person-' || n, 'Person ' || n, 'person' || n || '@example.org', '!', false, false, true, now()
    FROM generate_series(1, {people}) n;
INSERT INTO accounts_namespace (name, user_id) SELECT username, id FROM accounts_user WHERE username LIKE 'person-%';
INSERT INTO account_emailaddress (user_id, email, verified, "primary")
    SELECT id, email, true, true FROM accounts_user WHERE username LIKE 'person-%';
INSERT INTO repos_repo (type, namespace_id, name, created_at, last_modified, private, disabled, gated,
        org_members_gated, gated_notifications_mode, gated_notifications_email, gated_notifications_email_nonce,
        storage_id, head_sha, card_data, card_error, downloads)
    SELECT 'model', space.id, 'repo-' || n, now(), now(), false, n % 500 = 0,
        CASE WHEN n % 3 = 0 THEN 'no' ELSE 'manual' END, false, 'bulk', '', '', md5(n::text), '', '{{}}', '', 0
    FROM generate_series(1, {repos}) n JOIN accounts_namespace space ON space.name = 'person-' || n;
CREATE TEMPORARY TABLE repo_keys AS SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM repos_repo;
CREATE TEMPORARY TABLE user_keys AS
    SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM accounts_user WHERE username LIKE 'person-%';
INSERT INTO access_accesstoken (user_id, name, role, sha256, last_characters, can_read_gated, created_at)
    SELECT id, 'laptop', 'read', md5(id::text) || md5('x' || id), right(md5(id::text), 4), false, now() FROM user_keys;
"""
REQUESTS = """
INSERT INTO access_accessrequest (request_id, repo_id, user_id, status, answers, email, fullname, requested_at, granted,
        reviewed_at, rejection_reason, country, search_text)
    SELECT left(md5(n::text), 24), repo_keys.id, user_keys.id, status, '{{}}', 'a@example.org', 'Person',
        at, false, CASE WHEN status = 'pending' THEN NULL ELSE at + interval '1 day' END, '', 'FR', 'person'
    FROM (SELECT n, now() - (n % 1000) * interval '1 day' AS at,
            (ARRAY['pending', 'accepted', 'accepted', 'accepted', 'rejected'])[n % 5 + 1] AS status
        FROM generate_series(1, {requests}) n) made
    JOIN repo_keys ON repo_keys.place = (n::bigint * 7919 + n / {repos}) % {repos}
    JOIN user_keys ON user_keys.place = n % {people}
    ON CONFLICT DO NOTHING;
"""
TALLIES = """
INSERT INTO access_requesttally (repo_id, day, pending, accepted, rejected)
    SELECT repo_id, (requested_at AT TIME ZONE 'UTC')::date, count(*) FILTER (WHERE status = 'pending'),
        count(*) FILTER (WHERE status = 'accepted'), count(*) FILTER (WHERE status = 'rejected')
    FROM access_accessrequest GROUP BY 1, 2;
"""
MAILS = """
INSERT INTO notifications_outboxmessage (kind, state, in_digest, data, sealed, because, created_at)
    SELECT 'accepted', 'dispatched', false, '{{}}', '', '', now() FROM generate_series(1, {mails}) n;
INSERT INTO notifications_delivery (message_id, kind, address, state, name, due_at, attempts, deadline, held,
        created_at, sent_at, problem, provider_id, provider_status, file)
    SELECT id, 'accepted', 'a' || id || '@example.org',
        CASE WHEN id % 1000 = 0 THEN 'dead' WHEN id % 100 = 0 THEN 'waiting' ELSE 'sent' END,
        md5(id::text)::uuid, now() - interval '1 hour', 1, now(), false, now(),
        CASE WHEN id % 100 = 0 THEN NULL ELSE now() END, '', '', '', ''
    FROM notifications_outboxmessage;
"""


def fill(requests: int, repos: int, people: int) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # No triggers: they make filling slow.
        cursor.execute(FILL.format(people=people, repos=repos))
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'access_accessrequest'"
            " AND indexdef LIKE 'CREATE INDEX%'"
        )
        indexes = dict(cursor.fetchall())
        for name in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute(REQUESTS.format(requests=requests, repos=repos, people=people))
        for statement in indexes.values():
            if "USING gin" not in statement:  # No page that is measured here searches requests.
                cursor.execute(statement)
        cursor.execute(TALLIES)
        cursor.execute(MAILS.format(mails=requests))
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")
        for table in ("access_accessrequest", "access_requesttally", "notifications_delivery"):
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - a name of ours.
            print(f"{table}: {cursor.fetchone()[0]:,} rows")


def measure() -> None:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from accounts import services
    from accounts.actor import SYSTEM

    stef = services.create_user(
        username="stef", email="stef@example.net", password="correct-horse-battery", is_superuser=True, by=SYSTEM
    )
    client = Client()
    client.force_login(stef, backend="accounts.backends.Backend")
    for name, path in PAGES.items():
        client.get(path)
        took = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            answer = client.get(path)
            took.append((time.perf_counter() - began) * 1000)
            if answer.status_code != 200:
                raise RuntimeError(f"{path}: {answer.status_code}")
        with CaptureQueriesContext(connection) as queries:
            client.get(path)
        slowest = max(queries.captured_queries, key=lambda query: float(query["time"]))
        in_database = sum(float(query["time"]) for query in queries.captured_queries) * 1000
        print(
            json.dumps(
                {
                    "page": name,
                    "least ms": round(min(took)),
                    "median ms": round(statistics.median(took)),
                    "most ms": round(max(took)),
                    "queries": len(queries),
                    "of it in queries ms": round(in_database),
                    "slowest": f"{slowest['time']} s {slowest['sql'][:160]}",
                }
            )
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--repos", type=int, default=10_000)
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--inside", action="store_true", help="Runs in the product's environment: not for people.")
    given = parser.parse_args()
    if given.inside:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatehub.settings")
        import django

        django.setup()
        fill(given.requests, given.repos, given.people)
        measure()
        return
    from bench.hub import POSTGRESQL
    from tests.support.postgresql import Cluster
    from tests.support.server import ROOT, Server

    folder = Path(tempfile.mkdtemp(prefix="gatehub-bench-"))
    cluster = Cluster(dict(POSTGRESQL))
    try:
        env = {
            "GATEHUB_DATABASE_URL": cluster.create_database(),
            "GATEHUB_SECRET_KEY": "of-a-benchmark-" * 4,
            "GATEHUB_ALLOWED_HOSTS": "testserver",
            "GATEHUB_ADMIN_SECOND_FACTOR": "optional",  # Its client is no browser.
            "PYTHONPATH": str(ROOT),
        }
        server = Server(folder, processes=(), env=env)
        server.manage("migrate", "-v0")
        server.manage("collectstatic", "--noinput", "-v0")
        sizes = [f"--{name}={getattr(given, name)}" for name in ("requests", "repos", "people")]
        subprocess.run(
            [sys.executable, "-m", "bench.dashboard", "--inside", *sizes], cwd=ROOT, env=server.env, check=True
        )
    finally:
        cluster.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
