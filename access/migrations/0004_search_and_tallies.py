"""Search text of what is there, the indexes that only PostgreSQL knows, and the triggers that keep the tallies."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from access import answers, search, triggers
from accounts import trigrams
from repos import cards

CREATE = """
CREATE INDEX access_request_search ON access_accessrequest USING gin (search_text gin_trgm_ops);
CREATE INDEX access_request_answers ON access_accessrequest USING gin (answers jsonb_path_ops);
"""
DROP = """
DROP INDEX access_request_answers;
DROP INDEX access_request_search;
"""


def _run(sql: str) -> Any:
    def on_postgresql(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(sql)

    return on_postgresql


def require_trigrams(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        trigrams.require(schema_editor)


def fill_search_text(apps: Any, schema_editor: Any) -> None:
    requests = apps.get_model("access", "AccessRequest").objects
    waiting = []
    for request in requests.select_related("user", "form").iterator(500):
        spec = cards.FormSpec.from_json({} if request.form is None else request.form.spec)
        said = [answer for _, answer in answers.in_words(spec, list(request.answers.items()))]
        request.search_text = search.searchable([request.user.username, request.fullname, request.email, *said])
        waiting.append(request)
        if len(waiting) == 500:
            requests.bulk_update(waiting, ["search_text"])
            waiting = []
    requests.bulk_update(waiting, ["search_text"])


class Migration(migrations.Migration):
    dependencies = [("access", "0003_review_at_scale")]
    operations = [
        migrations.RunPython(require_trigrams, migrations.RunPython.noop),
        migrations.RunPython(fill_search_text, migrations.RunPython.noop),
        migrations.RunPython(_run(CREATE), _run(DROP)),
        migrations.RunPython(
            lambda apps, schema_editor: triggers.install(schema_editor.connection),
            lambda apps, schema_editor: triggers.remove(schema_editor.connection),
        ),
    ]
