"""Sending what is due: claim, send, mark.

What was claimed is sent without a transaction around it, since a mail server may take its time, and SQLite has one
writer.  A worker that is killed after the mail server took a mail, and before that is written down, leaves a mail that
is sent again, with the same Message-ID.  One statement lies between the two, and less cannot.
"""

from __future__ import annotations

import logging
import time
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPResponseException, SMTPSenderRefused

from django.core.mail import get_connection
from django.db import transaction
from django.utils import timezone

from accounts import nudges
from accounts.actor import Actor
from accounts.errors import Conflict
from accounts.models import AuditEvent
from notifications import mails, sorting
from notifications.claims import Claim
from notifications.mails import NothingToSay
from notifications.models import DEADLINE, Delivery, Kind

log = logging.getLogger("gatehub.notifications")

State = Delivery.State
BATCH = 20
MOST_FAILURES_IN_A_ROW = 3
"""After so many, whatever is wrong is not the single mail: the others are left for later."""
SHUTTING_DOWN = 421
MOST_ATTEMPTS = 50
"""Twice as many as fit into three days of pauses."""
LONG = 5
"""Seconds after which a failure is called a hang.  A worker has other things to do than to wait for a mail server."""
REST = 15
"""Seconds for which this process then leaves the mail server alone."""
_resting_until = 0.0


def deliver() -> int:
    """Send what is due, until nothing is or the mail server fails.  Returns how many mails were sent."""
    sent = 0
    if time.monotonic() < _resting_until:
        return sent
    while (claim := Claim.take(BATCH)).deliveries:
        sender = Sender(claim)
        sent += sender.send()
        if sender.gave_up:
            break
    return sent


class Sender:
    """Sends what is claimed through one connection."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.gave_up = False
        self._failures = 0
        self._gave_one_up = False
        self._connection = get_connection()

    def send(self) -> int:
        """Send each, and write down what became of it.  Returns how many were sent."""
        with self.claim.kept():
            try:
                deliveries = sorting.sendable(self.claim)
                mails.prefetch(deliveries)
                return sum(self._send(delivery) for delivery in deliveries)
            finally:
                self._close()

    def _send(self, delivery: Delivery) -> bool:
        if self.gave_up:
            self.claim.put_back(delivery)
            return False
        if not self.claim.holds(delivery):
            return False
        if delivery.attempts > MOST_ATTEMPTS and not self._gave_one_up:
            self._gave_one_up = True  # Those behind it were only never reached.
            self.claim.give_up(delivery, "It was tried too often. Perhaps workers die of it.")
            return False
        began = time.monotonic()
        try:
            message = mails.compose(delivery)
            message.connection = self._connection
            self._connection.open()
            message.send()
        except NothingToSay as reason:
            self.claim.drop(delivery, str(reason))
            return False
        except Exception as error:  # noqa: BLE001 - each backend has errors of its own, and templates have theirs.
            self._note(delivery, error)
            _rest_after(time.monotonic() - began)
            return False
        self._failures = 0
        self.claim.sent(delivery, message)
        return True

    def _note(self, delivery: Delivery, error: Exception) -> None:
        log.warning("Delivery %s (%s) failed: %r", delivery.pk, delivery.kind, error)
        if not _is_about_this_mail(error):
            self._failures += 1
            self.gave_up = isinstance(error, OSError) or self._failures >= MOST_FAILURES_IN_A_ROW
        self.claim.failed(delivery, error)
        self._close()  # In whatever state the failure left it.

    def _close(self) -> None:
        try:
            self._connection.close()
        except Exception:  # What was sent before is sent.
            log.info("The connection to the mail server did not end well.", exc_info=True)


def _rest_after(seconds: float) -> None:
    global _resting_until
    if seconds >= LONG:
        _resting_until = time.monotonic() + REST


def _is_about_this_mail(error: Exception) -> bool:
    """Whether the mail server is there, and answered that it does not take this one, or not now."""
    is_answer = isinstance(error, SMTPRecipientsRefused | SMTPSenderRefused | SMTPDataError)
    return is_answer and SHUTTING_DOWN not in _codes(error)


def _codes(error: Exception) -> set[int]:
    if isinstance(error, SMTPRecipientsRefused):
        return {code for code, _ in error.recipients.values()}
    return {error.smtp_code} if isinstance(error, SMTPResponseException) else set()


@transaction.atomic
def send_again(delivery: Delivery, *, by: Actor) -> None:
    """Try a mail once more that was given up or not sent, for another three days.  Raises Conflict for any other."""
    locked = Delivery.objects.select_for_update(of=("self",)).select_related("message").get(pk=delivery.pk)
    if locked.state not in (State.DEAD, State.DROPPED):
        raise Conflict(f"It is {locked.get_state_display().lower()}: nothing is sent again.")
    if locked.kind == Kind.ACCOUNT and not locked.message.sealed:
        raise Conflict("Its contents were secret and are forgotten.", next_step="The person can ask for a new one.")
    before = locked.state
    locked.state, locked.attempts, locked.held, locked.problem, locked.claim = State.WAITING, 0, False, "", None
    locked.due_at = timezone.now()
    locked.deadline = locked.due_at + DEADLINE
    locked.save()
    AuditEvent.record(
        by=by,
        verb="delivery:send_again",
        target=str(locked),
        repo=locked.message.repo_id,
        before=before,
        after=locked.state,
    )
    nudges.nudge_when_certain("notifications.tasks.deliver")
