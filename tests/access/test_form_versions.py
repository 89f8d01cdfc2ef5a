"""Each request keeps the version of the form that was answered, whatever becomes of the card.  ada manages
lab/toxic-bert, sam and noor ask."""

from __future__ import annotations

import json

import pytest
from django.db import IntegrityError, transaction

from access import services
from access.errors import FormChanged
from access.models import AccessRequest
from accounts.actor import Actor
from repos.models import GateForm, GateFormIsImmutable
from tests.support.cast import ANSWERS, add_files, text_of
from tests.web.pages import form_to, press, soup, words

PATH = "/lab/toxic-bert"
FIRST = b"""---
extra_gated_prompt: Be kind.
extra_gated_fields:
  Purpose: {type: select, options: [{label: Research, value: r}, {label: Else, value: e}]}
  Since: date_picker
  I agree: checkbox
---
"""
ANSWERED = {"Purpose": "r", "Since": "2026-01-01", "I agree": "true"}


@pytest.fixture
def change(gated_repo, ada):
    """`change(b"---…")`: a new card."""

    def commit(card: bytes):
        add_files(gated_repo, {"README.md": card}, by=ada)
        gated_repo.refresh_from_db()
        return gated_repo.gate_form

    return commit


@pytest.fixture
def asked(gated_repo, change, sam) -> AccessRequest:
    change(FIRST)
    return services.ask(repo=gated_repo, answers=ANSWERED, by=Actor(user=sam))


CHANGES = {
    "renamed": FIRST.replace(b"Purpose", b"What for").replace(b"Since", b"From"),
    "removed": b"---\nextra_gated_fields:\n  Another: text\n---\n",
    "types": FIRST.replace(b"date_picker", b"text").replace(b"I agree: checkbox", b"I agree: text"),
    "relabelled": FIRST.replace(b"Research", b"War").replace(b"value: e", b"value: x"),
    "broken": b"---\nextra_gated_fields:\n  Purpose: slider\n---\n",
    "no card at all": b"",
}


@pytest.mark.parametrize("card", CHANGES.values(), ids=CHANGES)
def test_reviewers_and_the_report_see_the_question_as_it_was_asked(asked, gated_repo, change, browser, api, ada, card):
    change(card)
    answers = words(soup(browser(ada).get(f"{PATH}/settings")).select_one(".answers dl"))
    assert answers == "Purpose Research Since 2026-01-01 I agree Yes"
    (row,) = api(ada).get("/api/models/lab/toxic-bert/user-access-request/pending").json()
    assert list(row["fields"].items()) == list(ANSWERED.items())
    (line,) = text_of(api(ada).get(f"{PATH}/user-access-report", {"format": "jsonl"})).splitlines()
    assert list(json.loads(line)["fields"].items()) == list(ANSWERED.items())
    table = text_of(api(ada).get(f"{PATH}/user-access-report", {"format": "csv"})).decode().splitlines()
    assert table[0].endswith(",Purpose,Since,I agree")
    assert table[1].endswith(",r,2026-01-01,true")


def test_each_change_makes_a_version_and_a_change_back_finds_the_old_one(gated_repo, change):
    first = change(FIRST)
    second = change(CHANGES["renamed"])
    assert change(b"---\nlicense: mit\n" + FIRST.removeprefix(b"---\n")) == first
    assert first != second
    assert change(CHANGES["broken"]) == first, "the last good form stays in force"
    assert gated_repo.card_error == (
        'line 3: the field "Purpose" has the unknown type "slider"; the types are '
        "text, textarea, checkbox, date_picker, country, select, ip_location, email, url"
    )


def test_a_version_cannot_be_changed_or_lost_while_a_request_refers_to_it(asked):
    form = asked.form
    form.spec = {}
    with pytest.raises(GateFormIsImmutable):
        form.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        form.delete()
    assert GateForm.objects.get(pk=form.pk).spec["prompt"] == "Be kind."


# --- A form that changes while somebody fills it in -----------------------------------------------------------------


def test_nobody_agrees_to_what_they_have_not_read(gated_repo, change, browser, sam):
    change(FIRST)
    client = browser(sam)
    page = soup(client.get(PATH))
    change(FIRST.replace(b"Be kind.", b"Give us your house."))
    response = press(client, page, f"{PATH}/ask-access", **ANSWERED)
    assert response.status_code == 409
    page = soup(response)
    assert "The authors have changed this form since you opened it" in words(page.select_one("#gate [role=alert]"))
    assert "Give us your house." in words(page.select_one("#gate"))
    form = form_to(page, f"{PATH}/ask-access")
    assert form.find(attrs={"name": "Since"})["value"] == "2026-01-01"
    assert form.select_one("option[selected]")["value"] == "r"
    assert form.find(attrs={"name": "I agree"}).has_attr("checked")
    assert not AccessRequest.objects.exists()
    assert press(client, page, f"{PATH}/ask-access").status_code == 303
    assert AccessRequest.objects.get().form.spec["prompt"] == "Give us your house."


def test_a_card_that_changes_elsewhere_disturbs_nobody(gated_repo, change, browser, sam):
    change(FIRST)
    client = browser(sam)
    page = soup(client.get(PATH))
    change(FIRST + b"# Another text\n")
    assert press(client, page, f"{PATH}/ask-access", **ANSWERED).status_code == 303


def test_a_script_may_name_the_version_that_it_read_and_need_not(gated_repo, change, api, sam, noor):
    first = change(FIRST)
    change(FIRST.replace(b"Be kind.", b"Be good."))
    answer = api(sam).post(f"{PATH}/ask-access?form={first.digest}", ANSWERED)
    assert answer.status_code == 409
    assert "changed this form" in answer.json()["error"]
    assert not AccessRequest.objects.exists()
    assert api(sam).post(f"{PATH}/ask-access?form={gated_repo.gate_form.digest}", ANSWERED).status_code == 303
    assert api(noor).post(f"{PATH}/ask-access", ANSWERED).status_code == 303


def test_who_asked_already_is_not_troubled_with_a_new_version(asked, gated_repo, change, sam):
    change(CHANGES["renamed"])
    again = services.ask(repo=gated_repo, answers={}, form="another", by=Actor(user=sam))
    assert again == asked


def test_the_service_refuses_a_version_that_is_not_in_force(gated_repo, sam):
    with pytest.raises(FormChanged):
        services.ask(repo=gated_repo, answers=ANSWERS, form="", by=Actor(user=sam))
    services.ask(repo=gated_repo, answers=ANSWERS, form=gated_repo.gate_form.digest, by=Actor(user=sam))


# --- A first card that cannot be read -------------------------------------------------------------------------------

BROKEN = b"---\nextra_gated_prompt: You agree.\nextra_gated_fields:\n  Company: slider\n---\n"


def test_a_gate_whose_terms_never_could_be_read_lets_nobody_in_by_itself(make_repo, ada, lab, sam, browser):
    repo = make_repo("lab/new", by=ada, gated="auto", files={"README.md": BROKEN})
    request = services.ask(repo=repo, answers={}, by=Actor(user=sam))
    assert request.is_pending
    said = words(soup(browser(ada).get("/lab/new/settings")))
    assert "nobody is accepted automatically" in said
    assert "New requests are accepted at once" not in said


def test_a_gate_with_a_good_form_stays_automatic(gated_repo, change, ada, sam, browser, noor):
    change(FIRST)
    gated_repo.gated = "auto"
    gated_repo.save()
    change(BROKEN)
    assert services.ask(repo=gated_repo, answers=ANSWERED, by=Actor(user=sam)).is_accepted
    assert "nobody is accepted automatically" not in words(soup(browser(ada).get(f"{PATH}/settings")))


def test_a_card_without_a_form_is_no_broken_one(make_repo, ada, lab, sam):
    repo = make_repo("lab/plain", by=ada, gated="auto", files={"README.md": b"# Plain\n"})
    assert services.ask(repo=repo, answers={}, by=Actor(user=sam)).is_accepted
