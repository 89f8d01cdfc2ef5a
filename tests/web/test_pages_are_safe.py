"""What every page keeps: nothing inline, a strict CSP, everything escaped, hidden and missing alike."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib import admin
from django.urls import reverse

from access import services
from accounts import services as accounts
from accounts.actor import SYSTEM, Actor, Entrance
from accounts.models import User
from gatehub import errors
from notifications.models import OutboxMessage
from repos import services as repo_services
from tests.support.cast import PASSWORD, add_files, make_token
from tests.web.pages import assert_nothing_inline, soup, words

EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7777|add:1111111 }}'"

REPO_PAGES = ["", "/tree/main", "/blob/main/README.md", "/commits/main", "/settings", "/settings?status=rejected",
              "/settings?status=accepted", "/settings?q=evil", "/settings/history", "/settings/history?person=evil",
              "/edit/main/README.md"]  # fmt: skip
PAGES = ["/", "/models", "/datasets", "/models?search=%3Cscript%3E", "/lab", "/evil", "/login", "/signup", "/logout",
         "/password/reset", "/password/reset/sent", "/password/reset/done", "/account/verify", "/account/inactive",
         "/account/verify/no-such-key", "/password/reset/1-abc", "/account/confirm", "/settings/profile",
         "/settings/tokens", "/settings/requests", "/settings/addresses", "/settings/password", "/new", "/nobody",
         "/settings/security", "/settings/security/app", "/settings/security/app/remove", "/settings/security/keys",
         "/settings/security/keys/add", "/settings/security/keys/1/rename", "/settings/security/keys/1/remove",
         "/settings/security/recovery-codes", "/settings/security/recovery-codes/new", "/login/factor",
         "/account/confirm/code", "/account/confirm/key",
         "/notifications/address/x", "/notifications/unsubscribe/x", "/settings/notifications", "/no/such-repo",
         "/settings/organizations", "/organizations/new",
         "/organizations/lab/members", "/organizations/lab/members?user=evil",
         "/organizations/lab/settings"]  # fmt: skip


@pytest.fixture
def evil(gated_repo, ada, noor, make_repo):
    """A person, a card, labels, answers, a token and a reason, all hostile."""
    person = accounts.create_user(
        username="evil", email="evil@example.org", password=PASSWORD, fullname=EVIL[:120], by=SYSTEM
    )
    gate = {
        "extra_gated_heading": EVIL,
        "extra_gated_description": EVIL,
        "extra_gated_prompt": f"{EVIL}\n[x](javascript:alert(1)) <a href='javascript:alert(1)' style='color:red'>x</a>",
        "extra_gated_button_content": EVIL,
        "extra_gated_fields": {
            EVIL: {"type": "text", "help": EVIL},
            f"tick {EVIL}": "checkbox",
            f"choose {EVIL}": {"type": "select", "options": [EVIL, {"label": f"a{EVIL}", "value": f"b{EVIL}"}]},
        },
        "license": EVIL,
        "tags": [EVIL],
        "pipeline_tag": EVIL,
        "language": [EVIL],
    }
    text = f"# {EVIL}\n\n{EVIL}\n\n<style>body {{display: none}}</style>\n```python\n{EVIL}\n```\n"
    card = f"---\n{json.dumps(gate)}\n---\n{text}"
    add_files(gated_repo, {"README.md": card.encode(), f"x{EVIL.replace('/', '')}.txt": b"x"}, by=ada)
    answers = {EVIL: EVIL, f"tick {EVIL}": "true", f"choose {EVIL}": EVIL}
    request = services.ask(repo=gated_repo, answers=answers, by=Actor(user=person))
    make_token(person, name=EVIL[:100])
    other = services.ask(repo=gated_repo, answers=answers, by=Actor(user=noor))
    services.review(access_request=other, status="rejected", reason=EVIL, by=Actor(user=ada))
    assert request is not None
    return person


def assert_safe(response, path):
    assert response.status_code < 500, path
    policy = response["Content-Security-Policy"]
    assert "script-src 'self'" in policy, path
    assert "style-src 'self'" in policy, path
    assert "unsafe" not in policy, path
    assert re.search(r"\b(private|no-store)\b", response["Cache-Control"]), path
    assert_nothing_inline(response)
    page = soup(response)
    assert not page.select("img[src=x]"), path
    assert "1118888" not in words(page), path


def test_nothing_a_user_wrote_runs_on_any_page(evil, browser, ada, sam, noor):
    for client in (browser(), browser(sam), browser(evil), browser(noor), browser(ada)):
        for path in [*PAGES, *(f"/lab/toxic-bert{tail}" for tail in REPO_PAGES)]:
            response = client.get(path)
            if response.status_code not in (301, 302):
                assert_safe(response, path)


def staff_pages():
    """Every list of the admin, and the page of the newest row in it."""
    yield "/admin/"
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        newest = model._default_manager.order_by("-pk").first()
        if newest is not None:
            yield reverse(f"{name}_change", args=[newest.pk])


def test_nothing_a_user_wrote_runs_in_the_admin(evil, gated_repo, ada, browser, make_staff):
    """Where scripts may evaluate what stands in an attribute, nobody else may put anything there."""
    stef = make_staff("stef", superuser=True)
    repo_services.disable(gated_repo, reason=EVIL[:200], by=Actor(user=stef, entrance=Entrance.ADMIN))
    User.objects.filter(pk=stef.pk).update(fullname=EVIL[:120])
    OutboxMessage.objects.create(kind="accepted", state="dispatched", repo=gated_repo, data={EVIL: EVIL})
    client = browser(stef)
    pages = [*staff_pages(), f"/admin/repos/repo/{gated_repo.pk}/enable/", "/admin/repos/repo/?q=%22%3E%3Cscript%3E"]
    assert len(pages) > 30
    evil_was_shown = 0
    for path in pages:
        response = client.get(path)
        assert response.status_code == 200, path
        policy = response["Content-Security-Policy"]
        assert "unsafe-inline" not in policy, path
        assert re.search(r"script-src 'self' 'unsafe-eval'(;|$)", policy), path
        assert_nothing_inline(response)
        page = soup(response)
        assert not page.select("img[src=x]"), path
        assert "1118888" not in words(page), path
        evil_was_shown += "alert(1)" in words(page)
        for node in page.find_all(True):
            for attribute, value in node.attrs.items():
                if attribute.startswith(("x-", ":", "@", "hx-")):
                    assert "alert(1)" not in str(value), (path, node)
    assert evil_was_shown > 4


def test_hostile_labels_are_names_of_controls_letter_for_letter(evil, browser, sam):
    form = soup(browser(sam).get("/lab/toxic-bert")).select_one('form[action*="/ask-access?"]')
    names = [control["name"] for control in form.select("[name]")][1:]
    assert names == [EVIL, f"tick {EVIL}", f"choose {EVIL}"]
    values = [option["value"] for option in form.select("option")]
    assert values == ["", EVIL, f"b{EVIL}"]


HIDDEN = ["", "/tree/main", "/tree/nowhere", "/blob/main/README.md", "/commits/main", "/commit/0000000", "/settings",
          "/settings?status=accepted", "/edit/main/README.md"]  # fmt: skip
POSTED = ["/withdraw-request", "/settings/change", "/settings/move", "/settings/delete", "/settings/review",
          "/settings/grant", "/settings/accept-queue", "/settings/confirm-address", "/edit/main/README.md",
          "/edit/preview"]  # fmt: skip


def told(response) -> str:
    """All that an answer says, less the name that was asked for and what is random."""
    headers = {name: value for name, value in response.headers.items() if name != "X-Request-Id"}
    text = f"{response.status_code} {headers} {response.content.decode()}".replace("secret", "nothin")
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)


@pytest.mark.parametrize("type_", ["model", "dataset"])
def test_a_hidden_repo_and_a_missing_one_are_the_same_page(make_repo, olu, sam, browser, type_):
    repo = make_repo("olu/secret", by=olu, type_=type_, private=True, gated="manual")
    missing = repo.path.replace("secret", "nothin")
    for client in (browser(), browser(sam)):
        for tail in [*HIDDEN, *POSTED]:
            send = client.post if tail in POSTED else client.get
            hidden, none = send(repo.path + tail), send(missing + tail)
            assert hidden.status_code in (302, 404), tail
            assert told(hidden) == told(none), tail


def test_a_wrong_method_is_told_on_a_page(gated_repo, browser, ada):
    client = browser(ada)
    for path, method, allowed in (
        ("/lab/toxic-bert/settings/review", "PUT", "POST"),
        ("/lab/toxic-bert/edit/preview", "GET", "POST"),
        ("/lab/toxic-bert", "POST", "GET, HEAD"),
        ("/settings/tokens", "DELETE", "GET, HEAD, POST"),
    ):
        response = client.generic(method, path)
        assert (response.status_code, response["Allow"]) == (405, allowed)
        assert "text/html" in response["Content-Type"]


def test_errors_have_a_next_step(gated_repo, browser, sam):
    page = soup(browser().get("/no/such"))
    assert page.select_one("main a")
    assert "There is no such repository, or you may not see it." in words(page.h1)
    page = soup(browser(sam).get("/lab/toxic-bert/settings"))
    assert words(page.h1) == "You may not change the settings of this repository."


def test_the_page_of_a_broken_server_needs_no_database(rf):
    request = rf.get("/", headers={"accept": "text/html"})
    request.id = "req-1"
    response = errors.server_error(request)  # No session, no user: whatever touches them fails.
    assert response.status_code == 500
    assert "req-1" in words(soup(response))
    assert_nothing_inline(response)
