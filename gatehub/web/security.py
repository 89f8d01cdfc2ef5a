"""`/settings/security`: second factors.  django-allauth's views do the work."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase

from gatehub.web.account_trail import kept_together
from gatehub.web.base import SHOW, only, person, render_private, signed_in


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


def _secret(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The page shows what nobody else may see, so no cache keeps it, not even the browser's."""

    @wraps(view)
    def shown(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    return shown


# Factors and their audit events together or not at all.  django-allauth writes the mail of a new one once that is done.
add_app = _secret(kept_together(totp.activate_totp))
remove_app = kept_together(totp.deactivate_totp)
add_key = kept_together(webauthn.add_webauthn)
remove_key = kept_together(webauthn.remove_webauthn)
recovery_codes = _secret(codes.view_recovery_codes)
new_recovery_codes = kept_together(codes.generate_recovery_codes)
