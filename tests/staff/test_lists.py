"""Lists in the admin cost as many queries with fifty rows as with two, and are counted no further than shown."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.urls import reverse

from access import tokens
from access.models import AccessToken
from access.tokens import Scope
from accounts import services as accounts
from accounts import staff
from accounts.actor import SYSTEM
from accounts.models import Membership, Organization, User
from repos.models import ConfirmationMail, GateForm, Repo
from tests.web.pages import soup, words

MODELS = [User, Organization, Membership, Repo, GateForm, ConfirmationMail, AccessToken, EmailAddress]
MANY = 12


@pytest.fixture
def stef(make_staff):
    return make_staff("stef", superuser=True)


@pytest.fixture
def more(gated_repo, lab, make_user):
    """`more(3)`: so many more rows of each model, with what they show of others."""
    made = iter(range(10_000))

    def make(count: int) -> None:
        for number in (next(made) for _ in range(count)):
            user = make_user(f"more-{number}")
            accounts.set_role(organization=lab, user=user, role="read", by=SYSTEM)
            accounts.create_organization(name=f"org-{number}", admin=user, by=SYSTEM)
            repo = Repo.objects.create(
                type="model", namespace=user.namespace, name=f"repo-{number}", created_by=user, gated="manual"
            )
            GateForm.objects.create(repo=repo, digest=str(number), commit_sha="0" * 40, spec={"fields": []})
            ConfirmationMail.objects.create(repo=repo, address=f"desk-{number}@example.com", asked_by=user)
            scopes = [Scope("repo.write", repo=repo), Scope("repo.write", namespace=user.namespace)]
            tokens.create(user=user, name="fine", role="fine-grained", scopes=scopes, by=SYSTEM)

    return make


def changelist(model) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_long_list_costs_what_a_short_one_costs(model, more, stef, browser, django_assert_max_num_queries):
    more(2)
    client = browser(stef)
    client.get(changelist(model))
    with django_assert_max_num_queries(40) as few:
        client.get(changelist(model))
    more(MANY)
    with django_assert_max_num_queries(len(few)) as many:
        answer = client.get(changelist(model))
    assert len(soup(answer).select("#result_list tbody tr")) >= MANY
    assert not [query for query in many.captured_queries if "COUNT(" in query["sql"].upper()]


def test_an_organization_with_many_members_costs_what_one_with_few_costs(
    lab, more, stef, browser, django_assert_max_num_queries
):
    client, path = browser(stef), reverse("admin:accounts_organization_change", args=[lab.pk])
    more(2)
    client.get(path)
    with django_assert_max_num_queries(40) as few:
        client.get(path)
    more(MANY)
    with django_assert_max_num_queries(len(few)):
        page = soup(client.get(path))
    assert "more-13" in words(page.select_one("#content"))


def test_a_list_that_was_counted_no_further_says_so(more, stef, browser, monkeypatch):
    monkeypatch.setattr(staff.ShortCount, "most", 3)
    more(5)
    assert "The first 3 rows: search or filter" in words(soup(browser(stef).get(changelist(Repo))))
    monkeypatch.setattr(staff.ShortCount, "most", 5000)
    assert "6 rows" in words(soup(browser(stef).get(changelist(Repo))))


@pytest.mark.parametrize("model", [Membership, EmailAddress, AccessToken], ids=lambda model: model.__name__)
def test_people_are_found_whole_and_in_any_case(model, more, stef, browser):
    more(3)
    for term, found in (("more-1", True), ("MORE-1", True), ("more", False), ("nobody", False)):
        rows = soup(browser(stef).get(changelist(model), {"q": term})).select("#result_list tbody tr")
        assert bool(rows) is found, term
        assert all("more-1" in words(row) for row in rows), term


def test_a_search_for_what_no_text_can_hold_is_no_fault_of_the_server(more, stef, browser):
    more(1)
    for model in admin.site._registry:
        for term in ("a\0b", "a\0b/c", "a\0@b", "'; --", "%", "\\"):
            assert browser(stef).get(changelist(model), {"q": term}).status_code == 200, (model, term)
