"""Who is told of new requests for a repo: looked up when the mail goes out, never kept.

The repo's notification address; else the owner; else the first five admins of the organization, by the day they became
admin.  Only verified addresses of people who can sign in, each once, nobody who does not want it, and no address that
mails come back from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.db.models import F

from accounts.models import Membership, User
from notifications import addresses
from notifications.models import OptOut
from repos import notification_address
from repos.models import Repo

MOST_ADMINS = 5


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a mail goes: to a person, or to the notification address of a repo, which need not be a person's."""

    address: str
    user: User | None = None


def of_repos(repos: Sequence[Repo]) -> dict[int, list[Recipient]]:
    """Who is told of new requests, by the key of each repo.  Repos come with their namespace.

    A fixed number of queries, and one for each notification address that no link confirmed.
    """
    people = _people(repos)
    own = {repo.pk: notification_address.address_to_use(repo) for repo in repos}
    stopped = addresses.stopped({address for address in own.values() if address} | _addresses(people))
    told: dict[int, list[Recipient]] = {}
    for repo in repos:
        address = own[repo.pk]
        to = [Recipient(address)] if address and address.lower() not in stopped else people[repo.pk]
        told[repo.pk] = _once([one for one in to if one.address.lower() not in stopped])
    return told


def _addresses(people: dict[int, list[Recipient]]) -> set[str]:
    return {one.address for some in people.values() for one in some}


def _people(repos: Sequence[Repo]) -> dict[int, list[Recipient]]:
    """Owners and admins with the addresses that mails to them go to."""
    owners = {repo.namespace.user_id for repo in repos if repo.namespace.user_id is not None}
    admins = _first_admins({repo.namespace.organization_id for repo in repos if repo.namespace.organization_id})
    everybody = owners | {key for keys in admins.values() for key in keys}
    reachable = of_people(everybody, without=OptOut.Topic.REQUESTS)
    found = {}
    for repo in repos:
        namespace = repo.namespace
        keys = admins[namespace.organization_id] if namespace.organization_id else [namespace.user_id]
        found[repo.pk] = [reachable[key] for key in keys if key in reachable]
    return found


def _first_admins(organizations: set[int]) -> dict[int | None, list[int]]:
    """The keys of the admins who have been so for longest: five of each organization who can be told."""
    if not organizations:
        return {}
    admins = Membership.objects.active().filter(organization__in=organizations, role=Membership.Role.ADMIN)
    verified = EmailAddress.objects.filter(verified=True).values("user")
    found: defaultdict[int | None, list[int]] = defaultdict(list)
    by_seniority = admins.filter(user__in=verified).order_by("organization", "role_since", "pk")
    for organization, user in by_seniority.values_list("organization", "user"):
        if len(found[organization]) < MOST_ADMINS:
            found[organization].append(user)
    return found


def of_people(keys: Iterable[int], *, without: str = "") -> dict[int, Recipient]:
    """The people who can be written to, by their keys: a verified address of theirs, the primary one if it is.

    `without` is an `OptOut.Topic`: whoever wants none of it is left out.  Two queries, or three.
    """
    wanted = set(keys)
    unwilling = set(OptOut.objects.filter(user__in=wanted, topic=without).values_list("user", flat=True))
    users = User.objects.filter(pk__in=wanted - unwilling, is_active=True)
    by_key = {user.pk: user for user in users}
    verified = EmailAddress.objects.filter(user__in=by_key, verified=True).order_by(F("primary").asc(), "-pk")
    found = {}
    for key, address in verified.values_list("user", "email"):  # The primary one comes last, and stays.
        found[key] = Recipient(address, by_key[key])
    return found


def _once(recipients: list[Recipient]) -> list[Recipient]:
    return list({recipient.address.lower(): recipient for recipient in reversed(recipients)}.values())[::-1]
