"""The contents of repos: commits, branches, tags, and which large files a repo holds.

A commit takes a row lock on the repo, checks its parent, writes objects, and moves the branch compare-and-set.  A
crash at any point leaves the old head intact; `sync` brings the columns of a repo up to date with the head of main.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from accounts.actor import SYSTEM, Actor
from accounts.errors import BadRequest, NotAllowed
from accounts.models import AuditEvent
from repos import cards, objects
from repos.cards import metadata
from repos.errors import EntryNotFound, InvalidRevision, RevisionNotFound, StaleParent
from repos.git import (
    AddBlob,
    AddPointer,
    Author,
    DeleteFile,
    DeleteFolder,
    GitRepo,
)
from repos.models import GateForm, LfsObject, Repo, RepoTag, git_dir_of

MAIN = "main"
CARD = "README.md"
CARD_MAX_BYTES = 2 * 1024**2

GITATTRIBUTES = "".join(
    f"{pattern} filter=lfs diff=lfs merge=lfs -text\n"
    for pattern in (
        "*.7z *.arrow *.avro *.bin *.bz2 *.ckpt *.ftz *.gguf *.gz *.h5 *.joblib *.lz4 *.mlmodel *.model *.msgpack "
        "*.npy *.npz *.onnx *.ot *.parquet *.pb *.pickle *.pkl *.pt *.pth *.rar *.safetensors saved_model/**/* "
        "*.tar.* *.tar *.tflite *.tgz *.wasm *.xz *.zip *.zst *tfevents* "
        "*.mp3 *.wav *.flac *.ogg *.mp4 *.webm *.jpg *.jpeg *.png *.gif *.webp *.tiff *.bmp"
    ).split()
)


@dataclass(frozen=True, slots=True)
class AddLargeFile:
    """A large file at a path, of which this repo must hold the bytes.  `size` is None where the client copies."""

    path: str
    sha256: str
    size: int | None = None


Operation = AddBlob | AddLargeFile | DeleteFile | DeleteFolder


def open_git(repo: Repo) -> GitRepo:
    return open_storage(repo.storage_id)


def open_storage(storage_id: str) -> GitRepo:
    """As `open_git`, of a repo of which no more is known."""
    return GitRepo.open(git_dir_of(storage_id))


def author_of(by: Actor) -> Author:
    """The git author of what the actor does: the account, with an address that no mail reaches."""
    if by.user is None:
        return Author(name="GateHub", email="gatehub@localhost")
    return Author(name=by.user.username, email=f"{by.user.username}@users.noreply.gatehub")


def create_storage(repo: Repo, *, by: Actor) -> None:
    """The repo's bare git repository, with a first commit that holds `.gitattributes`."""
    GitRepo.create(repo.git_dir, author=author_of(by), files={".gitattributes": GITATTRIBUTES.encode()})
    sync(repo, by=by)


def delete_storage(repo: Repo) -> None:
    """Remove the bytes of a repo whose row is gone.  What a crash leaves, the sweep removes."""
    shutil.rmtree(repo.git_dir, ignore_errors=True)
    objects.delete_all(repo.storage_id)


def _locked(repo: Repo) -> Repo:
    return Repo.objects.select_for_update(of=("self",)).select_related("namespace", "gate_form").get(pk=repo.pk)


def branch_name(revision: str) -> str:
    """The branch that is meant where something is written.  Raises InvalidRevision for what is no branch."""
    if revision.startswith("refs/heads/"):
        return revision.removeprefix("refs/heads/")
    if revision.startswith("refs/"):
        raise InvalidRevision(f"{revision} is not a branch. Pull requests are not offered here.")
    return revision


@dataclass(frozen=True, slots=True)
class NewCommit:
    """What a commit changes.  `parent` is the head that the client saw, in full or in its first 7+ digits, or empty."""

    title: str
    description: str
    operations: Sequence[Operation]
    parent: str = ""


@transaction.atomic
def commit(repo: Repo, branch: str, new: NewCommit, *, by: Actor) -> str:
    """Land a commit on a branch.  Returns its sha.

    Raises RevisionNotFound (no such branch), StaleParent, ConcurrentCommit, EntryNotFound (deletes a missing file),
    and BadRequest for a large file that this repo does not hold.
    """
    repo = _locked(repo)
    git = open_git(repo)
    head = git.head(branch)
    if head is None:
        raise RevisionNotFound(f"There is no branch {branch!r} to commit to.")
    if new.parent and not (len(new.parent) >= 7 and head.startswith(new.parent)):
        raise StaleParent(f"The branch {branch!r} is at {head}, not at the parentCommit {new.parent}.")
    operations = [_as_pointer(repo, op) if isinstance(op, AddLargeFile) else op for op in new.operations]
    sha = git.commit(
        branch,
        operations,
        title=new.title or "Update files",
        description=new.description,
        author=author_of(by),
        expected_head=head,
    )
    AuditEvent.record(by=by, verb="repo:commit", target=f"{repo}@{branch}", repo=repo.pk, before=head, after=sha)
    if branch == MAIN:
        sync(repo, by=by)
    return sha


def _as_pointer(repo: Repo, large: AddLargeFile) -> AddPointer:
    """The pointer to an object of this repo; an object of another repo, or none, is refused."""
    held = LfsObject.objects.filter(repo=repo, sha256=large.sha256).first()
    if held is None:
        raise BadRequest(f"{large.path}: no object {large.sha256} was uploaded to this repository. Upload it first.")
    if large.size is not None and large.size != held.size:
        raise BadRequest(f"{large.path}: the object has {held.size} bytes, not {large.size}.")
    return AddPointer(path=large.path, sha256=held.sha256, size=held.size)


def sync(repo: Repo, *, by: Actor) -> None:
    """Bring the repo's columns, tags and gate form up to date with the head of main, which `by` moved.

    A card that cannot be read keeps the last good form in force and says why in `card_error`.
    """
    git = open_git(repo)
    head = git.head(MAIN)
    if head is None:
        return
    repo.head_sha = head
    repo.last_modified = git.commits(head, limit=1)[0].date
    try:
        card = cards.read(_card_bytes(git, head))
        spec = cards.form_of(card)
    except cards.CardError as error:
        repo.card_error = "\n".join(each.message for each in error.all)
    else:
        repo.card_error = ""
        repo.card_data = card.metadata
        before, repo.gate_form = repo.gate_form, _form_version(repo, spec, head)
        _record_form(repo, before, by=by)
        _set_tags(repo, metadata.tags_of(card.metadata, repo.type))
    repo.save(update_fields=["head_sha", "last_modified", "card_error", "card_data", "gate_form"])


def _card_bytes(git: GitRepo, commit_sha: str) -> bytes:
    try:
        entry = git.entry(commit_sha, CARD)
    except EntryNotFound:
        return b""
    if entry.type != "file" or entry.lfs is not None:
        raise cards.CardError("README.md must be a text file, not a large file or a folder.")
    if entry.size > CARD_MAX_BYTES:
        raise cards.CardError(f"README.md is larger than {CARD_MAX_BYTES} bytes.")
    return git.read_blob(entry.oid)


def _form_version(repo: Repo, spec: cards.FormSpec, commit_sha: str) -> GateForm:
    form, _ = GateForm.objects.get_or_create(
        repo=repo,
        digest=spec.digest,
        defaults={"commit_sha": commit_sha, "spec": spec.to_json(), "eu_disallowed": spec.eu_disallowed},
    )
    return form


def _record_form(repo: Repo, before: GateForm | None, *, by: Actor) -> None:
    """Which version of the gate's form is in force: auditors ask who changed the terms.  Forms that ask nothing and
    never did are no news."""
    after = repo.gate_form
    if after is None or after == before or (before is None and after.digest == cards.FormSpec().digest):
        return
    AuditEvent.record(
        by=by,
        verb="gate_form:change",
        target=str(repo),
        repo=repo.pk,
        before=None if before is None else {"form": before.digest, "commit": before.commit_sha},
        after={"form": after.digest, "commit": after.commit_sha},
    )


def _set_tags(repo: Repo, tags: Iterable[str]) -> None:
    wanted = {tag[:200] for tag in tags}
    had = set(repo.tags.values_list("tag", flat=True))
    if had - wanted:
        repo.tags.filter(tag__in=had - wanted).delete()
    RepoTag.objects.bulk_create([RepoTag(repo=repo, tag=tag) for tag in sorted(wanted - had)], ignore_conflicts=True)


@transaction.atomic
def record_object(repo: Repo, sha256: str, size: int) -> LfsObject:
    """Note that the repo holds an object, whose bytes are stored already."""
    held, _ = LfsObject.objects.get_or_create(repo=repo, sha256=sha256, defaults={"size": size})
    return held


def _change_refs(repo: Repo, *, by: Actor, verb: str, ref: str, change: Callable[[GitRepo], object]) -> None:
    """Create or delete a branch or tag, by its full name."""
    repo = _locked(repo)
    git = open_git(repo)
    before = _commit_at(git, ref)
    change(git)
    target = f"{repo}@{ref.split('/', 2)[2]}"
    AuditEvent.record(by=by, verb=verb, target=target, repo=repo.pk, before=before, after=_commit_at(git, ref))


def _commit_at(git: GitRepo, ref: str) -> str | None:
    try:
        return git.resolve_revision(ref)
    except RevisionNotFound:
        return None


@transaction.atomic
def create_branch(repo: Repo, name: str, *, start: str, by: Actor) -> None:
    """Create a branch at a revision.  Raises RefExists, InvalidRevision, RevisionNotFound."""
    name = branch_name(name)
    _change_refs(
        repo,
        by=by,
        verb="branch:create",
        ref=f"refs/heads/{name}",
        change=lambda git: git.create_branch(name, git.resolve_revision(start or MAIN)),
    )


@transaction.atomic
def delete_branch(repo: Repo, name: str, *, by: Actor) -> None:
    """Delete a branch; `main` stays.  Raises NotAllowed, RevisionNotFound."""
    name = branch_name(name)
    if name == MAIN:
        raise NotAllowed("The branch main cannot be deleted.")
    _change_refs(
        repo, by=by, verb="branch:delete", ref=f"refs/heads/{name}", change=lambda git: git.delete_branch(name)
    )


@transaction.atomic
def create_tag(repo: Repo, name: str, *, revision: str, message: str, by: Actor) -> None:
    """Create a tag at a revision, annotated when there is a message."""
    name = name.removeprefix("refs/tags/")
    _change_refs(
        repo,
        by=by,
        verb="tag:create",
        ref=f"refs/tags/{name}",
        change=lambda git: git.create_tag(name, git.resolve_revision(revision), message or None, author_of(by)),
    )


@transaction.atomic
def delete_tag(repo: Repo, name: str, *, by: Actor) -> None:
    """Delete a tag.  Raises RevisionNotFound."""
    name = name.removeprefix("refs/tags/")
    _change_refs(repo, by=by, verb="tag:delete", ref=f"refs/tags/{name}", change=lambda git: git.delete_tag(name))


@transaction.atomic
def squash(repo: Repo, branch: str, *, message: str, by: Actor) -> str:
    """Replace a branch's history by one commit with the same files.  Returns its sha."""
    branch = branch_name(branch)
    repo = _locked(repo)
    git = open_git(repo)
    if git.head(branch) is None:
        raise RevisionNotFound(f"There is no branch {branch!r}.")
    before = git.head(branch)
    sha = git.squash(branch, message or "Super-squash branch", author_of(by))
    AuditEvent.record(by=by, verb="branch:squash", target=f"{repo}@{branch}", repo=repo.pk, before=before, after=sha)
    if branch == MAIN:
        sync(repo, by=by)
    return sha


@transaction.atomic
def record_push(repo: Repo, *, before: Mapping[str, str], after: Mapping[str, str], by: Actor) -> None:
    """Write down what a push changed, and catch up with main.  `before` and `after` map refs to commit shas."""
    for ref in sorted(before.keys() | after.keys()):
        if before.get(ref) != after.get(ref):
            AuditEvent.record(
                by=by,
                verb="repo:push",
                target=f"{repo}@{ref}",
                repo=repo.pk,
                before=before.get(ref),
                after=after.get(ref),
            )
    repo = _locked(repo)
    if open_git(repo).head(MAIN) != repo.head_sha:
        sync(repo, by=by)


@transaction.atomic
def sync_if_behind(repo: Repo) -> bool:
    """After a crash between the move of a branch and the end of its transaction, or a push: catch up with main."""
    repo = _locked(repo)
    if open_git(repo).head(MAIN) == repo.head_sha:
        return False
    before = repo.head_sha
    sync(repo, by=SYSTEM)
    AuditEvent.record(
        by=SYSTEM, verb="repo:sync", target=str(repo), repo=repo.pk, before=before or None, after=repo.head_sha
    )
    return True
