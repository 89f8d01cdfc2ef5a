"""The card editor.  ada manages lab/toxic-bert, which is gated; wes writes, rea reads, con contributes, sam asks."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from access import services
from accounts.actor import Actor
from accounts.models import AuditEvent
from repos import content
from repos.git import DeleteFile
from repos.models import GateForm, Repo
from tests.support.cast import ANSWERS, GATE_CARD, add_files
from tests.web.pages import assert_nothing_inline, described, form_to, label_of, press, soup, words

PATH = "/lab/toxic-bert"
EDIT = f"{PATH}/edit/main/README.md"
FORM = "application/x-www-form-urlencoded"
NEW_CARD = GATE_CARD.replace("  Country: country\n", "  Country: country\n  Supervisor: text\n")


def card_of(repo: Repo) -> bytes:
    git = content.open_git(repo)
    return git.read_blob(git.entry(git.head(), "README.md").oid)


def commits_of(repo: Repo) -> list[str]:
    git = content.open_git(repo)
    return [commit.title for commit in git.commits(git.head())]


def save(client, text, *, path=PATH, **given):
    """Open the editor, type the text, press the button."""
    edit = f"{path}/edit/main/README.md"
    return press(client, soup(client.get(edit)), edit, text=text.replace("\n", "\r\n"), **given)


def textarea(page) -> str:
    return page.select_one("#edit-text").text.removeprefix("\n")


def test_the_editor_shows_the_card_as_it_is_and_where_it_stands(gated_repo, browser, ada):
    response = browser(ada).get(EDIT)
    assert response.status_code == 200
    assert_nothing_inline(response)
    page = soup(response)
    form = form_to(page, EDIT)
    assert textarea(page) == GATE_CARD
    assert form.select_one("[name=parent]")["value"] == gated_repo.head_sha
    assert label_of(page, page.select_one("#edit-text")) == "README.md"
    assert form.select_one("[name=title]")["placeholder"] == "Update README.md"
    assert page.select_one("#edit-preview article h1").text == "A model"


def test_saving_commits_and_the_gate_asks_the_new_question(gated_repo, browser, wes, sam):
    before = commits_of(gated_repo)
    response = save(browser(wes), NEW_CARD, title="  Ask who\n supervises ", description="So that we\r\ncan write.")
    assert (response.status_code, response["Location"]) == (302, PATH)
    assert card_of(gated_repo) == NEW_CARD.encode()
    assert commits_of(gated_repo) == ["Ask who supervises", *before]
    git = content.open_git(gated_repo)
    made = git.commits(git.head(), limit=1)[0]
    assert made.author_name == "wes"
    assert "So that we" in made.message
    event = AuditEvent.objects.filter(verb="repo:commit").first()
    assert (event.actor, event.entrance, event.after) == ("wes", "page", made.oid)
    asked = form_to(soup(browser(sam).get(PATH)), f"{PATH}/ask-access")
    assert asked.find(attrs={"name": "Supervisor"})


def test_a_new_form_is_a_new_version_and_old_requests_keep_theirs(gated_repo, browser, ada, sam):
    request = services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    client = browser(ada)
    save(client, NEW_CARD)
    gated_repo.refresh_from_db()
    request.refresh_from_db()
    assert gated_repo.gate_form_id != request.form_id
    assert gated_repo.gate_form.commit_sha == gated_repo.head_sha
    assert "keep the form that they answered" in words(soup(client.get(PATH)))
    versions = GateForm.objects.count()
    save(client, f"{NEW_CARD}More text.\n")
    assert GateForm.objects.count() == versions, "a change of the text alone is no new form"
    assert "From now on" not in words(soup(client.get(PATH)))


def test_without_a_title_the_commit_says_what_it_does(gated_repo, make_repo, browser, ada):
    save(browser(ada), NEW_CARD)
    assert commits_of(gated_repo)[0] == "Update README.md"
    empty = make_repo("lab/empty", by=ada)
    save(browser(ada), "# New", path=empty.path)
    assert commits_of(empty)[0] == "Create README.md"


@pytest.mark.parametrize("type_", ["model", "dataset"])
def test_an_empty_repo_starts_with_a_card_that_explains_the_gate(make_repo, lab, ada, browser, type_):
    repo = make_repo("lab/empty", by=ada, type_=type_, gated="manual")
    client = browser(ada)
    page = soup(client.get(f"{repo.path}/edit/main/README.md"))
    text = textarea(page)
    for word in ("extra_gated_fields", "extra_gated_prompt", "license", "# empty", f"this {type_}"):
        assert word in text
    assert ("pipeline_tag" in text, "task_categories" in text) == (type_ == "model", type_ == "dataset")
    assert not page.select("[aria-invalid]")
    response = save(client, text, path=repo.path)
    assert response["Location"] == repo.path
    assert card_of(repo) == text.encode()


@pytest.mark.parametrize("type_", ["model", "dataset"])
def test_what_the_first_card_explains_is_a_card_once_it_is_used(make_repo, lab, ada, browser, sam, type_):
    repo = make_repo("lab/empty", by=ada, type_=type_, gated="manual")
    client = browser(ada)
    text = textarea(soup(client.get(f"{repo.path}/edit/main/README.md")))
    metadata, below = text.removeprefix("---\n").split("\n---\n")
    used = "\n".join(line.removeprefix("# ") for line in metadata.split("\n"))
    assert save(client, f"---\n{used}\n---\n{below}", path=repo.path)["Location"] == repo.path
    form = form_to(soup(browser(sam).get(repo.path)), f"{repo.path}/ask-access")
    assert form.find(attrs={"name": "I agree to the conditions above"})["type"] == "checkbox"
    assert [option.text for option in form.find(attrs={"name": "I want to use it for"}).select("option")][1:] == [
        "Research", "Education", "Something else",
    ]  # fmt: skip


REFUSED = {
    "unknown type": ("---\nlicense: mit\nextra_gated_fields:\n  Company: nonsense\n---\n", 4, "nonsense"),
    "not YAML": ("---\na: b\n  c: [\n---\n", 3, "mapping values are not allowed"),
    "not closed": ("---\nlicense: mit\n# A model\n", 1, "not closed"),
    "twice": ("---\na: 1\nb: 2\na: 3\n---\n", 4, "given twice"),
    "NUL": ("# One\nt\0wo\n", 2, "U+0000"),
    "escape": ('---\na: "\\0"\n---\n', 2, "U+0000"),
    "too many fields": (f"---\nextra_gated_fields: {json.dumps(dict.fromkeys(map(str, range(101)), 'text'))}\n---\n", 2,
                        "more than 100 fields"),
    "too large": ("x" * (content.CARD_MAX_BYTES + 1), None, "larger than"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "says"), REFUSED.values(), ids=REFUSED)
def test_a_card_that_cannot_be_read_is_refused_with_its_line_and_kept(gated_repo, browser, ada, text, line, says):
    before = commits_of(gated_repo)
    response = save(browser(ada), text, title="Mine")
    assert response.status_code == 400
    page = soup(response)
    assert textarea(page) == text
    assert page.select_one("[name=title]")["value"] == "Mine"
    field = page.select_one("#edit-text")
    assert field["aria-invalid"] == "true"
    assert says in described(page, field)
    links = [link["data-line"] for link in page.select("#edit-findings a[data-line]")]
    assert links == ([str(line)] if line else [])
    assert "Nothing was saved" in words(page.select_one("[role=alert]"))
    assert commits_of(gated_repo) == before
    assert card_of(gated_repo) == GATE_CARD.encode()


@pytest.mark.parametrize("text", [text for text, _, _ in REFUSED.values() if len(text) < 10_000 and "wo\n" not in text])
def test_the_editor_refuses_what_the_api_refuses_in_the_same_words(gated_repo, browser, ada, api, text):
    answer = api(ada).post("/api/validate-yaml", {"content": text, "repoType": "model"})
    reason = answer.json()["errors"][0]["message"].partition(": ")[2]
    assert reason in words(soup(save(browser(ada), text)).select_one("#edit-findings"))


def test_the_line_that_is_wrong_is_shown_as_it_was_typed(gated_repo, browser, ada):
    page = soup(save(browser(ada), "---\nextra_gated_fields:\n  <b>Company</b>: nonsense\n---\n"))
    assert page.select_one("#edit-findings pre").text == "  <b>Company</b>: nonsense"


TWICE_BROKEN = "---\nextra_gated_fields:\n  Company: nonsense\n  Country: country\n  Use:\n    help: Why\n---\n# B\n"


def test_all_that_is_wrong_is_shown_each_with_its_line(gated_repo, browser, ada):
    page = soup(save(browser(ada), TWICE_BROKEN))
    problems = page.select("#edit-findings li")
    assert [problem.a["data-line"] for problem in problems] == ["3", "6"]
    assert [problem.pre.text for problem in problems] == ["  Company: nonsense", "    help: Why"]
    assert ['unknown type "nonsense"' in words(problems[0]), "has no type" in words(problems[1])] == [True, True]


def test_all_that_is_wrong_is_on_the_settings_page_and_the_repo_s(gated_repo, browser, ada):
    add_files(gated_repo, {"README.md": TWICE_BROKEN.encode()}, by=ada)
    for address in ("/lab/toxic-bert", "/lab/toxic-bert/settings"):
        told = [words(line) for line in soup(browser(ada).get(address)).select(".notice.error li")]
        assert [line.partition(":")[0] for line in told] == ["line 3", "line 6"]


def test_a_card_that_came_broken_by_git_is_opened_and_repaired(gated_repo, browser, ada):
    broken = "---\nextra_gated_fields:\n  Company: nonsense\n---\n# B\n"
    add_files(gated_repo, {"README.md": broken.encode()}, by=ada)
    client = browser(ada)
    page = soup(client.get(EDIT))
    assert textarea(page) == broken
    assert "cannot be read" in words(page.select_one(".notice.error"))
    assert page.select_one("#edit-findings a")["data-line"] == "3"
    assert press(client, page, EDIT, text=broken.replace("nonsense", "text")).status_code == 302
    gated_repo.refresh_from_db()
    assert gated_repo.card_error == ""


def test_two_at_once_the_second_keeps_the_text_and_may_save_after_looking(gated_repo, browser, ada, wes):
    client = browser(wes)
    page = soup(client.get(EDIT))
    sha = add_files(gated_repo, {"README.md": GATE_CARD.replace("# A model", "# Hers").encode()}, by=ada)
    response = press(client, page, EDIT, text=NEW_CARD, title="Mine", description="Longer")
    assert response.status_code == 409
    page = soup(response)
    told = page.select_one("[role=alert]")
    assert "there is a newer commit than the one you began with" in words(told)
    assert "The newest commit is Add files by ada" in words(told)
    assert textarea(page) == NEW_CARD
    assert page.select_one("[name=title]")["value"] == "Mine"
    assert page.select_one("textarea[name=description]").text.strip() == "Longer"
    assert card_of(gated_repo).endswith(b"# Hers\n")
    other = told.find("a", string="the other version")
    assert other["target"] == "_blank"
    assert "# Hers" in words(soup(client.get(other["href"])).select_one(".source"))
    assert page.select_one("[name=parent]")["value"] == sha
    assert press(client, page, EDIT, containing="Save on top", text=NEW_CARD).status_code == 302
    assert card_of(gated_repo) == NEW_CARD.encode()
    assert commits_of(gated_repo)[:2] == ["Mine", "Add files"]


def test_the_second_is_told_when_the_card_itself_is_as_it_was(gated_repo, browser, ada, wes):
    client = browser(wes)
    page = soup(client.get(EDIT))
    add_files(gated_repo, {"other.txt": b"1"}, by=ada)
    response = press(client, page, EDIT, text=NEW_CARD)
    assert response.status_code == 409
    told = soup(response).select_one("[role=alert]")
    assert "README.md is still as you opened it" in words(told)
    assert card_of(gated_repo) == GATE_CARD.encode()


def test_a_card_that_another_has_deleted_comes_back_by_saving_again(gated_repo, browser, ada, wes):
    client = browser(wes)
    page = soup(client.get(EDIT))
    new = content.NewCommit(title="Away", description="", operations=[DeleteFile("README.md")])
    content.commit(gated_repo, "main", new, by=Actor(user=ada))
    response = press(client, page, EDIT, text=NEW_CARD)
    assert response.status_code == 409
    page = soup(response)
    assert "README.md is not there any more" in words(page.select_one("[role=alert]"))
    assert press(client, page, EDIT, text=NEW_CARD).status_code == 302
    assert card_of(gated_repo) == NEW_CARD.encode()
    assert commits_of(gated_repo)[0] == "Create README.md"


def test_who_types_what_another_has_saved_meanwhile_commits_nothing(gated_repo, browser, ada, wes):
    client = browser(wes)
    page = soup(client.get(EDIT))
    add_files(gated_repo, {"README.md": NEW_CARD.encode()}, by=ada)
    before = commits_of(gated_repo)
    assert press(client, page, EDIT, text=NEW_CARD).status_code == 302
    assert commits_of(gated_repo) == before


@pytest.mark.parametrize("on_file", [GATE_CARD, GATE_CARD.rstrip("\n"), GATE_CARD.replace("\n", "\r\n")])
def test_saving_without_a_change_says_so_and_commits_nothing(gated_repo, browser, ada, on_file):
    add_files(gated_repo, {"README.md": on_file.encode()}, by=ada)
    before, client = commits_of(gated_repo), browser(ada)
    response = save(client, textarea(soup(client.get(EDIT))))
    assert response["Location"] == EDIT
    assert "Nothing has changed" in words(soup(client.get(EDIT)).select_one("#toasts"))
    assert commits_of(gated_repo) == before
    assert card_of(gated_repo) == on_file.encode()


def test_an_empty_text_for_a_repo_without_a_card_commits_nothing(make_repo, lab, ada, browser):
    repo = make_repo("lab/empty", by=ada)
    assert save(browser(ada), "", path=repo.path)["Location"].endswith("/edit/main/README.md")
    assert commits_of(repo) == ["initial commit"]


LINE_ENDS = {
    # What the file has, what is typed behind it, what the file has then.
    "LF": (b"# A\n", "# A\nb", b"# A\nb\n"),
    "CRLF": (b"# A\r\n", "# A\nb", b"# A\r\nb\r\n"),
    "mostly LF": (b"# A\nx\ny\r\n", "# A\nb\n", b"# A\nb\n"),
    "old Mac": (b"# A\rb", "# A\nc", b"# A\nc\n"),
    "none": (b"# A", "# A\n\nb", b"# A\n\nb\n"),
    "empty lines": (b"\n\n# A\n", "\n\n# B\n\n\n", b"\n\n# B\n\n\n"),
    "emptied": (b"# A\n", "", b""),
    "byte order mark": ("\ufeff# A\n".encode(), "\ufeff# B\n", "\ufeff# B\n".encode()),
}


@pytest.mark.parametrize(("there", "typed", "then"), LINE_ENDS.values(), ids=LINE_ENDS)
def test_line_ends_are_kept_and_the_last_line_ends(gated_repo, browser, ada, there, typed, then):
    add_files(gated_repo, {"README.md": there}, by=ada)
    assert save(browser(ada), typed).status_code == 302
    assert card_of(gated_repo) == then


CLOSED = {
    "large file": ({}, {"README.md": b"text " * 100}, "large file"),
    "not UTF-8": ({"README.md": b"# caf\xe9\n"}, {}, "not UTF-8"),
    "NUL": ({"README.md": b"# A\nb\0c\n"}, {}, "line 2"),
    "too large": ({"README.md": b"x" * (content.CARD_MAX_BYTES + 1)}, {}, "2,097,153 bytes"),
    "folder": ({"README.md/x.txt": b"1"}, {}, "folder"),
}


@pytest.mark.parametrize(("files", "large", "says"), CLOSED.values(), ids=CLOSED)
def test_what_a_browser_cannot_edit_says_so_instead(make_repo, lab, ada, browser, files, large, says):
    repo = make_repo("lab/odd", by=ada, files=files, large=large)
    response = browser(ada).get(f"{repo.path}/edit/main/README.md")
    assert response.status_code == 200
    page = soup(response)
    assert says in words(page.main)
    assert not page.select("textarea, main form")


def test_a_card_up_to_the_limit_can_be_edited_and_saved(gated_repo, browser, ada):
    lines = 'Ünïcödé, 漢字 and "quotes" on each line\n'
    text = lines * (content.CARD_MAX_BYTES // len(lines.encode()))
    client = browser(ada)
    assert save(client, text).status_code == 302
    assert card_of(gated_repo) == text.encode()
    assert textarea(soup(client.get(EDIT))) == text


def test_a_form_beyond_all_limits_is_refused(gated_repo, browser, ada, sam):
    client = browser(ada)
    before = commits_of(gated_repo)
    body = b"text=" + b"x" * (13 * 1024**2)
    assert client.post(EDIT, body, content_type=FORM).status_code == 413
    assert browser(sam).post(EDIT, b"text=x", content_type=FORM).status_code == 403
    assert commits_of(gated_repo) == before


def test_a_large_form_needs_its_token_like_any_other(gated_repo, browser, ada):
    client = browser(ada, enforce_csrf_checks=True)
    given = {"text": NEW_CARD, "parent": gated_repo.head_sha}
    for path in (EDIT, f"{PATH}/edit/preview"):
        assert client.post(path, urlencode(given), content_type=FORM).status_code == 403
        assert client.post(path, given).status_code == 403, "sent as multipart/form-data"
    assert card_of(gated_repo) == GATE_CARD.encode()
    assert press(client, soup(client.get(EDIT)), EDIT, text=NEW_CARD).status_code == 302


@pytest.mark.parametrize(
    "given",
    [{}, {"text": "# A"}, {"text": "# A", "parent": ""}, {"text": "# A", "parent": "main"}, {"parent": "0" * 40}],
)
def test_an_incomplete_form_changes_nothing(gated_repo, browser, ada, given):
    response = browser(ada).post(EDIT, urlencode(given), content_type=FORM)
    assert response.status_code == 400
    assert "not complete" in words(soup(response))
    assert card_of(gated_repo) == GATE_CARD.encode()


@pytest.mark.parametrize("given", [{"title": "x" * 201}, {"description": "x" * 10_001}, {"title": "a\0b"}])
def test_a_wrong_title_or_description_is_said_at_its_field(gated_repo, browser, ada, given):
    response = save(browser(ada), NEW_CARD, **given)
    assert response.status_code == 400
    page = soup(response)
    assert page.select_one(f"#id_{next(iter(given))}_error")
    assert textarea(page) == NEW_CARD
    assert card_of(gated_repo) == GATE_CARD.encode()


def test_a_parent_that_never_was_is_somebody_elses_commit(gated_repo, browser, ada):
    response = save(browser(ada), NEW_CARD, parent="0" * 40)
    assert response.status_code == 409
    assert card_of(gated_repo) == GATE_CARD.encode()


def test_only_those_who_write_may_edit(gated_repo, make_repo, browser, rea, con, sam, olu):
    own = make_repo("lab/own", by=con, files={"README.md": b"# Own\n"})
    for user in (rea, sam, con, olu):
        response = browser(user).get(EDIT)
        assert response.status_code == 403
        assert words(soup(response).h1) == "You may not write to this repository."
        for path in (EDIT, f"{PATH}/edit/preview"):
            assert browser(user).post(path, {"text": "x", "parent": gated_repo.head_sha}).status_code == 403
    assert save(browser(con), "# Mine\n", path=own.path).status_code == 302
    assert card_of(own) == b"# Mine\n"
    assert card_of(gated_repo) == GATE_CARD.encode()


def test_a_stranger_is_sent_to_sign_in(gated_repo, browser):
    for path in (EDIT, "/no/such/edit/main/README.md"):
        assert browser().get(path)["Location"] == f"/login?next={path}"
    assert browser().post(EDIT)["Location"] == f"/login?next={EDIT}"


def test_a_disabled_repo_is_not_edited(gated_repo, browser, ada):
    Repo.objects.update(disabled=True)
    response = browser(ada).get(EDIT)
    assert response.status_code == 403
    assert "disabled" in words(soup(response).h1)
    assert browser(ada).post(EDIT, {"text": "x", "parent": gated_repo.head_sha}).status_code == 403
    page = soup(browser(ada).get(f"{PATH}/settings"))
    assert not page.select(f'a[href="{EDIT}"]')


def test_a_private_repo_is_edited_by_its_members_only(make_repo, lab, ada, wes, sam, browser):
    repo = make_repo("lab/secret", by=ada, private=True, files={"README.md": b"# S\n"})
    assert save(browser(wes), "# T\n", path=repo.path).status_code == 302
    response = browser(wes).get(f"{repo.path}/edit/main/README.md")
    assert "private" in response["Cache-Control"]
    assert browser(sam).get(f"{repo.path}/edit/main/README.md").status_code == 404


@pytest.mark.parametrize(
    "tail", ["edit/main/config.json", "edit/dev/README.md", "edit/main/", "edit/main/sub/README.md"]
)
def test_nothing_but_the_card_of_main_has_an_editor(gated_repo, browser, ada, tail):
    assert browser(ada).get(f"{PATH}/{tail}").status_code == 404


def test_a_dataset_has_its_editor(make_repo, lab, ada, browser):
    repo = make_repo("lab/rows", by=ada, type_="dataset", gated="auto", files={"README.md": GATE_CARD.encode()})
    client = browser(ada)
    page = soup(client.get("/datasets/lab/rows/edit/main/README.md"))
    assert "Edit the dataset card" in words(page.h2)
    assert save(client, NEW_CARD, path=repo.path)["Location"] == "/datasets/lab/rows"
    assert browser(ada).get("/lab/rows/edit/main/README.md").status_code == 404


def test_links_lead_to_the_editor(gated_repo, make_repo, browser, ada, rea):
    make_repo("lab/rows", by=ada, type_="dataset", files={"README.md": b"# R\n"})
    client = browser(ada)
    assert soup(client.get(PATH)).find("a", string="Edit model card")["href"] == EDIT
    rows = soup(client.get("/datasets/lab/rows"))
    assert rows.find("a", string="Edit dataset card")["href"] == "/datasets/lab/rows/edit/main/README.md"
    assert soup(client.get(f"{PATH}/blob/main/README.md")).find("a", string="Edit")["href"] == EDIT
    assert soup(client.get(f"{PATH}/settings")).find("a", string="model card")["href"] == EDIT
    make_repo("lab/empty", by=ada)
    start = soup(client.get("/lab/empty")).select_one("section.start")
    assert start.find("a", string="Create one here")["href"] == "/lab/empty/edit/main/README.md"
    for path in (PATH, f"{PATH}/blob/main/README.md"):
        assert not soup(browser(rea).get(path)).select('a[href*="/edit/"]')


def test_opening_the_editor_costs_few_queries(gated_repo, browser, ada, django_assert_num_queries):
    client = browser(ada)
    with django_assert_num_queries(4):  # The session and its person; the repo; whether they change its settings.
        assert client.get(EDIT).status_code == 200
