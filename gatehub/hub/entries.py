"""Files and folders as the Hub's API shows them: entries of a tree, siblings of an info object."""

from __future__ import annotations

from typing import Any

from gatehub.hub.base import hub_time
from gatehub.hub.masking import Mask
from repos.git import CommitInfo, Entry

_NOT_SCANNED = {"status": "unscanned", "avScan": None, "pickleImportScan": None}
"""Clients want all three keys, or none of it."""


def tree_entry(entry: Entry, mask: Mask) -> dict[str, Any]:
    """hub-protocol section 4.1.  `xetHash` must never be there: clients would then ask for a service we do not have."""
    body: dict[str, Any] = {"type": entry.type, "oid": mask.oid(entry), "size": entry.size, "path": entry.path}
    if entry.lfs is not None:
        body["lfs"] = {"oid": mask.sha256(entry), "size": entry.lfs.size, "pointerSize": entry.lfs.pointer_size}
    return body


def with_last_commit(body: dict[str, Any], commit: CommitInfo | None) -> dict[str, Any]:
    """A tree entry as `expand=true` wants it."""
    last = None if commit is None else {"id": commit.oid, "title": commit.title, "date": hub_time(commit.date)}
    security = {"securityFileStatus": _NOT_SCANNED} if body["type"] == "file" else {}
    return {**body, "lastCommit": last, **security}


def sibling(entry: Entry, mask: Mask | None) -> dict[str, Any]:
    """A file of an info object; with a mask also its size and hashes, as `blobs=true` wants them."""
    body: dict[str, Any] = {"rfilename": entry.path}
    if mask is None:
        return body
    body |= {"size": entry.size, "blobId": mask.oid(entry)}
    if entry.lfs is not None:
        body["lfs"] = {"sha256": mask.sha256(entry), "size": entry.lfs.size, "pointerSize": entry.lfs.pointer_size}
    return body
