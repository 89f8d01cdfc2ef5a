"""`{GATEHUB_ADMIN_PATH}/notifications/delivery/{key}/mail/`: a mail that was written to a file, for staff.

What others wrote is in it, so its text is shown as text; its HTML in a frame that runs nothing, loads nothing and
belongs to no site.  A mail whose links open an account, or agree for somebody, is for superusers.
"""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from functools import wraps
from pathlib import Path
from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.errors import NotFound
from accounts.models import User
from notifications.models import Delivery, Kind

MOST_BYTES = 5 * 1024**2
SECRET_KINDS = (Kind.ACCOUNT, Kind.CONFIRM_ADDRESS)
_CSP_OF_HTML = "; ".join(
    [
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
        "sandbox",
    ]
)
"""Mails carry their style in their tags.  Nothing else is done or loaded, wherever the page is opened."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it is in its file."""

    headers: list[tuple[str, str]]
    text: str
    html: str


View = Callable[[HttpRequest, Delivery], HttpResponse]


def _staff_only(view: View) -> Callable[..., Any]:
    """For whoever is signed in to the admin and may see the delivery, which the address names by its key."""

    @wraps(view)
    def guarded(request: HttpRequest, key: int) -> HttpResponse:
        if not admin.site.get_model_admin(Delivery).has_view_permission(request):
            raise PermissionDenied
        delivery = Delivery.objects.filter(pk=key).first()
        if delivery is None:
            raise NotFound("There is no such delivery.")
        return view(request, delivery)

    return require_safe(admin.site.admin_view(guarded))


def _is_hidden(request: HttpRequest, delivery: Delivery) -> bool:
    user = request.user
    return delivery.kind in SECRET_KINDS and not (isinstance(user, User) and user.is_active and user.is_superuser)


@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # It takes any view.
def _page(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    hidden = _is_hidden(request, delivery)
    context = {
        **admin.site.each_context(request),
        "title": f"Mail: {delivery}",
        "opts": Delivery._meta,
        "delivery": delivery,
        "object": delivery,  # The heading names it.
        "hidden": hidden,
        "letter": None if hidden else read(delivery),
    }
    return render(request, "admin/notifications/mail.html", context)


def _html(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    letter = None if _is_hidden(request, delivery) else read(delivery)
    if letter is None or not letter.html:
        raise NotFound("There is no HTML of this mail.")
    response = HttpResponse(letter.html)
    response["Content-Security-Policy"] = _CSP_OF_HTML
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response


mail = _staff_only(_page)  # type: ignore[arg-type]
mail_html = _staff_only(_html)


def read(delivery: Delivery) -> Letter | None:
    """The mail of a delivery; None when there is no such file, or not any more."""
    file = _file_of(delivery)
    if file is None:
        return None
    with file.open("rb") as opened:
        message = email.message_from_bytes(opened.read(MOST_BYTES), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    headers = [(name, str(value)) for name, value in message.items()]
    return Letter(headers, _part(message, "plain"), _part(message, "html"))


def _file_of(delivery: Delivery) -> Path | None:
    """The file that the row names, where that is the name of a plain file in the folder of mails and nothing else."""
    folder = Path(settings.EMAIL_FILE_PATH)
    name = delivery.file
    if not name.endswith(".eml") or name.startswith(".") or Path(name).name != name or "\0" in name:
        return None
    file = folder / name
    return file if file.is_file() and not file.is_symlink() else None


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if part is None:
        return ""
    raw = part.get_payload(decode=True)
    assert isinstance(raw, bytes)
    return raw.decode(errors="replace")
