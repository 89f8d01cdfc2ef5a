"""Mails about new requests.  ada manages lab/toxic-bert and lab/other; sam and noor ask; olu is a third who asks."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.utils import timezone

from access.models import AccessRequest
from accounts import services as accounts
from accounts.actor import SYSTEM
from accounts.models import User
from notifications import mails
from notifications.mails import NothingToSay
from notifications.models import Delivery, OutboxMessage
from repos.models import Repo
from tests.notifications.conftest import as_claimed, html_of, in_one_line, mail_of
from tests.support.cast import ANSWERS, PASSWORD

SETTINGS = "https://gate.example.org/lab/toxic-bert/settings"


@pytest.fixture
def other(make_repo, ada, lab) -> Repo:
    return make_repo("lab/other", by=ada, gated="manual")


@pytest.fixture
def digest(queue, ask, gated_repo, ada):
    """`digest(sam, noor)`: the mail of a day in which they asked."""

    def make(*people: User, user: User | None = ada) -> Delivery:
        made = queue("digest", repo=gated_repo, user=user)
        for person in people:
            collected = queue("new-request", ask(gated_repo, person), user=ada).message
            OutboxMessage.objects.filter(pk=collected.pk).update(digest=made.message)
        return made

    return make


def crowd(number: int) -> list[User]:
    return [
        accounts.create_user(
            username=f"reader-{n}",
            email=f"reader-{n}@example.org",
            password=PASSWORD,
            fullname=f"Reader {n}",
            by=SYSTEM,
        )
        for n in range(number)
    ]


def decide(request: AccessRequest, status: str = "accepted") -> None:
    AccessRequest.objects.filter(pk=request.pk).update(status=status, reviewed_at=timezone.now())


# --- One ------------------------------------------------------------------------------------------------------------


def test_one_request_is_told_with_its_answers(gated_repo, ada, sam, ask, queue):
    message = mail_of(queue("new-request", ask(gated_repo, sam, answers=ANSWERS), user=ada))
    assert message.subject == "[GateHub] New access request for lab/toxic-bert from sam"
    assert message.to == ["ada@example.org"]
    for told in (message.body, BeautifulSoup(html_of(message), "html.parser").get_text(" ")):
        said = in_one_line(told)
        assert "asks for access to the model lab/toxic-bert" in said
        for word in ("Sam Requester", "sam@example.org", "Company", "Example University", "France (FR)", "Yes"):
            assert word in said
        assert "You get this mail because you manage the model lab/toxic-bert." in said
    assert f"{SETTINGS}?q=sam#requests" in message.body
    assert f'href="{SETTINGS}?q=sam#requests"' in html_of(message)


def test_a_dataset_is_told_from_a_model_of_the_same_name(make_repo, ada, lab, sam, ask, queue):
    repo = make_repo("lab/rows", by=ada, type_="dataset", gated="manual")
    message = mail_of(queue("new-request", ask(repo, sam), user=ada))
    assert message.subject == "[GateHub] New access request for datasets/lab/rows from sam"
    assert message.extra_headers["X-GateHub-Repo"] == "datasets/lab/rows"
    assert "access to the dataset lab/rows" in in_one_line(message.body)
    assert "https://gate.example.org/datasets/lab/rows/settings?q=sam#requests" in message.body


def test_an_address_that_is_nobody_s_is_told_why_it_gets_the_mail(gated_repo, sam, ask, queue):
    message = mail_of(queue("new-request", ask(gated_repo, sam), address="desk@example.com"))
    assert "the notifications of the model lab/toxic-bert go to this address" in in_one_line(message.body)
    for part in (message.body, html_of(message)):
        assert "/unsubscribe/" in part
        assert "/settings/notifications" not in part, "there need be no account"


def test_long_and_many_answers_are_cut(gated_repo, ada, sam, ask, queue):
    answers = {f"Question {number} {'q' * 200}": "a" * 1000 for number in range(40)}
    message = mail_of(queue("new-request", ask(gated_repo, sam, answers=answers), user=ada))
    assert "There are 10 more answers on the page." in message.body
    assert message.body.count("a" * 299 + "…") == 30
    assert max(map(len, message.body.splitlines())) < 400


@pytest.mark.parametrize("over", ["accepted", "withdrawn", "repo"])
def test_a_request_that_is_over_is_not_told(gated_repo, ada, sam, ask, queue, over):
    request = ask(gated_repo, sam)
    delivery = queue("new-request", request, user=ada)
    if over == "accepted":
        decide(request)
    elif over == "withdrawn":
        request.delete()
    else:
        OutboxMessage.objects.update(repo=None)
    with pytest.raises(NothingToSay, match="decided, withdrawn or deleted"):
        mail_of(delivery)


# --- Several, because they were too many ------------------------------------------------------------------------------


def test_a_summary_over_one_repo(gated_repo, ada, sam, noor, olu, ask, queue):
    delivery = queue("new-request", ask(gated_repo, sam), user=ada)
    queue("new-request", ask(gated_repo, noor), user=ada, into=delivery)
    decided = ask(gated_repo, olu)
    queue("new-request", decided, user=ada, into=delivery)
    decide(decided)
    message = mail_of(delivery)
    assert message.subject == "[GateHub] 2 access requests for lab/toxic-bert"
    said = in_one_line(message.body)
    assert "- sam (Sam Requester) sam@example.org" in said
    assert "- noor (Noor Haddad) noor@example.org" in said
    assert "olu" not in said
    assert "One more request was decided meanwhile." in said
    assert f"{SETTINGS}#requests" in message.body
    assert message.extra_headers["X-GateHub-Repo"] == "lab/toxic-bert"


def test_a_summary_over_many_repos_is_grouped(gated_repo, other, ada, sam, noor, ask, queue):
    delivery = queue("new-request", ask(gated_repo, sam), user=ada)
    queue("new-request", ask(other, sam), user=ada, into=delivery)
    queue("new-request", ask(gated_repo, noor), user=ada, into=delivery)
    message = mail_of(delivery)
    assert message.subject == "[GateHub] 3 access requests for 2 repositories"
    said = in_one_line(message.body)
    assert said.index("lab/toxic-bert:") < said.index("- noor") < said.index("lab/other:")
    assert "https://gate.example.org/lab/other/settings" in message.body
    headings = BeautifulSoup(html_of(message), "html.parser").select("h2 a")
    assert [heading["href"] for heading in headings] == [
        f"{SETTINGS}#requests",
        "https://gate.example.org/lab/other/settings#requests",
    ]
    assert not {"X-GateHub-Repo", "List-ID"} & set(message.extra_headers)


def test_a_summary_of_which_one_is_left_tells_that_one(gated_repo, ada, sam, noor, ask, queue):
    first = ask(gated_repo, sam)
    delivery = queue("new-request", first, user=ada)
    queue("new-request", ask(gated_repo, noor, answers=ANSWERS), user=ada, into=delivery)
    decide(first, "rejected")
    message = mail_of(delivery)
    assert message.subject == "[GateHub] New access request for lab/toxic-bert from noor"
    assert "Example University" in message.body


def test_a_summary_of_very_many_names_fifty(gated_repo, other, ada, ask, queue):
    people = crowd(60)
    delivery = queue("new-request", ask(gated_repo, people[0]), user=ada)
    for person in people[1:]:
        queue("new-request", ask(gated_repo, person), user=ada, into=delivery)
    queue("new-request", ask(other, people[0]), user=ada, into=delivery)
    message = mail_of(delivery)
    assert message.subject == "[GateHub] 61 access requests for 2 repositories"
    assert message.body.count("\n- ") == 50
    assert "And 11 more." in message.body


# --- Those of a day ---------------------------------------------------------------------------------------------------


def test_a_digest_lists_who_asked_oldest_first(gated_repo, digest, ada, sam, noor):
    delivery = digest(sam, noor)
    AccessRequest.objects.filter(user=noor).update(requested_at=timezone.now() - timezone.timedelta(hours=3))
    message = mail_of(delivery)
    assert message.subject == "[GateHub] 2 access requests for lab/toxic-bert"
    assert message.to == ["ada@example.org"]
    said = in_one_line(message.body)
    assert "2 access requests for the model lab/toxic-bert wait until somebody decides." in said
    assert said.index("- noor (Noor Haddad) noor@example.org") < said.index("- sam (Sam Requester) sam@example.org")
    assert "meanwhile" not in said
    page = BeautifulSoup(html_of(message), "html.parser")
    assert [link.text for link in page.select(".rows a")] == ["noor", "sam"]
    assert page.select_one(".button a")["href"] == f"{SETTINGS}#requests"


def test_a_digest_of_one(digest, sam):
    message = mail_of(digest(sam))
    assert message.subject == "[GateHub] 1 access request for lab/toxic-bert"
    assert "1 access request for the model lab/toxic-bert waits until somebody decides." in in_one_line(message.body)
    assert "Accept or reject the request here" in message.body


def test_what_was_decided_meanwhile_is_counted_and_what_was_withdrawn_is_gone(gated_repo, digest, sam, noor, olu, con):
    delivery = digest(sam, noor, olu, con)
    decide(AccessRequest.objects.get(user=noor))
    decide(AccessRequest.objects.get(user=olu), "rejected")
    AccessRequest.objects.get(user=con).delete()
    message = mail_of(delivery)
    assert message.subject == "[GateHub] 1 access request for lab/toxic-bert"
    assert "2 more requests were decided meanwhile." in in_one_line(message.body)
    assert "noor" not in message.body


def test_a_digest_names_fifty_and_counts_the_rest(digest):
    message = mail_of(digest(*crowd(53)))
    assert message.subject == "[GateHub] 53 access requests for lab/toxic-bert"
    assert message.body.count("\n- ") == 50
    assert "And 3 more." in message.body
    assert "And 3 more." in html_of(message)
    assert len(html_of(message)) < 80_000, "some mail programs cut what is longer than 100 kB"


def test_a_digest_of_which_nothing_is_left_is_not_sent(digest, sam, gated_repo):
    delivery = digest(sam)
    decide(AccessRequest.objects.get())
    with pytest.raises(NothingToSay):
        mail_of(delivery)
    AccessRequest.objects.all().delete()
    with pytest.raises(NothingToSay):
        mail_of(delivery)
    with pytest.raises(NothingToSay):
        mail_of(digest())


def test_a_digest_takes_two_queries(digest, django_assert_num_queries):
    delivery = as_claimed(digest(*crowd(30)))
    with django_assert_num_queries(2):
        mails.compose(delivery)


def test_a_batch_of_digests_takes_two_queries_too(
    make_repo, gated_repo, digest, ada, wes, sam, noor, queue, ask, django_assert_num_queries
):
    first = digest(sam, noor)
    again = Delivery.objects.create(message=first.message, kind="digest", user=wes, address=wes.email)
    claimed = [as_claimed(first), as_claimed(again), as_claimed(digest(*crowd(5)))]
    with django_assert_num_queries(2):
        mails.prefetch(claimed)
        composed = [mails.compose(delivery) for delivery in claimed]
    assert [message.subject.split()[1] for message in composed] == ["2", "2", "5"]
    assert [message.to for message in composed] == [["ada@example.org"], ["wes@example.org"], ["ada@example.org"]]


def test_a_batch_of_new_requests_takes_a_few_queries_whatever_its_size(
    gated_repo, ada, ask, queue, django_assert_max_num_queries
):
    claimed = [as_claimed(queue("new-request", ask(gated_repo, person), user=ada)) for person in crowd(12)]
    with django_assert_max_num_queries(3):
        mails.prefetch(claimed)
        for delivery in claimed:
            mails.compose(delivery)
