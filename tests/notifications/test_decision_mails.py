"""Mails about decisions.  sam has asked for lab/toxic-bert and lab/other, which ada manages."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.utils import timezone

from access.models import AccessRequest
from accounts import services as accounts
from accounts.actor import SYSTEM, Actor
from accounts.models import User
from notifications import mails
from notifications.mails import NothingToSay
from notifications.models import OutboxMessage
from repos import services
from repos.models import Repo
from tests.notifications.conftest import as_claimed, html_of, in_one_line, mail_of


@pytest.fixture
def other(make_repo, ada, lab) -> Repo:
    return make_repo("lab/other", by=ada, gated="manual")


@pytest.fixture
def request_of_sam(gated_repo, sam, ask) -> AccessRequest:
    return ask(gated_repo, sam)


def become(request: AccessRequest, status: str) -> None:
    reviewed = None if status == "pending" else timezone.now()
    AccessRequest.objects.filter(pk=request.pk).update(status=status, reviewed_at=reviewed)


def both(message) -> list[str]:
    """What the two parts say."""
    return [in_one_line(message.body), in_one_line(BeautifulSoup(html_of(message), "html.parser").get_text(" "))]


@pytest.mark.parametrize(
    ("kind", "status", "subject", "says"),
    [
        ("accepted", "accepted", "Your access request for lab/toxic-bert was accepted", "was accepted on"),
        ("granted", "accepted", "You were given access to lab/toxic-bert", "you were given access to the model"),
        ("rejected", "rejected", "Your access request for lab/toxic-bert was rejected", "was rejected on"),
        ("cancelled", "pending", "Your access request for lab/toxic-bert is pending again", "was put back on"),
    ],
)
def test_each_decision_is_told(request_of_sam, sam, queue, kind, status, subject, says):
    become(request_of_sam, status)
    message = mail_of(queue(kind, request_of_sam, user=sam))
    assert message.subject == f"[GateHub] {subject}"
    assert message.to == ["sam@example.org"]
    for said in both(message):
        assert says in said
        assert "Since then" not in said
        assert ("hf download lab/toxic-bert" in said) == (status == "accepted")
        assert ("You cannot download its files now" in said) == (kind == "cancelled")


def test_whoever_is_in_gets_the_lines_to_download_with_this_server_s_address(request_of_sam, sam, queue):
    become(request_of_sam, "accepted")
    message = mail_of(queue("accepted", request_of_sam, user=sam))
    lines = "export HF_ENDPOINT=https://gate.example.org\nhf auth login\nhf download lab/toxic-bert"
    blocks = [block.text for block in BeautifulSoup(html_of(message), "html.parser").select("pre")]
    assert blocks[0] == lines
    assert 'os.environ["HF_ENDPOINT"] = "https://gate.example.org"' in blocks[1]
    for line in lines.split("\n"):
        assert f"    {line}\n" in message.body
    assert "https://gate.example.org/settings/tokens" in message.body


@pytest.mark.parametrize("reason", ["The affiliation could not be confirmed.", ""])
def test_whoever_is_out_gets_the_reason(request_of_sam, sam, queue, reason):
    become(request_of_sam, "rejected")
    for said in both(mail_of(queue("rejected", request_of_sam, user=sam, data={"reason": reason}))):
        assert (reason or "The authors gave no reason.") in said
        assert "the authors can reopen this one. To reach them, see the page of lab" in said


@pytest.mark.parametrize(
    ("kind", "status"),
    [("accepted", "rejected"), ("granted", "pending"), ("rejected", "accepted"), ("cancelled", "rejected")],
)
def test_a_decision_that_does_not_hold_any_more_says_so(request_of_sam, sam, queue, kind, status):
    become(request_of_sam, status)
    message = mail_of(queue(kind, request_of_sam, user=sam, data={"reason": "As it was."}))
    assert f"\n\nSince then this has changed: the request is {status} now.\n\n" in message.body
    assert "\n\nYour requests:\n\n" in message.body
    for said in both(message):
        assert f"Since then this has changed: the request is {status} now." in said
        assert "hf download" not in said
        assert "You cannot download" not in said


def test_a_repo_that_was_moved_is_told_by_both_names(request_of_sam, sam, queue, gated_repo):
    become(request_of_sam, "accepted")
    delivery = queue("accepted", request_of_sam, user=sam, data={"repo_id": "lab/old-bert"})
    for said in both(mail_of(delivery)):
        assert "lab/toxic-bert" in said
        assert "It was called lab/old-bert then." in said


@pytest.mark.parametrize("gone", ["repo", "request", "person"])
def test_what_is_gone_is_not_told(request_of_sam, gated_repo, ada, sam, queue, gone):
    delivery = queue("accepted", request_of_sam, user=sam)
    if gone == "repo":
        services.delete_repo(gated_repo, by=Actor(user=ada))
    elif gone == "request":
        request_of_sam.delete()
    else:
        User.objects.filter(pk=sam.pk).delete()
    with pytest.raises(NothingToSay):
        mail_of(delivery)


def test_a_repo_that_is_hidden_now_is_told_to_members_alone(gated_repo, sam, rea, ask, queue):
    deliveries = [queue("accepted", ask(gated_repo, person), user=person) for person in (sam, rea)]
    Repo.objects.filter(pk=gated_repo.pk).update(private=True)
    with pytest.raises(NothingToSay, match="hidden"):
        mail_of(deliveries[0])
    assert "lab/toxic-bert" in mail_of(deliveries[1]).subject


# --- Several, because they were too many ------------------------------------------------------------------------------


def test_a_summary_has_a_line_for_each_request_with_its_newest(request_of_sam, other, sam, ask, queue):
    second = ask(other, sam)
    delivery = queue("accepted", request_of_sam, user=sam)
    queue("rejected", second, user=sam, into=delivery, data={"reason": "Not this one."})
    queue("rejected", request_of_sam, user=sam, into=delivery, data={"reason": "A mistake."})
    become(request_of_sam, "rejected")
    become(second, "rejected")
    message = mail_of(delivery)
    assert message.subject == "[GateHub] 2 decisions about your access requests"
    said = in_one_line(message.body)
    assert "- lab/other (model): rejected Reason: Not this one. https://gate.example.org/lab/other" in said
    assert "- lab/toxic-bert (model): rejected Reason: A mistake. https://gate.example.org/lab/toxic-bert" in said
    assert "accepted" not in said
    assert len(BeautifulSoup(html_of(message), "html.parser").select(".rows tr")) == 2


def test_a_summary_about_one_request_tells_its_newest(request_of_sam, sam, queue):
    delivery = queue("accepted", request_of_sam, user=sam)
    queue("rejected", request_of_sam, user=sam, into=delivery, data={"reason": "A mistake."})
    become(request_of_sam, "rejected")
    message = mail_of(delivery)
    assert message.subject == "[GateHub] Your access request for lab/toxic-bert was rejected"
    assert "A mistake." in message.body


def test_a_summary_leaves_out_what_is_gone(request_of_sam, other, ada, sam, ask, queue):
    delivery = queue("accepted", request_of_sam, user=sam)
    queue("accepted", ask(other, sam), user=sam, into=delivery)
    become(request_of_sam, "accepted")
    services.delete_repo(other, by=Actor(user=ada))
    assert mail_of(delivery).subject == "[GateHub] Your access request for lab/toxic-bert was accepted"
    OutboxMessage.objects.update(access_request=None)
    with pytest.raises(NothingToSay):
        mail_of(delivery)


def test_a_batch_takes_one_query_whatever_its_size(gated_repo, other, sam, noor, ask, queue, django_assert_num_queries):
    claimed = []
    for person in (sam, noor):
        delivery = queue("accepted", ask(gated_repo, person), user=person)
        queue("rejected", ask(other, person), user=person, into=delivery)
        claimed.append(as_claimed(delivery))
    with django_assert_num_queries(1):
        mails.prefetch(claimed)
        composed = [mails.compose(delivery) for delivery in claimed]
    assert [message.to for message in composed] == [["sam@example.org"], ["noor@example.org"]]


def test_nobody_is_told_of_another_s_request(request_of_sam, gated_repo, noor, ask, queue, sam):
    delivery = queue("accepted", ask(gated_repo, noor, fullname="Noor Haddad"), user=noor)
    queue("accepted", request_of_sam, user=sam)
    assert "sam" not in in_one_line(mail_of(delivery).body).lower()


def test_very_many_decisions_are_counted(sam, ada, lab, gated_repo, ask, queue):
    namespace = accounts.create_organization(name="many", admin=ada, by=SYSTEM).namespace
    repos = Repo.objects.bulk_create(
        Repo(type="model", namespace=namespace, name=f"bert-{number}", created_by=ada) for number in range(60)
    )
    delivery = queue("accepted", ask(gated_repo, sam), user=sam)
    for repo in repos:
        queue("accepted", ask(repo, sam), user=sam, into=delivery)
    message = mail_of(delivery)
    assert message.subject == "[GateHub] 61 decisions about your access requests"
    assert message.body.count("\n- ") == 50
    assert "And 11 more." in message.body
