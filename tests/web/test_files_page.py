"""Files and versions.  lab/toxic-bert is gated; ada manages it; sam has asked for nothing."""

from __future__ import annotations

import pytest

from accounts.actor import Actor
from gatehub.web import files
from repos import content
from tests.support.cast import add_files
from tests.web.pages import soup, words

PATH = "/lab/toxic-bert"


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
    assert [link["href"] for link in page.select("main .menu-panel a")] == [f"{PATH}/tree/main", f"{PATH}/tree/dev%2Fx"]
    page = soup(client.get(f"{PATH}/tree/dev/x/a/b"))
    link = page.select_one("td:first-child a")["href"]
    assert words(soup(client.get(link)).select_one(".source")) == "hello"


def test_a_file_behind_the_gate_shows_the_gate(gated_repo, browser, sam):
    for client, status in ((browser(), 401), (browser(sam), 403)):
        for path in ("blob/main/config.json", "blob/main/missing", "blob/nowhere/config.json", "commits/main",
                     "commits/nowhere", f"commit/{gated_repo.head_sha}", "commit/0000000"):  # fmt: skip
            response = client.get(f"{PATH}/{path}")
            assert response.status_code == status, path
            assert response["X-Error-Code"] == "GatedRepo"
            assert soup(response).select_one("#gate")
            assert "model_type" not in response.content.decode()


def test_readme_is_open_to_whoever_sees_the_repo(gated_repo, browser):
    page = soup(browser().get(f"{PATH}/blob/main/README.md"))
    assert "extra_gated_prompt" in words(page.select_one(".source"))
    assert browser().get(f"{PATH}/blob/main/sub/README.md").status_code == 401


def test_text_is_shown_and_escaped_anything_else_is_not(gated_repo, browser, ada):
    made = {
        "evil.py": b"print('<script>alert(1)</script>')\n",
        "evil.txt": b"</code></pre><script>alert(1)</script>",
        "zero.dat": b"a\0b",
        "latin.txt": b"caf\xe9",
        "empty.txt": b"",
        "long.txt": b"x" * (files.MAX_TEXT_BYTES + 1),
    }
    add_files(gated_repo, made, by=ada)
    client = browser(ada)
    for name in ("evil.py", "evil.txt"):
        page = soup(client.get(f"{PATH}/blob/main/{name}"))
        assert "<script>alert(1)</script>" in page.select_one(".source").text
        assert not [script for script in page.select("script") if not script.get("src")]
    for name, says in (("zero.dat", "is not text"), ("latin.txt", "is not text"), ("long.txt", "too large"),
                       ("model.safetensors", "too large")):  # fmt: skip
        assert says in words(soup(client.get(f"{PATH}/blob/main/{name}"))), name
    assert client.get(f"{PATH}/blob/main/empty.txt").status_code == 200


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


def test_the_files_page_costs_few_queries(gated_repo, browser, sam, django_assert_max_num_queries):
    client = browser(sam)
    with django_assert_max_num_queries(5):
        client.get(f"{PATH}/tree/main")
