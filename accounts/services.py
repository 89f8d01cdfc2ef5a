"""Changes to people, organizations and memberships: check, lock, guard, change, audit."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts import names
from accounts.actor import Actor
from accounts.errors import BadRequest, Conflict, InvalidFields, NotFound
from accounts.models import AuditEvent, Membership, Namespace, Organization, User


class NameTaken(Conflict):
    """A user or organization of that name exists, in whatever case."""


class AddressTaken(Conflict):
    """Another account uses the address."""


class LastAdmin(Conflict):
    """An organization keeps at least one admin who can sign in."""

    default_message = "An organization keeps at least one admin."


def _claim_name(name: str, *, user: User | None = None, organization: Organization | None = None) -> Namespace:
    try:
        with transaction.atomic():
            return Namespace.objects.create(name=name, user=user, organization=organization)
    except IntegrityError:
        raise NameTaken(f"The name {name!r} is taken.") from None


def _refuse_taken_name(name: str) -> None:
    if Namespace.objects.named(name).exists():
        raise NameTaken(f"The name {name!r} is taken.")


@transaction.atomic
def add_namespace(user: User, *, by: Actor) -> Namespace:
    """Give a new person, saved already, the namespace of their user name."""
    namespace = _claim_name(names.clean_namespace(user.username), user=user)
    rights = {"is_staff": user.is_staff, "is_superuser": user.is_superuser}
    AuditEvent.record(by=by, verb="user:create", target=user.username, after=rights)
    return namespace


@transaction.atomic
def create_user(
    *,
    username: str,
    email: str,
    password: str,
    by: Actor,
    fullname: str = "",
    is_staff: bool = False,
    is_superuser: bool = False,
) -> User:
    """Create a person whose address counts as verified: for operators, who vouch for it, and for the password.

    Raises InvalidName, NameTaken, AddressTaken, or InvalidFields naming `fullname`, `email` or `password`.
    """
    names.clean_namespace(username)
    _refuse_taken_name(username)
    user = User(
        username=username,
        email=email,
        fullname=fullname,
        is_staff=is_staff or is_superuser,
        is_superuser=is_superuser,
    )
    problems: dict[str, str] = {}
    try:
        user.fullname = names.clean_fullname(fullname)
    except InvalidFields as error:
        problems |= error.fields
    try:
        validate_email(email)
    except ValidationError as error:
        problems["email"] = " ".join(error.messages)
    if not password:
        problems["password"] = "must not be empty"  # noqa: S105 - a sentence.
    if problems:
        raise InvalidFields(problems)
    if EmailAddress.objects.filter(email__iexact=email).exists():
        raise AddressTaken(f"The address {email} is used by another account.")
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:  # Somebody was quicker by a moment.
        raise NameTaken(f"The name {username!r} is taken.") from None
    try:
        with transaction.atomic():
            EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    except IntegrityError:
        raise AddressTaken(f"The address {email} is used by another account.") from None
    add_namespace(user, by=by)
    return user


@transaction.atomic
def change_own_fullname(user: User, fullname: str, *, by: Actor) -> User:
    """Give a person another full name, or none.  Raises InvalidFields."""
    fullname = names.clean_fullname(fullname)
    locked = User.objects.select_for_update().get(pk=user.pk)
    if locked.fullname == fullname:
        return locked
    before, locked.fullname = locked.fullname, fullname
    locked.save(update_fields=["fullname"])
    AuditEvent.record(by=by, verb="user:profile", target=locked.username, before=before, after=fullname)
    return locked


@transaction.atomic
def create_organization(*, name: str, admin: User, by: Actor, fullname: str = "") -> Organization:
    """Create an organization with its first admin.  Raises InvalidName, NameTaken, or InvalidFields."""
    names.clean_namespace(name)
    _refuse_taken_name(name)
    organization = Organization.objects.create(fullname=names.clean_fullname(fullname))
    _claim_name(name, organization=organization)
    AuditEvent.record(by=by, verb="organization:create", target=name, after={"fullname": organization.fullname})
    set_role(organization=organization, user=admin, role=Membership.Role.ADMIN, by=by)
    return organization


@transaction.atomic
def change_fullname(*, organization: Organization, fullname: str, by: Actor) -> Organization:
    """Give the organization another full name, or none.  Raises InvalidFields."""
    fullname = names.clean_fullname(fullname)
    locked = Organization.objects.select_for_update().get(pk=organization.pk)
    if locked.fullname == fullname:
        return locked
    before, locked.fullname = locked.fullname, fullname
    locked.save(update_fields=["fullname"])
    AuditEvent.record(by=by, verb="organization:profile", target=locked.name, before=before, after=fullname)
    return locked


@transaction.atomic
def set_role(*, organization: Organization, user: User, role: str, by: Actor) -> Membership:
    """Make the person a member with that role, or change the role of a member.

    Raises LastAdmin rather than leave the organization without an admin.
    """
    if role not in Membership.Role.values:
        raise BadRequest(
            f"role must be one of {', '.join(Membership.Role.values)}, not {role!r}.",
            user_message="There is no such role. Nothing was changed: load the page again and choose one.",
        )
    Organization.objects.select_for_update().get(pk=organization.pk)  # Two demotions at once leave one admin.
    membership = Membership.objects.filter(organization=organization, user=user).first()
    before = None if membership is None else membership.role
    if before == role and membership is not None:
        return membership
    if before == Membership.Role.ADMIN:
        _keep_an_admin(organization, user)
    if membership is None:
        membership = Membership(organization=organization, user=user)
    membership.role = role
    membership.role_since = timezone.now()
    membership.save()
    target = f"{user.username} in {organization.name}"
    AuditEvent.record(by=by, verb="membership:set_role", target=target, before=before, after=role)
    return membership


@transaction.atomic
def remove_member(*, organization: Organization, user: User, by: Actor) -> None:
    """End a membership.  Raises NotFound, or LastAdmin."""
    Organization.objects.select_for_update().get(pk=organization.pk)
    membership = Membership.objects.filter(organization=organization, user=user).first()
    if membership is None:
        raise NotFound(f"{user.username} is not a member of {organization.name}.")
    if membership.role == Membership.Role.ADMIN:
        _keep_an_admin(organization, user)
    target = f"{user.username} in {organization.name}"
    AuditEvent.record(by=by, verb="membership:remove", target=target, before=membership.role)
    membership.delete()


def _keep_an_admin(organization: Organization, leaving: User) -> None:
    if not organization.memberships.active().filter(role=Membership.Role.ADMIN).exclude(user=leaving).exists():
        raise LastAdmin(
            f"{leaving.username} is the last admin of {organization.name}, which keeps at least one admin.",
            next_step="Make another member an admin first: {url}",
            help_path=f"/organizations/{organization.name}/members",
        )


@transaction.atomic
def end_sessions(user: User, *, by: Actor) -> None:
    """Sign the person out everywhere.  Tokens go on working."""
    User.objects.filter(pk=user.pk).update(sessions_ended=F("sessions_ended") + 1)
    AuditEvent.record(by=by, verb="user:end_sessions", target=user.username)


def get_user(username: str) -> User:
    """The person of that name, whatever its case.  Raises NotFound with the Hub's words."""
    namespace = Namespace.objects.named(username).select_related("user").filter(user__isnull=False).first()
    if namespace is None or namespace.user is None:
        raise NotFound(
            "User not found", user_message=f"Nobody here is called “{username[:60]}”. They need an account first."
        )
    return namespace.user


def get_organization(name: str) -> Organization:
    """The organization of that name, whatever its case.  Raises NotFound."""
    namespace = Namespace.objects.named(name).select_related("organization").filter(organization__isnull=False).first()
    if namespace is None or namespace.organization is None:
        raise NotFound("Organization not found")
    return namespace.organization
