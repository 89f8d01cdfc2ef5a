"""Repos in the admin: staff look at them, disable and enable them.  rob may see repos, max may change them too."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import AuditEvent
from repos import services
from repos.models import GateForm, Repo
from tests.support.cast import add_files
from tests.web.pages import soup, told_to_staff, words

REASON = "Reported as malware."


@pytest.fixture
def rob(make_staff):
    return make_staff("rob", "repos.view_repo")


@pytest.fixture
def max_(make_staff):
    return make_staff("max", "repos.view_repo", "repos.change_repo")


def on(what: str, repo: Repo) -> str:
    return reverse(f"admin:repos_repo_{what}", args=[repo.pk])


LIST = "/admin/repos/repo/"


def test_a_repo_is_disabled_with_a_reason_and_enabled_again(gated_repo, max_, browser):
    client = browser(max_)
    page = soup(client.get(on("change", gated_repo)))
    assert page.select_one(f'a[href="{on("disable", gated_repo)}"]')
    assert not page.select_one(f'a[href="{on("enable", gated_repo)}"]')
    asked = soup(client.get(on("disable", gated_repo)))
    assert "Nobody will be able to read or change the files of lab/toxic-bert" in words(
        asked.select_one("form.staff-question")
    )
    assert words(asked.select_one("#content h2")) == "Disable lab/toxic-bert"
    assert words(asked.h1) == "Repos chevron_right lab/toxic-bert"
    answer = client.post(on("disable", gated_repo), {"reason": REASON}, follow=True)
    assert "lab/toxic-bert is disabled." in told_to_staff(answer)
    gated_repo.refresh_from_db()
    assert (gated_repo.disabled, gated_repo.disabled_reason) == (True, REASON)
    event = AuditEvent.objects.get(verb="repo:disable")
    assert (event.actor, event.entrance, event.address) == ("max", "admin", "127.0.0.1")
    page = soup(client.get(on("change", gated_repo)))
    assert REASON in words(page)
    assert page.select_one(f'a[href="{on("enable", gated_repo)}"]')
    answer = client.post(on("enable", gated_repo), follow=True)
    assert "lab/toxic-bert is enabled." in told_to_staff(answer)
    assert not Repo.objects.get().disabled


def test_looking_at_the_question_changes_nothing(gated_repo, max_, browser):
    client = browser(max_)
    assert client.get(on("disable", gated_repo)).status_code == 200
    assert client.get(on("enable", gated_repo)).status_code == 200
    assert not Repo.objects.get().disabled
    assert not AuditEvent.objects.filter(entrance="admin").exists()


def test_a_form_of_another_site_changes_nothing(gated_repo, max_, browser):
    client = browser(max_, enforce_csrf_checks=True)
    assert client.post(on("disable", gated_repo), {"reason": ""}).status_code == 403
    assert not Repo.objects.get().disabled


def test_a_reason_that_is_too_long_is_refused_at_its_field(gated_repo, max_, browser):
    answer = browser(max_).post(on("disable", gated_repo), {"reason": "x" * 201})
    page = soup(answer)
    assert answer.status_code == 200
    assert page.select(".staff-error")
    assert page.select_one("textarea").text.strip() == "x" * 201
    assert not Repo.objects.get().disabled


def test_who_may_only_see_changes_nothing(gated_repo, rob, browser):
    client = browser(rob)
    page = client.get(on("change", gated_repo))
    assert page.status_code == 200
    assert on("disable", gated_repo) not in page.content.decode()
    for what in ("disable", "enable"):
        assert client.get(on(what, gated_repo)).status_code == 403
        assert client.post(on(what, gated_repo)).status_code == 403
    client.post(LIST, {"action": "disable_selected", "_selected_action": [gated_repo.pk]})
    assert not Repo.objects.get().disabled


def test_nothing_else_of_a_repo_is_edited_there(gated_repo, max_, browser):
    before = Repo.objects.values().get()
    answer = browser(max_).post(on("change", gated_repo), {"gated": "no", "private": "on", "disabled": "on"})
    assert answer.status_code == 403
    assert Repo.objects.values().get() == before


def test_several_are_disabled_and_those_that_were_are_named(gated_repo, make_repo, ada, max_, browser):
    other = make_repo("lab/other", by=ada)
    client = browser(max_)
    form = {"action": "disable_selected", "_selected_action": [gated_repo.pk, other.pk]}
    assert "2 of 2: disabled" in told_to_staff(client.post(LIST, form, follow=True))
    services.enable(other, by=_staff(max_))
    said = told_to_staff(client.post(LIST, form, follow=True))
    assert "lab/toxic-bert is disabled already." in said
    assert "1 of 2: disabled" in said
    assert Repo.objects.filter(disabled=True).count() == 2


def _staff(user):
    from accounts.actor import Actor, Entrance

    return Actor(user=user, entrance=Entrance.ADMIN)


@pytest.mark.parametrize(
    ("term", "found"), [("lab/toxic-bert", 1), ("LAB/", 2), ("toxic", 1), ("lab", 2), ("lab/nothing", 0), ("olu/", 0)]
)
def test_repos_are_found_by_id_and_by_name(gated_repo, make_repo, ada, rob, browser, term, found):
    make_repo("lab/other", by=ada)
    page = soup(browser(rob).get(LIST, {"q": term}))
    assert len(page.select("#result_list tbody tr")) == found


def test_links_lead_on_for_those_who_may_follow(gated_repo, rob, make_staff, browser):
    stef = make_staff("stef", superuser=True)
    links = {link.text for link in soup(browser(stef).get(on("change", gated_repo))).select(".staff-links a")}
    assert links == {"Access requests", "Versions of its form", "Mails", "Audit trail"}
    assert not soup(browser(rob).get(on("change", gated_repo))).select(".staff-links a")
    for link in soup(browser(stef).get(on("change", gated_repo))).select(".staff-links a"):
        assert browser(stef).get(link["href"]).status_code == 200, link


def test_a_version_of_the_form_is_read_as_it_was_asked(gated_repo, ada, make_staff, browser):
    first = gated_repo.gate_form
    add_files(gated_repo, {"README.md": b"---\nextra_gated_fields:\n  <b>Why</b>: text\n---\n"}, by=ada)
    client = browser(make_staff("gil", "repos.view_gateform"))
    page = soup(client.get(reverse("admin:repos_gateform_change", args=[first.pk])))
    shown = words(page.select_one("#content"))
    for said in (
        "You agree to not use the model for harm.",
        "Company (text)",
        "Country (country)",
        "I agree (checkbox)",
    ):
        assert said in shown
    newest = GateForm.objects.latest("pk")
    page = soup(client.get(reverse("admin:repos_gateform_change", args=[newest.pk])))
    assert "<b>Why</b> (text)" in words(page.select_one(".staff-list"))
    assert client.post(reverse("admin:repos_gateform_change", args=[newest.pk]), {"spec": "{}"}).status_code == 403
