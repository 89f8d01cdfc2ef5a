"""Taking one's own request back.  sam has asked for lab/toxic-bert."""

from __future__ import annotations

import pytest

from access import services, tokens
from access.errors import LoginRequired, NoAccessRequest
from access.models import AccessRequest
from access.signals import access_requests_changed
from accounts.actor import Actor
from accounts.errors import NotAllowed
from accounts.models import AuditEvent
from tests.support.cast import ANSWERS, make_token


@pytest.fixture
def asked(gated_repo, sam):
    return services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))


def test_the_row_goes_and_the_trail_stays(asked, gated_repo, sam):
    heard = []

    def listen(sender, **said):
        heard.append(said["event"])

    access_requests_changed.connect(listen)
    try:
        services.withdraw(repo=gated_repo, by=Actor(user=sam))
    finally:
        access_requests_changed.disconnect(listen)
    assert not AccessRequest.objects.exists()
    assert heard == ["withdrawn"]
    assert list(AuditEvent.objects.filter(actor="sam").values_list("verb", "before", "after")) == [
        ("access_request:withdrawn", {"status": "pending"}, None),
        ("access_request:asked", None, {"status": "pending", "form": gated_repo.gate_form.digest}),
    ]


def test_one_may_ask_again_after_that(asked, gated_repo, sam):
    services.withdraw(repo=gated_repo, by=Actor(user=sam))
    again = services.ask(repo=gated_repo, answers=ANSWERS | {"Company": "Another"}, by=Actor(user=sam))
    assert again.answers["Company"] == "Another"


@pytest.mark.parametrize("status", ["accepted", "rejected"])
def test_a_decided_request_stays(status, asked, gated_repo, ada, sam):
    services.review(access_request=asked, status=status, by=Actor(user=ada))
    with pytest.raises(NoAccessRequest):
        services.withdraw(repo=gated_repo, by=Actor(user=sam))
    assert AccessRequest.objects.get().status == status


def test_nobody_takes_back_what_another_asked(asked, gated_repo, ada, noor):
    for user in (noor, ada):
        with pytest.raises(NoAccessRequest):
            services.withdraw(repo=gated_repo, by=Actor(user=user))
    with pytest.raises(LoginRequired):
        services.withdraw(repo=gated_repo, by=Actor())
    with pytest.raises(NotAllowed):
        services.withdraw(repo=gated_repo, by=Actor(user=noor, token=tokens.authenticate(make_token(noor, "read"))))
    assert AccessRequest.objects.count() == 1
