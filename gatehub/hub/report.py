"""`GET /[datasets/]{repo_id}/user-access-report`: everybody who asked, for reviewers (hub-protocol section 7.6)."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls.resolvers import URLPattern
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from access import report
from access.models import AccessRequest
from access.policy import Action
from accounts.errors import InvalidFields
from gatehub.hub.base import HubView, web_repo_paths
from repos.models import Repo

_MOMENT = "a date, which is a day in UTC, or a time such as 2026-01-31T10:20:30Z"


class ReportView(HubView):
    """Streamed, with `?format=json` (as on the Hub, the default), `csv` or `jsonl`."""

    @extend_schema(
        description=(
            "The report of a repo's access requests, as a file: JSON as on the Hub, or CSV and JSON Lines with the "
            "answers, the reviewer, the reason and the form version. A report that ends early ends in a broken row."
        ),
        parameters=[
            OpenApiParameter("format", str, enum=list(report.FORMATS), default="json"),
            OpenApiParameter(
                "status",
                str,
                enum=AccessRequest.Status.values,
                many=True,
                description="may be given several times; all without",
            ),
            OpenApiParameter("from", str, description=f"sent then or later: {_MOMENT}"),
            OpenApiParameter("to", str, description=f"sent then or before: {_MOMENT}, a day to its end"),
        ],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request, **_: str) -> HttpResponseBase:
        repo = self.find_repo(Action.REQUESTS_VIEW)
        query = request.query_params
        name = query.get("format", "json")
        if name not in report.FORMATS:
            raise InvalidFields({"format": f"must be one of {', '.join(report.FORMATS)}"})
        chosen = report.ReportFilter.read(
            statuses=query.getlist("status"), since=query.get("from", ""), until=query.get("to", "")
        )
        content_type = report.FORMATS[name].content_type
        response: HttpResponseBase
        if request.method == "HEAD":  # Which exports nothing.
            response = HttpResponse(content_type=content_type)
        else:
            pieces = report.export(repo=repo, format=name, chosen=chosen, by=self.actor)
            response = StreamingHttpResponse(pieces, content_type=content_type)
        response["Content-Disposition"] = f'attachment; filename="{_file_name(repo, name, dated=bool(query))}"'
        response["Cache-Control"] = "no-store"
        return response


def _file_name(repo: Repo, format_: str, *, dated: bool) -> str:
    """With the day on which it was made; without, as on the Hub, where nothing was asked for that the Hub has not."""
    day = f"-{timezone.now():%Y-%m-%d}" if dated else ""
    return f"user-access-report-{repo.namespace.name}-{repo.name}{day}.{format_}"


urlpatterns: list[URLPattern] = [*web_repo_paths("user-access-report", ReportView.as_view(), "user_access_report")]
