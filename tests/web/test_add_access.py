"""Adding access on the settings page.  ada reviews lab/toxic-bert; sam and noor ask."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from access import services
from access.models import AccessRequest
from accounts.actor import Actor
from accounts.models import User
from tests.web.pages import press, soup, words

SETTINGS = "/lab/toxic-bert/settings"


def test_people_are_found_by_parts_of_their_names(asked, gated_repo, browser, ada, make_user):
    make_user("maryam", "Maryam Mirzakhani")
    services.review(access_request=asked[0], status="accepted", by=Actor(user=ada))
    client = browser(ada)
    found = soup(client.get(f"{SETTINGS}/people", {"user": "mirza"}))
    assert words(found) == "maryam Maryam Mirzakhani Add access"
    assert not found.select("html")
    sam = soup(client.get(f"{SETTINGS}/people", {"user": "SAM"}))
    assert "There are more" not in words(sam)
    assert words(sam) == "sam Sam Requester Accepted"
    assert "@" not in str(sam)
    assert "Nobody found for “zzz”." in words(soup(client.get(f"{SETTINGS}/people", {"user": "zzz"})))
    # Without scripts the button looks for them, too.
    response = press(client, soup(client.get(SETTINGS)), f"{SETTINGS}/grant", 'id="grant-user"', user="mirza")
    assert response["Location"] == f"{SETTINGS}?user=mirza#add"
    page = soup(client.get(response["Location"]))
    press(client, page.select_one("#people"), f"{SETTINGS}/grant")
    assert AccessRequest.objects.get(user__username="maryam").is_accepted


def test_a_closed_account_is_not_offered(gated_repo, browser, ada, sam):
    sam.is_active = False
    sam.save()
    assert "Nobody found" in words(soup(browser(ada).get(f"{SETTINGS}/people", {"user": "sam"})))


def test_add_access_by_user_name(gated_repo, browser, ada, sam, make_user):
    client, grant = browser(ada), f"{SETTINGS}/grant"
    press(client, soup(client.get(SETTINGS)), grant, user="SAM")
    request = AccessRequest.objects.get()
    assert (request.user, request.status, request.granted) == (sam, "accepted", True)
    for user, says in (
        ("sam", "sam can download the files already. Nothing was changed."),
        ("nobody", "Nobody here is called “nobody”. They need an account first."),
        ("", "Say whom to give access."),
        ("\0", "Say whom to give access."),
    ):
        client.post(grant, {"user": user})
        assert says in words(soup(client.get(SETTINGS)))
    assert AccessRequest.objects.count() == 1


def test_people_are_searched_with_the_same_queries_however_many(gated_repo, browser, ada):
    client = browser(ada)
    client.get(f"{SETTINGS}/people", {"user": "person"})
    counted = []
    for number in range(2):
        User.objects.bulk_create([User(username=f"person{number}-{n}", email=f"{number}-{n}@e.org") for n in range(20)])
        with CaptureQueriesContext(connection) as queries:
            found = soup(client.get(f"{SETTINGS}/people", {"user": "person"}))
        assert len(found.select("li")) == 8
        assert "There are more. Type more of the name" in words(found)
        counted.append(len(queries))
    assert counted[0] == counted[1] <= 7
