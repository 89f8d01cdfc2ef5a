"""Refusals in words, each with its cause and the next step.  They decide nothing: `access.policy` says what is so."""

from __future__ import annotations

from access.actions import Action
from access.errors import GatedRepo, LoginRequired
from access.models import AccessRequest
from accounts.actor import Actor
from accounts.errors import HubError, NotAllowed
from repos.errors import RepoDisabled, RepoNotFound
from repos.models import Repo

REGION_REFUSED = "This repository is not offered in your region."

NEEDS = {
    Action.CARD_VIEW: "see this repository",
    Action.FILES_READ: "read these files",
    Action.FILES_WRITE: "write to this repository",
    Action.ACCESS_ASK: "ask for access",
    Action.SETTINGS_CHANGE: "change the settings of this repository",
    Action.REQUESTS_VIEW: "see access requests",
    Action.REQUESTS_REVIEW: "review access requests",
    Action.REPO_DELETE: "delete this repository",
    Action.REPO_MOVE: "move this repository",
}
"""What an act is called after "may not"."""


def hidden(actor: Actor) -> RepoNotFound:
    """The answer for a repo that is missing and for one that the caller may not know of: the same for both."""
    error = RepoNotFound()
    if actor.anonymous:
        error.status = 401
        error.next_step = "If the repository is private, sign in or send a token: {url}"
        error.help_path = "/login"
    return error


def of_act(actor: Actor, action: Action, repo: Repo, *, token_is_the_problem: bool) -> HubError:
    """To whoever sees the repo, of anything but reading its files."""
    if actor.anonymous:
        return LoginRequired(next_step="Sign in, or send a token: {url}", help_path="/login")
    if action is Action.FILES_WRITE and repo.disabled:
        return RepoDisabled()
    if token_is_the_problem:
        return token_too_narrow(actor, NEEDS[action])
    return NotAllowed(
        "You have read access but not the required permissions for this operation",
        user_message=f"You may not {NEEDS[action]}.",
    )


def of_gate(actor: Actor, repo: Repo, *, token_is_the_problem: bool, abroad: bool) -> HubError:
    """The seven texts of the gate; bad and expired tokens got theirs on the way in.

    `abroad` says that the form in force lets nobody in from where the actor is.
    """
    if repo.disabled:
        return RepoDisabled()
    restricted = f"Access to {repo.type} {repo.repo_id} is restricted"
    if actor.user is None:
        error = GatedRepo(
            f"{restricted}. You must have access to it and be authenticated to access it. Please log in. "
            "Visit {url} to ask for access.",
            user_message=f"{restricted}. Sign in, then ask for access on its page: {{url}}",
            help_path=repo.path,
        )
        error.status = 401
        return error
    if token_is_the_problem:
        return GatedRepo(
            f"{restricted} and your token is the problem: you have access, but your fine-grained token "
            f"'{actor.token.name}' may not read this repo. Give a token the permission to read gated repos at {{url}}",
            help_path="/settings/tokens",
        )
    found = AccessRequest.objects.filter(repo=repo, user=actor.user_id).first()
    if abroad:
        return region_refused(repo, f"{restricted}. ")
    if found is None or found.is_accepted:
        # An accepted request that does not open the files was refused by a rule that has no text of its own.
        return GatedRepo(
            f"{restricted} and you are not in the authorized list. Visit {{url}} to ask for access.",
            user_message=f"{restricted}, and you have no access to its files. Ask for it on its page: {{url}}",
            help_path=repo.path,
        )
    if found.is_pending:
        return GatedRepo(
            f"Your request to access {repo.type} {repo.repo_id} is awaiting a review from the repo authors. "
            "Follow it at {url}",
            user_message=f"Your request to access {repo.type} {repo.repo_id} is awaiting a review from its authors. "
            "Follow it on its page: {url}",
            help_path=repo.path,
        )
    reason = found.rejection_reason
    return GatedRepo(
        f"Your request to access {repo.type} {repo.repo_id} has been rejected by the repo's authors."
        " See {url}" + (f" Reason: {reason}" if reason else ""),
        user_message=f"Your request to access {repo.type} {repo.repo_id} has been rejected by its authors. "
        + (f"Their reason: “{reason}”. " if reason else "")
        + "See it on its page: {url}",
        help_path=repo.path,
    )


def region_refused(repo: Repo, before: str = "") -> GatedRepo:
    """The form in force lets nobody in from where the caller is."""
    return GatedRepo(
        f"{before}{REGION_REFUSED} Visit {{url}} for its terms.",
        user_message=f"{before}{REGION_REFUSED} Read its terms on its page: {{url}}",
        help_path=repo.path,
    )


def token_too_narrow(actor: Actor, purpose: str) -> NotAllowed:
    """For a person who may, with a token that may not."""
    return NotAllowed(
        f"Your token '{actor.token.name}' with the role {actor.token.role} may not {purpose}. "
        "Create one that may at {url}",
        help_path="/settings/tokens",
    )
