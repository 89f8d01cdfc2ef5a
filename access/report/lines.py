"""The rows of a report as SQL: what PostgreSQL is to write for each request, to the letter as `access.report.plain`."""

from __future__ import annotations

import json
from typing import Any

from access.report.columns import Layout

Sql = tuple[str, list[Any]]
"""With the parameters in the order of their places."""

_MOST_ARGUMENTS = 90  # PostgreSQL's functions take a hundred.

OPTIONS = {
    "csv": "FORMAT csv",
    # A text as it is: neither sign occurs in JSON, nor does a line end, so that nothing is quoted.
    "json": r"FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02'",
    "jsonl": r"FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02'",
}

_BOTH = {
    "username": "user__username",
    "fullname": "fullname",
    "email": "email",
    "status": "status",
    "requested_at": "requested_at",
    "reviewed_at": "reviewed_at",
    "reviewer": "reviewed_by__username",
}
_ON_THE_HUB = {"reviewer_fullname": "reviewed_by__fullname"}
_FULL = {"reason": "rejection_reason", "form": "form__commit_sha", "answers": "answers"}
_REPO = {"type": "repo__type", "namespace": "repo__namespace__name", "repo": "repo__name"}


def sources(layout: Layout) -> dict[str, str]:
    """Names in `select` -> where the ORM finds them."""
    of_format = _ON_THE_HUB if layout.format == "json" else _FULL
    return {**_BOTH, **of_format, **(_REPO if layout.across_repos else {})}


def select(layout: Layout, source: str) -> Sql:
    """A SELECT of the rows' cells, or of their whole text, from `source`, whose columns are named as in `sources`.

    In the order of the source: without parallel workers, PostgreSQL has no reason to change it.
    """
    return _SELECTS[layout.format](layout, source)


def _time(column: str) -> str:
    return f"to_char(request.{column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"


def _json(column: str) -> str:
    return f"to_json(request.{column})"


def _repo_id() -> str:
    return "request.namespace || '/' || request.repo"


def _together(parts: list[str], function: str, first: str = "") -> str:
    """The parts as arguments of a function that puts texts together, in several calls where they are many."""
    if len(parts) > _MOST_ARGUMENTS:
        calls = [parts[at : at + _MOST_ARGUMENTS] for at in range(0, len(parts), _MOST_ARGUMENTS)]
        # Of nothing at all `concat_ws` makes an empty text, which the outer one would take for a part.
        parts = [f"nullif({_together(call, function, first)}, '')" for call in calls]
    return f"{function}({', '.join([first, *parts] if first else parts)})"


def _concat(parts: list[str]) -> str:
    return _together(parts, "concat")


def _type_and_repo(layout: Layout) -> list[str]:
    if not layout.across_repos:
        return []
    return ["""'"type": "'""", "request.type", """'", "repo": '""", f"to_json({_repo_id()})", "', '"]


def _as_on_the_hub(layout: Layout, source: str) -> Sql:
    granted_by = [
        """', "grantedBy": {"fullname": '""", _json("reviewer_fullname"), """', "user": '""", _json("reviewer"), "'}'",
    ]  # fmt: skip
    parts = [
        "'{'", *_type_and_repo(layout),
        """'"fullname": '""", _json("fullname"),
        """', "user": '""", _json("username"),
        """', "email": '""", f"CASE WHEN request.email = '' THEN 'null' ELSE {_json('email')}::text END",
        """', "time": "'""", _time("requested_at"),
        """'", "status": '""", _json("status"),
        f"""', "reviewedAt": "' || {_time("reviewed_at")} || '"'""",
        f"CASE WHEN request.status = 'accepted' AND request.reviewer IS NOT NULL THEN {_concat(granted_by)} END",
        "'},'",
    ]  # fmt: skip
    return f"SELECT {_concat(parts)} FROM {source}", []  # noqa: S608


def _as_line(layout: Layout, source: str) -> Sql:
    fields, params = _fields(layout)
    parts = [
        "'{'", *_type_and_repo(layout),
        """'"user": '""", _json("username"),
        """', "fullname": '""", _json("fullname"),
        """', "email": '""", _json("email"),
        """', "status": '""", _json("status"),
        """', "time": "'""", _time("requested_at"),
        """'", "reviewedAt": "'""", _time("reviewed_at"),
        """'", "reviewer": '""", "to_json(coalesce(request.reviewer, ''))",
        """', "reason": '""", _json("reason"),
        """', "form": '""", "to_json(coalesce(request.form, ''))",
        """', "fields": {'""", fields, "'}}'",
    ]  # fmt: skip
    return f"SELECT {_concat(parts)} FROM {_unpacked(layout, source)}", params  # noqa: S608


def _fields(layout: Layout) -> Sql:
    """The answers between the braces of an object, in the order of the columns, then those without one."""
    pairs = ["%s::text || (request.answers -> %s::text)::text"] * len(layout.answers)
    params = [param for label in layout.labels for param in (f"{json.dumps(label, ensure_ascii=False)}: ", label)]
    rest, rest_params = _rest(layout)
    pairs.append(f"nullif(substr(left({rest}, -1), 2), '')")  # Without its braces.
    return _together(pairs, "concat_ws", "', '"), [*params, *rest_params]


def _rest(layout: Layout) -> Sql:
    """What was answered to questions without a column, as the text of an object."""
    return "(request.answers - %s::text[])::text", [layout.labels]


def _as_cells(layout: Layout, source: str) -> Sql:
    own = [
        *(["request.type", _cell("repo_id")] if layout.across_repos else []),
        *(_cell(name) for name in ("username", "fullname", "email")),
        "request.status", _time("requested_at"), _time("reviewed_at"),
        *(_cell(name) for name in ("reviewer", "reason", "form")),
    ]  # fmt: skip
    answers = [f"answer_{place}" for place in range(len(layout.answers))]
    computed = [f"request.answers ->> %s::text AS {name}" for name in answers]
    params: list[Any] = layout.labels
    if layout.across_repos:
        computed.append(f"{_repo_id()} AS repo_id")
    if layout.more:
        rest, rest_params = _rest(layout)
        computed.append(f"nullif({rest}, '{{}}') AS more")
        params = [*params, *rest_params]
        answers.append("more")
    # OFFSET 0 keeps PostgreSQL from putting each expression wherever its name stands, and computing it there.
    inner = f"(SELECT request.*, {', '.join(computed)} FROM {_unpacked(layout, source)} OFFSET 0) AS request"  # noqa: S608
    if not computed:
        inner = source
    return f"SELECT {', '.join([*own, *map(_cell, answers)])} FROM {inner}", params  # noqa: S608


def _unpacked(layout: Layout, source: str) -> str:
    """The source with answers in memory, to be looked into many times: long ones are kept apart, and compressed."""
    names = ", ".join(
        "request.answers || '{}'::jsonb AS answers" if name == "answers" else f"request.{name}"
        for name in sources(layout)
    )
    return f"(SELECT {names} FROM {source} OFFSET 0) AS request"  # noqa: S608


def _cell(name: str) -> str:
    """`safe_cell`; NULL for an empty text, for which PostgreSQL would write two quotes."""
    text = f"request.{name}"
    return f"CASE WHEN ascii({text}) IN (9, 10, 13, 43, 45, 61, 64) THEN '''' || {text} ELSE nullif({text}, '') END"


_SELECTS = {"json": _as_on_the_hub, "jsonl": _as_line, "csv": _as_cells}
