"""Who acts: a person, with which token, through which entrance, from which address."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accounts.models import User


class Entrance(StrEnum):
    """How an act came in.  Kept in the audit trail."""

    PAGE = "page"
    API = "api"
    GIT = "git"
    ADMIN = "admin"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who asks.  `user` is None for a stranger.

    `token` is the `access.AccessToken` that was shown, or None for a session; it lives a layer above, so its type
    is not named here.  `address` is the IP address, empty when there is none.
    """

    user: User | None = None
    token: Any = None
    entrance: Entrance = Entrance.SYSTEM
    address: str = ""

    @property
    def anonymous(self) -> bool:
        return self.user is None

    @property
    def user_id(self) -> int | None:
        """The person's key, for queries: None matches nobody."""
        return None if self.user is None else self.user.pk

    @property
    def token_name(self) -> str:
        return "" if self.token is None else str(self.token.name)

    def __str__(self) -> str:
        return "anonymous" if self.user is None else self.user.username


SYSTEM = Actor(entrance=Entrance.SYSTEM)
"""GateHub itself: sweeps, commands of the operator."""
