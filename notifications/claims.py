"""Deliveries that one worker has in hand: taken, kept, and given back with what became of them.

A claim is a lease.  `due_at` moves on to when it ends, and a keeper moves it on again while the worker lives, so that
what a killed worker had is due again after one lease, and nobody else takes it before.  Each statement names the claim:
a worker that has lost its lease changes nothing any more.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from notifications import aftermath
from notifications.models import Delivery

log = logging.getLogger("gatehub.notifications")

State = Delivery.State
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=6)
_MARK_TRIES = 20


def lease() -> timedelta:
    return timedelta(seconds=settings.MAIL_LEASE_SECONDS)


class Claim:
    """A few deliveries, in the order in which they are to be sent."""

    def __init__(self, name: uuid.UUID, deliveries: Sequence[Delivery], until: datetime) -> None:
        self.name = name
        self.deliveries = deliveries
        self.until = until
        self._lost: set[int] = set()

    @classmethod
    def take(cls, number: int) -> Claim:
        """Take the next few that are due.  Workers that do so at the same time take others."""
        name, now = uuid.uuid4(), timezone.now()
        if not Delivery.objects.due(now).exists():  # On SQLite, a transaction would keep writers waiting for nothing.
            return cls(name, [], now)
        with transaction.atomic():
            due = Delivery.objects.due(now).select_for_update(of=("self",), skip_locked=True)
            keys = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:number])
            taken = Delivery.objects.filter(pk__in=keys)
            if keys:
                taken.update(claim=name, due_at=now + lease(), attempts=F("attempts") + 1)
        rows = taken.select_related("message__repo__namespace", "message__access_request__user", "user")
        return cls(name, list(rows.order_by("pk")) if keys else [], now + lease())

    def _all(self) -> QuerySet[Delivery]:
        return Delivery.objects.waiting().filter(claim=self.name)

    def _mine(self, delivery: Delivery) -> QuerySet[Delivery]:
        return self._all().filter(pk=delivery.pk)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Prolong the lease for as long as the block takes, from a thread of its own: mail servers may be slow."""
        done = threading.Event()

        def keep() -> None:
            while not done.wait(lease().total_seconds() / 4):
                try:
                    self._renew()
                except DatabaseError:
                    log.warning("The lease of some deliveries could not be prolonged.", exc_info=True)
                finally:
                    connection.close()  # This thread's own.

        keeper = threading.Thread(target=keep, daemon=True, name="lease of deliveries")
        keeper.start()
        try:
            yield
        finally:
            done.set()
            keeper.join()

    def holds(self, delivery: Delivery) -> bool:
        """Whether it is still this worker's.  The machine may have slept, and another one have taken it meanwhile."""
        if timezone.now() >= self.until:
            self._renew()
        return delivery.pk not in self._lost

    def _renew(self) -> None:
        until = timezone.now() + lease()
        self._all().update(due_at=until)
        self._lost = {delivery.pk for delivery in self.deliveries} - set(self._all().values_list("pk", flat=True))
        self.until = until

    # --- What became of one ---

    def address(self, delivery: Delivery, address: str) -> None:
        """Send it to this address instead."""
        delivery.address = address
        self._mine(delivery).update(address=address)

    def put_back(self, delivery: Delivery, *, until: datetime | None = None, held: bool = False) -> None:
        """Leave it for later, as if it had not been tried."""
        self._mine(delivery).update(
            claim=None, due_at=until or timezone.now(), attempts=F("attempts") - 1, held=held or F("held")
        )

    def drop(self, delivery: Delivery, because: str) -> None:
        """It need not be sent, or must not."""
        with transaction.atomic():
            if self._mine(delivery).update(state=State.DROPPED, claim=None, problem=because[:500]):
                aftermath.given_up(delivery, because)
                aftermath.dropped(delivery)

    def hand_back(self, delivery: Delivery, because: str) -> None:
        """It is not for this recipient any more: what it would have told is for whoever is told by then."""
        with transaction.atomic():
            self.drop(delivery, because)
            aftermath.handed_back(delivery)

    def fold(self, delivery: Delivery, kinds: Sequence[str]) -> None:
        """Take the others of these kinds that are held for the same address into this one."""
        with transaction.atomic():
            held = Delivery.objects.waiting().to_address(delivery.address).filter(kind__in=kinds, held=True, claim=None)
            keys = list(held.select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True))
            if self._mine(delivery).exists():
                Delivery.objects.filter(pk__in=keys).update(state=State.FOLDED, folded_into=delivery)

    def failed(self, delivery: Delivery, error: Exception) -> None:
        """Try again after a pause, twice as long each time; after the deadline, give up and leave it to staff."""
        now = timezone.now()
        pause = min(FIRST_PAUSE * 2 ** min(delivery.attempts - 1, 20), LONGEST_PAUSE)
        problem = f"{type(error).__name__}: {_in_words(error)}"[:500]
        if now >= delivery.deadline:
            self.give_up(delivery, problem)
            return
        self._mine(delivery).update(claim=None, due_at=min(now + pause, delivery.deadline), problem=problem)

    def give_up(self, delivery: Delivery, problem: str) -> None:
        """Leave it to staff."""
        log.error("Delivery %s (%s) is given up: %s", delivery.pk, delivery.kind, problem)
        with transaction.atomic():
            if self._mine(delivery).update(state=State.DEAD, claim=None, problem=problem):
                aftermath.given_up(delivery, problem)

    def sent(self, delivery: Delivery, message: EmailMessage) -> None:
        """Write down that the mail server has it.  By all means: what is not written down is sent again."""
        status = getattr(message, "anymail_status", None)
        became = {
            "state": State.SENT,
            "sent_at": timezone.now(),
            "claim": None,
            "problem": "",
            "provider_id": str(getattr(status, "message_id", None) or "")[:255],
            "file": str(getattr(message, "eml_name", ""))[:100],
        }
        for attempt in range(1, _MARK_TRIES + 1):
            try:
                self._mark(delivery, became)
                return
            except DatabaseError:
                if attempt == _MARK_TRIES or connection.in_atomic_block:
                    raise
                connection.close_if_unusable_or_obsolete()
                time.sleep(attempt / 10)

    def _mark(self, delivery: Delivery, became: dict[str, Any]) -> None:
        if delivery.kind not in aftermath.KINDS:  # Most mails: one statement, which is quicker without a transaction.
            self._mine(delivery).update(**became)
            return
        with transaction.atomic():
            if self._mine(delivery).update(**became):
                aftermath.sent(delivery)


def _in_words(error: Exception) -> str:
    """What a mail server said, as one printable line."""
    said = " ".join(str(error).split())
    return "".join(character for character in said if character.isprintable())
