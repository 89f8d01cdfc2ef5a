"""Daily digests: one mail per repo and recipient.  lab/toxic-bert says bulk, as by default; sam and noor ask."""

from django.core import mail
from django.core.management import call_command

from access import services
from accounts import services as accounts
from accounts.actor import SYSTEM, Actor
from notifications import dispatch
from notifications.models import Delivery, DigestRun, OutboxMessage
from repos import services as repos


def digest(deliver_mails):
    dispatch.digests()
    return deliver_mails()


def test_nothing_is_sent_before_the_digest(gated_repo, send_request, sam, deliver_mails, sent):
    send_request(gated_repo, sam)
    assert deliver_mails() == 0
    assert sent() == []


def test_one_mail_lists_all_that_came(gated_repo, send_request, sam, noor, deliver_mails, sent):
    send_request(gated_repo, sam)
    send_request(gated_repo, noor)
    assert digest(deliver_mails) == 1
    (message,) = mail.outbox
    assert "sam" in message.body
    assert "noor" in message.body
    assert "lab/toxic-bert" in message.subject
    assert sent() == [("digest", "ada@example.org")]


def test_the_second_digest_has_nothing_to_say(gated_repo, send_request, sam, deliver_mails, sent):
    send_request(gated_repo, sam)
    digest(deliver_mails)
    sent()
    assert digest(deliver_mails) == 0
    assert sent() == []


def test_each_repo_has_its_own_and_each_admin_gets_each(
    make_repo, send_request, lab, ada, wes, gated_repo, sam, deliver_mails, sent
):
    accounts.set_role(organization=lab, user=wes, role="admin", by=SYSTEM)
    other = make_repo("lab/other", by=ada, gated="manual")
    send_request(gated_repo, sam)
    send_request(other, sam)
    assert digest(deliver_mails) == 4
    assert sorted(sent()) == [("digest", f"{name}@example.org") for name in ("ada", "ada", "wes", "wes")]


def test_those_decided_or_withdrawn_before_are_not_listed(
    gated_repo, send_request, ada, sam, noor, olu, deliver_mails, sent
):
    services.review(access_request=send_request(gated_repo, sam), status="rejected", by=Actor(user=ada))
    send_request(gated_repo, olu)
    services.withdraw(repo=gated_repo, by=Actor(user=olu))
    send_request(gated_repo, noor)
    digest(deliver_mails)
    (body,) = [message.body for message in mail.outbox if message.extra_headers["X-GateHub-Kind"] == "digest"]
    assert "noor" in body
    assert "olu" not in body
    assert "sam" not in body


def test_where_all_were_decided_no_mail_is_sent(gated_repo, send_request, ada, sam, deliver_mails, sent):
    services.review(access_request=send_request(gated_repo, sam), status="rejected", by=Actor(user=ada))
    digest(deliver_mails)
    assert sent() == [("rejected", "sam@example.org")]
    assert not OutboxMessage.objects.filter(kind="digest").exists()


def test_one_decided_between_the_digest_and_its_mail_is_not_told(
    gated_repo, send_request, ada, sam, deliver_mails, sent
):
    request = send_request(gated_repo, sam)
    dispatch.digests()
    services.review(access_request=request, status="accepted", by=Actor(user=ada))
    deliver_mails()
    assert sent() == [("accepted", "sam@example.org")]
    assert Delivery.objects.get(kind="digest").state == "dropped"


def test_a_change_of_the_mode_tells_each_request_once(gated_repo, send_request, ada, sam, noor, deliver_mails, sent):
    by = Actor(user=ada)
    send_request(gated_repo, sam)
    gated_repo = repos.change_settings(gated_repo, {"gatedNotificationsMode": "real-time"}, by=by)
    send_request(gated_repo, noor)
    deliver_mails()
    assert ("sam" in mail.outbox[0].body, "noor" in mail.outbox[0].body) == (False, True)
    assert sent() == [("new-request", "ada@example.org")]
    repos.change_settings(gated_repo, {"gatedNotificationsMode": "bulk"}, by=by)
    digest(deliver_mails)
    assert ("sam" in mail.outbox[0].body, "noor" in mail.outbox[0].body) == (True, False)
    assert sent() == [("digest", "ada@example.org")]
    digest(deliver_mails)
    assert sent() == []


def test_from_manual_to_automatic_those_who_wait_are_still_told(
    gated_repo, send_request, ada, sam, deliver_mails, sent
):
    send_request(gated_repo, sam)
    repos.change_settings(gated_repo, {"gated": "auto"}, by=Actor(user=ada))
    digest(deliver_mails)
    assert sent() == [("digest", "ada@example.org")]


def test_what_goes_with_a_deleted_repo_is_dropped(gated_repo, send_request, ada, sam, deliver_mails, sent):
    send_request(gated_repo, sam)
    repos.delete_repo(gated_repo, by=Actor(user=ada))
    digest(deliver_mails)
    assert sent() == []
    assert OutboxMessage.objects.get().state == "dropped"


def test_a_run_is_noted_down_with_its_mails(gated_repo, send_request, sam):
    send_request(gated_repo, sam)
    dispatch.digests()
    assert DigestRun.objects.get().mails == 1


def test_a_run_that_breaks_is_not_noted_down(gated_repo, send_request, sam, monkeypatch):
    send_request(gated_repo, sam)

    def fail(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(dispatch, "_collect", fail)
    try:
        dispatch.digests()
    except KeyboardInterrupt:
        assert not DigestRun.objects.exists()
    assert OutboxMessage.objects.get().state == "waiting"


def test_queries_grow_with_repos_by_the_hundred_and_not_with_requests(
    make_repo, send_request, ada, sam, noor, olu, gated_repo, django_assert_num_queries
):
    send_request(gated_repo, sam)
    with django_assert_num_queries(QUERIES):
        dispatch.digests()
    for name in ("b", "c", "d"):
        repo = make_repo(f"lab/{name}", by=ada, gated="manual")
        for user in (sam, noor, olu):
            send_request(repo, user)
    with django_assert_num_queries(QUERIES):
        dispatch.digests()
    assert Delivery.objects.count() == 4


QUERIES = 16


def test_repos_are_gone_through_some_at_a_time(make_repo, send_request, ada, sam, gated_repo, monkeypatch):
    monkeypatch.setattr(dispatch, "REPOS", 2)
    send_request(gated_repo, sam)
    for name in "bcdef":
        send_request(make_repo(f"lab/{name}", by=ada, gated="manual"), sam)
    assert dispatch.digests() == 6
    assert not OutboxMessage.objects.filter(state="waiting").exists()


def test_the_command_makes_and_sends_them_and_says_so(gated_repo, send_request, sam, noor, sent, capsys):
    send_request(gated_repo, sam)
    call_command("send_digests")
    assert capsys.readouterr().out == "1 digests made, 1 mails sent.\n"
    assert sent() == [("digest", "ada@example.org")]
    call_command("send_digests")
    assert capsys.readouterr().out == "0 digests made, 0 mails sent.\n"
