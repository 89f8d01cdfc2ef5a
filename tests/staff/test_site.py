"""The admin as a site: who acts on its pages, and what their Content-Security-Policy allows.  stef is a superuser."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.http import HttpResponse
from django.urls import reverse

from accounts.actor import Entrance
from accounts.staff import actor_of
from tests.web.pages import assert_nothing_inline, soup, words


@pytest.fixture
def stef(make_staff):
    return make_staff("stef", superuser=True)


def directives(response: HttpResponse) -> dict[str, set[str]]:
    policy = response["Content-Security-Policy"]
    return {name: set(values) for name, *values in (part.split() for part in policy.split(";"))}


def of_the_site(response: HttpResponse) -> dict[str, set[str]]:
    return {name: values - {"'unsafe-eval'"} for name, values in directives(response).items()}


def test_a_view_knows_who_acts_from_where(rf, stef):
    seen = []

    def view(request):
        seen.append(actor_of(request))
        return HttpResponse()

    request = rf.get("/admin/", REMOTE_ADDR="198.51.100.7")
    request.user = stef
    assert admin.site.admin_view(view)(request).status_code == 200
    [actor] = seen
    assert (actor.user, actor.token, actor.entrance, actor.address) == (stef, None, Entrance.ADMIN, "198.51.100.7")


def test_outside_the_admin_nobody_is_taken_for_staff(rf, stef):
    request = rf.get("/")
    request.user = stef
    with pytest.raises(AttributeError):
        actor_of(request)


def test_scripts_may_evaluate_in_the_admin_alone(browser, stef, db):
    plain = directives(browser(stef).get("/"))
    assert plain["script-src"] == plain["style-src"] == {"'self'"}
    for response in (
        browser(stef).get("/admin/"),
        browser(stef).get(reverse("admin:accounts_user_changelist")),
    ):
        assert directives(response)["script-src"] == {"'self'", "'unsafe-eval'"}
        assert of_the_site(response) == plain
        assert_nothing_inline(response)


def test_a_page_that_the_admin_refuses_allows_no_more_than_the_site(browser, sam):
    for path in ("/admin/", reverse("admin:accounts_user_changelist"), "/admin/no/such/page"):
        response = browser(sam).get(path)
        assert response.status_code in (302, 403, 404)
        assert "'unsafe-inline'" not in response["Content-Security-Policy"]


def test_a_page_says_that_it_needs_scripts(browser, stef):
    page = soup(browser(stef).get("/admin/"))
    assert "need scripts" in words(page.select_one("body noscript"))
    assert page.select_one("head noscript link[rel=stylesheet]")
