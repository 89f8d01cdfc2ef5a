"""The daily digest: the product's outbox against one grouped SQL query and the building of the mails.

    .venv/bin/python -m bench.digest --repos 1000 10000 --rounds 3

Each gated repo has twenty pending requests; one in ten belongs to an organization with two admins, the others to
people with ten repos each.  The product makes the digests (`dispatch.digests`) and sends every mail
(`delivery.deliver`): with claims, leases, recipients looked up once more, a mark for each.  The peer is what one writes
without an outbox: a query that gives each repo with its recipients and its fifty oldest requests, read by a server-side
cursor; the same templates, rendered for each mail, with their style inlined; one UPDATE that marks all as told.  "bare"
is the peer with text and HTML of about that size put together by f-strings, the least that mails can cost.  All give
each mail to a backend that turns it into bytes and counts them.  In turns, each in a process of its own, on a
PostgreSQL that writes safely (fsync).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from html import escape
from pathlib import Path
from typing import Any

WAYS = ("product", "peer", "bare")
EACH = 20
"""Pending requests of a repo."""
ANSWERS = {
    "Affiliation": "Institute for Language and Computation, University of Somewhere",
    "Country": "FR",
    "Purpose": "A study of how models of this kind answer to questions about themselves, with students. " * 4,
    "I agree to the terms": "true",
}
SAFE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "512MB"}


# --- In the product's environment -------------------------------------------------------------------------------------


def fill(repos: int) -> None:
    """The rows as the product writes them, many at once."""
    from allauth.account.models import EmailAddress
    from django.db import connection

    from accounts.models import Membership, Namespace, Organization, User
    from repos.models import Repo

    owners, labs = repos * 9 // 100, repos // 100
    users = User.objects.bulk_create(
        [
            User(username=f"person-{n}", email=f"person{n}@example.org", fullname=f"Person {n}")
            for n in range(owners + 2 * labs + 2000)
        ]
    )
    EmailAddress.objects.bulk_create(
        [EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users]
    )
    spaces = Namespace.objects.bulk_create([Namespace(name=user.username, user=user) for user in users])
    organizations = Organization.objects.bulk_create([Organization(fullname=f"Lab {n}") for n in range(labs)])
    lab_spaces = Namespace.objects.bulk_create(
        [Namespace(name=f"lab-{n}", organization=organization) for n, organization in enumerate(organizations)]
    )
    admins = users[owners : owners + 2 * labs]
    Membership.objects.bulk_create(
        [
            Membership(organization=organizations[n // 2], user=user, role=Membership.Role.ADMIN)
            for n, user in enumerate(admins)
        ]
    )
    Repo.objects.bulk_create(
        [
            Repo(
                type="model",
                namespace=lab_spaces[n // 10 % labs] if n % 10 == 0 else spaces[n % owners],
                name=f"model-{n}",
                gated="manual",
                storage_id=f"{n:032x}",
            )
            for n in range(repos)
        ],
        batch_size=5000,
    )
    with connection.cursor() as cursor:
        cursor.execute(_REQUESTS, [json.dumps(ANSWERS), " ".join(ANSWERS.values()), users[-2000].pk, EACH])
        cursor.execute("VACUUM ANALYZE")


_REQUESTS = """
INSERT INTO access_accessrequest (request_id, repo_id, user_id, status, answers, email, fullname, requested_at, granted,
    rejection_reason, search_text)
SELECT lpad(to_hex(repo.id), 12, '0') || lpad(to_hex(number), 12, '0'), repo.id, person.id, 'pending', %s,
    person.email,
    person.fullname, now() - number * interval '1 minute', false, '', %s
FROM repos_repo AS repo
CROSS JOIN LATERAL (
    SELECT number, %s + (repo.id * 20 + number) %% 2000 AS key FROM generate_series(1, %s) AS number
) AS n
JOIN accounts_user AS person ON person.id = n.key
"""
LET_WAIT = """
TRUNCATE notifications_outboxmessage, notifications_delivery, notifications_digestrun RESTART IDENTITY CASCADE;
INSERT INTO notifications_outboxmessage (kind, state, repo_id, access_request_id, in_digest, data, sealed, because,
    created_at)
SELECT 'new-request', 'waiting', repo_id, id, true, '{}', '', '', now() FROM access_accessrequest ORDER BY id;
VACUUM ANALYZE notifications_outboxmessage;
"""


class Counts:
    mails = size = queries = 0


def measured(send: Any) -> dict[str, float]:
    """What it took to send all."""
    from django.core.mail.backends import locmem
    from django.db import connection

    def send_messages(self: Any, messages: Any) -> int:
        for message in messages:
            Counts.mails += 1
            Counts.size += len(message.message().as_bytes())
        return len(messages)

    locmem.EmailBackend.send_messages = send_messages  # type: ignore[method-assign]

    def count(execute: Any, *args: Any) -> Any:
        Counts.queries += 1
        return execute(*args)

    connection.ensure_connection()
    at_rest = _memory("VmRSS")
    with connection.execute_wrapper(count):
        began, busy = time.perf_counter(), time.process_time()
        parts = send()
        seconds, busy = time.perf_counter() - began, time.process_time() - busy
    return {
        **parts,
        "seconds": seconds,
        "busy": busy,
        "mails": Counts.mails,
        "MB": Counts.size / 1e6,
        "queries": Counts.queries,
        "MiB at rest": at_rest,
        "MiB peak": _memory("VmHWM"),
    }


def _memory(which: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(which))


def product() -> dict[str, float]:
    from notifications import delivery, dispatch

    began = time.perf_counter()
    dispatch.digests()
    made = time.perf_counter() - began
    delivery.deliver()
    return {"making the digests, seconds": made}


GROUPED = """
SELECT repo.id, namespace.name || '/' || repo.name, waiting.number, waiting.askers, recipients.addresses
FROM (
    SELECT message.repo_id, count(*) AS number,
        (array_agg(json_build_array(person.username, request.fullname, request.email, request.requested_at)
            ORDER BY request.requested_at, message.id))[:50] AS askers
    FROM notifications_outboxmessage AS message
    JOIN access_accessrequest AS request ON request.id = message.access_request_id AND request.status = 'pending'
    JOIN accounts_user AS person ON person.id = request.user_id
    WHERE message.state = 'waiting' AND message.in_digest
    GROUP BY message.repo_id
) AS waiting
JOIN repos_repo AS repo ON repo.id = waiting.repo_id AND repo.gated <> 'no'
JOIN accounts_namespace AS namespace ON namespace.id = repo.namespace_id
CROSS JOIN LATERAL (
    SELECT array_agg(email) AS addresses FROM (
        SELECT address.email FROM account_emailaddress AS address
        JOIN accounts_user AS reader ON reader.id = address.user_id AND reader.is_active
        LEFT JOIN accounts_membership AS member ON member.user_id = reader.id AND member.role = 'admin'
            AND member.organization_id = namespace.organization_id
        WHERE address.verified AND address.primary AND (reader.id = namespace.user_id OR member.id IS NOT NULL)
        ORDER BY member.role_since, member.id LIMIT 5
    ) AS first
) AS recipients
ORDER BY repo.id
"""


def peer() -> dict[str, float]:
    return _in_one_go(_templated)


def bare() -> dict[str, float]:
    return _in_one_go(_bare)


def _in_one_go(build: Any) -> dict[str, float]:
    from django.core.mail import get_connection
    from django.db import connection, transaction

    mails = get_connection()
    with transaction.atomic():
        with connection.chunked_cursor() as cursor:
            cursor.execute(GROUPED)
            for _, repo_id, number, askers, addresses in cursor:
                for address in addresses or ():
                    mails.send_messages([build(repo_id, number, askers, address)])
        with connection.cursor() as marking:
            marking.execute("UPDATE notifications_outboxmessage SET state = 'dispatched' WHERE state = 'waiting'")
    return {}


def _templated(repo_id: str, number: int, askers: list[list[str]], address: str) -> Any:
    import css_inline
    from django.conf import settings
    from django.core.mail import EmailMultiAlternatives
    from django.template.loader import render_to_string

    url = f"{settings.PUBLIC_URL}/{repo_id}"
    one = {"type": "model", "name": repo_id, "url": url, "settings_url": f"{url}/settings"}
    rows = [
        {"username": who, "name": name, "email": email, "when": when, "url": f"{settings.PUBLIC_URL}/{who}"}
        for who, name, email, when in askers
    ]
    subject = f"[GateHub] {number} access requests for {repo_id}"
    context = {
        "subject": subject,
        "heading": f"{number} access requests",
        "groups": [{"about": one, "askers": rows}],
        "one": one,
        "more": number - len(rows),
        "is_digest": True,
        "why": f"you manage the model {repo_id}",
        "has_account": True,
        "unsubscribe": f"{settings.PUBLIC_URL}/notifications/unsubscribe/{repo_id}",
        "home": f"{settings.PUBLIC_URL}/",
        "server": settings.PUBLIC_URL,
        "settings_url": f"{settings.PUBLIC_URL}/settings/notifications",
    }
    mail = EmailMultiAlternatives(subject, render_to_string("notifications/mail/requests.txt", context), to=[address])
    mail.attach_alternative(
        css_inline.inline(render_to_string("notifications/mail/requests.html", context)), "text/html"
    )
    return mail


def _bare(repo_id: str, number: int, askers: list[list[str]], address: str) -> Any:
    from django.conf import settings
    from django.core.mail import EmailMultiAlternatives

    url = f"{settings.PUBLIC_URL}/{repo_id}"
    said = "".join(f"\n- {who} ({name})\n  {email}, {when}" for who, name, email, when in askers)
    text = f"{number} people asked for access for the model {repo_id} and wait.\n{said}\n\nDecide: {url}/settings\n"
    cell = "margin: 0; padding: 8px 0; font: 16px/1.5 system-ui, sans-serif; color: #1f2430; border-top: 1px solid #ccc"
    soft = "margin: 0; font: 14px/1.5 system-ui, sans-serif; color: #5b6270"
    rows = "".join(
        f'<tr><td style="{cell}"><p style="{cell}"><a href="{settings.PUBLIC_URL}/{escape(who)}" style="{cell}">'
        f'{escape(who)}</a> {escape(name)}</p><p style="{soft}">{escape(email)} · {escape(when)}</p></td></tr>'
        for who, name, email, when in askers
    )
    html = (
        f'<!doctype html><html><body style="{cell}"><h1 style="{cell}">{number} people asked for access</h1>'
        f'<p style="{cell}">For the model <a href="{url}">{escape(repo_id)}</a>.</p><table>{rows}</table>'
        f'<p><a href="{url}/settings" style="{cell}">Review the requests</a></p></body></html>'
    )
    mail = EmailMultiAlternatives(f"[GateHub] {number} access requests for {repo_id}", text, to=[address])
    mail.attach_alternative(html, "text/html")
    return mail


# --- From outside -----------------------------------------------------------------------------------------------------


class Stage:
    """A database with so many repos."""

    def __init__(self, cluster: Any, repos: int) -> None:
        self.cluster = cluster
        url = cluster.create_database()
        self.database = url.rpartition("/")[2]
        self.folder = Path(tempfile.mkdtemp(prefix="gatehub-bench-"))
        self.env = {
            "PATH": os.environ["PATH"],
            "GATEHUB_DATA_DIR": str(self.folder),
            "GATEHUB_DATABASE_URL": url,
            "GATEHUB_SECRET_KEY": "of-a-benchmark-" * 4,
            "GATEHUB_PUBLIC_URL": "https://hub.example.org",
            "DJANGO_SETTINGS_MODULE": "gatehub.settings",
        }
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=self.env, check=True)
        self.run("fill", str(repos))

    def run(self, *role: str) -> dict[str, float]:
        command = [sys.executable, "-m", "bench.digest", "--role", *role]
        done = subprocess.run(command, env=self.env, check=True, stdout=subprocess.PIPE, text=True)
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def let_wait(self) -> None:
        for statement in LET_WAIT.strip().split(";\n"):
            self.cluster.sql(statement, self.database)
        self.cluster.sql("CHECKPOINT", self.database)


def role(name: str, number: int) -> None:
    import django

    django.setup()
    from django.conf import settings

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    if name == "fill":
        fill(number)
        print("{}")
    else:
        print(json.dumps(measured({"product": product, "peer": peer, "bare": bare}[name])))


def run(sizes: list[int], rounds: int) -> dict[str, Any]:
    from bench.hub import spread
    from tests.support.postgresql import Cluster

    cluster = Cluster(SAFE)
    try:
        stages = {size: Stage(cluster, size) for size in sizes}
        found: dict[tuple[str, int], list[dict[str, float]]] = {}
        for _ in range(rounds):
            for size, stage in stages.items():
                for way in WAYS:
                    stage.let_wait()
                    found.setdefault((way, size), []).append(stage.run(way))
                    print(
                        way, size, {name: round(value, 1) for name, value in found[way, size][-1].items()}, flush=True
                    )
    finally:
        cluster.close()
    report: dict[str, Any] = {"rounds": rounds, "budget": "3 times the peer, memory flat"}
    for size in sizes:
        report[f"{size} repos, {size * EACH} requests"] = {
            **{
                f"product against {way}, {what}": spread(
                    [
                        mine[what] / other[what]
                        for mine, other in zip(found["product", size], found[way, size], strict=True)
                    ],
                    2,
                )
                for way in WAYS[1:]
                for what in ("seconds", "busy")
            },
            **{
                f"{way}, {name}": spread([one[name] for one in found[way, size]], 1)
                for way in WAYS
                for name in found[way, size][0]
            },
        }
    first, last = sizes[0], sizes[-1]
    for way in WAYS:
        if first == last:
            continue
        ratio = statistics.median(one["seconds"] for one in found[way, last]) / statistics.median(
            one["seconds"] for one in found[way, first]
        )
        report[f"exponent, {way}"] = round(math.log(ratio) / math.log(last / first), 2)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repos", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--role", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        role(options.role[0], int(options.role[1]) if len(options.role) > 1 else 0)
        return
    from bench.hub import write

    write("digest", run(options.repos, options.rounds))


if __name__ == "__main__":
    main()
