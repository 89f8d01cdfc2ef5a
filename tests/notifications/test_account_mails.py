"""Mails about one's account, and to an address that is to get notifications.  sam has an account; ada manages
lab/toxic-bert; desk@example.com belongs to a stranger."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.utils import timezone

from accounts.actor import Actor
from notifications import sealed
from notifications.mails import NothingToSay
from notifications.models import OutboxMessage
from repos import notification_address, services
from repos.models import ConfirmationMail
from tests.notifications.conftest import html_of, in_one_line, mail_of

DESK = "desk@example.com"


def test_a_new_token_is_told_with_where_to_revoke_it(sam, queue):
    ends = timezone.now() + timedelta(days=30)
    data = {"name": "laptop", "role": "write", "expires_at": ends.isoformat(), "address": "192.0.2.7"}
    message = mail_of(queue("token-created", user=sam, data=data))
    assert message.subject == "[GateHub] A new access token was created"
    for told in (message.body, BeautifulSoup(html_of(message), "html.parser").get_text(" ")):
        said = in_one_line(told)
        for word in ("sam", "laptop", "write", "192.0.2.7", f"{ends:%-d %B %Y, %H:%M}"):
            assert word in said
        assert "If it was not, revoke the token" in said
    assert "https://gate.example.org/settings/tokens" in message.body
    assert "List-Unsubscribe" not in message.extra_headers, "it may not have been them"


def test_a_token_for_ever_from_nowhere(sam, queue):
    message = mail_of(queue("token-created", user=sam, data={"name": "x", "role": "read", "expires_at": None}))
    assert "Expires:  never" in message.body
    assert "From:" not in message.body


def test_a_token_of_nobody_is_not_told(queue):
    with pytest.raises(NothingToSay):
        mail_of(queue("token-created", data={"name": "x", "role": "read", "expires_at": None}))


def test_an_account_mail_is_unsealed(sam, queue):
    said = {"subject": "[GateHub] Reset your password", "text": "Hello,\n\nhere: https://x\n", "html": "<p>Hello</p>"}
    message = mail_of(queue("account", user=sam, sealed=sealed.seal(said)))
    assert (message.subject, message.body) == (said["subject"], said["text"])
    assert "<p>Hello</p>" in html_of(message)
    assert message.extra_headers["X-GateHub-Kind"] == "account"
    assert not {"List-ID", "List-Unsubscribe", "X-GateHub-Repo"} & set(message.extra_headers)


def test_an_account_mail_without_html_has_one_part(sam, queue):
    said = {"subject": "s\r\nBcc: x@evil.example", "text": "t", "html": ""}
    message = mail_of(queue("account", user=sam, sealed=sealed.seal(said)))
    assert message.alternatives == []
    assert "Bcc" not in message.message()


def test_a_forgotten_or_foreign_account_mail_is_not_sent(sam, queue, settings):
    with pytest.raises(NothingToSay, match="forgotten"):
        mail_of(queue("account", user=sam))
    contents = sealed.seal({"subject": "s", "text": "t", "html": ""})
    settings.SECRET_KEY = "another" * 10
    with pytest.raises(NothingToSay, match="another GATEHUB_SECRET_KEY"):
        mail_of(queue("account", user=sam, sealed=contents))


@pytest.fixture
def asked(gated_repo, ada, queue):
    """The mail that asks a stranger, after ada has typed their address."""
    services.change_settings(gated_repo, {"gatedNotificationsEmail": DESK}, by=Actor(user=ada))
    gated_repo.refresh_from_db()
    return queue("confirm-address", repo=gated_repo, data={"confirmation": ConfirmationMail.objects.get().pk})


def test_a_stranger_is_asked_by_a_mail_that_names_people_by_user_name(asked, gated_repo, ada):
    message = mail_of(asked)
    assert message.subject == "[GateHub] Do you want the notifications of lab/toxic-bert?"
    assert message.to == [DESK]
    said = in_one_line(message.body)
    assert "the person ada, who manages the model lab/toxic-bert on the server gate.example.org, gave" in said
    assert "without your consent the address is not used" in said
    for part in (message.body, html_of(message)):
        assert ada.fullname not in part, "a full name is any text, and this goes to a stranger"
    link = BeautifulSoup(html_of(message), "html.parser").select_one(".button a")["href"]
    assert link in message.body
    token = link.removeprefix("https://gate.example.org/notifications/address/")
    assert notification_address.find_link(token).address == DESK
    assert "List-Unsubscribe" not in message.extra_headers


@pytest.mark.parametrize("then", ["changed", "confirmed", "refused", "deleted"])
def test_an_address_that_waits_no_more_is_not_asked(asked, gated_repo, ada, then):
    by = Actor(user=ada)
    if then == "changed":
        services.change_settings(gated_repo, {"gatedNotificationsEmail": "else@example.com"}, by=by)
    elif then == "deleted":
        services.delete_repo(gated_repo, by=by)
    else:
        token = notification_address.token_for(gated_repo, timezone.now())
        (notification_address.confirm if then == "confirmed" else notification_address.refuse)(token, by=Actor())
    with pytest.raises(NothingToSay):
        mail_of(asked)
    OutboxMessage.objects.update(data={})
    with pytest.raises(NothingToSay):
        mail_of(asked)
