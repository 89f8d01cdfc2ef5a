"""`/settings/addresses`: django-allauth's page, with what is wrong with an address and how it is used again."""

from __future__ import annotations

from typing import Any

from allauth.account.views import EmailView
from django.contrib import messages
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
