"""A repo as the Hub's API shows it: what lists and info objects have in common.  No query, no look into git."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rest_framework.request import Request

from gatehub.hub.base import hub_time
from repos.cards import metadata
from repos.models import Repo

_ALWAYS = frozenset({"_id", "id", "modelId"})


def gated_value(repo: Repo) -> bool | str:
    """`false`, `"auto"` or `"manual"`."""
    return str(repo.gated) if repo.is_gated else False


def repo_object(repo: Repo) -> dict[str, Any]:
    """hub-protocol section 3.3, without `siblings`.  `sha` and `lastModified` are those of `main`."""
    card = repo.card_data
    body: dict[str, Any] = {
        "_id": repo.public_id,
        "id": repo.repo_id,
        "author": repo.namespace.name,
        "sha": repo.head_sha or None,
        "private": repo.private,
        "gated": gated_value(repo),
        "disabled": repo.disabled,
        "createdAt": hub_time(repo.created_at),
        "lastModified": hub_time(repo.last_modified),
        "downloads": repo.downloads,
        "likes": 0,
        "trendingScore": 0,
        "tags": metadata.tags_of(card, repo.type),
        "cardData": card or None,
        "xetEnabled": False,
    }
    if repo.type == Repo.Type.MODEL:
        body["modelId"] = repo.repo_id
        body["pipeline_tag"] = metadata.pipeline_tag(card)
        body["library_name"] = metadata.library_name(card)
    return body


def expanded(request: Request) -> frozenset[str]:
    """The fields that the client asked for with `expand`; none named means the usual ones."""
    return frozenset([*request.query_params.getlist("expand"), *request.query_params.getlist("expand[]")])


def only(body: dict[str, Any], fields: Collection[str]) -> dict[str, Any]:
    """The fields named, and those that say which repo it is."""
    return {name: value for name, value in body.items() if name in fields or name in _ALWAYS}
