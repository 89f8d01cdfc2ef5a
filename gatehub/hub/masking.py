"""What a caller who may not read the files sees of their hashes: nothing that tells anything about the contents.

A hash is a key (hub-protocol section 12, trap 9): who knows one can compare it with a file of their own.  The sha-256
of a large file becomes asterisks, as on the public hub.  The git blob's sha-1, which clients need as an identity,
becomes a number of the same shape that stays the same as long as the contents do.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.crypto import salted_hmac

from access.policy import OPEN_FILES
from repos.git import Entry
from repos.models import Repo

HIDDEN_SHA256 = "*" * 64


@dataclass(frozen=True, slots=True)
class Mask:
    """`storage_id` is that of the repo; `on` where the caller may not read its files."""

    storage_id: str
    on: bool

    @classmethod
    def over(cls, repo: Repo, *, on: bool) -> Mask:
        return cls(repo.storage_id, on)

    def _hides(self, entry: Entry) -> bool:
        return self.on and entry.path not in OPEN_FILES

    def oid(self, entry: Entry) -> str:
        """40 hex digits: the sha-1 of the git object, or what stands for it."""
        if not self._hides(entry):
            return entry.oid
        return salted_hmac("gatehub.hub.masking", f"{self.storage_id} {entry.oid}", algorithm="sha1").hexdigest()

    def sha256(self, entry: Entry) -> str:
        """64 characters: the sha-256 of a large file, or asterisks."""
        assert entry.lfs is not None
        return HIDDEN_SHA256 if self._hides(entry) else entry.lfs.sha256
