"""Files and versions.  lab/toxic-bert is gated; ada manages it; sam has asked for nothing."""

from __future__ import annotations

import pytest

from access import services
from accounts.actor import Actor
from gatehub.web import files
from repos import content
from repos.git import AddBlob, DeleteFile
from tests.support.cast import ANSWERS, add_files
from tests.web.pages import soup, words

PATH = "/lab/toxic-bert"


def other_revisions(page) -> dict[str, str]:
    return {words(link): link["href"] for link in page.select("main .menu-panel a")}


def rows(response) -> list[str]:
    return [words(row.td) for row in soup(response).select("tbody tr")]


def test_whoever_sees_the_repo_sees_names_and_sizes_only(gated_repo, browser):
    response = browser().get(f"{PATH}/tree/main")
    assert rows(response) == [".gitattributes", "README.md", "config.json", "model.safetensors LFS"]
    page = soup(response)
    assert "7.8 KB" in words(page)
    text = response.content.decode()
    entry = content.open_git(gated_repo).entry(gated_repo.head_sha, "model.safetensors")
    assert entry.lfs.sha256 not in text
    assert entry.oid not in text
    assert "Add files" not in text, "messages of commits may speak of what is behind the gate"
    assert not page.select('a[href*="/resolve/"]')


def test_who_reads_gets_downloads_and_history(gated_repo, browser, ada):
    page = soup(browser(ada).get(f"{PATH}/tree/main"))
    assert (
        page.select_one('a[aria-label="Download config.json"]')["href"]
        == f"{PATH}/resolve/main/config.json?download=true"
    )
    assert "History: 2 commits" in words(page)
    assert "Add files" in words(page)


def test_folders_branches_and_odd_names(gated_repo, browser, ada):
    add_files(gated_repo, {"a/b/x y#?%.txt": b"hello\n", "a/ü.json": b"{}"}, by=ada)
    content.create_branch(gated_repo, "dev/x", start="main", by=Actor(user=ada))
    client = browser(ada)
    page = soup(client.get(f"{PATH}/tree/dev%2Fx/a"))
    assert [link["href"] for link in page.select("td:first-child a")] == [
        f"{PATH}/tree/dev%2Fx/a/b",
        f"{PATH}/blob/dev%2Fx/a/%C3%BC.json",
    ]
    assert [words(crumb) for crumb in page.select(".path li")] == ["toxic-bert", "a"]
    assert other_revisions(page) == {"main": f"{PATH}/tree/main/a", "dev/x": f"{PATH}/tree/dev%2Fx/a"}
    assert [words(link) for link in page.select("main .menu-panel [aria-current]")] == ["dev/x"]
    assert words(page.select_one("main .menu summary")) == "Revision: dev/x"
    page = soup(client.get(f"{PATH}/tree/dev/x/a/b"))
    link = page.select_one("td:first-child a")["href"]
    assert words(soup(client.get(link)).select_one(".source")) == "hello"


def test_another_branch_is_shown_at_the_same_path_and_at_its_root_where_it_has_none(gated_repo, browser, ada, sam):
    by = Actor(user=ada)
    content.create_branch(gated_repo, "old", start="main", by=by)
    content.create_branch(gated_repo, "next", start="main", by=by)
    content.create_tag(gated_repo, "v1#/x", revision="old", message="", by=by)
    add_files(gated_repo, {"new/ä?.txt/inner.txt": b"a folder\n"}, by=ada)
    file = AddBlob("new/ä?.txt", content.open_git(gated_repo).stage_blob(b"a file\n"))
    content.commit(gated_repo, "next", content.NewCommit(title="Add it", description="", operations=[file]), by=by)
    client = browser(ada)
    quoted = "new/%C3%A4%3F.txt"
    assert other_revisions(soup(client.get(f"{PATH}/blob/next/{quoted}"))) == {
        "main": f"{PATH}/tree/main/{quoted}",
        "next": f"{PATH}/blob/next/{quoted}",
        "old": f"{PATH}/tree/old",
        "v1#/x tag": f"{PATH}/tree/v1%23%2Fx",
    }
    assert set(other_revisions(soup(browser(sam).get(f"{PATH}/tree/main"))).values()) == {
        f"{PATH}/tree/{revision}" for revision in ("main", "next", "old", "v1%23%2Fx")
    }


def test_what_is_not_there_is_told_in_short_and_with_the_way_to_the_files(gated_repo, browser, ada):
    client = browser(ada)
    files = f"{PATH}/tree/main"
    for path in ("blob/main/missing.txt", "tree/main/missing", f"blob/main/{'x' * 3000}"):
        page = soup(client.get(f"{PATH}/{path}"))
        assert f"at commit {gated_repo.head_sha[:7]}." in words(page.h1)
        assert len(words(page.h1)) < 150
        assert words(page.select_one(f'main p a[href="{files}"]')) == "See the files that are there", path
        assert "mistyped" not in words(page.main)
    page = soup(client.get(f"{PATH}/tree/nowhere/a"))
    assert words(page.h1) == "There is no branch, tag or commit “nowhere”."
    assert page.select_one(f'main p a[href="{files}"]')


def test_a_file_behind_the_gate_shows_the_gate(gated_repo, browser, sam):
    for client, status in ((browser(), 401), (browser(sam), 403)):
        for path in ("blob/main/config.json", "blob/main/missing", "blob/nowhere/config.json", "commits/main",
                     "commits/nowhere", f"commit/{gated_repo.head_sha}", "commit/0000000"):  # fmt: skip
            response = client.get(f"{PATH}/{path}")
            assert response.status_code == status, path
            assert response["X-Error-Code"] == "GatedRepo"
            assert soup(response).select_one("#gate")
            assert "model_type" not in response.content.decode()


def test_the_gate_says_what_it_holds_and_what_to_do(gated_repo, browser, sam, ada):
    def told(client, path="blob/main/sub/config.json"):
        return words(soup(client.get(f"{PATH}/{path}")).select_one("main .notice[role=alert]"))

    stranger = soup(browser().get(f"{PATH}/blob/main/config.json")).select_one("main .notice[role=alert]")
    assert "config.json is behind the gate of this model." in words(stranger)
    assert stranger.select_one("a")["href"] == f"/login?next={PATH}/blob/main/config.json"
    client = browser(sam)
    assert "sub/config.json is behind the gate" in told(client)
    assert "Ask for access below" in told(client)
    assert "The history is behind the gate" in told(client, "commits/main")
    assert "The commit 0000000 is behind the gate" in told(client, "commit/0000000")
    request = services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    assert "once it is accepted, this address opens" in told(client)
    services.review(access_request=request, status="rejected", by=Actor(user=ada))
    assert "Your request was rejected" in told(client)
    services.review(access_request=request, status="accepted", by=Actor(user=ada))
    assert client.get(f"{PATH}/blob/main/config.json").status_code == 200


def test_readme_is_open_to_whoever_sees_the_repo(gated_repo, browser):
    page = soup(browser().get(f"{PATH}/blob/main/README.md?view=source"))
    assert "extra_gated_prompt" in words(page.select_one(".source"))
    assert page.find("a", string="Rendered")["href"] == f"{PATH}/blob/main/README.md"
    assert "Add files" not in words(page), "messages of commits may speak of what is behind the gate"
    assert browser().get(f"{PATH}/blob/main/sub/README.md").status_code == 401


def test_the_card_as_a_file_shows_no_pictures_from_behind_the_gate(gated_repo, browser, ada):
    add_files(gated_repo, {"README.md": b"# A\n\n![plot](plot.png)\n", "plot.png": b"\x89PNG"}, by=ada)
    page = soup(browser().get(f"{PATH}/blob/main/README.md"))
    assert words(page.select_one("article .unshown")) == "plot"
    assert not page.select("article img")
    assert soup(browser(ada).get(f"{PATH}/blob/main/README.md")).select("article img")


def test_text_is_shown_and_escaped_anything_else_is_not(gated_repo, browser, ada):
    made = {
        "evil.py": b"print('<script>alert(1)</script>')\n",
        "evil.txt": b"</code></pre><script>alert(1)</script>",
        "zero.dat": b"a\0b",
        "empty.txt": b"",
        "control.dat": b"caf\xe9\x01",
    }
    add_files(gated_repo, made, by=ada)
    client = browser(ada)
    for name in ("evil.py", "evil.txt"):
        page = soup(client.get(f"{PATH}/blob/main/{name}"))
        assert "<script>alert(1)</script>" in page.select_one(".source").text
        assert not [script for script in page.select("script") if not script.get("src")]
    for name, says in (("zero.dat", "is not text"), ("control.dat", "is not text"),
                       ("model.safetensors", "stored with LFS"), ("empty.txt", "is empty")):  # fmt: skip
        page = soup(client.get(f"{PATH}/blob/main/{name}"))
        assert says in words(page), name
        assert not page.select(".source"), name
        assert page.find("a", string="Download")["href"] == f"{PATH}/resolve/main/{name}?download=true"


def test_a_large_file_is_named_by_size_and_hash(gated_repo, browser, ada):
    facts = words(soup(browser(ada).get(f"{PATH}/blob/main/model.safetensors")).select_one("dl"))
    entry = content.open_git(gated_repo).entry(gated_repo.head_sha, "model.safetensors")
    assert facts == f"Size 8,000 bytes SHA-256 {entry.lfs.sha256}"


def test_a_hash_is_not_told_to_whom_the_gate_is_closed(gated_repo, browser, sam, ada):
    add_files(gated_repo, {}, {"LICENSE": b"terms " * 100_000}, by=ada)
    git = content.open_git(gated_repo)
    entry = git.entry(git.head(), "LICENSE")
    for client, told in ((browser(sam), False), (browser(ada), True)):
        response = client.get(f"{PATH}/blob/main/LICENSE")
        assert "600,000 bytes" in words(soup(response))
        assert (entry.lfs.sha256 in response.content.decode()) is told


def test_lines_have_addresses(gated_repo, browser, ada):
    made = {"a.py": b'x = """one\n\ntwo"""\n', "b.txt": b"<b>one\r\ntwo", "c.txt": b"\n" * 30_000}
    add_files(gated_repo, made, by=ada)
    client = browser(ada)
    for name in ("a.py", "b.txt"):
        source = soup(client.get(f"{PATH}/blob/main/{name}")).select_one(".source code")
        assert source.text.replace("\r", "").strip("\n") == made[name].decode().replace("\r", "").strip("\n")
        count = {"a.py": 3, "b.txt": 2}[name]
        assert [line["id"] for line in source.select(".line")] == [f"L{number}" for number in range(1, count + 1)]
    page = soup(client.get(f"{PATH}/blob/main/c.txt"))
    assert not page.select(".line"), "very many lines are shown without numbers"


def test_an_image_is_shown_as_an_image_and_nothing_else(gated_repo, browser, ada):
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    add_files(gated_repo, {"sub/a b.svg": svg, "x.html": b"<h1>x</h1>"}, {"big.png": b"\x89PNG" * 100}, by=ada)
    client = browser(ada)
    for path, address in (("sub/a b.svg", "sub/a%20b.svg"), ("big.png", "big.png")):
        response = client.get(f"{PATH}/blob/main/{path}")
        image = soup(response).select_one("main img")
        assert image["src"] == f"{PATH}/resolve/main/{address}"
        assert image["alt"] == path.rpartition("/")[2]
        assert "alert(1)" not in response.content.decode()
        assert client.head(image["src"])["Content-Security-Policy"].startswith("sandbox")
    page = soup(client.get(f"{PATH}/blob/main/x.html"))
    assert page.select_one(".source").text.strip() == "<h1>x</h1>"


def test_a_very_large_image_is_not_loaded(gated_repo, browser, ada, monkeypatch):
    monkeypatch.setattr(files, "MAX_IMAGE_BYTES", 10)
    add_files(gated_repo, {}, {"big.png": b"\x89PNG" * 100}, by=ada)
    page = soup(browser(ada).get(f"{PATH}/blob/main/big.png"))
    assert "too large" in words(page)
    assert not page.select("main img")


def test_markdown_is_a_page_with_its_source_beside_it(gated_repo, browser, ada):
    text = b"---\nlicense: mit\n---\n# Notes\n\n[more](more.md) ![plot](img/p.png)\n\n<script>alert(1)</script>\n"
    add_files(gated_repo, {"docs/notes.md": text, "broken.md": b"---\na: [\n---\n# B\n"}, by=ada)
    client = browser(ada)
    page = soup(client.get(f"{PATH}/blob/main/docs/notes.md"))
    assert page.select_one("article h1").text == "Notes"
    assert page.select_one("article a[href$='more.md']")["href"] == f"{PATH}/blob/main/docs/more.md"
    assert page.select_one("article img")["src"] == f"{PATH}/resolve/main/docs/img/p.png"
    assert "license: mit" not in words(page.article)
    assert "alert" not in str(page.article)
    source = soup(client.get(f"{PATH}/blob/main/docs/notes.md" + page.find("a", string="Source")["href"]))
    assert "license: mit" in words(source.select_one(".source"))
    assert "# B" in words(soup(client.get(f"{PATH}/blob/main/broken.md")).select_one(".source"))


def test_a_page_in_a_folder_leads_to_files_beside_and_above_it(gated_repo, browser, ada):
    text = b"[up](../top.md#use) [root](../) [out](../../x) ![plot](../img/p.png)"
    add_files(gated_repo, {"docs/notes.md": text, "top.md": b"# Use\n"}, by=ada)
    client = browser(ada)
    article = soup(client.get(f"{PATH}/blob/main/docs/notes.md")).article
    assert [link.get("href") for link in article.select("a")] == [
        f"{PATH}/blob/main/top.md#card-use", f"{PATH}/blob/main", None
    ]  # fmt: skip
    assert article.img["src"] == f"{PATH}/resolve/main/img/p.png"
    assert soup(client.get(f"{PATH}/blob/main/top.md")).find(id="card-use").name == "h1"
    assert client.get(f"{PATH}/blob/main")["Location"] == f"{PATH}/tree/main"


def test_only_writers_are_offered_to_edit_the_card(gated_repo, browser, sam, ada, rea):
    for user, offered in ((ada, True), (rea, False), (sam, False)):
        page = soup(browser(user).get(f"{PATH}/blob/main/README.md"))
        assert bool(page.select(f'a[href="{PATH}/edit/main/README.md"]')) is offered, user


def test_a_folder_is_no_file(gated_repo, browser, ada):
    add_files(gated_repo, {"a/x.txt": b"1"}, by=ada)
    assert browser(ada).get(f"{PATH}/blob/main/a")["Location"] == f"{PATH}/tree/main/a"


@pytest.mark.parametrize(
    "path", ["tree/nowhere", "tree/main/none", "tree/main/config.json", "blob/main/none", "blob/nowhere/config.json",
             "commits/--help", "commit/zzz", "tree/main/..%2F..", "tree/main/%00", "blob/main/../x", "tree/%ff"],
)  # fmt: skip
def test_what_is_not_there_is_a_404(gated_repo, browser, ada, path):
    assert browser(ada).get(f"{PATH}/{path}").status_code == 404


def test_history_and_commit(gated_repo, browser, ada):
    sha = add_files(gated_repo, {"b.txt": b"1"}, by=ada)
    client = browser(ada)
    page = soup(client.get(f"{PATH}/commits/main"))
    assert [link.text for link in page.select(".rows .title")] == ["Add files", "Add files", "initial commit"]
    page = soup(client.get(f"{PATH}/commit/{sha}"))
    assert "ada" in words(page.select_one(".facts"))
    parent = page.select_one(".facts a")["href"]
    assert parent == f"{PATH}/commit/{gated_repo.head_sha}"
    assert soup(client.get(page.select_one("p.actions a")["href"])).select("tbody tr")


def test_history_comes_in_pages(gated_repo, browser, ada, monkeypatch):
    monkeypatch.setattr(files, "COMMITS_A_PAGE", 1)
    client = browser(ada)
    page = soup(client.get(f"{PATH}/commits/main"))
    assert page.select_one("a[rel=next]")["href"] == "?page=2"
    page = soup(client.get(f"{PATH}/commits/main?page=2"))
    assert [link.text for link in page.select(".rows .title")] == ["initial commit"]
    assert not page.select("a[rel=next]")
    for asked in ("99", "-1", "x", "٣", "9" * 40):
        assert client.get(f"{PATH}/commits/main", {"page": asked}).status_code == 200


def test_a_long_folder_comes_in_pages(gated_repo, browser, ada, monkeypatch):
    monkeypatch.setattr(files, "ENTRIES_A_PAGE", 3)
    client = browser(ada)
    response = client.get(f"{PATH}/tree/main")
    assert len(rows(response)) == 3
    more = soup(response).find("a", string="More files")["href"]
    assert rows(client.get(f"{PATH}/tree/main{more}")) == ["model.safetensors LFS"]


QUERIES = {
    # The session and its person; the repo, and what they may; of files, whether they read; what else they may.
    "tree/main": 3,
    "tree/main/many": 3,
    "blob/main/README.md": 5,
    "blob/main/many/file-7.txt": 5,
    "commits/main": 5,
}


@pytest.mark.parametrize("path", QUERIES)
def test_the_files_pages_cost_few_queries_however_many_files(gated_repo, browser, ada, path, django_assert_num_queries):
    client = browser(ada)
    add_files(gated_repo, {"many/file-7.txt": b"x"}, by=ada)
    with django_assert_num_queries(QUERIES[path]):
        assert client.get(f"{PATH}/{path}").status_code == 200
    add_files(gated_repo, {f"many/file-{number}.txt": b"xy" for number in range(200)}, by=ada)
    with django_assert_num_queries(QUERIES[path]):
        assert client.get(f"{PATH}/{path}").status_code == 200


@pytest.mark.parametrize(("data", "says"), [
    (b"caf\xe9\r\n", "It is shown as Windows-1252, which is a guess"),
    ("café\n".encode("utf-16"), "It is shown as UTF-16."),
    ("café\n".encode("utf-32"), "It is shown as UTF-32."), ("café\n".encode("utf-8-sig"), ""), ("café\n".encode(), ""),
])  # fmt: skip
def test_a_text_in_another_encoding_is_shown_and_said_to_be(gated_repo, browser, ada, data, says):
    add_files(gated_repo, {"a.txt": data}, by=ada)
    page = soup(browser(ada).get(f"{PATH}/blob/main/a.txt"))
    assert words(page.select_one(".source")) == "café"
    notes = [words(note) for note in page.select(".file-note")]
    assert says in notes[0] if says else not notes


@pytest.mark.parametrize(("line", "count"), [(b"1234567 \xc3\xa9\n", 10_000), (b"\xc3\xa9" * 60_000, 2)])
def test_of_a_long_text_the_beginning_is_shown(gated_repo, browser, ada, monkeypatch, line, count):
    """Whole lines where there are lines; and no character is cut in two."""
    monkeypatch.setattr(files, "MAX_TEXT_BYTES", 4_001)
    add_files(gated_repo, {"a.txt": line * count}, by=ada)
    page = soup(browser(ada).get(f"{PATH}/blob/main/a.txt"))
    assert "These are the first 3.9 KB of" in words(page.select_one(".file-note"))
    shown = page.select_one(".source code").text
    assert 3_900 < len(shown.encode()) <= 4_001
    assert "\ufffd" not in shown
    assert not page.select("article"), "half a page would be another page"


def test_a_commit_says_what_it_changed(gated_repo, browser, ada):
    add_files(gated_repo, {"a.txt": b"one\ntwo\n", "x/y z.txt": b"<b>\n"}, by=ada)
    sha = add_files(gated_repo, {"a.txt": b"one\nthree\n"}, {"big.bin": b"y" * 5000}, by=ada)
    client = browser(ada)
    page = soup(client.get(f"{PATH}/commit/{sha}"))
    assert "2 files changed" in words(page)
    text, large = page.select(".change")
    assert words(text.select_one(".file-bar")) == "a.txt +1 -1 changed"
    assert [line.text for line in text.select(".line")] == ["  one\n", "- two\n", "+ three\n"]
    assert words(large.select_one(".file-bar")) == "big.bin added, 4.9 KB LFS"
    assert not large.select(".diff")
    assert client.get(text.a["href"]).status_code == 200
    assert soup(client.get(f"{PATH}/commit/{sha}~1")).select("h1"), "no such revision, said on a page"
    first = soup(client.get(page.select_one(".facts a")["href"]))
    assert [words(change.a) for change in first.select(".change")] == ["a.txt", "x/y z.txt"]
    assert "+ <b>" in first.text


def test_what_a_commit_deleted_leads_to_how_it_was(gated_repo, browser, ada):
    commit = content.NewCommit(title="Remove it", description="", operations=[DeleteFile("config.json")])
    sha = content.commit(gated_repo, content.MAIN, commit, by=Actor(user=ada))
    client = browser(ada)
    change = soup(client.get(f"{PATH}/commit/{sha}")).select_one(".change")
    assert "deleted" in words(change)
    assert client.get(change.a["href"]).status_code == 200


def test_a_commit_of_very_many_files_shows_the_first(gated_repo, browser, ada, monkeypatch):
    monkeypatch.setattr(files, "FILES_OF_A_COMMIT", 2)
    sha = add_files(gated_repo, {f"{number}.txt": b"x" for number in range(5)}, by=ada)
    page = soup(browser(ada).get(f"{PATH}/commit/{sha}"))
    assert "5 files changed" in words(page)
    assert len(page.select(".change")) == 2
    assert "And 3 more." in words(page)


def test_the_history_of_one_file(gated_repo, browser, ada, monkeypatch):
    add_files(gated_repo, {"sub/ü.txt": b"1"}, by=ada)
    add_files(gated_repo, {"other.txt": b"1"}, by=ada)
    add_files(gated_repo, {"sub/ü.txt": b"2"}, by=ada)
    client = browser(ada)
    blob = soup(client.get(f"{PATH}/blob/main/sub/ü.txt"))
    page = soup(client.get(blob.find("a", string="History")["href"]))
    assert "sub/ü.txt" in words(page.h2)
    folder = soup(client.get(f"{PATH}/tree/main/sub")).find("a", string="History of this folder")
    assert len(soup(client.get(folder["href"])).select(".rows li")) == 2
    assert len(page.select(".rows li")) == 2
    monkeypatch.setattr(files, "COMMITS_A_PAGE", 1)
    page = soup(client.get(f"{PATH}/commits/main/sub/ü.txt"))
    older = page.select_one("a[rel=next]")["href"]
    page = soup(client.get(f"{PATH}/commits/main/sub/ü.txt{older}"))
    assert len(page.select(".rows li")) == 1
    assert not page.select("a[rel=next]")
    assert "There are no older ones." in words(soup(client.get(f"{PATH}/commits/main/sub/ü.txt?page=9")))
    assert "commits changed it" in words(soup(client.get(f"{PATH}/commits/main/never.txt")))
    assert "History" not in words(soup(browser().get(f"{PATH}/blob/main/README.md")).select_one(".file-bar"))
