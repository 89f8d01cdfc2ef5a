"""`GET /[datasets/]{repo_id}/user-access-report`: everybody who asked, for reviewers (hub-protocol section 7.6)."""

from __future__ import annotations

from django.http import StreamingHttpResponse
from django.urls.resolvers import URLPattern
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from access import report
from access.policy import Action
from accounts.errors import BadRequest
from accounts.models import AuditEvent
from gatehub.hub.base import HubView, web_repo_paths


class ReportView(HubView):
    """Streamed, with `?format=json` (as on the Hub, the default), `csv` or `jsonl`."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, **_: str) -> StreamingHttpResponse:
        repo = self.find_repo(Action.REQUESTS_VIEW)
        name = request.query_params.get("format", "json")
        if name not in report.FORMATS:
            raise BadRequest(f"format must be one of {', '.join(report.FORMATS)}.")
        rows, content_type = report.FORMATS[name]
        if request.method != "HEAD":  # Which exports nothing.
            AuditEvent.record(by=self.actor, verb="report:export", target=str(repo), repo=repo.pk, after=name)
        response = StreamingHttpResponse(report.in_pieces(rows(repo)), content_type=content_type)
        file = f"user-access-report-{repo.namespace.name}-{repo.name}.{name}"
        response["Content-Disposition"] = f'attachment; filename="{file}"'
        response["Cache-Control"] = "no-store"
        return response


urlpatterns: list[URLPattern] = [*web_repo_paths("user-access-report", ReportView.as_view(), "user_access_report")]
