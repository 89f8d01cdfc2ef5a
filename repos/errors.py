"""What can go wrong with repos and their contents.  Codes as in the Hub protocol, section 1.5."""

from __future__ import annotations

from accounts.errors import BadRequest, Conflict, HubError, NotFound


class RepoNotFound(NotFound):
    """There is no such repo, or the caller may not know of it: both look alike."""

    code = "RepoNotFound"
    default_message = "Repository not found."
    default_user_message = "There is no such repository, or you may not see it."


class RevisionNotFound(NotFound):
    """No branch, tag or commit of that name."""

    code = "RevisionNotFound"
    default_message = "Revision not found."


class EntryNotFound(NotFound):
    """No file or folder at that path; `commit` is the resolved commit sha, so that clients can remember it."""

    code = "EntryNotFound"
    default_message = "Entry not found."

    def __init__(self, message: str = "", *, commit: str = "") -> None:
        super().__init__(message, headers={"X-Repo-Commit": commit} if commit else None)


class RepoDisabled(HubError):
    """Staff have disabled the repo.  Clients compare the text letter for letter."""

    status = 403
    default_message = "Access to this resource is disabled."


class StaleParent(HubError):
    """`parentCommit` is not the head any more: 412, clients fetch and try again."""

    status = 412
    default_message = "The branch has moved on: parentCommit is not its head."


class RefExists(Conflict):
    """A branch or tag of that name exists."""

    default_message = "Reference already exists."


class ConcurrentCommit(Conflict):
    """Another commit to the same branch landed first."""

    default_message = "Another commit landed at the same time. Fetch the new head and try again."


class InvalidPath(BadRequest):
    """A path that no file in a repo can have."""

    default_message = "The path is not valid."


class InvalidRevision(BadRequest):
    """A name that no branch or tag can have."""

    default_message = "The revision name is not valid."


class CorruptUpload(BadRequest):
    """Bytes do not match the size or the hash that was announced.  Nothing was stored."""

    default_message = "The upload does not match its announced size or hash. Nothing was stored."


class InvalidLink(NotFound):
    """A link of a mail that was never sent, or that confirms nothing any more."""

    default_message = "This link is not valid any more, or it is not complete."

    def __init__(self) -> None:
        super().__init__(next_step="Copy it whole from the newest mail that you got.")


class LinkExpired(HubError):
    """A link that was valid once."""

    status = 410
    default_message = "This link has expired."


class TooManyMails(HubError):
    """An address, or a person who asks, has had as many mails as are allowed for now."""

    status = 429
    default_message = "No further mail can be sent now."


class RepoMoved(HubError):
    """The id is an old one; `old_id` and `new_id` tell where to go.  Answered with 307, so that bodies are kept."""

    status = 307
    default_message = "This repository has moved."

    def __init__(self, *, old_id: str, new_id: str) -> None:
        self.old_id = old_id
        self.new_id = new_id
        super().__init__(f"This repository has moved to {new_id}.")
