"""The page behind the link in a confirmation mail.  Its reader may be a stranger, and needs no account.

A look at it changes nothing: scanners of mail open every link.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.errors import BadRequest
from gatehub.web.base import FORM, SHOW, caller, only, render_private
from repos import notification_address


@only(*SHOW, *FORM)
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """`/notifications/address/{token}`; the form sends `answer`: `confirm` or `refuse`."""
    if request.method == "POST":
        answer = _ANSWERS.get(request.POST.get("answer", ""))
        if answer is None:
            raise BadRequest("The form is not complete. Nothing was changed.", next_step="Go back and press a button.")
        answer(token, by=caller(request))
        return redirect(request.path)
    link = notification_address.find_link(token)
    context = {"link": link, "repo": link.repo, "asked_by": link.repo.gated_notifications_email_set_by}
    return render_private(request, "notifications/confirm_address.html", context)


_ANSWERS = {"confirm": notification_address.confirm, "refuse": notification_address.refuse}
