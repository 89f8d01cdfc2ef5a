"""Which mails somebody gets: the page for it, and the page behind the link in each mail."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt

from accounts.actor import Actor, Entrance
from accounts.errors import BadRequest
from gatehub.authentication import client_address
from gatehub.web.base import FORM, SHOW, caller, only, person, render_private, signed_in
from notifications import addresses, opt_outs
from notifications.models import OptOut

Topic = OptOut.Topic


@signed_in
@only(*SHOW, *FORM)
def settings_page(request: HttpRequest) -> HttpResponse:
    """`/settings/notifications`; the form sends `topic` for each that is wanted."""
    user = person(request)
    if request.method == "POST":
        wanted = request.POST.getlist("topic")
        with transaction.atomic():
            for topic in Topic:
                turn = opt_outs.turn_on if topic in wanted else opt_outs.turn_off
                turn(user, topic, by=caller(request))
        messages.success(request, "Your choice is saved.")
        return redirect("mail_settings")
    off = opt_outs.topics_off(user)
    context = {
        "topics": [(topic.value, topic.label, topic not in off) for topic in Topic],
        "problems": [(problem, addresses.may_use_again(problem, user)) for problem in addresses.problems_of(user)],
    }
    return render(request, "me/notifications.html", context)


@csrf_exempt
@only(*SHOW, *FORM)
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """`/notifications/unsubscribe/{token}`: a look changes nothing, since scanners of mail open every link.

    Mail programs send the form `List-Unsubscribe=One-Click` without cookies (RFC 8058), and follow no redirect; the
    page's own form sends `answer`: `off` or `on`.  The token is all that counts, whoever is signed in.
    """
    if request.method != "POST":
        return _unsubscribe_page(request, opt_outs.find(token))
    wanted = _ANSWERS.get(request.POST.get("answer", "off" if "List-Unsubscribe" in request.POST else ""))
    if wanted is None:
        raise BadRequest("The form is not complete. Nothing was changed.", next_step="Go back and press a button.")
    reader = Actor(entrance=Entrance.PAGE, address=client_address(request))
    return _unsubscribe_page(request, opt_outs.answer(token, wanted=wanted, by=reader), answered=True)


_ANSWERS = {"off": False, "on": True}


def _unsubscribe_page(request: HttpRequest, found: opt_outs.Unsubscription, *, answered: bool = False) -> HttpResponse:
    return render_private(request, "notifications/unsubscribe.html", {"found": found, "answered": answered})
