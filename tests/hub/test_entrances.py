"""The table of design section 4, driven through every entrance of the protocol.

Rows are who asks, columns what kind of repo; the cells are written down from the design's words, and nothing here asks
the policy.  ada made the repos and is the admin of lab, wes writes, con contributes (and made one repo), rea reads;
pat's request is pending, rex's rejected, acc's accepted; sam and olu never asked.
"""

from __future__ import annotations

import hashlib

import pytest

from access import policy, services
from access.models import TokenScope
from access.tokens import Scope
from accounts.actor import Actor
from accounts.models import User
from repos.models import LfsObject
from tests.support.cast import ANSWERS, GATE_CARD, Api, make_token, text_of

READ, HIDE, GATE = "read", "hide", "gate"

KINDS = {
    # name: private, gated, org members gated.
    "open": (False, False, False),
    "gated": (False, "manual", False),
    "auto": (False, "auto", False),
    "strict": (False, "manual", True),
    "private": (True, False, False),
    "private-gated": (True, "manual", False),
    "private-strict": (True, "manual", True),
}
READING = {
    # who:        open  gated auto  strict private private-gated private-strict
    "stranger": (READ, GATE, GATE, GATE, HIDE, HIDE, HIDE),
    "sam": (READ, GATE, GATE, GATE, HIDE, HIDE, HIDE),
    "olu": (READ, GATE, GATE, GATE, HIDE, HIDE, HIDE),
    "pat": (READ, GATE, GATE, GATE, HIDE, HIDE, HIDE),
    "rex": (READ, GATE, GATE, GATE, HIDE, HIDE, HIDE),
    "acc": (READ, READ, READ, READ, HIDE, HIDE, HIDE),
    "rea": (READ, READ, READ, GATE, READ, READ, GATE),
    "rea accepted": (READ, READ, READ, READ, READ, READ, READ),
    "con": (READ, READ, READ, GATE, READ, READ, GATE),
    "con, creator": (READ, READ, READ, READ, READ, READ, READ),
    "wes": (READ, READ, READ, GATE, READ, READ, GATE),
    "ada": (READ, READ, READ, READ, READ, READ, READ),
}
WRITERS = {"con, creator", "wes", "ada"}


def _kinds(who):
    return [(who, kind, expected) for kind, expected in zip(KINDS, READING[who], strict=True)]


CELLS = [cell for who in READING for cell in _kinds(who)]


@pytest.fixture
def scene(request, ada, wes, con, rea, sam, olu, make_user, make_repo, lab):
    """One repo of the kind, and the caller, as the row names them."""
    who, kind, _ = request.param
    private, gated, strict = KINDS[kind]
    creator = con if who == "con, creator" else ada
    repo = make_repo(
        "lab/base",
        by=creator,
        gated="manual",
        files={"README.md": GATE_CARD.encode(), "config.json": b"{}"},
        large={"w.bin": b"weights"},
    )
    person = _person(who, repo, make_user, ada=ada, wes=wes, con=con, rea=rea, sam=sam, olu=olu)
    repo.private, repo.gated, repo.org_members_gated = private, gated or "no", strict
    repo.save()
    return repo, person


def _person(who, repo, make_user, **cast) -> User | None:
    if who == "stranger":
        return None
    name = who.split(",")[0].split()[0]
    person = cast.get(name) or make_user(name)
    reviewer = Actor(user=cast["ada"])
    if who in {"pat", "rex", "acc"}:
        asked = services.ask(repo=repo, answers=ANSWERS, by=Actor(user=person))
        if who != "pat":
            status = {"rex": "rejected", "acc": "accepted"}[who]
            services.review(access_request=asked, status=status, by=reviewer)
    if who == "rea accepted":
        repo.org_members_gated = True
        repo.save()
        services.grant(repo=repo, user=person, by=reviewer)
    return person


def _reading_entrances(api: Api, browser, repo) -> dict[str, object]:
    """Every way to the bytes: what it answers."""
    oid = LfsObject.objects.get(repo=repo).sha256
    batch = {"operation": "download", "objects": [{"oid": oid, "size": 7}]}
    return {
        "resolve GET": api.get("/lab/base/resolve/main/config.json"),
        "resolve HEAD": api.head("/lab/base/resolve/main/w.bin"),
        "auth-check": api.get("/api/models/lab/base/auth-check"),
        "LFS batch": api.post("/lab/base.git/info/lfs/objects/batch", batch),
        "LFS object": api.get(f"/lab/base.git/info/lfs/objects/{oid}"),
        "page": browser.get("/lab/base/resolve/main/config.json"),
        "file page": browser.get("/lab/base/blob/main/config.json"),
    }


@pytest.mark.parametrize(("scene", "expected"), [(cell, cell[2]) for cell in CELLS], indirect=["scene"],
                         ids=[f"{who} on {kind}" for who, kind, _ in CELLS])  # fmt: skip
def test_reading(scene, expected, browser):
    repo, person = scene
    api = Api(make_token(person)) if person else Api()
    for entrance, answer in _reading_entrances(api, browser(person), repo).items():
        text_of(answer)  # Read to its end, which closes the file.
        if expected == READ:
            assert answer.status_code == 200, entrance
            continue
        assert answer.status_code in {401, 403, 404}, (entrance, answer.status_code)
        code = "RepoNotFound" if expected == HIDE else "GatedRepo"
        assert answer["X-Error-Code"] == code, entrance
    seen = [
        api.get("/api/models/lab/base"),
        api.get("/api/models/lab/base/tree/main"),
        browser(person).get("/lab/base"),
    ]
    for answer in seen:
        assert answer.status_code in ({401, 404} if expected == HIDE else {200})
    if expected == GATE:
        sha256 = hashlib.sha256(b"weights").hexdigest().encode()
        assert all(sha256 not in answer.content for answer in seen)
        assert api.get("/lab/base/resolve/main/README.md").status_code == 200
    listed = [found["id"] for found in api.get("/api/models").json()]
    assert listed == ([] if expected == HIDE else ["lab/base"])


@pytest.mark.parametrize("scene", CELLS, indirect=True, ids=[f"{who} on {kind}" for who, kind, _ in CELLS])
def test_writing_and_reviewing(scene, request):
    repo, person = scene
    who, _, reading = request.node.callspec.params["scene"]
    api = Api(make_token(person)) if person else Api()
    header = {"key": "header", "value": {"summary": "s"}}
    answers = {
        "commit": api.commit("/api/models/lab/base/commit/main", [header]),
        "xet": api.get("/api/models/lab/base/xet-write-token/main"),
        "preupload": api.post("/api/models/lab/base/preupload/main", {"files": []}),
        "LFS upload": api.post("/lab/base.git/info/lfs/objects/batch", {"operation": "upload", "objects": []}),
        "auth-check/write": api.get("/api/models/lab/base/auth-check/write"),
        "branch": api.post("/api/models/lab/base/branch/dev", {}),
        "settings": api.put("/api/models/lab/base/settings", {"gatedNotificationsMode": "bulk"}),
        "report": api.get("/lab/base/user-access-report"),
    }
    for entrance, answer in answers.items():
        if who in WRITERS:
            assert answer.status_code == 200, (entrance, answer.content)
        else:
            refused = {401, 404} if reading == HIDE else {401, 403}
            assert answer.status_code in refused, (entrance, answer.status_code)
    lists = api.get("/api/models/lab/base/user-access-request/pending").status_code
    if who in WRITERS:
        assert lists == (200 if repo.is_gated else 400)
    else:
        assert lists in {401, 403, 404}


# --- Tokens -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def strict_repo(ada, lab, make_repo):
    return make_repo("lab/base", by=ada, gated="manual", files={"config.json": b"{}"}, large={"w.bin": b"weights"})


def test_a_read_token_reads_and_does_nothing_else(api, strict_repo, ada):
    caller = api(ada, "read")
    assert caller.get("/lab/base/resolve/main/config.json").status_code == 200
    assert caller.get("/api/models/lab/base/user-access-request/pending").status_code == 403
    assert caller.get("/lab/base/user-access-report").status_code == 403
    assert caller.commit("/api/models/lab/base/commit/main", [{"key": "header", "value": {}}]).status_code == 403
    assert caller.put("/api/models/lab/base/settings", {"gated": False}).status_code == 403
    assert caller.post("/lab/base/ask-access", {}).status_code == 403


PERMISSIONS = {
    # permission: reads files, sees requests, reviews, writes.
    "repo.content.read": (True, False, False, False),
    "repo.access.read": (False, True, False, False),
    "repo.access.write": (False, True, True, False),
    "repo.write": (True, False, False, True),
}


@pytest.mark.parametrize("on", ["repo", "namespace"])
@pytest.mark.parametrize("permission", PERMISSIONS)
def test_a_fine_grained_token_does_what_it_names_and_only_there(strict_repo, make_repo, ada, noor, permission, on):
    make_repo("ada/other", by=ada, gated="manual", files={"config.json": b"{}"})
    scope = Scope(permission, repo=strict_repo) if on == "repo" else Scope(permission, namespace=strict_repo.namespace)
    caller = Api(make_token(ada, "fine-grained", scopes=[scope]))
    reads, sees, reviews, writes = PERMISSIONS[permission]
    for repo_id, named in (("lab/base", True), ("ada/other", False)):
        assert (caller.get(f"/{repo_id}/resolve/main/config.json").status_code == 200) is (reads and named)
        pending = caller.get(f"/api/models/{repo_id}/user-access-request/pending")
        assert (pending.status_code == 200) is (sees and named)
        grant = caller.post(f"/api/models/{repo_id}/user-access-request/grant", {"user": "noor"})
        assert (grant.status_code == 200) is (reviews and named)
        xet = caller.get(f"/api/models/{repo_id}/xet-write-token/main")
        assert (xet.status_code == 200) is (writes and named)


def test_a_fine_grained_token_does_not_see_private_repos_that_it_does_not_name(make_repo, ada):
    make_repo("ada/secret", by=ada, private=True)
    caller = Api(make_token(ada, "fine-grained", can_read_gated=True))
    assert caller.get("/api/models/ada/secret").status_code == 404
    assert caller.get("/api/models").json() == []


def test_reading_gated_repos_needs_the_permission_and_the_refusal_blames_the_token(strict_repo, ada, noor):
    services.grant(repo=strict_repo, user=noor, by=Actor(user=ada))
    narrow = Api(make_token(noor, "fine-grained"))
    refused = narrow.head("/lab/base/resolve/main/config.json")
    assert (refused.status_code, refused["X-Error-Code"]) == (403, "GatedRepo")
    assert "your token is the problem" in refused["X-Error-Message"]
    assert "/settings/tokens" in refused["X-Error-Message"]
    wide = Api(make_token(noor, "fine-grained", can_read_gated=True))
    assert wide.get("/lab/base/resolve/main/config.json").status_code == 200


def test_a_token_never_grants_more_than_its_user_has(strict_repo, noor):
    scopes = [Scope(permission, repo=strict_repo) for permission in TokenScope.Permission.values]
    caller = Api(make_token(noor, "fine-grained", scopes=scopes, can_read_gated=True))
    assert caller.get("/lab/base/resolve/main/config.json").status_code == 403
    assert caller.get("/api/models/lab/base/xet-write-token/main").status_code == 403
    assert caller.get("/api/models/lab/base/user-access-request/pending").status_code == 403


def test_a_disabled_repo_is_refused_in_the_words_that_clients_compare(strict_repo, api, ada):
    strict_repo.disabled = True
    strict_repo.save()
    answer = api(ada).get("/lab/base/resolve/main/config.json")
    assert (answer.status_code, answer["X-Error-Message"]) == (403, "Access to this resource is disabled.")


def test_the_seven_texts_name_the_next_step(strict_repo, api, ada, sam, noor, make_user, monkeypatch):
    """In the header, which a HEAD has alone, and in the body; each its own, each with an address."""
    path = "/lab/base/resolve/main/config.json"
    pending, rejected, eu = make_user("pat"), make_user("rex"), make_user("eve")
    services.ask(repo=strict_repo, answers={}, by=Actor(user=pending))
    asked = services.ask(repo=strict_repo, answers={}, by=Actor(user=rejected))
    services.review(access_request=asked, status="rejected", reason="Not this time", by=Actor(user=ada))
    services.grant(repo=strict_repo, user=noor, by=Actor(user=ada))
    callers = {
        "no identity": (Api(), 401, "Please log in"),
        "bad token": (Api("gate_" + "x" * 46), 401, "Invalid credentials in Authorization header"),
        "narrow token": (Api(make_token(noor, "fine-grained")), 403, "your token is the problem"),
        "no request": (api(sam), 403, "you are not in the authorized list. Visit http://testserver/lab/base"),
        "pending": (api(pending), 403, "is awaiting a review from the repo authors"),
        "rejected": (api(rejected), 403, "has been rejected by the repo's authors"),
    }
    texts = set()
    for name, (caller, status, text) in callers.items():
        head, body = caller.head(path), caller.get(path)
        assert head.status_code == body.status_code == status, name
        assert text in head["X-Error-Message"], name
        assert text in body.json()["error"], name
        assert "http://testserver/" in body.json()["error"], name
        texts.add(head["X-Error-Message"])
    assert "Reason: Not this time" in api(rejected).get(path).json()["error"]
    monkeypatch.setattr(policy.region, "is_in_union", lambda address: True)
    form = strict_repo.gate_form
    type(form).objects.filter(pk=form.pk).update(eu_disallowed=True)
    elsewhere = api(eu).head(path)
    assert "not offered in your region" in elsewhere["X-Error-Message"]
    texts.add(elsewhere["X-Error-Message"])
    assert len(texts) == 7
