"""`/settings/addresses`: django-allauth's page, with what is wrong with an address and how it is used again.  And the
page on which an address is confirmed.

django-allauth sends an address one link in three minutes, and where it sends none it says nothing, so this page does.
"""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.email_verification import consume_email_verification_rate_limit
from allauth.account.internal.stagekit import LOGIN_SESSION_KEY
from allauth.account.utils import user_pk_to_url_str
from allauth.account.views import ConfirmEmailView, EmailView
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.errors import BadRequest
from gatehub.web.base import FORM, attempt, caller, only, person, signed_in
from notifications import addresses


class AddressesPage(EmailView):  # type: ignore[misc]  # allauth has no types.
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Each address with its `problem`, and whether the person `may_use_again` what has one."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        user = person(self.request)
        problems = {problem.address: problem for problem in addresses.problems_of(user)}
        for address in context["emailaddresses"]:
            address.problem = problems.get(address.email.lower())
            address.may_use_again = address.problem is not None and addresses.may_use_again(address.problem, user)
        return context

    def form_valid(self, form: Any) -> HttpResponse:
        """Add the address that the form holds.  It may have been here, and taken away, a moment ago."""
        address = form.cleaned_data["email"]
        may_send = _may_send(self.request, address)
        response: HttpResponse = super().form_valid(form)
        if not may_send:
            _tell_of_no_mail(self.request, address)
        return response

    def _action_send(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | None:
        address = self._get_email_address(request)
        if address is not None and address.verified:  # Since the page was shown; a link would lead nowhere.
            messages.info(request, f"{address.email} is verified already. No mail was sent.")
            return None
        response: HttpResponse | None = super()._action_send(request, *args, **kwargs)
        if address is not None and not self._did_send_verification_email:
            _tell_of_no_mail(request, address.email)
        return response


class ConfirmPage(ConfirmEmailView):  # type: ignore[misc]  # allauth has no types.
    """Leads by way of the sign-in to where the sign-up came from, in the same browser: another cannot know."""

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Confirm the address, with which django-allauth forgets the sign-in that waited for it."""
        # As old as it may be, while it could go on for a quarter of an hour: the mail takes its time.
        self._waiting: dict[str, Any] = self.request.session.get(LOGIN_SESSION_KEY) or {}
        response: HttpResponse = super().post(*args, **kwargs)
        return response

    def get_redirect_url(self) -> str:
        page, user = self._waiting.get("redirect_url"), self.object.email_address.user
        is_theirs = self._waiting.get("user_pk") == user_pk_to_url_str(user)
        if self.request.user.is_authenticated or not is_theirs or not page:
            return str(super().get_redirect_url())
        return redirect_to_login(page).url


def _may_send(request: HttpRequest, address: str) -> bool:
    return bool(consume_email_verification_rate_limit(request, address, dry_run=True))


def _tell_of_no_mail(request: HttpRequest, address: str) -> None:
    messages.warning(
        request,
        f"No mail was sent to {address}: the last one is less than three minutes old. Send the link again later.",
    )


@signed_in
@only(*FORM)
def use_again(request: HttpRequest) -> HttpResponse:
    """`/settings/addresses/use-again`; the form sends `email`."""

    def act() -> None:
        address = request.POST.get("email", "")
        if not address:
            raise BadRequest("The form is not complete. Nothing was changed.")
        addresses.use_again(address=address, by=caller(request))
        messages.success(request, f"Mails go to {address} again. If one comes back, we stop again and tell you here.")

    attempt(request, act)
    return redirect("account_email")
