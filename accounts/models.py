"""People, organizations and their one name space; the audit trail, from `accounts.audit`."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.audit import AuditAddress as AuditAddress
from accounts.audit import AuditEvent as AuditEvent
from accounts.audit import AuditEventIsPermanent as AuditEventIsPermanent
from accounts.compiled import IsOneOf, keys_as_text, rows


def path_of(name: str) -> str:
    """The page of a person or an organization."""
    return f"/{name}"


class User(AbstractUser):
    """A person.  The user name is the name of the person's namespace; addresses are allauth's `EmailAddress`."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    username = models.CharField("user name", max_length=42, unique=True)
    fullname = models.CharField("full name", max_length=120, blank=True)
    email = models.EmailField("primary address", blank=True)
    sessions_ended = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    """How often all sessions of the person were ended.  It is part of what each session must know to be good."""

    REQUIRED_FIELDS = ["email"]

    def __str__(self) -> str:
        return self.username

    def get_full_name(self) -> str:
        return self.fullname or self.username

    def get_short_name(self) -> str:
        return self.username

    def get_absolute_url(self) -> str:
        return path_of(self.username)

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        """Django compares it at each request with what it was at sign-in."""
        of_password: str = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        return f"{of_password}.{self.sessions_ended}" if self.sessions_ended else of_password

    @property
    def public_id(self) -> str:
        """The `_id` of the person in API answers."""
        return f"u-{self.pk}"

    @property
    def has_verified_address(self) -> bool:
        # As a rule both have the same letters, and the same case.
        return bool(rows(_verified_address, user=self.pk, email=self.email)) or bool(
            EmailAddress.objects.filter(user=self, email__iexact=self.email, verified=True).exists()
        )


def _verified_address(user: int, email: str) -> models.QuerySet[Any, Any]:
    found: models.QuerySet[Any, Any] = EmailAddress.objects.filter(user=user, email=email, verified=True)
    return found.values_list("pk")


class Organization(models.Model):
    """A group of people that owns repos."""

    fullname = models.CharField("full name", max_length=120, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    members = models.ManyToManyField(User, through="Membership", related_name="organizations")

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.namespace.name

    @property
    def display_name(self) -> str:
        return self.fullname or self.name

    @property
    def public_id(self) -> str:
        return f"o-{self.pk}"

    def get_absolute_url(self) -> str:
        return path_of(self.name)


class NamespaceQuerySet(models.QuerySet["Namespace"]):
    def named(self, name: str) -> NamespaceQuerySet:
        """Those with that name, whatever its case: one or none."""
        if "\0" in name:  # PostgreSQL cannot be asked for it, and fails.
            return self.none()
        return self.alias(name_lower=Lower("name")).filter(name_lower=name.lower())

    def of_person(self, key: int | None, memberships: models.QuerySet[Membership]) -> NamespaceQuerySet:
        """The person's own, and those of the organizations of these memberships, as far as they are the person's."""
        # As a list: with a query inside the OR, PostgreSQL looks at every namespace there is.
        organizations = memberships.filter(user=key).values_list("organization", flat=True)
        return self.of_person_or(keys_as_text(organizations), key)

    def of_person_or(self, organizations: str, key: int | None) -> NamespaceQuerySet:
        """The person's own, and those of the organizations whose keys `keys_as_text` made a text of."""
        return self.filter(Q(user=key, user__isnull=False) | Q(IsOneOf(organizations, of="organization")))


class Namespace(models.Model):
    """The first half of a repo id: belongs to one person or one organization."""

    name = models.CharField(max_length=42)
    user = models.OneToOneField(User, models.CASCADE, null=True, blank=True, related_name="namespace")
    organization = models.OneToOneField(Organization, models.CASCADE, null=True, blank=True, related_name="namespace")

    objects = NamespaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("name"), name="namespace_name_once_ignoring_case"),
            models.CheckConstraint(
                name="namespace_has_one_owner",
                condition=Q(user__isnull=False, organization=None) | Q(user=None, organization__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def owner(self) -> User | Organization:
        owner = self.user or self.organization
        assert owner is not None  # The check constraint promises one.
        return owner

    @property
    def is_organization(self) -> bool:
        return self.organization_id is not None

    @property
    def display_name(self) -> str:
        owner = self.owner
        return owner.fullname or self.name

    def get_absolute_url(self) -> str:
        return path_of(self.name)


class MembershipQuerySet(models.QuerySet["Membership"]):
    def active(self) -> MembershipQuerySet:
        """Those of people who can sign in."""
        return self.filter(user__is_active=True)


class Membership(models.Model):
    """A person's role in an organization."""

    class Role(models.TextChoices):
        READ = "read", "Read"
        CONTRIBUTOR = "contributor", "Contributor"
        WRITE = "write", "Write"
        ADMIN = "admin", "Admin"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=11, choices=Role)
    joined_at = models.DateTimeField(default=timezone.now)
    role_since = models.DateTimeField(default=timezone.now)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="membership_once_per_person"),
            models.CheckConstraint(
                name="membership_role_is_known", condition=Q(role__in=["read", "contributor", "write", "admin"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role}) in {self.organization}"
