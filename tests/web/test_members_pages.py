"""The members of an organization as pages.  ada is the admin of lab, wes writes, rea reads; sam and noor are no
members."""

from __future__ import annotations

import pytest

from accounts import services as accounts
from accounts.actor import SYSTEM
from accounts.models import AuditEvent, Membership, User
from gatehub.web import organizations as pages
from tests.web.organizations import MEMBERS, SETTINGS, roles, state, toast
from tests.web.pages import data_of, described, form_to, label_of, press, soup, words


def names(page) -> list[str]:
    return [words(row.select_one(".who")) for row in page.select(".member")]


def test_everybody_sees_who_is_a_member_as_on_the_page_of_the_organization(browser, lab, ada, rea, sam, wes):
    expected = ["ada Ada Lovelace Admin", "rea Rea Reader Read", "wes Wes Writer Write"]
    for client in (browser(), browser(sam)):
        page = soup(client.get("/organizations/LAB/members"))
        assert names(page) == expected
        assert not page.select("main form")
        assert not page.select("time"), "since when is for members"
        assert not page.select(f'nav a[href="{SETTINGS}"]')
    page = soup(browser(rea).get(MEMBERS))
    assert names(page) == [expected[0], expected[1] + " You", expected[2]]
    assert "Admin since" in words(page.select_one(".member .meta"))
    assert not page.select("main form")


def test_what_each_role_may_do_is_said(browser, lab):
    said = soup(browser().get(MEMBERS)).select_one(".roles")
    assert [words(term) for term in said.select("dt")] == ["Read", "Contributor", "Write", "Admin"]
    assert "Adds and removes members" in words(said.select("dd")[3])


def test_every_role_is_explained():
    assert [value for value, _, _ in pages.ROLES] == Membership.Role.values


def test_who_cannot_sign_in_is_shown_to_admins_alone(browser, lab, ada, rea, wes):
    User.objects.filter(pk=wes.pk).update(is_active=False)
    assert "wes" not in words(soup(browser().get(MEMBERS)).main)
    assert "wes" not in words(soup(browser(rea).get(MEMBERS)).main)
    assert "wes" not in words(soup(browser().get("/lab")).main)
    client = browser(ada)
    page = soup(client.get(MEMBERS))
    assert "wes Deactivated" in words(page.main)
    press(client, page, f"{MEMBERS}/remove", 'value="wes"')
    assert "wes" not in roles(lab)


def test_an_admin_adds_a_person_by_user_name(browser, lab, ada, sam):
    client = browser(ada)
    press(client, soup(client.get(MEMBERS)), f"{MEMBERS}/add", user=" SAM ", role="contributor")
    assert roles(lab)["sam"] == "contributor"
    event = AuditEvent.objects.first()
    assert (event.verb, event.actor, event.entrance) == ("membership:set_role", "ada", "page")
    assert "sam is a member of lab now, with the role contributor." in toast(client)


def test_a_part_of_a_name_leads_to_those_who_have_it(browser, lab, ada, wes, make_user):
    for name, fullname in (("weaver", "Wanda We"), ("west", "")):
        make_user(name, fullname)
    client = browser(ada)
    response = press(client, soup(client.get(MEMBERS)), f"{MEMBERS}/add", user=" we ", role="write")
    assert response["Location"] == f"{MEMBERS}?user=we&role=write#add"
    page = soup(client.get(response["Location"]))
    assert "Nobody has the user name we. Choose among those" in words(page.select_one("#toasts"))
    field = page.find(id="add-user")
    assert (field["value"], label_of(page, field)) == ("we", "User name, or a part of their name")
    assert page.select_one("#add-role option[selected]")["value"] == "write"
    found = page.select("#people li")
    assert [words(row) for row in found] == ["weaver Wanda We Add", "wes Wes Writer Write", "west Add"]
    button = found[0].button
    assert button["aria-label"] == "Add weaver"
    form = page.find(id=button["form"])
    client.post(form["action"], data_of(form) | {button["name"]: button["value"]})
    assert roles(lab) == {"ada": "admin", "wes": "write", "weaver": "write"}


def test_people_appear_while_one_types(browser, lab, ada, sam):
    client = browser(ada)
    response = client.get(f"{MEMBERS}/people", {"user": "REQUEST"})
    assert response["Cache-Control"] == "no-store"
    part = soup(response)
    assert part.find("html") is None
    assert words(part) == "sam Sam Requester Add"
    nobody = soup(client.get(f"{MEMBERS}/people", {"user": "zzz\0"}))
    assert "Nobody found for “zzz”. Type more of the name, or the whole user name." in words(nobody)
    within = words(soup(client.get(f"{MEMBERS}/people", {"user": "m"})))  # As sam has it, where it is not looked for.
    assert within.startswith("Nobody found for “m”. Type more of the name")
    assert words(soup(client.get(f"{MEMBERS}/people"))) == ""


@pytest.mark.parametrize(
    ("given", "status", "says"),
    [
        ({"user": "nobody"}, 404, "Nobody here is called “nobody”. They need an account first."),
        ({"user": "lab"}, 404, "Nobody here is called “lab”"),
        ({"user": ""}, 400, "Say whom to add."),
        ({"user": "\0"}, 400, "Say whom to add."),
        ({"user": "noor\x07"}, 404, "Nobody here is called “noor"),
        ({"user": "x" * 5000}, 404, "Nobody here is called “xxx"),
        ({"user": "gone"}, 404, "Nobody here is called “gone”"),
        ({"person": "gone", "user": "wes"}, 404, "Nobody here is called “gone”"),
        ({"user": "ada"}, 409, "ada is a member already, with the role admin."),
        ({"user": "wes"}, 409, "wes is a member already, with the role write."),
        ({"person": "wes"}, 409, "Change the role in the list of members."),
        ({"role": "owner"}, 400, "There is no such role. Nothing was changed: load the page again and choose one."),
        ({"role": ""}, 400, "There is no such role."),
        ({"role": "read\0"}, 400, "There is no such role."),
    ],
)
def test_who_cannot_be_added_is_said_at_the_field(browser, lab, ada, wes, noor, make_user, given, status, says):
    gone = make_user("gone")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    before = state()
    response = browser(ada).post(f"{MEMBERS}/add", {"user": "noor", "role": "read"} | given)
    assert response.status_code == status
    page = soup(response)
    assert says in described(page, page.find(id="add-user"))
    assert state() == before


def test_an_admin_changes_a_role_and_it_counts_at_once(browser, lab, ada, wes, make_repo):
    make_repo("lab/base", by=ada)
    writer, client = browser(wes), browser(ada)
    assert writer.get("/lab/base/settings").status_code == 200
    page = soup(client.get(MEMBERS))
    select = form_to(page, f"{MEMBERS}/role", 'value="wes"').select_one("select")
    assert select["aria-label"] == "Role of wes"
    press(client, page, f"{MEMBERS}/role", 'value="wes"', role="read")
    assert roles(lab)["wes"] == "read"
    assert "wes has the role read now." in toast(client)
    assert writer.get("/lab/base/settings").status_code == 403
    assert [option["value"] for option in soup(writer.get("/new")).select("[name=namespace] option")] == ["wes"]
    press(client, soup(client.get(MEMBERS)), f"{MEMBERS}/role", 'value="wes"', role="admin")
    assert writer.get(SETTINGS).status_code == 200


def test_a_stale_page_does_not_undo_what_another_admin_did(browser, lab, ada, wes):
    client = browser(ada)
    stale = soup(client.get(MEMBERS))
    accounts.set_role(organization=lab, user=wes, role="read", by=SYSTEM)
    press(client, stale, f"{MEMBERS}/role", 'value="wes"', role="admin")
    assert "it is read now. Nothing was changed." in toast(client)
    accounts.remove_member(organization=lab, user=wes, by=SYSTEM)
    press(client, stale, f"{MEMBERS}/role", 'value="wes"', role="admin")
    assert "wes is not a member of lab." in toast(client)
    assert roles(lab) == {"ada": "admin"}


def test_an_admin_who_demotes_themselves_is_one_no_longer(browser, lab, ada, wes):
    client = browser(ada)
    press(client, soup(client.get(MEMBERS)), f"{MEMBERS}/role", 'value="ada"', role="read")
    assert "ada is the last admin of lab" in toast(client)
    assert roles(lab)["ada"] == "admin"
    accounts.set_role(organization=lab, user=wes, role="admin", by=SYSTEM)
    press(client, soup(client.get(MEMBERS)), f"{MEMBERS}/role", 'value="ada"', role="read")
    assert roles(lab) == {"ada": "read", "wes": "admin"}
    assert not soup(client.get(MEMBERS)).select("main form")
    assert client.get(SETTINGS).status_code == 403


@pytest.mark.parametrize("user", ["nobody", "", "\0", "noor"])
def test_who_is_no_member_gets_no_role_and_is_not_removed(browser, lab, ada, noor, user):
    before = state()
    client = browser(ada)
    for act in ("role", "remove"):
        assert client.post(f"{MEMBERS}/{act}", {"user": user, "role": "admin"})["Location"] == MEMBERS
        assert "noor is not a member" in (said := toast(client)) or "Nobody here is called" in said
    assert state() == before


def test_an_admin_removes_a_member(browser, lab, ada, wes):
    client = browser(ada)
    page = soup(client.get(MEMBERS))
    own = [row for row in page.select(".member") if row.select_one('[value="ada"]')]
    assert not own[0].select('form[action*="/remove"]'), "one leaves, on the page of one's organizations"
    press(client, page, f"{MEMBERS}/remove", 'value="wes"')
    assert roles(lab) == {"ada": "admin"}
    assert "wes is no member of lab any more." in toast(client)


def test_a_long_list_has_pages_and_costs_as_many_queries(
    browser, lab, ada, monkeypatch, make_user, django_assert_max_num_queries
):
    people = User.objects.bulk_create(User(username=f"p{number:02}", email=f"p{number}@e.org") for number in range(60))
    Membership.objects.bulk_create(Membership(organization=lab, user=user, role="read") for user in people)
    client = browser(ada)
    with django_assert_max_num_queries(8):
        page = soup(client.get(MEMBERS))
    assert len(page.select(".member")) == pages.PAGE_SIZE
    assert "1–50 of 61" in words(page.select_one(".pager"))
    second = soup(client.get(page.select_one("a[rel=next]")["href"].join([MEMBERS, ""])))
    assert len(second.select(".member")) == 11
    response = press(client, second, f"{MEMBERS}/remove", 'value="p59"')
    assert response["Location"] == f"{MEMBERS}?page=2"
