"""Reports of requests of any repos, streamed: those that were ticked, or all that the filter of the list matches."""

from __future__ import annotations

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from access import report
from access.admin.asking import Asked
from access.admin.deciding import Order, chosen_filter
from access.models import AccessRequest
from accounts.errors import BadRequest
from accounts.staff import actor_of

EXPORTS: dict[str, tuple[str, str]] = {
    # Format, words.
    "export_csv": ("csv", "Export CSV"),
    "export_json": ("json", "Export JSON"),
    "export_jsonl": ("jsonl", "Export JSON Lines"),
}


def export(request: HttpRequest, asked: Asked) -> StreamingHttpResponse:
    """Raises BadRequest for nothing ticked, and for a filter that is not understood."""
    order = Order.of(request)
    name, _ = EXPORTS[order.action]
    if order.everything:
        chosen = chosen_filter(asked, order.until)
        requests = chosen.requests()
        told = {name: value for name, value in chosen.to_json().items() if value not in (None, "")}
    else:
        keys = [key for key, _ in order.seen]
        if not keys:
            raise BadRequest("Nobody is selected.", next_step="Tick those whom you want to export, or choose all.")
        requests, told = AccessRequest.objects.filter(pk__in=keys).order_by(), {"requests": keys}
    report.record_export(actor_of(request), name, None, told)
    pieces = report.stream(name, requests, across_repos=True)
    response = StreamingHttpResponse(pieces, content_type=report.FORMATS[name].content_type)
    response["Content-Disposition"] = f'attachment; filename="access-requests-{timezone.now():%Y-%m-%d}.{name}"'
    response["Cache-Control"] = "no-store"
    return response
