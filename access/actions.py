"""What can be done with a repo.  Who may do what is said in `access.policy` alone."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What can be done with a repo."""

    CARD_VIEW = "card:view"  # See the repo, its card, its file names.
    FILES_READ = "files:read"
    FILES_WRITE = "files:write"
    ACCESS_ASK = "access:ask"
    SETTINGS_CHANGE = "settings:change"
    REQUESTS_VIEW = "requests:view"  # The three lists and the report.
    REQUESTS_REVIEW = "requests:review"
    REPO_DELETE = "repo:delete"
    REPO_MOVE = "repo:move"
