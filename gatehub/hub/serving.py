"""Handing out one file: headers, conditions, ranges, and the bytes by the quickest way there is.

Who may have it was decided before.  What users upload is served from our own origin, so nothing of it may act there:
types are those that do nothing, and a sandbox holds what a browser shows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache
from pathlib import PurePosixPath
from typing import BinaryIO
from urllib.parse import quote

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response

from gatehub.hub.base import flag
from gatehub.hub.ranges import ByteRange, byte_range
from repos import objects
from repos.errors import EntryNotFound
from repos.git import Entry, GitRepo, LfsPointer
from repos.models import Repo

log = logging.getLogger("gatehub.serving")

PIECE = 256 * 1024

_OF_WHAT_IS_KNOWN = ("X-Repo-Commit", "ETag", "Cache-Control", "Content-Security-Policy", "X-Content-Type-Options")
"""Headers of a 304.  A browser puts them in the place of those that it has: those of pages would lift the sandbox."""
_SANDBOX = "sandbox; default-src 'none'"
_IMAGES = {
    # Cards show these.
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
_TEXTS = frozenset(
    """
    .bib .c .cfg .cpp .css .csv .h .html .htm .ini .ipynb .java .jinja .jinja2 .js .json
    .jsonl .log .md .ndjson .py .r .rst .rs .sh .sql .svelte .tex .toml .ts .tsv .txt .vocab .xml .yaml .yml
    """.split()
)
_TEXT_NAMES = frozenset("license copying notice readme makefile dockerfile .gitattributes .gitignore".split())


@lru_cache(4096)
def content_type(path: str) -> str:
    """What a browser is told that the file is: text, an image, or bytes to be saved.  Never anything that acts."""
    name = PurePosixPath(path).name.lower()
    suffix = PurePosixPath(name).suffix
    if suffix in _IMAGES:
        return _IMAGES[suffix]
    return "text/plain; charset=utf-8" if suffix in _TEXTS or name in _TEXT_NAMES else "application/octet-stream"


@lru_cache(4096)
def content_disposition(path: str, *, attachment: bool) -> str:
    """As the public hub spells it.  Whatever the file's name holds, it stays one header with one name."""
    name = path.rpartition("/")[2]
    plain = "".join(char if " " <= char <= "~" and char not in '"\\' else "_" for char in name)
    kind = "attachment" if attachment else "inline"
    return f"{kind}; filename*=UTF-8''{quote(name, safe='', errors='replace')}; filename=\"{plain}\";"


def file_headers(entry: Entry, commit: str, *, attachment: bool) -> dict[str, str]:
    """hub-protocol section 5.2.  The etag is strong and bare hex: clients make a file name of it."""
    type_ = content_type(entry.path)
    return {
        "X-Repo-Commit": commit,
        "ETag": f'"{entry.etag}"',
        "Accept-Ranges": "bytes",
        "Content-Disposition": content_disposition(entry.path, attachment=attachment),
        "Content-Type": type_,
        "Content-Security-Policy": f"{_SANDBOX}; style-src 'unsafe-inline'" if "svg" in type_ else _SANDBOX,
        "X-Content-Type-Options": "nosniff",
        # A copy may be kept, and must be asked for each time: access may have ended since.
        "Cache-Control": "private, no-cache",
    }


def serve(
    request: HttpRequest, repo: Repo, git: GitRepo, entry: Entry, commit: str, *, on_download: Callable[[], None]
) -> HttpResponseBase:
    """The answer to a GET or HEAD of a file that the caller may have.

    `on_download` is called once the answer is out, if it held the file or its beginning.  Raises RangeNotSatisfiable,
    and EntryNotFound where the bytes are missing.
    """
    headers = file_headers(entry, commit, attachment=flag(request.GET.get("download")))
    known = get_conditional_response(request, etag=headers["ETag"])
    if known is not None:
        for name in _OF_WHAT_IS_KNOWN:
            known[name] = headers[name]
        return known
    if request.method == "HEAD":
        response: HttpResponseBase = HttpResponse()
        response["Content-Length"] = str(entry.size)
    else:
        part = _part(request, headers["ETag"], entry.size)
        response = _body(repo, git, entry, commit, part)
        if "X-Accel-Redirect" in response:
            del headers["Accept-Ranges"]  # nginx adds its own.
        if part is None or part.start == 0:
            response._resource_closers.append(on_download)  # type: ignore[attr-defined]  # There is no public hook.
    for name, value in headers.items():
        response[name] = value
    return response


def serve_object(request: HttpRequest, repo: Repo, sha256: str, size: int) -> HttpResponseBase:
    """The bytes of one large file, for git-lfs, which asks by hash.  Raises as `serve` does."""
    pointer = LfsPointer(sha256=sha256, size=size, pointer_size=0)
    entry = Entry(type="file", path=sha256, oid="", size=size, lfs=pointer)
    if request.method == "HEAD":
        response: HttpResponseBase = HttpResponse(headers={"Content-Length": str(size)})
    else:
        response = _body(repo, None, entry, "", _part(request, f'"{sha256}"', size))
    response["Content-Type"] = "application/octet-stream"
    response["ETag"] = f'"{sha256}"'
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-cache"
    return response


def _part(request: HttpRequest, etag: str, size: int) -> ByteRange | None:
    """The range asked for, None for the whole file; also when `If-Range` names another state of it."""
    only_if = request.headers.get("If-Range", "").strip()
    if only_if and only_if != etag:
        return None
    return byte_range(request.headers.get("Range", ""), size)


def _body(repo: Repo, git: GitRepo | None, entry: Entry, commit: str, part: ByteRange | None) -> HttpResponseBase:
    if entry.lfs is not None and settings.DOWNLOAD_MODE == "accel":
        accelerated = _by_nginx(repo, entry, commit)
        if accelerated is not None:
            return accelerated
    wanted = part or ByteRange(0, entry.size, entry.size)
    if entry.lfs is not None:
        response = _from_store(repo, entry, commit, wanted)
    else:
        assert git is not None  # Only large files are served without their repository.
        response = _from_git(git, entry, wanted)
    response["Content-Length"] = str(wanted.length)
    if part is not None:
        response.status_code = 206
        response["Content-Range"] = part.content_range
    return response


def _from_git(git: GitRepo, entry: Entry, wanted: ByteRange) -> HttpResponseBase:
    return StreamingHttpResponse(git.iter_blob(entry.oid, start=wanted.start, stop=wanted.stop))


class _ObjectResponse(FileResponse):
    """A file from where it stands to its end: the app server sends it with sendfile, if it can."""

    block_size = PIECE


class _Part:
    """The next `length` bytes of a file, piece by piece."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        self._file = file
        self._left = length

    def __iter__(self) -> _Part:
        return self

    def __next__(self) -> bytes:
        piece = self._file.read(min(PIECE, self._left))
        if not piece:
            raise StopIteration
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        self._file.close()


def _from_store(repo: Repo, entry: Entry, commit: str, wanted: ByteRange) -> HttpResponseBase:
    assert entry.lfs is not None
    try:
        file = objects.open(repo.storage_id, entry.lfs.sha256)
    except FileNotFoundError:
        raise _lost(repo, entry, commit) from None
    if wanted.start:
        file.seek(wanted.start)
    if wanted.stop == wanted.size:
        return _ObjectResponse(file, content_type="application/octet-stream")
    # An app server's sendfile may not know where to stop.
    return StreamingHttpResponse(_Part(file, wanted.length))


def _by_nginx(repo: Repo, entry: Entry, commit: str) -> HttpResponseBase | None:
    """Let nginx send it, ranges and all (docker/nginx.conf.template); None where the store is not its folder."""
    assert entry.lfs is not None
    path = objects.local_path(repo.storage_id, entry.lfs.sha256)
    if path is None or not path.is_relative_to(settings.GATEHUB_OBJECTS_DIR):
        return None
    if not path.is_file():
        raise _lost(repo, entry, commit)
    response = HttpResponse()
    response["X-Accel-Redirect"] = f"/_objects/{objects.key(repo.storage_id, entry.lfs.sha256)}"
    return response


def _lost(repo: Repo, entry: Entry, commit: str) -> EntryNotFound:
    log.error("The object %s of %s is named in the database and not in the store.", entry.etag, repo)
    return EntryNotFound(f"The contents of {entry.path!a} are missing on the server.", commit=commit)
