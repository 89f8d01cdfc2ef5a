"""Refusals of the gate and of the review.  Words as in hub-protocol sections 7.4 and 7.5."""

from __future__ import annotations

from accounts.errors import BadRequest, Conflict, HubError, NotAllowed, NotFound


class InvalidCredentials(HubError):
    """A token that is malformed, unknown, expired, or of a deactivated person.

    The message is compared by clients letter for letter; the body says more.
    """

    status = 401
    default_message = "Invalid credentials in Authorization header"


class LoginRequired(HubError):
    """A stranger asks for what needs a person."""

    status = 401
    default_message = "Invalid username or password."
    default_user_message = "Sign in first: this is for people with an account here."


class GatedRepo(NotAllowed):
    """The gate is closed for the caller; the text says why and what to do."""

    code = "GatedRepo"
    default_message = "Access to this repo is restricted."


class RepoNotGated(BadRequest):
    """Access requests make sense for gated repos only."""

    code = "RepoNotGated"


class AlreadyHasAccess(BadRequest):
    """A grant would change nothing."""

    default_message = "That user already has access to the repo"
    default_user_message = "They can download the files already. Nothing was changed."


class FormChanged(Conflict):
    """The form that was answered is not the one in force any more: nobody agrees to what they have not read."""

    default_message = "The authors have changed this form since you opened it. Nothing was sent."


class NoAccessRequest(NotFound):
    """No such request, or it is in the state already that was asked for."""

    default_message = "No access request found matching your criteria"
    default_user_message = (
        "This request is not there any more: it was taken back, or the account was deleted. Nothing was changed."
    )
