"""The address for a repo's notifications.  ada is the admin of lab, wes writes, con contributes, rea reads, sam is no
member; lab/toxic-bert is gated, and desk@example.com belongs to a stranger."""

from __future__ import annotations

import smtplib
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail, signing
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from accounts import services as accounts
from accounts.actor import SYSTEM, Actor
from accounts.errors import BadRequest, InvalidFields
from accounts.models import AuditEvent, Membership
from repos import notification_address, services
from repos.errors import InvalidLink, LinkExpired, TooManyMails
from repos.models import ConfirmationMail, Repo
from repos.notification_address import State, address_to_use, state_of
from tests.support.cast import PASSWORD

pytestmark = pytest.mark.usefixtures("mails_at_once")
DESK = "desk@example.com"
STRANGER = Actor()


@pytest.fixture
def set_to(django_capture_on_commit_callbacks):
    """`set_to(repo, address, by=ada)`: through the service, with the mails that follow."""

    def change(repo, address, *, by):
        with django_capture_on_commit_callbacks(execute=True):
            services.change_settings(repo, {"gatedNotificationsEmail": address}, by=Actor(user=by))
        repo.refresh_from_db()

    return change


@pytest.fixture
def send_again(django_capture_on_commit_callbacks):
    def again(repo, *, by):
        with django_capture_on_commit_callbacks(execute=True):
            notification_address.send_again(repo, by=Actor(user=by))
        repo.refresh_from_db()

    return again


@pytest.fixture
def desk(gated_repo, ada, set_to):
    """lab/toxic-bert, whose notifications ada wants to go to a stranger's desk."""
    set_to(gated_repo, DESK, by=ada)
    return gated_repo


def verbs() -> list[str]:
    events = AuditEvent.objects.filter(verb__startswith="notification_address:").order_by("pk")
    return [event.verb.partition(":")[2] for event in events]


def later(monkeypatch, **time):
    """Let some time pass, for whoever asks Django for it and for what is signed."""
    now = timezone.now() + timedelta(**time)
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    monkeypatch.setattr("django.core.signing.time.time", now.timestamp)


# --- Whose address needs no confirmation ----------------------------------------------------------------------------


def test_a_verified_address_of_the_one_who_sets_it_is_used_at_once(gated_repo, wes, con, make_repo, set_to):
    set_to(gated_repo, "WES@example.org", by=wes)
    assert (state_of(gated_repo), address_to_use(gated_repo)) == (State.OWN, "WES@example.org")
    own = make_repo("lab/own", by=con, gated="manual")
    set_to(own, "con@example.org", by=con)
    assert state_of(own) is State.OWN
    assert mail.outbox == []


def test_a_verified_address_of_an_admin_or_of_the_owner_is_used_at_once(gated_repo, make_repo, wes, olu, set_to):
    set_to(gated_repo, "ada@example.org", by=wes)
    assert address_to_use(gated_repo) == "ada@example.org"
    personal = make_repo("olu/bert", by=olu, gated="manual")
    set_to(personal, "olu@example.org", by=olu)
    assert address_to_use(personal) == "olu@example.org"
    assert mail.outbox == []


def test_an_address_that_is_not_verified_is_nobody_s_own(gated_repo, ada, set_to):
    EmailAddress.objects.create(user=ada, email="ada@uni.example", verified=False)
    set_to(gated_repo, "ada@uni.example", by=ada)
    assert (state_of(gated_repo), address_to_use(gated_repo)) == (State.WAITING, "")
    EmailAddress.objects.filter(email="ada@uni.example").update(verified=True)
    assert address_to_use(gated_repo) == "ada@uni.example"


@pytest.mark.parametrize("other", ["wes", "rea", "sam", "con"])
def test_another_person_s_address_is_not_the_owner_s(gated_repo, ada, set_to, request, other):
    request.getfixturevalue(other)
    set_to(gated_repo, f"{other}@example.org", by=ada)
    assert (state_of(gated_repo), address_to_use(gated_repo)) == (State.WAITING, "")
    assert [message.to for message in mail.outbox] == [[f"{other}@example.org"]]


@pytest.mark.parametrize("lost", ["membership", "role", "activity", "address", "account"])
def test_whoever_manages_the_repo_no_longer_is_not_written_to(gated_repo, wes, set_to, lost):
    set_to(gated_repo, "wes@example.org", by=wes)
    if lost == "membership":
        Membership.objects.filter(user=wes).delete()
    elif lost == "role":
        Membership.objects.filter(user=wes).update(role="contributor")
    elif lost == "activity":
        wes.is_active = False
        wes.save()
    elif lost == "address":
        EmailAddress.objects.filter(user=wes).update(verified=False)
    else:
        wes.delete()
    gated_repo.refresh_from_db()
    assert (state_of(gated_repo), address_to_use(gated_repo)) == (State.WAITING, "")


def test_no_address_is_none_to_use(gated_repo, ada, set_to, desk, django_assert_num_queries):
    set_to(gated_repo, "", by=ada)
    with django_assert_num_queries(0):
        assert (state_of(gated_repo), address_to_use(gated_repo)) == (State.NONE, "")


def test_a_mode_or_the_same_address_again_asks_nothing_anew(desk, ada, set_to):
    nonce = desk.gated_notifications_email_nonce
    set_to(desk, DESK, by=ada)
    services.change_settings(
        desk, {"gatedNotificationsEmail": DESK, "gatedNotificationsMode": "real-time"}, by=Actor(user=ada)
    )
    desk.refresh_from_db()
    assert desk.gated_notifications_mode == "real-time"
    assert desk.gated_notifications_email_nonce == nonce
    assert len(mail.outbox) == 1


# --- The mail -------------------------------------------------------------------------------------------------------


def test_a_stranger_is_asked_by_a_mail_and_not_used_meanwhile(desk, ada, settings, django_assert_num_queries):
    assert address_to_use(desk) == ""
    (message,) = mail.outbox
    assert (message.to, message.cc, message.bcc) == ([DESK], [], [])
    assert message.subject == "[GateHub] Do you want the notifications of lab/toxic-bert?"
    assert f"{settings.PUBLIC_URL}/notifications/address/" in message.body
    assert "the person ada, who manages the model lab/toxic-bert" in message.body
    assert ada.fullname not in message.body, "a full name is any text, and this goes to a stranger"
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"
    row = ConfirmationMail.objects.get()
    assert (row.repo, row.address, row.asked_by, row.problem) == (desk, DESK, ada, "")
    assert row.sent_at
    assert verbs() == ["asked", "mailed"]


def test_the_mail_goes_out_after_the_change_is_certain(gated_repo, ada, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as waiting:
        services.change_settings(gated_repo, {"gatedNotificationsEmail": DESK}, by=Actor(user=ada))
    assert (len(waiting), mail.outbox) == (1, [])


def test_a_mail_for_an_address_that_was_changed_meanwhile_is_not_sent(gated_repo, ada, deliver_mails):
    by = Actor(user=ada)
    services.change_settings(gated_repo, {"gatedNotificationsEmail": DESK}, by=by)
    services.change_settings(gated_repo, {"gatedNotificationsEmail": ""}, by=by)
    assert deliver_mails() == 0
    assert mail.outbox == []


def test_a_mail_is_sent_once(desk, deliver_mails):
    assert deliver_mails() == 0
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    "error", [smtplib.SMTPRecipientsRefused({}), ConnectionRefusedError(), TimeoutError(), ValueError("bad")]
)
def test_a_mail_server_that_fails_loses_no_setting_and_no_mail(
    gated_repo, ada, set_to, deliver_mails, monkeypatch, error
):
    def fail(self, messages):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", fail)
        set_to(gated_repo, DESK, by=ada)
    assert gated_repo.gated_notifications_email == DESK
    assert (state_of(gated_repo), mail.outbox) == (State.WAITING, [])
    assert ConfirmationMail.objects.values_list("sent_at", "problem").get() == (None, "")
    later(monkeypatch, seconds=15)
    assert deliver_mails() == 1
    assert ConfirmationMail.objects.get().sent_at
    assert verbs() == ["asked", "mailed"]


def test_one_that_no_mail_server_took_for_three_days_is_told_and_can_be_sent_again(
    gated_repo, ada, set_to, send_again, deliver_mails, monkeypatch
):
    def fail(self, messages):
        raise ConnectionRefusedError("Connection refused")

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", fail)
        set_to(gated_repo, DESK, by=ada)
        later(patched, days=3, seconds=1)
        deliver_mails()
    assert ConfirmationMail.objects.get().problem == "ConnectionRefusedError: Connection refused"
    assert verbs() == ["asked", "mail_failed"]
    send_again(gated_repo, by=ada)
    assert len(mail.outbox) == 1


# --- The limits -----------------------------------------------------------------------------------------------------


def test_sending_again_needs_a_pause(desk, ada, send_again, monkeypatch):
    with pytest.raises(TooManyMails, match="No further mail"):
        send_again(desk, by=ada)
    later(monkeypatch, minutes=11)
    send_again(desk, by=ada)
    assert len(mail.outbox) == 2
    links = {notification_address.find_link(token_in(message)).repo for message in mail.outbox}
    assert links == {desk}, "the first link works, too"


def test_an_address_gets_three_such_mails_a_day_from_all_repos(ada, lab, make_repo, set_to, monkeypatch):
    repos = [make_repo(f"lab/bert-{number}", by=ada, gated="manual") for number in range(5)]
    for repo in repos:
        set_to(repo, DESK.upper() if repo == repos[1] else DESK, by=ada)
    assert len(mail.outbox) == 3
    assert [state_of(repo) for repo in repos] == [State.WAITING] * 5
    with pytest.raises(TooManyMails):
        notification_address.send_again(repos[4], by=Actor(user=ada))
    later(monkeypatch, hours=25)
    notification_address.send_again(repos[4], by=Actor(user=ada))


def test_a_repo_that_is_deleted_does_not_reset_the_limit(ada, lab, make_repo, set_to):
    for number in range(5):
        repo = make_repo(f"lab/bert-{number}", by=ada, gated="manual")
        set_to(repo, DESK, by=ada)
        services.delete_repo(repo, by=Actor(user=ada))
    assert len(mail.outbox) == 3


def test_a_person_asks_twenty_addresses_a_day(gated_repo, ada, wes, set_to):
    for number in range(25):
        set_to(gated_repo, f"desk-{number}@example.com", by=ada)
    assert len(mail.outbox) == 20
    assert gated_repo.gated_notifications_email == "desk-24@example.com"
    set_to(gated_repo, "desk-25@example.com", by=wes)
    assert len(mail.outbox) == 21


def test_to_and_fro_sends_no_further_mails(desk, ada, set_to):
    for _ in range(5):
        set_to(desk, "", by=ada)
        set_to(desk, DESK, by=ada)
    assert len(mail.outbox) == 1


def test_there_is_nothing_to_send_again_where_nothing_waits(gated_repo, ada, wes, set_to):
    for address in ("", "ada@example.org"):
        set_to(gated_repo, address, by=ada)
        with pytest.raises(BadRequest, match="does not wait"):
            notification_address.send_again(gated_repo, by=Actor(user=ada))
    assert not ConfirmationMail.objects.exists()


# --- The link -------------------------------------------------------------------------------------------------------


def token_in(message) -> str:
    return message.body.partition("/notifications/address/")[2].split()[0]


@pytest.fixture
def token(desk) -> str:
    return token_in(mail.outbox[0])


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


# --- Moving ---------------------------------------------------------------------------------------------------------


def test_a_new_name_keeps_the_confirmation_and_a_new_owner_does_not(desk, token, ada, lab, olu):
    notification_address.confirm(token, by=STRANGER)
    by = Actor(user=ada)
    renamed = services.move_repo(desk, namespace=lab.namespace, name="kind-bert", by=by)
    assert address_to_use(renamed) == DESK
    moved = services.move_repo(desk, namespace=ada.namespace, name="kind-bert", by=by)
    assert (state_of(moved), address_to_use(moved)) == (State.WAITING, "")
    with pytest.raises(InvalidLink):
        notification_address.confirm(token, by=STRANGER)
    assert ConfirmationMail.objects.count() == 1, "the pause holds"


def test_an_address_of_the_new_owner_stays_in_use(gated_repo, ada, set_to):
    set_to(gated_repo, "ada@example.org", by=ada)
    moved = services.move_repo(gated_repo, namespace=ada.namespace, name="bert", by=Actor(user=ada))
    assert address_to_use(moved) == "ada@example.org"


def test_moving_a_repo_without_an_address_asks_nobody(gated_repo, ada):
    services.move_repo(gated_repo, namespace=ada.namespace, name="bert", by=Actor(user=ada))
    assert not ConfirmationMail.objects.exists()


# --- Which addresses there can be -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "nobody", "@example.com", "a@b@c.example", "a b@example.com", "a@example.com\nBcc: all@example.com",
        "a@example.com\r\nSubject: x", "a@example.com\n", "\ta@example.com", "a\x00@example.com", "a@exa\x7fmple.com",
        '"a b"@example.com', '"\x01"@example.com', '"a"@example.com', "grüße@example.com", "名前@example.com",
        "a@example.com, b@example.com", "Ada <a@example.com>", "a@example.com;b@example.com", "a" * 65 + "@",
        "a\u202e@example.com", f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 63}.example",
        "a" * 243 + "@example.com", 7, True, ["a@example.com"], {"a": 1},
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_at_the_field(gated_repo, ada, address):
    with pytest.raises(InvalidFields) as refused:
        services.change_settings(gated_repo, {"gatedNotificationsEmail": address}, by=Actor(user=ada))
    assert list(refused.value.fields) == ["gatedNotificationsEmail"]
    gated_repo.refresh_from_db()
    assert gated_repo.gated_notifications_email == ""


def test_the_length_is_said():
    with pytest.raises(ValueError, match="at most 254 characters"):
        notification_address.clean("a" * 243 + "@example.com")


@pytest.mark.parametrize("address", ["a+b@example.com", "O'Hara_x@sub.example.com", "a@münchen.example", None, ""])
def test_plain_addresses_are_kept_as_they_were_typed(gated_repo, ada, set_to, address):
    set_to(gated_repo, address, by=ada)
    assert gated_repo.gated_notifications_email == (address or "")
    assert [message.message()["To"] for message in mail.outbox] == (
        [address.replace("münchen", "xn--mnchen-3ya")] if address else []
    )


# --- What the database promises, and where it came from -------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"confirmed_at": timezone.now()},
        {"refused_at": timezone.now()},
        {"set_at": timezone.now()},
        {"nonce": "x"},
        {"": DESK, "confirmed_at": timezone.now()},
        {"": DESK, "nonce": "x", "confirmed_at": timezone.now(), "refused_at": timezone.now()},
    ],
)
def test_a_state_that_cannot_be_is_refused(gated_repo, wrong):
    columns = {f"gated_notifications_email{'_' if tail else ''}{tail}": value for tail, value in wrong.items()}
    with pytest.raises(IntegrityError), transaction.atomic():
        Repo.objects.filter(pk=gated_repo.pk).update(**columns)


def test_a_mail_that_was_sent_has_not_failed(desk):
    with pytest.raises(IntegrityError), transaction.atomic():
        ConfirmationMail.objects.update(problem="x")


@pytest.mark.django_db(transaction=True)
def test_addresses_of_before_are_used_if_they_are_the_owner_s_own(settings):
    """The migration and its way back, with rows in the table."""
    ada = accounts.create_user(username="ada", email="ada@example.org", password=PASSWORD, by=SYSTEM)
    lab = accounts.create_organization(name="lab", admin=ada, by=SYSTEM)
    names = {"own": "ada@example.org", "foreign": DESK, "empty": ""}
    for name in names:
        services.create_repo(type_="model", namespace=lab.namespace, name=name, private=False, by=Actor(user=ada))
    executor = MigrationExecutor(connection)
    newest = executor.loader.graph.leaf_nodes()
    executor.migrate([("repos", "0001_initial")])
    for name, address in names.items():
        old = executor.loader.project_state([("repos", "0001_initial")]).apps.get_model("repos", "Repo")
        old.objects.filter(name=name).update(gated_notifications_email=address)
    executor = MigrationExecutor(connection)
    executor.migrate(newest)
    found = {repo.name: repo for repo in Repo.objects.select_related("namespace")}
    assert {name: state_of(found[name]) for name in names} == {
        "own": State.OWN,
        "foreign": State.WAITING,
        "empty": State.NONE,
    }
    assert [address_to_use(found[name]) for name in names] == ["ada@example.org", "", ""]
    assert mail.outbox == []
    notification_address.send_again(found["foreign"], by=Actor(user=ada))
    notification_address.confirm(token_in(mail.outbox[0]), by=STRANGER)
    found["foreign"].refresh_from_db()
    assert address_to_use(found["foreign"]) == DESK
