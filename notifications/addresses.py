"""Addresses to which no mail is sent."""

from __future__ import annotations

from collections.abc import Iterable

from notifications.models import AddressProblem


def stopped(addresses: Iterable[str]) -> set[str]:
    """Those of the addresses to which nothing may be sent, in lower case."""
    lower = {address.lower() for address in addresses}
    return set(AddressProblem.objects.filter(address__in=lower).values_list("address", flat=True))
