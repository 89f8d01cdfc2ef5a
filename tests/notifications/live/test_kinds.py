"""Each kind of mail goes to the right people: with the Procfile's web, worker and beat and a real mail server.

What is done is done on the running server's pages and API.
"""

from __future__ import annotations

import re

import requests

from tests.notifications.live.stage import Stage, told
from tests.support.hub import PASSWORD, Person

ADMINS = """
from accounts import services
from accounts.actor import SYSTEM
from accounts.models import Organization, User
from allauth.account.models import EmailAddress
names = {names!r}
people = [User.objects.get(username=name) for name in names]
lab = services.create_organization(name={lab!r}, admin=people[0], by=SYSTEM)
for user in people[1:]:
    services.set_role(organization=lab, user=user, role="admin", by=SYSTEM)
User.objects.filter(username__in={deactivated!r}).update(is_active=False)
EmailAddress.objects.filter(user__username__in={unverified!r}).update(verified=False)
"""


def make_lab(stage: Stage, people, *, deactivated=(), unverified=()) -> str:
    lab = f"lab-{people[0].name}"
    names = [person.name for person in people]
    stage.run(
        ADMINS.format(
            names=names,
            lab=lab,
            deactivated=[person.name for person in deactivated],
            unverified=[person.name for person in unverified],
        )
    )
    return lab


def test_a_real_time_request_is_told_to_the_owner_at_once_and_to_nobody_else(stage: Stage):
    owner, asker = stage.people(2)
    repo = stage.repo(owner)
    stage.ask(repo, asker)
    [mail] = stage.wait_for(repo)
    assert (mail.to, mail.kind) == ([owner.email], "new-request")
    assert asker.name in mail.subject
    assert f"{stage.server.url}/{repo}/settings" in mail.text
    stage.ask(repo, asker)  # Once more changes nothing.
    stage.settle()
    assert len(stage.about(repo)) == 1


def test_an_automatic_gate_tells_owners_nothing(stage: Stage):
    owner, asker = stage.people(2)
    automatic, manual = stage.repo(owner, gated="auto"), stage.repo(owner)
    stage.ask(automatic, asker)
    stage.ask(manual, asker)
    stage.wait_for(manual)
    stage.settle()
    assert stage.about(automatic) == []
    assert stage.number("SELECT count(*) FROM notifications_outboxmessage WHERE state = 'waiting'") == 0


def test_each_decision_is_told_to_the_requester(stage: Stage):
    owner, asker, guest = stage.people(3)
    repo = stage.repo(owner, "bulk")
    stage.ask(repo, asker)
    steps = [
        (lambda: stage.handle(repo, owner, asker, "accepted"), "accepted", f"hf download {repo}"),
        (
            lambda: stage.handle(repo, owner, asker, "rejected", "Not for <b>trade</b>"),
            "rejected",
            "Not for <b>trade</b>",
        ),
        (lambda: stage.handle(repo, owner, asker, "pending"), "cancelled", "pending"),
    ]
    for number, (decide, kind, words) in enumerate(steps, 1):
        decide()
        mail = stage.wait_for(repo, number)[-1]
        assert (mail.to, mail.kind) == ([asker.email], kind)
        assert words in mail.text
    path = f"/api/models/{repo}/user-access-request/grant"
    assert stage.call("POST", path, owner, json={"user": guest.name}).ok
    mail = stage.wait_for(repo, 4)[-1]
    assert (mail.to, mail.kind) == ([guest.email], "granted")
    stage.settle()
    assert len(stage.about(repo)) == 4


def test_what_somebody_does_on_pages_is_told_too(stage: Stage):
    """A decision to whoever asked; a new token, without its value, to whoever made it."""
    owner, asker = stage.person_with_password(), stage.person()
    repo = stage.repo(owner, "bulk")
    stage.ask(repo, asker)
    session = stage.sign_in(owner.name)
    review = f"/{repo}/settings/review"
    stage.submit(session, f"/{repo}/settings", review, 'value="rejected"', status="rejected", reason="Not for trade")
    [mail] = stage.wait_for(repo)
    assert (mail.to, mail.kind) == ([asker.email], "rejected")
    assert "Not for trade" in mail.text
    shown = stage.submit(session, "/settings/tokens", "/settings/tokens", name="laptop", role="read")
    value = re.search(r"gate_\w{46}", shown.text)[0]
    mail = next(mail for mail in stage.wait_for("token", 2) if "laptop" in mail.text)
    assert (mail.to, mail.kind) == ([owner.email], "token-created")
    assert value not in mail.message.as_string()


def test_of_many_admins_the_first_five_who_can_be_told_get_a_mail(stage: Stage):
    """By the day they became admin; of eight, one was deactivated and one has no verified address."""
    asker, *admins = stage.people(9)
    lab = make_lab(stage, admins, deactivated=[admins[1]], unverified=[admins[2]])
    repo = stage.repo(admins[0], namespace=lab)
    stage.ask(repo, asker)
    stage.wait_for(repo, 5)
    stage.settle()
    first = [admins[0], admins[3], admins[4], admins[5], admins[6]]
    assert told(stage.about(repo)) == sorted((person.email, "new-request") for person in first)


def test_a_notification_address_is_asked_first_and_then_gets_the_mails_alone(stage: Stage):
    owner, first, second = stage.people(3)
    repo = stage.repo(owner)
    desk = f"desk-{owner.name}@example.com"
    stage.change(repo, owner, gatedNotificationsEmail=desk)
    [question] = stage.wait_for(repo)
    assert (question.to, question.kind) == ([desk], "confirm-address")
    stage.ask(repo, first)
    mail = stage.wait_for(repo, 2)[-1]
    assert mail.to == [owner.email], "Nobody has agreed at that address yet."

    path = re.search(r"/notifications/address/\S+", question.text)[0]
    stage.submit(requests.Session(), path, path, answer="confirm")
    stage.ask(repo, second)
    mail = stage.wait_for(repo, 3)[-1]
    assert (mail.to, mail.kind) == ([desk], "new-request")


def test_a_digest_comes_once_for_each_repo_and_recipient_and_the_next_one_is_empty(stage: Stage):
    one, two, *askers = stage.people(6)
    lab = make_lab(stage, [one, two])
    first, second = stage.repo(one, "bulk", namespace=lab), stage.repo(one, "bulk", namespace=lab)
    for asker in askers:
        stage.ask(first, asker)
    stage.ask(second, askers[0])
    stage.settle()
    assert stage.about(lab) == [], "Nobody is told before the digest."
    stage.server.manage("send_digests")
    stage.settle()
    wanted = sorted([(one.email, "digest"), (two.email, "digest")])
    assert told(stage.about(first)) == told(stage.about(second)) == wanted
    for mail in stage.about(first):
        assert mail.subject.endswith(f"4 access requests for {first}")
        assert all(asker.name in mail.text for asker in askers)
    stage.server.manage("send_digests")
    stage.settle()
    assert len(stage.about(lab)) == 4


def test_a_mode_that_changes_between_request_and_digest_tells_each_request_once(stage: Stage):
    owner, *askers = stage.people(5)
    repo = stage.repo(owner, "bulk")
    stage.ask(repo, askers[0])
    stage.change(repo, owner, gatedNotificationsMode="real-time")
    stage.ask(repo, askers[1])
    stage.wait_for(repo)
    stage.change(repo, owner, gatedNotificationsMode="bulk")
    stage.ask(repo, askers[2])
    stage.change(repo, owner, gatedNotificationsMode="real-time")
    stage.ask(repo, askers[3])
    stage.wait_for(repo, 2)
    stage.server.manage("send_digests")
    stage.wait_for(repo, 3)
    stage.settle()
    said = [
        (mail.kind, sorted(asker.name for asker in askers if f"{asker.name}@" in mail.text))
        for mail in stage.about(repo)
    ]
    assert sorted(said) == sorted(
        [
            ("new-request", [askers[1].name]),
            ("new-request", [askers[3].name]),
            ("digest", sorted([askers[0].name, askers[2].name])),
        ]
    )


def test_whoever_signs_up_gets_a_link_and_whoever_is_not_verified_gets_nothing_else(stage: Stage):
    owner = stage.person()
    name = f"new-{owner.name}"
    session = requests.Session()
    typed = {
        "username": name,
        "fullname": "New Person",
        "email": f"{name}@example.org",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    shown = stage.submit(session, "/signup", "/signup", **typed)
    assert shown.url.endswith("/account/verify"), shown.text
    [mail] = stage.wait_for_mails_to(f"{name}@example.org")
    assert mail.kind == "account"
    repo = stage.repo(owner)
    assert stage.call("POST", f"/api/models/{repo}/user-access-request/grant", owner, json={"user": name}).ok
    stage.settle()
    assert stage.about(repo) == []
    path = re.search(rf"{re.escape(stage.server.url)}(/account/verify/\S+)", mail.text)[1]
    stage.submit(session, path, path)
    assert stage.sealed(f"{name}@example.org") == 0, "The link is forgotten once it is sent."
    stage.handle(repo, owner, Person(name, ""), "rejected")
    assert stage.wait_for(repo)[0].to == [f"{name}@example.org"]
