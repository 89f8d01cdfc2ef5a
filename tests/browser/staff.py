"""What the admin's pages show in the browser tests: its rows, made on top of what `seed` makes, and its table of pages.

stef is a superuser.
"""

from __future__ import annotations

import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, Permission
from django.core.mail import EmailMultiAlternatives, get_connection
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from access import tokens
from access.models import AccessRequest, AccessToken
from accounts.actor import SYSTEM, Actor, Entrance
from accounts.models import AuditEvent, Membership, Organization, User
from notifications.models import AddressProblem, Delivery, OptOut, OutboxMessage
from repos import services
from repos.models import ConfirmationMail, GateForm, Repo
from tests.browser import texts


def prepare() -> dict[str, str]:
    """Make what only staff see, and give the keys of the rows whose pages are looked at."""
    User.objects.filter(username="stef").update(is_staff=True, is_superuser=True)
    stef = Actor(user=User.objects.get(username="stef"), entrance=Entrance.ADMIN, address="198.51.100.7")
    long_user = User.objects.get(username=texts.LONG_USER)
    wild = Repo.objects.get(name=texts.LONG_REPO)
    services.disable(Repo.objects.get(name="disabled"), reason=texts.REASON, by=stef)
    token, _ = tokens.create(user=long_user, name="n" * 100, role="write", by=SYSTEM)
    group = Group.objects.create(name="reviewers of " + "g" * 130)
    group.permissions.set(Permission.objects.filter(content_type__app_label="access"))
    Authenticator.objects.create(user=long_user, type=Authenticator.Type.TOTP, data={"secret": "s"})
    OptOut.objects.create(user=long_user, topic="decisions")
    every = IntervalSchedule.objects.create(every=3600, period="seconds")
    task = PeriodicTask.objects.create(name="sweep leftovers", task="repos.tasks.sweep_leftovers", interval=every)
    return {
        **_deliveries(long_user, wild),
        "staff_repo": str(wild.pk),
        "staff_disabled": str(Repo.objects.get(name="disabled").pk),
        "staff_form": str(GateForm.objects.filter(repo=wild).latest("pk").pk),
        "staff_request": str(AccessRequest.objects.filter(repo=wild).latest("pk").pk),
        "staff_token": str(token.pk),
        "staff_scoped": str(AccessToken.objects.get(name="ci of the lab").pk),
        "staff_organization": str(Organization.objects.get(namespace__name=texts.LONG_ORG).pk),
        "staff_membership": str(Membership.objects.latest("pk").pk),
        "staff_person": str(long_user.pk),
        "staff_group": str(group.pk),
        "staff_address": str(EmailAddress.objects.filter(user=long_user).latest("pk").pk),
        "staff_factor": str(Authenticator.objects.latest("pk").pk),
        "staff_message": str(OutboxMessage.objects.latest("pk").pk),
        "staff_problem": str(AddressProblem.objects.latest("pk").pk),
        "staff_opt_out": str(OptOut.objects.latest("pk").pk),
        "staff_confirmation": str(ConfirmationMail.objects.latest("pk").pk),
        "staff_event": str(AuditEvent.objects.filter(verb="repo:disable").latest("pk").pk),
        "staff_task": str(task.pk),
        "staff_interval": str(every.pk),
    }


def _deliveries(user: User, repo: Repo) -> dict[str, str]:
    """One of each state; the keys of the one that was given up, and of the one whose mail is in a file."""
    ago = timezone.now() - datetime.timedelta(hours=3)
    keys = {}
    for state in Delivery.State.values:
        message = OutboxMessage.objects.create(kind="accepted", repo=repo, state="dispatched", data={"reason": ""})
        is_sent = state == Delivery.State.SENT
        made = Delivery.objects.create(
            message=message,
            kind="accepted",
            user=user,
            address=texts.LONG_ADDRESS,
            state=state,
            due_at=ago,
            deadline=ago + datetime.timedelta(days=3),
            attempts=31,
            problem="" if is_sent else f"SMTPRecipientsRefused: 550 5.1.1 {'no such user ' * 12}",
            sent_at=ago if is_sent else None,
            file=_written() if is_sent else "",
        )
        keys[f"staff_delivery_{state}"] = str(made.pk)
    return keys


def _written() -> str:
    mail = EmailMultiAlternatives("Accepted: " + texts.LONG_REPO, "You have access.", to=[texts.LONG_ADDRESS])
    mail.attach_alternative("<p>You have <b>access</b>.</p>", "text/html")
    get_connection("notifications.backends.EmlFileBackend").send_messages([mail])
    name: str = mail.eml_name  # type: ignore[attr-defined]
    return name
