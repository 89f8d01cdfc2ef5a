"""What `bench.export` does in the product's environment: repos with many requests, and the SELECT that psql copies."""

from __future__ import annotations

from django.db import connection

from access.models import AccessRequest
from access.report import lines
from access.report.columns import layout_of
from accounts import services as accounts
from accounts.actor import SYSTEM
from bench.crowd import make_repo
from bench.hub import PASSWORD
from repos.models import Repo

ROWS = """
INSERT INTO access_accessrequest (request_id, repo_id, user_id, status, form_id, answers, email, fullname, requested_at,
    granted, reviewed_at, reviewed_by_id, rejection_reason, country, search_text)
SELECT md5(%(repo)s || ' ' || n)::char(24), %(repo)s, users.id, status,
    (%(forms)s::bigint[])[1 + 5 * (n - 1) / %(size)s],
    jsonb_build_object(
        'Affiliation', (ARRAY['Université de ', 'Institute of ', '東京大学 ', 'Labs, '])[1 + n %% 4] || md5(n::text),
        'Country', (ARRAY['FR', 'DE', 'US', 'JP', 'BR'])[1 + n %% 5],
        'Purpose', (ARRAY['academic', 'education', 'commercial', 'other'])[1 + n %% 4],
        'I agree to the terms', 'true'),
    users.email, users.fullname, at, false, CASE WHEN status <> 'pending' THEN at + interval '3 days' END,
    CASE WHEN status <> 'pending' THEN %(reviewer)s::bigint END,
    CASE WHEN status = 'rejected' THEN 'Not now' ELSE '' END, (ARRAY['FR', 'DE', 'US', 'JP', 'BR'])[1 + n %% 5],
    ' ' || users.username || ' ' || lower(users.fullname) || CASE WHEN n = %(size)s / 2 THEN ' miskatonic' ELSE '' END
FROM (
    SELECT n, (ARRAY['pending', 'accepted', 'pending', 'rejected'])[1 + n %% 4] AS status,
        now() - interval '1000 days' + n * (interval '999 days' / %(size)s) AS at
    FROM generate_series(1, %(size)s) AS n
) AS numbers JOIN accounts_user AS users ON users.username = 'person-' || n
ORDER BY n
"""


def fill(sizes: list[int]) -> None:
    ada = accounts.create_user(username="ada", email="ada@example.org", password=PASSWORD, fullname="Ada", by=SYSTEM)
    accounts.create_organization(name="lab", admin=ada, fullname="The Lab", by=SYSTEM)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_user"
            " (username, fullname, email, password, is_superuser, is_staff, is_active, date_joined, sessions_ended)"
            " SELECT 'person-' || n, 'Zoë Nováková ' || n, 'person' || n || '@mail.example.org', '!',"
            " false, false, true, now(), 0 FROM generate_series(1, %s) AS n",
            [max(sizes)],
        )
        # Neither triggers nor indexes meanwhile, which take ten times as long as the rows.
        cursor.execute("SET session_replication_role TO replica")
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'access_accessrequest' "
            "AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname)"
        )
        slow = cursor.fetchall()
        for name, _ in slow:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute("ANALYZE")
    for size in sizes:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role TO origin")
        repo = make_repo(f"requests-{size}", 5, ada)
        forms = list(repo.gate_forms.exclude(spec__fields=[]).order_by("pk").values_list("pk", flat=True))
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role TO replica")
            cursor.execute(ROWS, {"repo": repo.pk, "forms": forms, "size": size, "reviewer": ada.pk})
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role TO origin; SET maintenance_work_mem = '1GB'")
        for _, definition in slow:
            cursor.execute(definition)
        cursor.execute("VACUUM (ANALYZE)")


def select(name: str, *, same: bool) -> str:
    """The SELECT of the whole CSV report: as the product writes it, or without what makes it a report."""
    requests = AccessRequest.objects.filter(repo=Repo.objects.get(name=name))
    layout = layout_of("csv", requests, across_repos=False)
    names = lines.sources(layout)
    found, params = requests.order_by("requested_at", "pk").values_list(*names.values()).query.sql_with_params()
    source = f"({found}) AS request ({', '.join(names)})"
    sql, own_params = lines.select(layout, source)
    if not same:
        answers = ", ".join(["answers ->> %s"] * len(layout.answers))
        columns = "username, fullname, email, status, requested_at, reviewed_at, reviewer, reason, form"
        sql, own_params = f"SELECT {columns}, {answers} FROM {source}", layout.labels  # noqa: S608
    text: str = connection.ops.compose_sql(sql, (*own_params, *params))
    return text
