"""`/settings/security`: second factors.  django-allauth's views do the work."""

from __future__ import annotations

from functools import wraps

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from gatehub.web.base import SHOW, View, only, person, render_private, signed_in


@signed_in
@only(*SHOW)
def index(request: HttpRequest) -> HttpResponse:
    """What the person has, and what can be added."""
    user = person(request)
    factors: dict[str, list[Authenticator]] = {type_: [] for type_ in Authenticator.Type.values}
    for authenticator in Authenticator.objects.filter(user=user).order_by("created_at", "pk"):
        factors[authenticator.type].append(authenticator)
    recovery = factors[Authenticator.Type.RECOVERY_CODES]
    context = {
        "app": next(iter(factors[Authenticator.Type.TOTP]), None),
        "keys": factors[Authenticator.Type.WEBAUTHN],
        "has_recovery_codes": bool(recovery),
        "codes_left": len(recovery[0].wrap().get_unused_codes()) if recovery else 0,
    }
    return render_private(request, "mfa/index.html", context)


def _secret(view: View) -> View:
    """The page shows what nobody else may see, so no cache keeps it, not even the browser's."""

    @wraps(view)
    def shown(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    return shown


# Factors and their audit events together or not at all.  django-allauth writes the mail of a new one once that is done.
add_app = _secret(transaction.atomic(totp.activate_totp))
remove_app = transaction.atomic(totp.deactivate_totp)
add_key = transaction.atomic(webauthn.add_webauthn)
remove_key = transaction.atomic(webauthn.remove_webauthn)
recovery_codes = _secret(codes.view_recovery_codes)
new_recovery_codes = transaction.atomic(codes.generate_recovery_codes)
