"""Each card of `tests/repos/cards/wild` through the whole product: committed, shown, filled in on the page and by a
script, listed, and reported.  ada publishes lab/wild; sam answers on the page, noor by JSON with a token, olu by a form
with a token."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from access import report
from access.models import AccessRequest
from repos import cards
from tests.repos.cards.test_wild import NAMES, answers_to, card, form
from tests.support.cast import add_files, text_of
from tests.web.pages import assert_nothing_inline, form_to, label_of, soup

ASK = "/lab/wild/ask-access"
WITH_FORM = [name for name in NAMES if form(name).fields]


def typed(page: Any, spec: cards.FormSpec) -> list[tuple[str, str]]:
    """What a browser sends of the page's form, filled in by somebody who finds each control by its label."""
    found = form_to(page, ASK)
    pairs = [("csrfmiddlewaretoken", found.find(attrs={"name": "csrfmiddlewaretoken"})["value"])]
    controls = [control for control in found.select("input, select, textarea") if control["name"] != pairs[0][0]]
    assert [label_of(found, control) for control in controls] == [field.label for field in spec.fields]
    answers = answers_to(spec)
    for field, control in zip(spec.fields, controls, strict=True):
        value = control["value"] if field.type == "checkbox" else answers[field.label]
        if control.name == "select":
            options = {option.text.strip(): option["value"] for option in control.select("option")}
            value = options[value.strip()]
        # A browser's line ends in names and values are those of the web.
        pairs.append((control["name"].replace("\n", "\r\n"), value.replace("\n", "\r\n")))
    return pairs


@pytest.mark.parametrize("name", WITH_FORM)
def test_labels_and_answers_come_back_letter_for_letter(name, make_repo, api, browser, ada, lab, sam, noor, olu):
    repo = make_repo("lab/wild", by=ada, gated="manual", files={"README.md": card(name)})
    spec = form(name)
    answers = answers_to(spec)
    client = browser(sam)
    response = client.get("/lab/wild")
    assert_nothing_inline(response)
    page = soup(response)
    body = urlencode(typed(page, spec))
    action = form_to(page, ASK)["action"]
    assert client.post(action, body, content_type="application/x-www-form-urlencoded").status_code == 303
    assert api(noor).post(ASK, answers).status_code == 303
    form_body = urlencode(answers).encode()
    assert api(olu).post(ASK, form_body, content_type="application/x-www-form-urlencoded").status_code == 303

    stored = {request.user.username: request.answers for request in AccessRequest.objects.select_related("user")}
    expected = cards.clean_answers(spec, answers)
    assert stored == {"sam": expected, "noor": expected, "olu": expected}
    labels = [field.label for field in spec.fields]
    listed = api(ada).get("/api/models/lab/wild/user-access-request/pending").json()
    assert [list(row["fields"]) for row in listed] == [labels] * 3
    assert [row["fields"] for row in listed] == [expected] * 3

    lines = text_of(api(ada).get("/lab/wild/user-access-report", {"format": "jsonl"})).splitlines()
    assert [json.loads(line)["fields"] for line in lines] == [expected] * 3
    table = text_of(api(ada).get("/lab/wild/user-access-report", {"format": "csv"})).decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(table, newline=""))
    columns = dict(zip(labels, header[len(report.COLUMNS) :], strict=True))
    taken = set(report.COLUMNS)
    for label, column in columns.items():
        assert column == (f"answer: {label}" if label in taken else report.safe_cell(label))
    assert [row[len(report.COLUMNS) :] for row in rows] == [[report.safe_cell(expected[label]) for label in labels]] * 3
    review = soup(browser(ada).get("/lab/wild/settings"))
    asked = [question.get_text() for question in review.select(".answers")[0].select("dt")]
    assert asked == labels
    assert repo.card_error == ""


@pytest.mark.parametrize("name", WITH_FORM)
def test_an_empty_form_is_refused_at_each_field_that_is_required(name, make_repo, api, browser, ada, lab, sam):
    make_repo("lab/wild", by=ada, gated="manual", files={"README.md": card(name)})
    required = [field.label for field in form(name).fields if field.required and field.type != "ip_location"]
    answer = api(sam).post(ASK, {})
    client = browser(sam)
    page = soup(client.post(ASK, {}))
    wrong = page.select('#gate [aria-invalid="true"]')
    assert [label_of(page, control) for control in wrong] == required
    assert all(page.find(id=control["aria-describedby"].split()[0])["class"] == ["problem"] for control in wrong)
    if required:
        assert (answer.status_code, list(answer.json()["fields"])) == (400, required)
        assert not AccessRequest.objects.exists()


@pytest.mark.parametrize("name", [name for name in NAMES if not form(name).fields])
def test_a_card_without_questions_asks_none(name, make_repo, api, ada, lab, sam):
    make_repo("lab/wild", by=ada, gated="manual", files={"README.md": card(name)})
    assert api(sam).post(ASK, {}).status_code == 303
    assert AccessRequest.objects.get().answers == {}


def test_a_card_that_breaks_keeps_the_form_and_the_gate(make_repo, api, browser, ada, lab, sam):
    """By git, say: `validate-yaml` refuses it before an upload."""
    repo = make_repo("lab/wild", by=ada, gated="manual", files={"README.md": card("31-seed-example")})
    in_force = repo.gate_form
    add_files(repo, {"README.md": card("refused/04-types-within-types")}, by=ada)
    repo.refresh_from_db()
    assert (repo.gate_form, repo.is_gated) == (in_force, True)
    alert = soup(browser(ada).get("/lab/wild/settings")).select_one("[role=alert]")
    assert 'line 5: the field "Company" has no type' in alert.get_text(" ", strip=True)
    labels = [field.label for field in form("31-seed-example").fields]
    assert list(api(sam).post(ASK, {}).json()["fields"]) == labels
