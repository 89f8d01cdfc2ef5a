"""The link in that mail: its reader confirms or refuses.  ada is the admin of lab, wes writes, con contributes, rea
reads, sam is no member; lab/toxic-bert is gated, and desk@example.com belongs to a stranger."""

from __future__ import annotations

import pytest
from django.core import mail, signing

from accounts.actor import Actor
from accounts.errors import BadRequest
from accounts.models import AuditEvent
from repos import notification_address, services
from repos.errors import InvalidLink, LinkExpired
from repos.models import Repo
from repos.notification_address import State, address_to_use, state_of
from tests.repos.notification_address.letters import DESK, STRANGER, later, token_in, verbs

pytestmark = pytest.mark.usefixtures("mails_at_once")


def test_confirming_puts_the_address_to_use(desk, token, django_assert_num_queries):
    link = notification_address.confirm(token, by=STRANGER)
    assert (link.repo, link.address) == (desk, DESK)
    desk.refresh_from_db()
    with django_assert_num_queries(0):
        assert (state_of(desk), address_to_use(desk)) == (State.CONFIRMED, DESK)
    notification_address.confirm(token, by=STRANGER)  # Pressed twice.
    assert verbs() == ["asked", "mailed", "confirmed"]
    event = AuditEvent.objects.get(verb="notification_address:confirmed")
    assert (event.actor, event.before, event.after) == ("", "waiting", {"address": DESK})


def test_refusing_keeps_the_address_out_of_use(desk, token, ada, set_to, send_again, monkeypatch):
    notification_address.refuse(token, by=STRANGER)
    notification_address.refuse(token, by=STRANGER)
    desk.refresh_from_db()
    assert (state_of(desk), address_to_use(desk)) == (State.REFUSED, "")
    assert verbs() == ["asked", "mailed", "refused"]
    later(monkeypatch, hours=1)
    with pytest.raises(BadRequest):
        send_again(desk, by=ada)
    set_to(desk, "", by=ada)
    set_to(desk, DESK, by=ada)
    assert (state_of(desk), address_to_use(desk)) == (State.REFUSED, "")
    assert len(mail.outbox) == 1


def test_whoever_was_refused_does_not_ask_again_by_another_repo(desk, token, ada, wes, olu, make_repo, set_to):
    notification_address.refuse(token, by=STRANGER)
    other = make_repo("lab/other", by=ada, gated="manual")
    set_to(other, DESK, by=ada)
    assert state_of(other) is State.REFUSED
    elsewhere = make_repo("olu/bert", by=olu, gated="manual")
    set_to(elsewhere, DESK, by=olu)
    assert state_of(elsewhere) is State.WAITING
    assert len(mail.outbox) == 2


def test_after_thirty_days_the_address_may_be_asked_again(desk, token, ada, set_to, monkeypatch):
    notification_address.refuse(token, by=STRANGER)
    later(monkeypatch, days=31)
    set_to(desk, "", by=ada)
    set_to(desk, DESK, by=ada)
    assert state_of(desk) is State.WAITING
    assert len(mail.outbox) == 2


def test_a_reader_may_change_their_mind_either_way(desk, token):
    notification_address.refuse(token, by=STRANGER)
    notification_address.confirm(token, by=STRANGER)
    desk.refresh_from_db()
    assert address_to_use(desk) == DESK
    notification_address.refuse(token, by=STRANGER)
    desk.refresh_from_db()
    assert address_to_use(desk) == ""


def test_an_old_link_confirms_nothing_after_a_change(desk, token, ada, set_to):
    for address in ("else@example.com", "", DESK):
        set_to(desk, address, by=ada)
        for act in (notification_address.confirm, notification_address.refuse):
            with pytest.raises(InvalidLink):
                act(token, by=STRANGER)
    desk.refresh_from_db()
    assert address_to_use(desk) == ""


def test_a_change_takes_back_the_confirmation(desk, token, ada, set_to):
    notification_address.confirm(token, by=STRANGER)
    set_to(desk, "else@example.com", by=ada)
    assert address_to_use(desk) == ""
    set_to(desk, DESK, by=ada)
    assert (state_of(desk), address_to_use(desk)) == (State.WAITING, "")


def test_a_link_confirms_for_a_week_and_refuses_for_ever(desk, token, monkeypatch):
    later(monkeypatch, days=8)
    assert notification_address.find_link(token).expired
    with pytest.raises(LinkExpired):
        notification_address.confirm(token, by=STRANGER)
    desk.refresh_from_db()
    assert address_to_use(desk) == ""
    notification_address.refuse(token, by=STRANGER)
    desk.refresh_from_db()
    assert state_of(desk) is State.REFUSED


def test_a_link_ends_what_it_confirmed_long_ago(desk, token, monkeypatch):
    notification_address.confirm(token, by=STRANGER)
    later(monkeypatch, days=400)
    notification_address.confirm(token, by=STRANGER)  # It is confirmed, so there is nothing to refuse.
    notification_address.refuse(token, by=STRANGER)
    desk.refresh_from_db()
    assert address_to_use(desk) == ""


def test_what_is_no_link_is_refused(desk, token, gated_repo, make_repo, ada, set_to):
    other = make_repo("lab/other", by=ada, gated="manual")
    set_to(other, DESK, by=ada)
    theirs = token_in(mail.outbox[1])
    key, _, rest = token.partition(".")
    wrong = [
        "", "x", ".", "1", f"{key}.", token[:-1], token + "x", token.upper(), f"{other.pk}.{rest}",
        f"{key}.{theirs.partition('.')[2]}", f"{'9' * 30}.x", f"{'9' * 18}.{rest}", "٣.x", "\x00", "é" * 300,
    ]  # fmt: skip
    for text in wrong:
        with pytest.raises(InvalidLink):
            notification_address.find_link(text)
        with pytest.raises(InvalidLink):
            notification_address.confirm(text, by=STRANGER)
    assert not Repo.objects.exclude(gated_notifications_email_confirmed_at=None).exists()


def test_a_link_of_a_deleted_repo_is_refused(desk, token, ada):
    services.delete_repo(desk, by=Actor(user=ada))
    with pytest.raises(InvalidLink):
        notification_address.find_link(token)


def test_a_token_of_another_purpose_confirms_nothing(desk):
    said = f"{desk.pk}.{desk.gated_notifications_email_nonce}"
    for salt in ("", "account", "repos.notification_address"):
        with pytest.raises(InvalidLink):
            notification_address.confirm(signing.TimestampSigner(salt=salt).sign(said), by=STRANGER)
