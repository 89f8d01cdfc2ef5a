"""Rows that a template renders once for all of a shape, against the same rows one by one."""

from __future__ import annotations

import itertools

import pytest
from django.template import engines
from django.template.loader import get_template

from gatehub.web.skeleton import Skeleton, skeleton_of

ODD = [
    "Ada",
    "",
    "<script>alert(1)</script>",
    "O’Brien & \"Sons\" 'x'",
    "{{ who }}",
    "{% csrf_token %}",
    "x1x",
    "\\1",
    "100% %s %(who)s %%",
    "李",
]
FIELDS = (
    "decide_path csrf_token request_id who href fullname email asked_iso asked_full asked_day asked_ago decided_iso "
    "decided_full decided_day decided_ago reviewer reason answered form_date answers_path query"
).split()


def _one_by_one(template, texts, pairs, flags):
    return template.render({**texts, **flags, "pairs": pairs})


def _rows():
    """Rows of every status, with every text odd at some time, and with none to three answers."""
    words = itertools.cycle(ODD)
    for number in range(60):
        texts = {name: next(words) for name in FIELDS}
        next(words)  # So that the same field is another word in the next row.
        pairs = [(next(words), next(words), ("", "2")[number % 2]) for _ in range(number % 4)]
        yield texts, pairs, {"status": ("pending", "accepted", "rejected")[number % 3], "granted": number % 5 == 0}


@pytest.mark.parametrize("unfolded", [True, False])
def test_the_rows_of_the_review_come_out_as_the_template_would_render_them(unfolded):
    template = get_template("repo/_request.html")
    skeleton = skeleton_of("repo/_request.html")
    for texts, pairs, row_flags in _rows():
        flags = {"unfolded": unfolded, **row_flags}
        assert skeleton.row(texts, pairs, flags) == _one_by_one(template, texts, pairs, flags)


def test_the_next_page_has_the_shapes_of_this_one():
    assert skeleton_of("repo/_request.html") is skeleton_of("repo/_request.html")
    for engine in engines.all():
        engine.engine.template_loaders[0].reset()  # As while a template is being written.
    before, after = skeleton_of("repo/_request.html"), skeleton_of("repo/_request.html")
    assert before is after


def test_so_many_shapes_are_kept_and_no_more(monkeypatch):
    monkeypatch.setattr("gatehub.web.skeleton.MOST_SHAPES", 3)
    calls = []
    skeleton = Skeleton(lambda row: calls.append(row) or f"{row['who']} {row['n']} 100%")
    for _ in range(2):
        assert [skeleton.row({"who": "a&b"}, [], {"n": n}) for n in range(5)] == [f"a&amp;b {n} 100%" for n in range(5)]
    assert len(skeleton._known) <= 3
    assert len(calls) == 10


def test_a_row_that_has_something_that_another_has_not_is_of_another_shape():
    template = engines["django"].from_string(
        "{% if who %}{{ who }}{% else %}nobody{% endif %}{% if late %}!{% endif %}"
    )
    skeleton = Skeleton(template.render)
    given = [({"who": who}, [], {"late": late}) for who in ("ada", "", "sam") for late in (True, False)]
    assert [skeleton.row(*row) for row in given] == ["ada!", "ada", "nobody!", "nobody", "sam!", "sam"]


def test_a_row_is_rendered_once_for_all_of_its_shape():
    calls = []
    text = "<p>{{ who }}</p>{% for one, two in pairs %}{{ one }}: {{ two }};{% endfor %}"
    template = engines["django"].from_string(text)

    def render(row):
        calls.append(row)
        return template.render(row)

    skeleton = Skeleton(render)
    assert skeleton.row({"who": "<ada>"}, [("a", "1"), ("b", "2")], {}) == "<p>&lt;ada&gt;</p>a: 1;b: 2;"
    assert skeleton.row({"who": "sam"}, [("c", "<3>"), ("d", "4")], {}) == "<p>sam</p>c: &lt;3&gt;;d: 4;"
    assert len(calls) == 1
    assert skeleton.row({"who": "sam"}, [("c", "")], {}) == "<p>sam</p>c: ;"
    assert len(calls) == 2


def test_nobody_can_write_a_stand_in():
    """It is another for each template and process, and no page shows it."""
    seen = []
    for _ in range(2):
        skeleton = Skeleton(lambda row: seen.append(row["who"]) or row["who"])
        skeleton.row({"who": "ada"}, [], {})
    first, second = seen
    assert first != second
    skeleton = Skeleton(lambda row: row["who"])
    assert skeleton.row({"who": first}, [], {}) == first
