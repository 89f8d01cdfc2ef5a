"""The settings page: gate, notifications, visibility, move, delete.  ada manages lab/toxic-bert."""

from __future__ import annotations

import pytest

from accounts.actor import Actor
from accounts.models import AuditEvent
from repos import content, services
from repos.models import Repo
from tests.support.cast import add_files
from tests.web.pages import described, form_to, label_of, press, soup, words

PATH = "/lab/toxic-bert"
SETTINGS = f"{PATH}/settings"
CHANGE = f"{SETTINGS}/change"
OPEN = "/lab/open/settings/change"


def kept(repo: Repo) -> dict:
    columns = (
        "gated", "org_members_gated", "gated_notifications_mode", "gated_notifications_email", "private", "name",
    )  # fmt: skip
    return Repo.objects.values(*columns).get(pk=repo.pk)


def test_the_page_shows_what_is_set_and_what_each_choice_means(gated_repo, browser, ada):
    page = soup(browser(ada).get(SETTINGS))
    modes = page.select("input[name=gated]")
    assert [mode["value"] for mode in modes] == ["false", "auto", "manual"]
    assert [mode["value"] for mode in modes if mode.has_attr("checked")] == ["manual"]
    said = [described(page, mode) for mode in modes]
    assert "Everybody who sees this repository may download its files" in said[0]
    assert "People fill in the form of the card and get access at once." in said[1]
    assert "You accept or reject each request." in said[2]
    assert page.select_one("input[name=gatedNotificationsMode][checked]")["value"] == "bulk"


def test_saving_changes_what_was_chosen_and_leaves_a_trail(gated_repo, browser, ada):
    client = browser(ada)
    page = soup(client.get(SETTINGS))
    response = press(
        client, page, CHANGE, "orgMembersGated", gated="auto", orgMembersGated="true",
        gatedNotificationsMode="real-time", gatedNotificationsEmail="gate@example.org",
    )  # fmt: skip
    assert response["Location"] == SETTINGS
    assert kept(gated_repo) == {
        "gated": "auto",
        "org_members_gated": True,
        "gated_notifications_mode": "real-time",
        "gated_notifications_email": "gate@example.org",
        "private": False,
        "name": "toxic-bert",
    }
    page = soup(client.get(SETTINGS))
    assert "The settings are saved." in words(page)
    assert page.select_one("#org-members-gated").has_attr("checked")
    assert AuditEvent.objects.first().verb == "repo:settings"
    press(client, page, CHANGE, "orgMembersGated", gated="false", orgMembersGated="false")
    assert (kept(gated_repo)["gated"], kept(gated_repo)["org_members_gated"]) == ("no", False)


def test_a_box_that_is_ticked_wins_over_its_hidden_no(gated_repo, browser, ada):
    browser(ada).post(CHANGE, {"orgMembersGated": ["false", "true"]})
    assert kept(gated_repo)["org_members_gated"] is True


def test_a_page_that_was_opened_before_somebody_shut_the_gate_does_not_open_it(make_repo, lab, browser, ada, wes):
    repo = make_repo("lab/open", by=ada)
    client = browser(ada)
    page = soup(client.get("/lab/open/settings"))
    services.change_settings(repo, {"gated": "manual", "orgMembersGated": True}, by=Actor(user=wes))
    assert press(client, page, OPEN, "orgMembersGated", gatedNotificationsMode="real-time").status_code == 302
    repo.refresh_from_db()
    assert (repo.gated, repo.org_members_gated, repo.gated_notifications_mode) == ("manual", True, "real-time")


def test_what_both_have_changed_is_looked_at_first(make_repo, lab, browser, ada, wes):
    repo = make_repo("lab/open", by=ada)
    client = browser(ada)
    page = soup(client.get("/lab/open/settings"))
    services.change_settings(repo, {"gated": "manual"}, by=Actor(user=wes))
    answer = press(client, page, OPEN, "orgMembersGated", gated="auto", gatedNotificationsMode="real-time")
    assert answer.status_code == 400
    repo.refresh_from_db()
    assert (repo.gated, repo.gated_notifications_mode) == ("manual", "bulk")
    page = soup(answer)
    assert "Was changed by somebody else meanwhile and is manual now" in words(page.select_one("#access .problem"))
    assert press(client, page, OPEN, "orgMembersGated").status_code == 302
    repo.refresh_from_db()
    assert (repo.gated, repo.gated_notifications_mode) == ("auto", "real-time")


@pytest.mark.parametrize(
    "given",
    [
        {"gated": "open"}, {"gated": ""}, {"gated": "False"}, {"gated": "no"}, {"orgMembersGated": "maybe"},
        {"gatedNotificationsMode": "hourly"}, {"gatedNotificationsEmail": "nobody"}, {"private": "on"},
        {"disabled": "true"}, {"gated": "auto", "gatedNotificationsEmail": "a@b@c"},
    ],
)  # fmt: skip
def test_what_is_no_setting_changes_nothing(gated_repo, browser, ada, given):
    before = kept(gated_repo)
    assert browser(ada).post(CHANGE, given).status_code == 400
    assert kept(gated_repo) == before


def test_a_wrong_address_is_said_at_its_field_and_kept(gated_repo, browser, ada):
    client = browser(ada)
    page = soup(client.post(CHANGE, {"gatedNotificationsEmail": "no <body>"}))
    field = page.select_one("#notifications-email")
    assert (field["value"], field["aria-invalid"]) == ("no <body>", "true")
    assert "Must be an email address" in words(field.parent)


@pytest.mark.parametrize(
    ("given", "place", "says"),
    [
        ({"gated": "open"}, "#access", 'Must be false, "auto" or "manual"'),
        ({"orgMembersGated": "maybe"}, "#access", "Must be true or false"),
        ({"gatedNotificationsMode": "hourly"}, "#access", 'Must be "bulk" or "real-time"'),
        ({"private": "on"}, "#visibility", "Must be true or false"),
        ({"disabled": "true"}, "[role=alert]", "disabled is not a setting of a repository"),
    ],
)
def test_each_problem_has_its_place(gated_repo, browser, ada, given, place, says):
    assert says in words(soup(browser(ada).post(CHANGE, given)).select_one(place))


def test_a_name_that_was_mistyped_to_confirm_stays(gated_repo, browser, ada):
    page = soup(browser(ada).post(f"{SETTINGS}/delete", {"confirm": "lab/toxic-bart"}))
    assert page.select_one("#delete-confirm")["value"] == "lab/toxic-bart"


def test_visibility(gated_repo, browser, ada):
    client = browser(ada)
    press(client, soup(client.get(SETTINGS)), CHANGE, "Make private")
    assert kept(gated_repo)["private"] is True
    assert browser().get(PATH).status_code == 404
    press(client, soup(client.get(SETTINGS)), CHANGE, "Make public")
    assert kept(gated_repo)["private"] is False


def test_move(gated_repo, browser, ada):
    client = browser(ada)
    page = soup(client.get(SETTINGS))
    options = [option["value"] for option in form_to(page, f"{SETTINGS}/move").select("option")]
    assert options == ["ada", "lab"]
    response = press(client, page, f"{SETTINGS}/move", namespace="ada", name="kind-bert")
    assert response["Location"] == "/ada/kind-bert/settings"
    assert client.get(PATH)["Location"] == "/ada/kind-bert"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"namespace": "olu", "name": "x"}, "You don't have the rights to create a repository"),
        ({"namespace": "nobody", "name": "x"}, "There is no user or organization"),
        ({"namespace": "lab", "name": "../x"}, "A repo name has letters"),
        ({"namespace": "lab", "name": "x" * 200}, "at most 96 characters"),
        ({"namespace": "lab", "name": "taken"}, "There is a model lab/taken already"),
    ],
)
def test_a_move_that_cannot_be_changes_nothing(gated_repo, make_repo, browser, ada, olu, given, says):
    make_repo("lab/taken", by=ada)
    response = browser(ada).post(f"{SETTINGS}/move", given)
    assert response.status_code in (400, 403, 409)
    page = soup(response)
    assert says in words(page.select_one("#move"))
    assert page.select_one("#move-name")["value"] == given["name"]
    assert words(page.select_one(".repo-header h1")).replace(" ", "") == "lab/toxic-bert"
    assert kept(gated_repo)["name"] == "toxic-bert"


def test_delete_needs_the_repo_id_typed(gated_repo, browser, ada):
    client, path = browser(ada), f"{SETTINGS}/delete"
    for typed in ("", "toxic-bert", "LAB/TOXIC-BERT"):
        response = press(client, soup(client.get(SETTINGS)), path, confirm=typed)
        assert response.status_code == 400
        assert "Nothing was deleted" in words(soup(response))
    response = press(client, soup(client.get(SETTINGS)), path, confirm="lab/toxic-bert")
    assert response["Location"] == "/lab"
    assert not Repo.objects.exists()
    assert "is deleted" in words(soup(client.get("/lab")))


def test_a_card_that_cannot_be_read_is_told_with_its_line(gated_repo, browser, ada):
    add_files(gated_repo, {"README.md": b"---\nextra_gated_fields:\n  Company: nonsense\n---\n"}, by=ada)
    alert = words(soup(browser(ada).get(SETTINGS)).select_one("[role=alert]"))
    assert "nonsense" in alert
    assert "line 3" in alert


def test_a_region_that_cannot_be_told_is_said(gated_repo, browser, ada):
    add_files(gated_repo, {"README.md": b"---\nextra_gated_eu_disallowed: true\n---\n"}, by=ada)
    assert "cannot be enforced" in words(soup(browser(ada).get(SETTINGS)))


def test_a_contributor_manages_their_own_repo_only(gated_repo, make_repo, browser, con):
    own = make_repo("lab/own", by=con, gated="manual")
    client = browser(con)
    assert client.get(f"{own.path}/settings").status_code == 200
    assert client.get(SETTINGS).status_code == 403


def test_the_form_is_previewed_as_a_requester_sees_it(gated_repo, browser, ada):
    page = soup(browser(ada).get(SETTINGS))
    folded = page.select_one("#access details")
    assert words(folded.summary) == "Form preview"
    assert "Preview" in words(folded.select_one(".badge"))
    assert "You agree to not use the model for harm." in words(folded.select_one(".prompt"))
    assert [label_of(page, control) for control in folded.select("input, select")] == ["Company", "Country", "I agree"]
    assert not folded.select("form, [type=submit]")
    assert folded.find_parent("form") is None


def test_a_gate_without_questions_says_what_a_requester_sees(make_repo, lab, browser, ada):
    make_repo("lab/plain", by=ada, gated="manual", files={"README.md": b"# Plain\n"})
    folded = soup(browser(ada).get("/lab/plain/settings")).select_one("#access details")
    assert "asks no questions: a requester reads this and presses the button" in words(folded)
    assert folded.select_one("button[disabled]")


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({}, "and requests arrive here."),
        ({"disabled": True}, "everybody who sees it may download it once it is enabled again."),
        ({"private": True}, "and requests arrive here once it is public."),
    ],
)
def test_what_a_repo_without_a_gate_says_holds_for_what_it_is(make_repo, lab, browser, ada, state, says):
    repo = make_repo("lab/plain", by=ada)
    Repo.objects.filter(pk=repo.pk).update(**state)
    assert says in words(soup(browser(ada).get("/lab/plain/settings")).select_one("#requests"))


def test_the_version_in_force_is_named_with_its_commit(gated_repo, browser, ada):
    first = gated_repo.gate_form
    client = browser(ada)
    told = soup(client.get(SETTINGS)).select_one(".form-in-force")
    link = told.select_one("p a")
    assert link["href"] == f"{PATH}/commit/{first.commit_sha}"
    assert "Version 2 of 2" in words(told), "a new repo has the form without questions"
    assert told.time["datetime"].startswith(first.created_at.strftime("%Y-%m-%dT%H:%M"))
    assert client.get(link["href"]).status_code == 200
    sha = add_files(gated_repo, {"README.md": b"---\nextra_gated_fields: {Age: text}\n---\n"}, by=ada)
    told = soup(client.get(SETTINGS)).select_one(".form-in-force")
    assert "Version 3 of 3" in words(told)
    assert told.select_one("p a")["href"] == f"{PATH}/commit/{sha}"


def test_a_version_whose_commit_is_gone_leads_nowhere(gated_repo, browser, ada):
    content.squash(gated_repo, "main", message="One", by=Actor(user=ada))
    told = soup(browser(ada).get(SETTINGS)).select_one(".form-in-force")
    assert "a commit that no branch leads to any more" in words(told)
    assert not told.select('a[href*="/commit/"]')


def test_a_broken_card_keeps_the_last_good_form_and_leads_to_the_editor(gated_repo, browser, ada):
    broken = b"---\nextra_gated_fields:\n  Company: text\n   Country: country\n---\n"
    add_files(gated_repo, {"README.md": broken}, by=ada)
    page = soup(browser(ada).get(SETTINGS))
    alert = page.select_one("[role=alert]")
    assert "line 4" in words(alert)
    assert "last good form of the gate stays in force" in words(alert)
    assert alert.a["href"] == f"{PATH}/edit/main/README.md"
    assert label_of(page, page.select_one("#access details input")) == "Company"
    assert f"commit {gated_repo.head_sha[:7]}" in words(page.select_one(".form-in-force"))


@pytest.mark.parametrize("type_", ["model", "dataset"])
def test_the_text_about_the_form_leads_to_the_editor(make_repo, lab, browser, ada, type_):
    repo = make_repo("lab/rows", by=ada, type_=type_, gated="auto")
    link = soup(browser(ada).get(f"{repo.path}/settings")).find("a", string=f"{type_} card")
    assert link["href"] == f"{repo.path}/edit/main/README.md"
