"""`/webhooks/anymail/{service}/tracking/`: the mail service tells what became of our mails.

django-anymail's views check that it is the service that speaks, by its signature or by the secret in the address that
it was given, and `notifications.tracking` hears what it says.  The address is there only for the service through which
mails are sent, and only once it can prove who it is.
"""

from __future__ import annotations

import logging
from typing import Any

from anymail import urls as anymail_urls
from anymail.exceptions import AnymailConfigurationError, AnymailError, AnymailWebhookValidationFailure
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.errors import BadRequest, NotFound
from notifications import tracking as _listening  # noqa: F401 - its receiver listens once it is imported.

log = logging.getLogger("gatehub.mail_webhooks")

_VIEWS: dict[str, Any] = {
    pattern.name.removesuffix("_tracking_webhook"): pattern.callback
    for pattern in anymail_urls.urlpatterns
    if pattern.name.endswith("_tracking_webhook")
}
_NONSENSE = (ValueError, LookupError, TypeError, AttributeError, AnymailError, AnymailConfigurationError)


def make(service: str) -> None:
    """Make what checks the service's calls, to see whether it can be made.  Raises what django-anymail raises."""
    _VIEWS[service].view_class()


@csrf_exempt
def tracking(request: HttpRequest, service: str) -> HttpResponse:
    """Answers with an error to whatever was not taken, which makes the service tell it again."""
    if not settings.MAIL_WEBHOOKS or service != settings.MAIL_SERVICE:
        raise NotFound("There is nothing at this address.")
    try:
        response: HttpResponse = _VIEWS[service](request)
    except AnymailWebhookValidationFailure as error:
        log.warning("A webhook call was refused: %s", error)
        raise BadRequest("The call does not come from the mail service. Nothing was changed.") from None
    except _NONSENSE as error:
        log.warning("A webhook call of %s could not be read.", service, exc_info=error)
        raise BadRequest("The call cannot be read.") from None
    return response
