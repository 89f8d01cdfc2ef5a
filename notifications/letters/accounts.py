"""About one's account, and to an address that somebody wants notifications to go to."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from notifications import confirmations, sealed
from notifications.letters.base import About, Letter, NothingToSay, in_words, letter, public_url, subject_line
from notifications.models import Delivery
from notifications.plain import unlinked, within_a_sentence, wrapped
from repos import notification_address


def token_created(delivery: Delivery) -> Letter:
    if delivery.user is None:
        raise NothingToSay("The person is gone.")
    data = delivery.message.data
    expires_at = data.get("expires_at")
    context = {
        "name": within_a_sentence(str(data.get("name", ""))),
        "role": unlinked(str(data.get("role", ""))),
        "when": in_words(delivery.message.created_at),
        "expires": in_words(datetime.fromisoformat(expires_at)) if expires_at else "",
        "from_address": unlinked(str(data.get("address") or "")),
        "tokens_url": public_url(reverse("tokens")),
        "password_url": public_url(reverse("account_change_password")),
        "username": unlinked(delivery.user.username),
    }
    return letter(delivery, "token", "A new access token was created", context)


def account(delivery: Delivery) -> Letter:
    if not delivery.message.sealed:
        raise NothingToSay("What it said was forgotten when it was sent.")
    try:
        said = sealed.open_(delivery.message.sealed)
    except sealed.CannotOpen as error:
        raise NothingToSay(str(error)) from None
    return Letter(subject=subject_line(said["subject"]), text=wrapped(said["text"]), html=said["html"])


def confirm_address(delivery: Delivery) -> Letter:
    """It names people by their user name alone: a full name may hold any text, and the reader is a stranger."""
    mail = confirmations.find(delivery)
    if mail is None or not confirmations.is_due(mail):
        raise NothingToSay("The address does not wait for a confirmation any more.")
    repo = mail.repo
    assert repo is not None  # `is_due` has looked.
    token = notification_address.token_for(repo, mail.at)
    context = {
        "about": About.of(repo),
        "asked_by": unlinked(mail.asked_by.username) if mail.asked_by else "",
        "asked_by_url": public_url(mail.asked_by.get_absolute_url()) if mail.asked_by else "",
        "link": public_url(reverse("confirm_notification_address", args=[token])),
        "until": in_words(mail.at + notification_address.LINK_LIFE),
    }
    subject = f"Do you want the notifications of {repo.repo_id}?"
    return letter(delivery, "confirm_address", subject, context, repo=repo)
