"""Signing in, as allauth does it.  The query for the person of a session, with which every page of theirs begins, is
kept.
"""

from __future__ import annotations

from allauth.account.auth_backends import AuthenticationBackend
from django.db.models import QuerySet

from accounts.compiled import rows
from accounts.models import User


class Backend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types.
    def get_user(self, user_id: int) -> User | None:
        """None for an account that is not there any more, or closed."""
        found: list[User] = rows(_with_key, key=user_id)
        return found[0] if found and self.user_can_authenticate(found[0]) else None


def _with_key(key: int) -> QuerySet[User]:
    return User.objects.filter(pk=key)
