"""Which addresses there can be, what the database promises of them, and where they came from.  ada is the admin of
lab, wes writes, con contributes, rea reads, sam is no member; lab/toxic-bert is gated, and desk@example.com belongs
to a stranger."""

from __future__ import annotations

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from accounts import services as accounts
from accounts.actor import SYSTEM, Actor
from accounts.errors import InvalidFields
from repos import notification_address, services
from repos.models import ConfirmationMail, Repo
from repos.notification_address import State, address_to_use, state_of
from tests.repos.notification_address.letters import DESK, STRANGER, token_in
from tests.support.cast import PASSWORD

pytestmark = pytest.mark.usefixtures("mails_at_once")


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
