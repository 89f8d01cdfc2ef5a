"""The editor's form, sent after its session has ended: ada has the editor of lab/toxic-bert open, and is signed out."""

from __future__ import annotations

from urllib.parse import unquote, urlencode

import pytest
from django.conf import settings
from django.core.cache import cache

from gatehub.web import unsent
from repos import content
from repos.models import Repo
from tests.support.cast import GATE_CARD, PASSWORD, add_files
from tests.web.pages import data_of, form_to, press, soup, words

PATH = "/lab/toxic-bert"
EDIT = f"{PATH}/edit/main/README.md"
PREVIEW = f"{PATH}/edit/preview"
FORM = "application/x-www-form-urlencoded"
TYPED = f"{GATE_CARD}\n\nUniversité <b>de</b> Genève\n"
HTMX = {"HX-Request": "true", "HX-Target": "edit-preview"}


@pytest.fixture(autouse=True)
def no_limits_from_the_test_before(db):
    cache.clear()  # Sign-ins and kept forms are counted there.


@pytest.fixture
def opened(browser, gated_repo, ada):
    """A browser, with its CSRF checks, in which ada has the editor open; and what its form holds with what is typed."""
    client = browser(ada, enforce_csrf_checks=True)
    form = data_of(form_to(soup(client.get(EDIT)), EDIT))
    return client, form | {"text": TYPED.replace("\n", "\r\n"), "title": "Say where", "description": "By hand."}


@pytest.fixture
def signed_out(opened):
    client, form = opened
    del client.cookies[settings.SESSION_COOKIE_NAME]
    return client, form


@pytest.fixture
def signed_in_anew(opened):
    """ada has signed out and in again in another tab."""
    client, form = opened
    press(client, soup(client.get(PATH)), "/logout")
    sign_in(client, "ada")
    return client, form


def send(client, data, path=EDIT, **headers):
    headers = {"origin": "http://testserver"} | headers
    return client.post(path, urlencode(data), content_type=FORM, headers=headers)


def sign_in(client, name):
    assert press(client, soup(client.get("/login")), "/login", login=name, password=PASSWORD).status_code == 302


def text_on(page) -> str:
    return page.select_one("#edit-text").text.removeprefix("\n")


def nothing_was_saved(repo) -> bool:
    return content.open_git(repo).head() == repo.head_sha


@pytest.mark.parametrize("path", [EDIT, PREVIEW])
def test_what_was_typed_is_there_unsaved_after_signing_in(signed_out, gated_repo, path):
    client, form = signed_out
    answer = send(client, form, path)
    assert (answer.status_code, answer["Location"]) == (302, f"/login?next={EDIT}")
    assert "What you typed is kept for an hour" in words(soup(client.get(answer["Location"])).select_one("#toasts"))
    sign_in(client, "ada")
    page = soup(client.get(EDIT))
    notice = words(page.select_one(".notice[role=alert]"))
    assert "You were signed out when you sent this form. Nothing was saved." in notice
    assert text_on(page) == TYPED
    shown = form_to(page, EDIT)
    assert shown.has_attr("data-unsaved")
    assert (data_of(shown)["title"], data_of(shown)["description"].strip()) == ("Say where", "By hand.")
    assert nothing_was_saved(gated_repo)
    assert press(client, page, EDIT, text=text_on(page))["Location"] == PATH
    git = content.open_git(gated_repo)
    assert git.read_blob(git.entry(git.head(), "README.md").oid).decode() == TYPED
    assert git.commits(git.head())[0].title == "Say where"


def test_the_editor_of_a_dataset_keeps_it_too(browser, make_repo, lab, ada):
    repo = make_repo("lab/rows", by=ada, type_="dataset", files={"README.md": b"# Rows\n"})
    edit = f"{repo.path}/edit/main/README.md"
    client = browser(ada, enforce_csrf_checks=True)
    form = data_of(form_to(soup(client.get(edit)), edit))
    del client.cookies[settings.SESSION_COOKIE_NAME]
    assert send(client, form | {"text": "# Typed\n"}, edit)["Location"] == f"/login?next={edit}"
    sign_in(client, "ada")
    assert text_on(soup(client.get(edit))) == "# Typed\n"


def test_it_is_shown_once_and_in_the_editor_of_its_repo_alone(signed_out, make_repo, ada):
    client, form = signed_out
    make_repo("lab/other", by=ada, files={"README.md": b"# Other\n"})
    send(client, form)
    sign_in(client, "ada")
    assert "You were signed out" not in words(soup(client.get("/lab/other/edit/main/README.md")))
    client.head(EDIT)
    assert "You were signed out" in words(soup(client.get(EDIT)))
    page = soup(client.get(EDIT))
    assert "You were signed out" not in words(page)
    assert text_on(page) == GATE_CARD


def test_a_colleague_who_signs_in_there_is_not_shown_it(signed_out, wes):
    client, form = signed_out
    send(client, form)
    sign_in(client, "wes")
    assert "Genève" not in client.get(EDIT).content.decode()


def test_nor_is_anybody_after_an_hour(signed_out, monkeypatch):
    client, form = signed_out
    send(client, form)
    sign_in(client, "ada")
    hour_later = unsent.time.time() + 3601
    monkeypatch.setattr(unsent.time, "time", lambda: hour_later)
    assert "Genève" not in client.get(EDIT).content.decode()


@pytest.mark.parametrize("without", ["csrfmiddlewaretoken", "by"])
def test_what_is_not_of_our_page_is_not_kept(signed_out, without):
    client, form = signed_out
    answer = send(client, {name: value for name, value in form.items() if name != without})
    assert answer.status_code == 403
    assert "What you typed could not be kept" in words(soup(answer).h1)
    assert "unsent_card" not in client.session
    assert "Genève" not in answer.content.decode()


def test_a_text_that_is_too_long_to_keep_is_said_to_be(signed_out, gated_repo):
    client, form = signed_out
    fits = "€" * (unsent.MAX_TEXT_BYTES // 3 - 40)  # And the rest of the form.
    assert send(client, form | {"text": fits}).status_code == 302
    for longer in (fits + "€" * 40, "€" * content.CARD_MAX_BYTES):  # By what it is, and by what the server reads of it.
        answer = send(client, form | {"text": longer})
        assert answer.status_code == 413
        page = soup(answer)
        assert "too long to be kept" in words(page.h1)
        assert "Back button" in words(page.main)
        assert unquote(page.select_one("#content .error-page a")["href"]) == f"/login?next={EDIT}"


def test_one_address_has_few_texts_kept_and_is_told(signed_out, browser, monkeypatch):
    monkeypatch.setattr(unsent, "MOST_AN_HOUR", 1)
    client, form = signed_out
    assert send(client, form).status_code == 302
    answer = send(client, form)
    assert answer.status_code == 403
    assert "What you typed could not be kept" in words(soup(answer).h1)


def test_a_stranger_learns_nothing_of_what_is_hidden(signed_out, make_repo, ada):
    client, form = signed_out
    make_repo("lab/secret", by=ada, private=True, files={"README.md": b"# S\n"})
    for name in ("secret", "absent"):
        edit = f"/lab/{name}/edit/main/README.md"
        answer = send(client, form, edit)
        assert (answer.status_code, answer["Location"]) == (302, f"/login?next={edit}")


def test_a_commit_of_meanwhile_is_told_when_it_is_saved(signed_out, gated_repo, wes):
    client, form = signed_out
    send(client, form)
    add_files(gated_repo, {"README.md": b"# Of wes\n"}, by=wes)
    sign_in(client, "ada")
    page = soup(client.get(EDIT))
    assert text_on(page) == TYPED
    answer = press(client, page, EDIT, text=text_on(page))
    assert answer.status_code == 409
    assert text_on(soup(answer)) == TYPED


def test_after_a_sign_in_elsewhere_the_editor_is_shown_again_as_it_was(signed_in_anew, gated_repo):
    client, form = signed_in_anew
    for path in (EDIT, PREVIEW):
        answer = send(client, form, path)
        assert answer.status_code == 403
        page = soup(answer)
        notice = words(page.select_one(".notice[role=alert]"))
        assert "You have signed in again since you opened the editor. Nothing was saved." in notice
        assert text_on(page) == TYPED
        assert data_of(form_to(page, EDIT))["title"] == "Say where"
        assert nothing_was_saved(gated_repo)
    assert press(client, page, EDIT)["Location"] == PATH
    assert not nothing_was_saved(gated_repo)


def test_the_preview_while_typing_goes_on_after_it(signed_in_anew):
    client, form = signed_in_anew
    answer = send(client, form, PREVIEW, **HTMX)
    assert answer.status_code == 200
    assert "Université de Genève" in words(soup(answer).article)


def test_another_person_is_not_shown_what_the_one_before_typed(opened, wes):
    client, form = opened
    press(client, soup(client.get(PATH)), "/logout")
    sign_in(client, "wes")
    for headers in ({}, HTMX):
        answer = send(client, form, PREVIEW, **headers)
        assert answer.status_code == 403
        assert "Genève" not in answer.content.decode()
    answer = send(client, form)
    assert "Somebody else was signed in when this form was opened." in words(soup(answer).h1)
    assert "Genève" not in answer.content.decode()


@pytest.mark.parametrize("origin", ["http://evil.example", "null", ""])
def test_what_another_site_sends_is_not_shown(signed_in_anew, origin):
    client, form = signed_in_anew
    answer = send(client, form, origin=origin)
    assert answer.status_code == 403
    assert "This form has expired or came from another site." in words(soup(answer).h1)
    assert "Genève" not in answer.content.decode()


def test_who_may_write_no_more_is_refused(signed_in_anew, gated_repo):
    client, form = signed_in_anew
    Repo.objects.update(disabled=True)
    assert "disabled" in words(soup(send(client, form)).h1)


def test_the_preview_says_that_the_session_has_ended_and_leaves_the_page(signed_out):
    client, form = signed_out
    answer = send(client, form, PREVIEW, **HTMX)
    assert answer.status_code == 200  # Of another status the script would show nothing.
    assert "HX-Redirect" not in answer
    part = soup(answer)
    assert not part.select("html, header, form")
    assert "You have been signed out." in words(part.select_one("[role=alert]"))
    link = part.select_one("a[target=_blank]")
    assert (link["href"], link["rel"]) == (f"/login?next={PATH}", ["noopener"])
    assert "unsent_card" not in client.session
