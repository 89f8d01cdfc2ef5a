"""Every change leaves one row in the audit trail: who, through which entrance, with which token, from where, and what.

ada manages lab/toxic-bert, where sam's request waits.  What pages do of their own is in the tests below the table.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from access import bulk, device, organizations, report, services, tokens
from access.filters import RequestFilter
from access.models import AccessRequest, AccessToken
from access.report import ReportFilter
from accounts import services as accounts
from accounts import standing
from accounts.actor import Actor, Entrance
from accounts.audit import AuditEvent
from accounts.models import Namespace, Organization, User
from gatehub.web import history_words
from notifications import addresses, opt_outs
from notifications.models import AddressProblem
from repos import content, notification_address
from repos import services as repo_services
from repos.git import AddBlob
from repos.models import Repo
from tests.support.cast import ANSWERS, PASSWORD, make_token, text_of
from tests.web.pages import press, soup

ADDRESS = "192.0.2.7"
CARD = b"---\nextra_gated_fields:\n  Why: text\n---\n"


@dataclass
class Scene:
    repo: Repo
    request: AccessRequest
    lab: Organization
    ada: User
    sam: User
    noor: User
    by: Actor
    """ada, with a token, by git."""

    @property
    def signed_in(self) -> Actor:
        return replace(self.by, token=None, entrance=Entrance.PAGE)

    def as_(self, user: User) -> Actor:
        return replace(self.by, user=user)


@pytest.fixture
def scene(gated_repo, lab, ada, sam, noor, make_repo) -> Scene:
    services_request = services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    by = Actor(ada, tokens.authenticate(make_token(ada, name="ci")), Entrance.GIT, ADDRESS)
    content.create_branch(gated_repo, "old", start="main", by=Actor(user=ada))
    content.create_tag(gated_repo, "v0", revision="main", message="", by=Actor(user=ada))
    return Scene(gated_repo, services_request, lab, ada, sam, noor, by)


def _commit(scene: Scene, path: str, data: bytes) -> None:
    git = content.open_git(scene.repo)
    new = content.NewCommit("x", "", [AddBlob(path, git.stage_blob(data))])
    content.commit(scene.repo, "main", new, by=scene.by)


def _push(scene: Scene) -> None:
    head = scene.repo.head_sha
    content.record_push(scene.repo, before={"refs/heads/a": head}, after={"refs/heads/a": "b" * 40}, by=scene.by)


def _decided(scene: Scene, status: str) -> Actor:
    services.review(access_request=scene.request, status=status, by=Actor(user=scene.ada))
    return scene.by


def _member(scene: Scene, role: str = "read") -> None:
    accounts.set_role(organization=scene.lab, user=scene.noor, role=role, by=Actor(user=scene.ada))


def _settings(**given: Any) -> Callable[[Scene], Any]:
    return lambda scene: repo_services.change_settings(scene.repo, given, by=scene.by)


def _review(status: str, before: str = "") -> Callable[[Scene], Any]:
    def act(scene: Scene) -> None:
        if before:
            _decided(scene, before)
        services.review(access_request=scene.request, status=status, by=scene.by)

    return act


def _device(act: Callable[..., None]) -> Callable[[Scene], Any]:
    def run(scene: Scene) -> None:
        codes = device.start(client_id="cli", client_name="a laptop")
        act(device.find(codes.user_code), by=scene.signed_in)

    return run


def _device_token(scene: Scene) -> None:
    codes = device.start(client_id="cli", client_name="a laptop")
    device.approve(device.find(codes.user_code), by=Actor(user=scene.ada))
    device.fetch(codes.device_code, client_id="cli", address=ADDRESS)


def _new_org(scene: Scene) -> Organization:
    return accounts.create_organization(name="fresh", admin=scene.ada, by=Actor(user=scene.ada))


def _bulk(scene: Scene) -> Any:
    return bulk.start(repo=scene.repo, chosen=RequestFilter(status="pending"), status="accepted", by=scene.signed_in)


def _stopped(scene: Scene) -> AddressProblem | None:
    return addresses.mark(address="ada@example.org", what=AddressProblem.What.BOUNCED, by=scene.by)


def _confirmed(scene: Scene, answer: Callable[..., Any]) -> None:
    repo_services.change_settings(scene.repo, {"gatedNotificationsEmail": "gate@example.org"}, by=Actor(user=scene.ada))
    scene.repo.refresh_from_db()
    answer(notification_address.token_for(scene.repo, timezone.now()), by=scene.by)


NOTHING, BEFORE, AFTER, BOTH = (False, False), (True, False), (False, True), (True, True)
ACTS: dict[str, tuple[Callable[[Scene], Any], str, tuple[bool, bool]]] = {
    "ask": (lambda s: services.ask(repo=s.repo, answers=ANSWERS, by=s.as_(s.noor)), "access_request:asked", AFTER),
    "withdraw": (lambda s: services.withdraw(repo=s.repo, by=s.as_(s.sam)), "access_request:withdrawn", BEFORE),
    "accept": (_review("accepted"), "access_request:accepted", BOTH),
    "reject": (_review("rejected"), "access_request:rejected", BOTH),
    "cancel": (_review("pending", before="accepted"), "access_request:cancelled", BOTH),
    "grant to who asked": (lambda s: services.grant(repo=s.repo, user=s.sam, by=s.by), "access_request:granted", BOTH),
    "grant to another": (lambda s: services.grant(repo=s.repo, user=s.noor, by=s.by), "access_request:granted", AFTER),
    "decide many": (
        lambda s: bulk.review_many(
            repo=s.repo, keys=[s.request.pk], status="accepted", expected="pending", by=s.by
        ),
        "access_request:accepted",
        BOTH,
    ),
    "order a bulk review": (_bulk, "bulk_review:started", AFTER),
    "carry it out": (lambda s: bulk.run(_bulk(s).pk), "bulk_review:finished", AFTER),
    "stop it": (lambda s: bulk.stop(_bulk(s), by=s.by), "bulk_review:stopped", AFTER),
    "gate": (_settings(gated="auto"), "repo:settings", BOTH),
    "members must ask": (_settings(orgMembersGated=True), "repo:settings", BOTH),
    "notification mode": (_settings(gatedNotificationsMode="real-time"), "repo:settings", BOTH),
    "notification address": (_settings(gatedNotificationsEmail="a@example.org"), "notification_address:asked", AFTER),
    "it is confirmed": (lambda s: _confirmed(s, notification_address.confirm), "notification_address:confirmed", BOTH),
    "it is refused": (lambda s: _confirmed(s, notification_address.refuse), "notification_address:refused", BOTH),
    "visibility": (_settings(private=True), "repo:settings", BOTH),
    "form of the gate": (lambda s: _commit(s, "README.md", CARD), "gate_form:change", BOTH),
    "create a repo": (
        lambda s: repo_services.create_repo(
            type_="model", namespace=Namespace.objects.get(name="ada"), name="new", private=True, by=s.by
        ),
        "repo:create",
        AFTER,
    ),
    "move": (
        lambda s: repo_services.move_repo(s.repo, namespace=s.repo.namespace, name="tame", by=s.by),
        "repo:move",
        BOTH,
    ),
    "delete a repo": (lambda s: repo_services.delete_repo(s.repo, by=s.by), "repo:delete", BEFORE),
    "disable": (lambda s: repo_services.disable(s.repo, reason="Law", by=s.by), "repo:disable", BOTH),
    "enable": (
        lambda s: repo_services.enable(repo_services.disable(s.repo, by=Actor(user=s.ada)), by=s.by),
        "repo:enable",
        BOTH,
    ),
    "commit": (lambda s: _commit(s, "a.txt", b"a"), "repo:commit", BOTH),
    "push": (_push, "repo:push", BOTH),
    "create a branch": (lambda s: content.create_branch(s.repo, "b", start="main", by=s.by), "branch:create", AFTER),
    "delete a branch": (lambda s: content.delete_branch(s.repo, "old", by=s.by), "branch:delete", BEFORE),
    "squash": (lambda s: content.squash(s.repo, "main", message="", by=s.by), "branch:squash", BOTH),
    "create a tag": (
        lambda s: content.create_tag(s.repo, "v1", revision="main", message="One", by=s.by), "tag:create", AFTER
    ),
    "delete a tag": (lambda s: content.delete_tag(s.repo, "v0", by=s.by), "tag:delete", BEFORE),
    "report": (
        lambda s: b"".join(report.export(repo=s.repo, format="csv", chosen=ReportFilter(), by=s.by)),
        "report:export",
        AFTER,
    ),
    "make a token": (lambda s: tokens.create(user=s.ada, name="t", role="read", by=s.by), "token:create", AFTER),
    "make a narrow token": (
        lambda s: tokens.create(
            user=s.ada, name="t", role="fine-grained", by=s.by, scopes=[tokens.Scope("repo.write", repo=s.repo)]
        ),
        "token:create",
        AFTER,
    ),
    "revoke a token": (
        lambda s: tokens.revoke(token=AccessToken.objects.get(name="ci"), by=s.signed_in), "token:revoke", BEFORE
    ),
    "let a device in": (_device(device.approve), "device:approve", BOTH),
    "keep a device out": (_device(device.deny), "device:deny", BOTH),
    "a device fetches its token": (_device_token, "token:create", AFTER),
    "create an organization": (
        lambda s: accounts.create_organization(name="fresh", admin=s.ada, by=s.by), "organization:create", AFTER
    ),
    "rename one": (
        lambda s: organizations.change_fullname(organization=s.lab, fullname="L", by=s.by), "organization:profile", BOTH
    ),
    "delete one": (
        lambda s: organizations.delete(organization=_new_org(s), confirmation="fresh", by=s.by),
        "organization:delete",
        BEFORE,
    ),
    "add a member": (
        lambda s: organizations.add_member(organization=s.lab, user=s.noor, role="read", by=s.by),
        "membership:set_role",
        AFTER,
    ),
    "give another role": (
        lambda s: (_member(s), organizations.change_role(organization=s.lab, user=s.noor, role="write", by=s.by)),
        "membership:set_role",
        BOTH,
    ),
    "remove a member": (
        lambda s: (_member(s), organizations.remove_member(organization=s.lab, user=s.noor, by=s.by)),
        "membership:remove",
        BEFORE,
    ),
    "create a person": (
        lambda s: accounts.create_user(username="zoe", email="z@example.org", password=PASSWORD, by=s.by),
        "user:create",
        AFTER,
    ),
    "full name": (lambda s: accounts.change_own_fullname(s.ada, "A", by=s.by), "user:profile", BOTH),
    "close an account": (
        lambda s: (_make_superuser(s), standing.deactivate(s.noor, by=s.signed_in)), "user:deactivate", BOTH
    ),
    "rights": (
        lambda s: (
            _make_superuser(s),
            standing.set_rights(s.noor, by=s.signed_in, is_staff=True, is_superuser=False),
        ),
        "user:rights",
        BOTH,
    ),
    "no more mails": (lambda s: opt_outs.turn_off(s.ada, "decisions", by=s.by), "mails:off", AFTER),
    "mails again": (
        lambda s: (opt_outs.turn_off(s.ada, "decisions", by=s.by), opt_outs.turn_on(s.ada, "decisions", by=s.by)),
        "mails:on",
        AFTER,
    ),
    "a mail came back": (_stopped, "mail_address:stopped", AFTER),
    "use the address again": (
        lambda s: (_stopped(s), addresses.use_again(address="ada@example.org", by=s.by)),
        "mail_address:used_again",
        BEFORE,
    ),
}  # fmt: skip


def _make_superuser(scene: Scene) -> None:
    User.objects.filter(pk=scene.ada.pk).update(is_staff=True, is_superuser=True)


BY_OTHERS = {"ask": "noor", "withdraw": "sam"}
WITHOUT_TOKEN = {"order a bulk review", "carry it out", "revoke a token", "let a device in", "keep a device out",
                 "a device fetches its token", "close an account", "rights"}  # fmt: skip


@pytest.mark.parametrize("name", ACTS)
def test_it_leaves_one_row(name, scene):
    act, verb, (before, after) = ACTS[name]
    last = AuditEvent.objects.latest("pk").pk
    act(scene)
    [event] = AuditEvent.objects.filter(pk__gt=last, verb=verb).exclude(entrance="system")
    assert event.actor == BY_OTHERS.get(name, "ada")
    assert event.address == ADDRESS
    assert event.token_name == ("" if name in WITHOUT_TOKEN else "ci")
    assert event.entrance != "system"
    assert (event.before is not None, event.after is not None) == (before, after), (event.before, event.after)
    assert event.target
    assert verb in history_words.WORDS
    kept = json.dumps([event.before, event.after])
    for secret in ("gate_", *User.objects.values_list("password", flat=True), *ANSWERS.values()):
        assert secret in ("true",) or secret not in kept


@pytest.mark.parametrize("name", ["move", "accept", "delete a repo", "revoke a token", "full name", "rights"])
def test_what_is_rolled_back_leaves_no_row(name, scene, monkeypatch):
    """The row and the change are one transaction: where the one fails, there is no other."""

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no trail")

    state = list(Repo.objects.values()), list(AccessRequest.objects.values()), AccessToken.objects.count()
    if name == "rights":
        _make_superuser(scene)
    people = list(User.objects.order_by("pk").values())
    monkeypatch.setattr(AuditEvent, "save", fail)
    with pytest.raises(RuntimeError):
        ACTS[name][0](scene)
    assert (list(Repo.objects.values()), list(AccessRequest.objects.values()), AccessToken.objects.count()) == state
    assert list(User.objects.order_by("pk").values()) == people


# --- The account's own pages ----------------------------------------------------------------------------------------


def _newest(verb: str) -> AuditEvent:
    return AuditEvent.objects.filter(verb=verb).latest("pk")


def _sign_in(client, name: str, password: str) -> Any:
    return press(client, soup(client.get("/login")), "/login", login=name, password=password)


def test_signing_in_and_out(ada, browser):
    client = browser()
    assert _sign_in(client, "ada", PASSWORD).status_code == 302
    press(client, soup(client.get("/logout")), "/logout")
    for verb in ("sign_in:done", "sign_in:ended"):
        event = _newest(verb)
        assert (event.actor, event.target, event.entrance, event.address) == ("ada", "ada", "page", "127.0.0.1")


@pytest.mark.parametrize(
    ("typed", "named"),
    [("ada", "ada"), ("ADA", "ada"), ("ada@example.org", "ada"), ("my-secret-phrase", ""), ("\0", "")],
)
def test_a_failed_sign_in_names_an_account_and_never_what_else_was_typed(typed, named, ada, browser):
    _sign_in(browser(), typed, "wrong-password")
    events = AuditEvent.objects.filter(verb="sign_in:failed")
    assert not AuditEvent.objects.filter(verb="sign_in:done").exists()
    for event in events:
        assert (event.actor, event.target, event.entrance, event.address) == ("", named, "page", "127.0.0.1")
        assert (event.before, event.after) == (None, None)
    assert events.count() == (0 if typed == "\0" else 1)


def test_a_session_that_nobody_asked_for_is_no_sign_in(ada, browser):
    browser(ada)
    assert not AuditEvent.objects.filter(verb__startswith="sign_in:").exists()


def test_a_new_password(ada, browser):
    client = browser(ada)
    answer = press(
        client, soup(client.get("/settings/password")), "/settings/password",
        oldpassword=PASSWORD, password1="another-horse-battery", password2="another-horse-battery",
    )  # fmt: skip
    assert answer.status_code == 302
    event = _newest("password:changed")
    assert (event.actor, event.target, event.address, event.before, event.after) == (
        "ada", "ada", "127.0.0.1", None, None
    )  # fmt: skip


def test_a_password_that_cannot_be_recorded_is_not_changed(ada, browser, monkeypatch):
    client = browser(ada)
    page, before = soup(client.get("/settings/password")), User.objects.get().password

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no trail")

    monkeypatch.setattr(AuditEvent, "save", fail)
    with pytest.raises(RuntimeError):
        press(
            client, page, "/settings/password",
            oldpassword=PASSWORD, password1="another-horse-battery", password2="another-horse-battery",
        )  # fmt: skip
    assert User.objects.get().password == before


def test_own_addresses(ada, browser):
    client = browser(ada)
    client.post("/settings/addresses", {"action_add": "", "email": "new@example.org"})
    assert (_newest("address:added").actor, _newest("address:added").after) == ("ada", "new@example.org")
    EmailAddress.objects.filter(email="new@example.org").update(verified=True)
    client.post("/settings/addresses", {"action_primary": "", "email": "new@example.org"})
    event = _newest("address:primary")
    assert (event.before, event.after) == ("ada@example.org", "new@example.org")
    client.post("/settings/addresses", {"action_remove": "", "email": "ada@example.org"})
    assert _newest("address:removed").before == "ada@example.org"


def test_a_profile_that_stays_as_it_was_leaves_no_row(ada, browser):
    client = browser(ada)
    client.post("/settings/profile", {"fullname": "Ada Lovelace"})
    assert not AuditEvent.objects.filter(verb="user:profile").exists()
    client.post("/settings/profile", {"fullname": "Ada King"})
    event = _newest("user:profile")
    assert (event.before, event.after, event.address) == ("Ada Lovelace", "Ada King", "127.0.0.1")


def test_the_report_of_the_page_is_recorded_with_the_token(gated_repo, api, ada):
    text_of(api(ada, name="ci").get("/lab/toxic-bert/user-access-report"))
    event = _newest("report:export")
    assert (event.actor, event.entrance, event.token_name, event.address) == ("ada", "api", "ci", "127.0.0.1")
