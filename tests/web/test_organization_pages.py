"""Organizations as pages.  ada is the admin of lab, wes writes, rea reads; sam and noor are members of nothing."""

from __future__ import annotations

import pytest

from accounts import services as accounts
from accounts.actor import SYSTEM, Actor
from accounts.models import AuditEvent, Namespace, Organization
from repos import services as repo_services
from tests.web.organizations import MEMBERS, MINE, NEW, SETTINGS, roles, state, toast
from tests.web.pages import described, press, soup, words

# --- New ------------------------------------------------------------------------------------------------------------


def test_whoever_creates_an_organization_is_its_admin(browser, sam):
    client = browser(sam)
    page = soup(client.get("/"))
    assert page.select_one(f'.menu a[href="{NEW}"]').text == "New organization"
    response = press(client, soup(client.get(NEW)), NEW, name="club", fullname=" The  Club ")
    assert response["Location"] == "/organizations/club/members"
    club = Organization.objects.get()
    assert (club.name, club.fullname, roles(club)) == ("club", "The Club", {"sam": "admin"})
    event = AuditEvent.objects.get(verb="organization:create")
    assert (event.actor, event.entrance) == ("sam", "page")
    assert "you are its admin" in toast(client, "/organizations/club/members")


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({"name": ""}, "name", "required"),
        ({"name": "lab"}, "name", "The name “lab” is taken."),
        ({"name": "LAB"}, "name", "is taken"),
        ({"name": "sam"}, "name", "is taken"),
        ({"name": "organizations"}, "name", "is reserved"),
        ({"name": "new"}, "name", "is reserved"),
        ({"name": "a b"}, "name", "A name has letters"),
        ({"name": "a/b"}, "name", "A name has letters"),
        ({"name": "x"}, "name", "2 to 42 characters"),
        ({"name": "x" * 43}, "name", "2 to 42 characters"),
        ({"name": "a\0b"}, "name", "Null characters"),
        ({"fullname": "x" * 121}, "fullname", "at most 120 characters"),
        ({"fullname": "a\0b"}, "fullname", "Null characters"),
        ({"fullname": "a\x1bb"}, "fullname", "cannot be shown"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_what_was_typed_is_kept(browser, lab, sam, given, field, says):
    before = state()
    typed = {"name": "club", "fullname": "The <b>Club</b>"} | given
    response = browser(sam).post(NEW, typed)
    assert response.status_code == 400
    page = soup(response)
    control = page.find(attrs={"name": field})
    assert says in described(page, control)
    assert control["aria-invalid"] == "true"
    for name in {"name", "fullname"} - {field}:
        assert page.find(attrs={"name": name})["value"] == typed[name]
    if "\0" not in typed[field]:
        assert control.get("value", "") == typed[field]
    assert state() == before


# --- Mine -----------------------------------------------------------------------------------------------------------


def test_my_organizations_say_what_i_am_in_each(browser, lab, ada, rea):
    page = soup(browser(rea).get(MINE))
    assert page.select_one("nav a[aria-current]").text.strip() == "Organizations"
    row = words(page.select_one(".rows > li"))
    assert all(word in row for word in ("The Lab", "lab", "Read since", "joined", "Leave"))
    assert not page.select(f'.rows a[href="{SETTINGS}"]')
    page = soup(browser(ada).get(MINE))
    assert page.select(f'.rows a[href="{SETTINGS}"]')
    assert "You are its last admin" in words(page.select_one(".rows > li"))
    assert not page.select('form[action$="/leave"]')


def test_without_an_organization_the_page_says_what_to_do(browser, sam):
    page = soup(browser(sam).get(MINE))
    assert "tell an admin of it your user name, sam" in words(page.select_one(".empty"))
    assert page.select(f'.empty a[href="{NEW}"]')


def test_the_list_costs_as_many_queries_with_many_as_with_one(browser, ada, lab, django_assert_max_num_queries):
    for number in range(12):
        accounts.create_organization(name=f"org-{number}", admin=ada, by=SYSTEM)
    client = browser(ada)
    with django_assert_max_num_queries(4):
        client.get(MINE)


def test_a_member_leaves(browser, lab, rea):
    client = browser(rea)
    press(client, soup(client.get(MINE)), "/organizations/lab/leave")
    assert roles(lab) == {"ada": "admin"}
    event = AuditEvent.objects.get(verb="membership:remove")
    assert (event.actor, event.target, event.entrance) == ("rea", "rea in lab", "page")
    assert "You have left lab." in toast(client)


def test_the_last_admin_stays_and_is_told_what_to_do(browser, lab, ada, rea):
    before = state()
    client = browser(ada)
    client.post("/organizations/lab/leave")
    page = soup(client.get("/"))
    said = words(page.select_one("#toasts"))
    assert "ada is the last admin of lab" in said
    assert words(page.select_one(f'#toasts a[href="{MEMBERS}"]')) == "Make another member an admin first"
    assert state() == before
    accounts.set_role(organization=lab, user=rea, role="admin", by=SYSTEM)
    press(client, soup(client.get(MINE)), "/organizations/lab/leave")
    assert roles(lab) == {"rea": "admin"}


def test_who_is_no_member_cannot_leave(browser, lab, sam):
    before = state()
    client = browser(sam)
    client.post("/organizations/lab/leave")
    assert "sam is not a member of lab." in toast(client)
    assert state() == before


# --- Settings and end -----------------------------------------------------------------------------------------------


def test_an_admin_changes_the_full_name(browser, lab, ada):
    client = browser(ada)
    page = soup(client.get(SETTINGS))
    assert page.find(attrs={"name": "fullname"})["value"] == "The Lab"
    press(client, page, SETTINGS, fullname="A <i>Lab</i>")
    assert words(soup(client.get("/lab")).h1) == "A <i>Lab</i>"
    assert AuditEvent.objects.get(verb="organization:profile").entrance == "page"
    press(client, soup(client.get(SETTINGS)), SETTINGS, fullname="")
    assert words(soup(client.get("/lab")).h1) == "lab"


@pytest.mark.parametrize(("fullname", "says"), [("x" * 121, "at most 120"), ("a\0b", "Null"), ("a\x07b", "shown")])
def test_a_full_name_that_cannot_be_is_kept_in_its_field(browser, lab, ada, fullname, says):
    before = state()
    response = browser(ada).post(SETTINGS, {"fullname": fullname})
    assert response.status_code == 400
    page = soup(response)
    assert says in described(page, page.find(attrs={"name": "fullname"}))
    assert state() == before


def test_an_organization_is_deleted_when_nothing_is_left_in_it(browser, lab, ada, make_repo):
    repo = make_repo("lab/rows", by=ada, type_="dataset", private=True)
    client = browser(ada)
    page = soup(client.get(SETTINGS))
    left = page.select_one("#delete li")
    assert words(left) == "lab/rows Dataset Private"
    assert left.a["href"] == "/datasets/lab/rows/settings#move"
    assert not page.select("#delete form")
    response = client.post(f"{SETTINGS}/delete", {"confirm": "lab"})
    assert response.status_code == 409
    assert "lab still has repositories: datasets/lab/rows." in words(soup(response).select_one("#delete [role=alert]"))

    repo_services.delete_repo(repo, by=Actor(user=ada))
    response = press(client, soup(client.get(SETTINGS)), f"{SETTINGS}/delete", confirm="Lab")
    assert response.status_code == 400
    page = soup(response)
    assert "Type lab to confirm" in described(page, page.find(id="delete-confirm"))
    assert Organization.objects.exists()
    response = press(client, soup(client.get(SETTINGS)), f"{SETTINGS}/delete", confirm=" lab ")
    assert response["Location"] == MINE
    assert "The organization lab is deleted." in toast(client)
    assert not Organization.objects.exists()
    assert not Namespace.objects.filter(name="lab").exists()
    assert client.get("/lab").status_code == client.get(MEMBERS).status_code == 404


# --- The page of the organization -----------------------------------------------------------------------------------


def test_the_page_of_an_organization_links_to_what_one_may(browser, lab, ada, rea, wes, make_repo):
    make_repo("lab/base", by=ada)

    def links(client) -> set[str]:
        return {link["href"] for link in soup(client.get("/lab")).main.select("a")}

    assert {SETTINGS, MEMBERS, "/new?namespace=lab"} <= links(browser(ada))
    for client in (browser(), browser(rea)):
        assert MEMBERS in links(client)
        assert not {SETTINGS, "/new?namespace=lab"} & links(client)
    assert "/new?namespace=lab" in links(browser(wes))


def test_an_empty_page_says_what_to_do(browser, lab, ada, sam):
    assert "lab has no models or datasets yet. Create a repository" in words(soup(browser(ada).get("/lab")).main)
    assert "lab shows no models or datasets to you." in words(soup(browser(sam).get("/lab")).main)
    assert soup(browser(sam).get("/sam")).select_one(f'aside a[href="{MINE}"]')
    assert not soup(browser(ada).get("/sam")).select(f'aside a[href="{MINE}"]')
    assert len(soup(browser(ada).get("/lab")).main.select('a[href="/new?namespace=lab"]')) == 1
