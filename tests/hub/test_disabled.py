"""While a repo is disabled, no entrance gives or takes its contents, whoever asks, and each says so in the Hub's words.

ada is lab's admin, wes writes, sam was accepted; stef of the staff disables lab/toxic-bert.
"""

from __future__ import annotations

import subprocess
from urllib.parse import urlsplit

import pytest
from django.test import Client

from access import services as access
from accounts.actor import Actor, Entrance
from repos import services
from repos.models import LfsObject, Repo
from tests.support.cast import ANSWERS, Api, make_token, text_of
from tests.web.pages import soup, words

SAYS = "Access to this resource is disabled."
REASON = "Reported as malware; write to staff@example.org."
BATCH = "/lab/toxic-bert.git/info/lfs/objects/batch"


@pytest.fixture
def stef(make_staff):
    return Actor(user=make_staff("stef", superuser=True), entrance=Entrance.ADMIN)


@pytest.fixture
def accepted(gated_repo, sam, ada):
    request = access.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    access.review(access_request=request, status="accepted", by=Actor(user=ada))
    return sam


def entrances(api: Api, browser: Client, repo: Repo) -> dict[str, object]:
    """Every way to the contents and into them, but those of a grant that was given before."""
    oid = LfsObject.objects.get(repo=repo).sha256
    wanted = {"objects": [{"oid": oid, "size": 8000}]}
    header = {"key": "header", "value": {"summary": "s"}}
    return {
        "resolve": api.get("/lab/toxic-bert/resolve/main/config.json"),
        "resolve HEAD": api.head("/lab/toxic-bert/resolve/main/model.safetensors"),
        "resolve of an open file": api.get("/lab/toxic-bert/resolve/main/README.md"),
        "auth-check": api.get("/api/models/lab/toxic-bert/auth-check"),
        "LFS download": api.post(BATCH, {"operation": "download", **wanted}),
        "LFS object": api.get(f"/lab/toxic-bert.git/info/lfs/objects/{oid}"),
        "LFS upload": api.post(BATCH, {"operation": "upload", **wanted}),
        "git fetch": api.get("/lab/toxic-bert.git/info/refs?service=git-upload-pack"),
        "git push": api.get("/lab/toxic-bert.git/info/refs?service=git-receive-pack"),
        "Xet": api.get("/api/models/lab/toxic-bert/xet-write-token/main"),
        "preupload": api.post("/api/models/lab/toxic-bert/preupload/main", {"files": []}),
        "commit": api.commit("/api/models/lab/toxic-bert/commit/main", [header]),
        "branch": api.post("/api/models/lab/toxic-bert/branch/dev", {}),
        "page of a file": browser.get("/lab/toxic-bert/blob/main/config.json"),
        "file in the browser": browser.get("/lab/toxic-bert/resolve/main/config.json"),
        "card in the browser": browser.get("/lab/toxic-bert/blob/main/README.md"),
        "editor": browser.get("/lab/toxic-bert/edit/main/README.md"),
    }


@pytest.mark.parametrize("who", ["ada", "wes"])
def test_no_entrance_is_open_to_those_who_manage_it(who, gated_repo, stef, browser, ada, wes):
    person = {"ada": ada, "wes": wes}[who]
    api = Api(make_token(person))
    open_before = entrances(api, browser(person), gated_repo)
    assert {name for name, answer in open_before.items() if answer.status_code >= 400} == set()
    for answer in open_before.values():
        text_of(answer)
    gated_repo.refresh_from_db()
    services.disable(gated_repo, reason=REASON, by=stef)
    for name, answer in entrances(api, browser(person), gated_repo).items():
        assert (answer.status_code, answer["X-Error-Message"]) == (403, SAYS), name
        assert not answer.has_header("X-Error-Code"), name
        assert b"model_type" not in text_of(answer), name


def test_an_accepted_person_is_refused_in_those_words_and_let_in_again(gated_repo, accepted, stef, browser):
    api = Api(make_token(accepted))
    reading = ("resolve", "resolve HEAD", "auth-check", "LFS download", "LFS object", "git fetch", "page of a file")
    services.disable(gated_repo, reason=REASON, by=stef)
    answers = entrances(api, browser(accepted), gated_repo)
    for name in reading:
        assert (answers[name].status_code, answers[name]["X-Error-Message"]) == (403, SAYS), name
    services.enable(gated_repo, by=stef)
    answers = entrances(api, browser(accepted), gated_repo)
    for name in reading:
        assert answers[name].status_code == 200, name
        text_of(answers[name])


def test_what_was_granted_before_takes_nothing_any_more(gated_repo, ada, stef):
    api = Api(make_token(ada))
    oid = "ab" * 32
    grant = api.get("/api/models/lab/toxic-bert/xet-write-token/main").json()
    batch = api.post(BATCH, {"operation": "upload", "objects": [{"oid": oid, "size": 3}]}).json()
    upload = urlsplit(batch["objects"][0]["actions"]["upload"]["href"])
    services.disable(gated_repo, by=stef)
    headers = {"Authorization": f"Bearer {grant['accessToken']}"}
    xorb = Client().generic("POST", f"{urlsplit(grant['casUrl']).path}/v1/xorbs/default/{oid}", b"x", headers=headers)
    lfs = Client().generic("PUT", f"{upload.path}?{upload.query}", b"abc", content_type="application/octet-stream")
    for answer in (xorb, lfs):
        assert answer.status_code in (401, 403), answer.content
    assert not LfsObject.objects.filter(sha256=oid).exists()


def test_the_api_says_that_it_is_disabled(gated_repo, ada, stef):
    services.disable(gated_repo, by=stef)
    assert Api(make_token(ada)).get("/api/models/lab/toxic-bert").json()["disabled"] is True


def test_the_reason_is_told_to_those_who_manage_it_and_to_nobody_else(gated_repo, ada, accepted, stef, browser):
    services.disable(gated_repo, reason=REASON, by=stef)
    for path in ("/lab/toxic-bert", "/lab/toxic-bert/settings"):
        told = words(soup(browser(ada).get(path)).select_one(".notice"))
        assert "The staff of this server have disabled this model." in told
        assert REASON in told
    for client in (browser(), browser(accepted)):
        page = client.get("/lab/toxic-bert")
        assert "have disabled this model" in words(soup(page))
        assert REASON not in page.content.decode()
    assert REASON not in Api(make_token(accepted)).get("/api/models/lab/toxic-bert").content.decode()


def test_requests_are_reviewed_meanwhile_and_open_nothing(gated_repo, sam, ada, stef):
    request = access.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    services.disable(gated_repo, by=stef)
    access.review(access_request=request, status="accepted", by=Actor(user=ada))
    answer = Api(make_token(sam)).get("/lab/toxic-bert/resolve/main/config.json")
    assert (answer.status_code, answer["X-Error-Message"]) == (403, SAYS)


def test_the_real_git_is_refused(server, tmp_path):
    name = f"dis{abs(hash(str(tmp_path))) % 10**9}"
    server.manage("create_user", name, "--email", f"{name}@example.org", "--password", "correct-horse-battery")
    token = server.manage("create_token", name, "--name", "git", "--role", "write").strip()
    script = (
        "from accounts.models import Namespace, User; from accounts.actor import SYSTEM, Actor;"
        "from repos import services as s;"
        f"r = s.create_repo(type_='model', namespace=Namespace.objects.get(name='{name}'), name='off', private=False,"
        f" by=Actor(user=User.objects.get(username='{name}'))); s.disable(r, by=SYSTEM)"
    )
    server.manage("shell", "-v0", "-c", script)
    url = f"http://{name}:{token}@{server.url.removeprefix('http://')}/{name}/off"
    done = subprocess.run(
        ["git", "clone", url, str(tmp_path / "work")],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path), "GIT_TERMINAL_PROMPT": "0"},
        timeout=60,
    )
    assert done.returncode != 0
    assert "403" in done.stderr or SAYS in done.stderr
    assert not (tmp_path / "work" / "README.md").exists()
