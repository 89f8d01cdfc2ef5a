"""Sessions in the database, as Django keeps them.  The query with which every request of a person begins is kept."""

from __future__ import annotations

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from accounts.compiled import rows


class SessionStore(db.SessionStore):
    """Django's, with the same table and the same signatures: sessions of before go on."""

    def _get_session_from_db(self) -> Session | None:
        """None for one that is not there or has ended, which then has no key any more."""
        key = str(self.session_key)
        found: list[Session] = [] if "\0" in key else rows(_with_key, key=key)  # PostgreSQL knows no NUL, and fails.
        if found and found[0].expire_date > timezone.now():
            return found[0]
        self._session_key = None
        return None


def _with_key(key: str) -> QuerySet[Session]:
    return Session.objects.filter(session_key=key)
