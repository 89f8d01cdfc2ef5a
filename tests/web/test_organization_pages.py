"""Organizations as pages.  ada is the admin of lab, wes writes, rea reads; sam and noor are members of nothing."""

from __future__ import annotations

import pytest

from accounts import services as accounts
from accounts.actor import SYSTEM, Actor
from accounts.models import AuditEvent, Membership, Namespace, Organization, User
from gatehub.web import organizations as pages
from repos import services as repo_services
from tests.web.pages import data_of, described, form_to, label_of, press, soup, words

NEW, MINE = "/organizations/new", "/settings/organizations"
SETTINGS, MEMBERS = "/organizations/lab/settings", "/organizations/lab/members"
FORMS = {
    f"{MEMBERS}/add": {"user": "noor", "role": "read"},
    f"{MEMBERS}/role": {"user": "rea", "role": "admin", "expected": "read"},
    f"{MEMBERS}/remove": {"user": "rea"},
    SETTINGS: {"fullname": "Theirs"},
    f"{SETTINGS}/delete": {"confirm": "lab"},
}
"""What an admin can do, by address."""


def roles(organization) -> dict[str, str]:
    return dict(Membership.objects.filter(organization=organization).values_list("user__username", "role"))


def state() -> tuple:
    """Whatever the pages could change."""
    return (
        list(Membership.objects.order_by("pk").values_list("organization", "user", "role")),
        list(Organization.objects.order_by("pk").values_list("fullname")),
        AuditEvent.objects.count(),
    )


def toast(client, path=MINE) -> str:
    return words(soup(client.get(path)).select_one("#toasts"))


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
        ({"name": "lab"}, "name", "The name 'lab' is taken."),
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
    said = toast(client)
    assert "ada is the last admin of lab" in said
    assert f"Make another member an admin first: http://testserver{MEMBERS}" in said
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


# --- Members --------------------------------------------------------------------------------------------------------


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
    assert "Nobody here has “zzz” in their name. They need an account first." in words(nobody)
    assert words(soup(client.get(f"{MEMBERS}/people"))) == ""


@pytest.mark.parametrize(
    ("given", "status", "says"),
    [
        ({"user": "nobody"}, 404, "Nobody here has “nobody” in their name. They need an account first."),
        ({"user": "lab"}, 404, "Nobody here has “lab”"),
        ({"user": ""}, 400, "Say whom to add."),
        ({"user": "\0"}, 400, "Say whom to add."),
        ({"user": "noor\x07"}, 404, "Nobody here has “noor"),
        ({"user": "x" * 5000}, 404, "Nobody here has “xxx"),
        ({"user": "gone"}, 404, "Nobody here has “gone”"),
        ({"person": "gone", "user": "wes"}, 404, "Nobody here has “gone”"),
        ({"user": "ada"}, 409, "ada is a member already, with the role admin."),
        ({"user": "wes"}, 409, "wes is a member already, with the role write."),
        ({"person": "wes"}, 409, "Change the role in the list of members."),
        ({"role": "owner"}, 400, "role must be one of read, contributor, write, admin"),
        ({"role": ""}, 400, "role must be one of"),
        ({"role": "read\0"}, 400, "role must be one of"),
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
        assert "noor is not a member" in (said := toast(client)) or "User not found" in said
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


# --- Who may not ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["wes", "rea", "sam"])
def test_who_is_no_admin_sees_no_settings_and_changes_nothing(browser, lab, ada, wes, rea, sam, noor, who):
    client = browser({"wes": wes, "rea": rea, "sam": sam}[who])
    before = state()
    for path in (SETTINGS, f"{MEMBERS}/people?user=sam"):
        response = client.get(path)
        assert response.status_code == 403
        assert "Only admins of lab may do this." in words(soup(response).h1)
        assert f"http://testserver{MEMBERS}" in words(soup(response).main)
    for path, data in FORMS.items():
        assert client.post(path, data).status_code == 403, path
    assert client.post(f"{MEMBERS}/add", {"user": who, "role": "admin"}).status_code == 403
    assert client.post(f"{MEMBERS}/role", {"user": who, "role": "admin"}).status_code == 403
    assert state() == before


def test_strangers_sign_in_first_and_change_nothing(browser, lab, rea, noor):
    client, before = browser(), state()
    for path in (NEW, MINE, SETTINGS, "/organizations/nothing/settings"):
        assert client.get(path)["Location"] == f"/login?next={path}"
    for path, data in FORMS.items():
        assert client.post(path, data)["Location"] == "/login?next=/", path
    assert client.post("/organizations/lab/leave")["Location"] == "/login?next=/"
    assert state() == before


def test_a_deactivated_admin_is_a_stranger(browser, lab, ada, rea, noor):
    client = browser(ada)
    User.objects.filter(pk=ada.pk).update(is_active=False)
    before = state()
    for path, data in FORMS.items():
        assert client.post(path, data)["Location"] == "/login?next=/", path
    assert client.get(SETTINGS)["Location"] == f"/login?next={SETTINGS}"
    assert state() == before


def test_a_token_in_a_header_is_nobody_on_a_page(browser, lab, ada, rea, noor, api):
    before_tokens = api(ada)
    before = state()
    for path, data in FORMS.items():
        response = browser().post(path, data, headers={"authorization": f"Bearer {before_tokens.token}"})
        assert response["Location"] == "/login?next=/", path
    assert state() == before


def test_the_forms_need_their_csrf_token(browser, lab, ada, rea, noor):
    client = browser(ada, enforce_csrf_checks=True)
    before = state()
    for path, data in {**FORMS, NEW: {"name": "club"}, "/organizations/lab/leave": {}}.items():
        response = client.post(path, data)
        assert response.status_code == 403
        assert "This form has expired" in words(soup(response)), path
    assert state() == before
    token = form_to(soup(client.get(SETTINGS)), SETTINGS).find(attrs={"name": "csrfmiddlewaretoken"})["value"]
    assert client.post(SETTINGS, {"fullname": "x", "csrfmiddlewaretoken": token}).status_code == 302


@pytest.mark.parametrize("name", ["nothing", "ada", "a%00b", "%2e%2e", "x" * 3000])
def test_what_is_no_organization_is_not_found(browser, ada, lab, name):
    client = browser(ada)
    for tail in ("settings", "members", "members/people"):
        response = client.get(f"/organizations/{name}/{tail}")
        assert response.status_code == 404, tail
        assert "There is no organization" in words(soup(response).h1)
    for tail in ("settings/delete", "members/add", "members/role", "members/remove", "leave"):
        assert client.post(f"/organizations/{name}/{tail}").status_code == 404, tail


def test_shorter_addresses_lead_on(browser, lab, ada):
    assert browser(ada).get("/organizations")["Location"] == MINE
    assert browser().get("/organizations/lab")["Location"] == "/lab"


def test_wrong_methods_are_told(browser, lab, ada):
    for path in (f"{MEMBERS}/add", f"{MEMBERS}/role", f"{MEMBERS}/remove", f"{SETTINGS}/delete"):
        assert browser(ada).get(path).status_code == 405
    assert browser(ada).post(MEMBERS).status_code == 405


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
