"""Where the tests of organizations look, and what they look for."""

from __future__ import annotations

from accounts.models import AuditEvent, Membership, Organization
from tests.web.pages import soup, words

NEW, MINE = "/organizations/new", "/settings/organizations"
SETTINGS, MEMBERS = "/organizations/lab/settings", "/organizations/lab/members"


def roles(organization) -> dict[str, str]:
    return dict(Membership.objects.filter(organization=organization).values_list("user__username", "role"))


def state() -> tuple:
    """Whatever the pages could change."""
    return (
        list(Membership.objects.order_by("pk").values_list("organization", "user", "role")),
        list(Organization.objects.order_by("pk").values_list("fullname")),
        AuditEvent.objects.count(),
    )


def toast(client, path=MINE) -> str:
    return words(soup(client.get(path)).select_one("#toasts"))
