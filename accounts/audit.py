"""The audit trail: who did what to what.  Rows are only ever inserted; the database itself refuses the rest.

What may be forgotten, the IP address, is in a table of its own (`AuditAddress`), so that no row of the trail is touched
when that happens.  `accounts.triggers` holds the database's part of the promise, `accounts.retention` the forgetting.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NoReturn

from django.db import models, transaction
from django.db.models import Func
from django.utils import timezone

from accounts.actor import Actor, Entrance


class AuditEventIsPermanent(TypeError):
    """Somebody tried to change or delete a row of the audit trail, or to change an address in it."""


NOUNS: Final = {
    # The first halves of all verbs, and what staff call them.
    "access_request": "Access requests",
    "address": "E-mail addresses of accounts",
    "admin": "Django admin",
    "audit": "Audit trail",
    "branch": "Branches",
    "bulk_review": "Bulk reviews",
    "delivery": "Mails",
    "device": "Device sign-ins",
    "gate_form": "Gate forms",
    "identity": "Connected accounts",
    "mail_address": "Stopped addresses",
    "mails": "Choice of mails",
    "membership": "Memberships and roles",
    "notification_address": "Notification addresses",
    "organization": "Organizations",
    "password": "Passwords",
    "repo": "Repositories",
    "report": "Exports of reports",
    "second_factor": "Second factors",
    "sign_in": "Sign-ins",
    "tag": "Tags",
    "token": "Access tokens",
    "user": "People",
}


class Noun(Func):
    """The first half of a verb: of `repo:move`, `repo`.  As the index `audit_noun` has it, of migration 5."""

    arity = 1
    output_field = models.CharField()
    template = "split_part(%(expressions)s, ':', 1)"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "substr(%(expressions)s, 1, instr(%(expressions)s || ':', ':') - 1)"
        sql, params = self.as_sql(compiler, connection, template=template, **context)
        return sql, (*params, *params)


class SearchText(Func):
    """What a search looks at, as the index `audit_find` has it, of migration 5."""

    arity = 4
    template = "(' ' || %(expressions)s || ' ')"
    arg_joiner = " || ' ' || "
    output_field = models.TextField()


class _Permanent(models.QuerySet[Any, Any]):
    """Rows that nobody changes.  Whatever the ORM does to change some comes through one of these."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise AuditEventIsPermanent("What the audit trail holds cannot be changed.")

    def _update(self, values: Any) -> NoReturn:
        raise AuditEventIsPermanent("What the audit trail holds cannot be changed.")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AuditEventIsPermanent("What the audit trail holds cannot be changed.")

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        if kwargs.get("update_conflicts") or kwargs.get("ignore_conflicts") or len(args) > 1:
            raise AuditEventIsPermanent("What the audit trail holds is neither replaced nor left out.")
        return super().bulk_create(objs, *args, **kwargs)


class AuditEventQuerySet(_Permanent):
    """The trail, and the questions that can be asked of it."""

    def with_addresses(self) -> AuditEventQuerySet:
        """For lists that show each `address`: one query for all."""
        found: AuditEventQuerySet = self.select_related("kept_address")
        return found

    def of_noun(self, noun: str) -> AuditEventQuerySet:
        """`repo:create`, `repo:move` and so on, for `repo`."""
        found: AuditEventQuerySet = self.alias(noun=Noun("verb")).filter(noun=noun)
        return found

    def containing(self, text: str) -> AuditEventQuerySet:
        """Those whose actor, verb, target or token's name contains the text, whatever its case."""
        searched = SearchText("actor", "verb", "target", "token_name")
        found: AuditEventQuerySet = self.alias(searched=searched).filter(searched__icontains=text.replace("\0", ""))
        return found

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """With their addresses, by one more query."""
        with transaction.atomic(using=self.db, savepoint=False):
            events = super().bulk_create(objs, *args, **kwargs)
            addresses = [event.address_to_keep() for event in events]
            AuditAddress.objects.using(self.db).bulk_create([row for row in addresses if row is not None])
        return events

    def delete(self) -> NoReturn:
        raise AuditEventIsPermanent("Audit events cannot be deleted.")

    def _raw_delete(self, using: Any) -> NoReturn:
        raise AuditEventIsPermanent("Audit events cannot be deleted.")


class AuditEvent(models.Model):
    """Who did what to what, when, through which entrance, with which token; before and after.

    Everything is kept as plain values, without foreign keys: the trail outlives what it speaks of.
    """

    at = models.DateTimeField(default=timezone.now)
    verb = models.CharField(max_length=64)
    target = models.CharField(max_length=300)
    actor = models.CharField(max_length=42, blank=True)
    actor_id_at_the_time = models.BigIntegerField(null=True)
    entrance = models.CharField(
        max_length=8, choices=[(entrance.value, entrance.name.title()) for entrance in Entrance]
    )
    token_name = models.CharField(max_length=100, blank=True)
    repo = models.BigIntegerField("repo key", null=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        base_manager_name = "objects"
        default_permissions = ["view"]
        permissions = [("export_auditevent", "Can export audit events")]
        indexes = [
            models.Index(fields=["at", "id"], name="audit_by_time"),
            models.Index(fields=["repo", "at", "id"], name="audit_of_repo"),
            models.Index(fields=["entrance", "at", "id"], name="audit_by_entrance"),
        ]

    _address: str | None = None
    """With which it was made here, rather than read from the database."""

    def __str__(self) -> str:
        said = f"{self.actor or self.entrance} {self.verb} {self.target}"
        return f"{said}: {self.after}" if isinstance(self.after, str) else said

    @property
    def address(self) -> str | None:
        """The IP address of the actor; None where there was none, or it is forgotten.  In lists: `with_addresses`."""
        if self._state.adding:
            return self._address
        kept: AuditAddress | None = getattr(
            self, "kept_address", None
        )  # The reverse of a OneToOneField may be missing.
        return None if kept is None else kept.address

    def address_to_keep(self) -> AuditAddress | None:
        """The row for its address, once the event has its key."""
        if self._address is None:
            return None
        # By key: rows that hold each other wait for the garbage collector, thousands of them in a bulk review.
        return AuditAddress(event_id=self.pk, at=self.at, address=self._address)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding or args or kwargs.get("force_update") or kwargs.get("update_fields"):
            raise AuditEventIsPermanent("Audit events cannot be changed.")
        with transaction.atomic(using=kwargs.get("using"), savepoint=False):
            super().save(**{**kwargs, "force_insert": True})
            address = self.address_to_keep()
            if address is not None:
                address.save(force_insert=True, using=kwargs.get("using"))

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AuditEventIsPermanent("Audit events cannot be deleted.")

    @classmethod
    def record(
        cls, *, by: Actor, verb: str, target: str, repo: int | None = None, before: Any = None, after: Any = None
    ) -> AuditEvent:
        """Write one row, in the transaction of the change that it records.  `verb` is `noun:verb`."""
        event = cls.of(by=by, verb=verb, target=target, repo=repo, before=before, after=after)
        event.save()
        return event

    @classmethod
    def of(
        cls, *, by: Actor, verb: str, target: str, repo: int | None = None, before: Any = None, after: Any = None
    ) -> AuditEvent:
        """A row that is not written yet: for many at once, by `bulk_create`."""
        event = cls(
            verb=verb,
            target=target[:300],
            actor="" if by.user is None else by.user.username,
            actor_id_at_the_time=by.user_id,
            entrance=by.entrance.value,
            token_name=by.token_name[:100],
            repo=repo,
            before=before,
            after=after,
        )
        event._address = by.address or None
        return event


class AuditAddressQuerySet(_Permanent):
    def older_than(self, moment: datetime) -> AuditAddressQuerySet:
        found: AuditAddressQuerySet = self.filter(at__lt=moment)
        return found


class AuditAddress(models.Model):
    """From which IP address an event came.  May be forgotten (`accounts.retention`), never changed."""

    event = models.OneToOneField(AuditEvent, models.DO_NOTHING, primary_key=True, related_name="kept_address")
    at = models.DateTimeField("time of the event", db_index=True)
    address = models.GenericIPAddressField(db_index=True)

    objects = AuditAddressQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ["view"]

    def __str__(self) -> str:
        return str(self.address)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AuditEventIsPermanent("What the audit trail holds cannot be changed.")
        super().save(*args, **{**kwargs, "force_insert": True})
