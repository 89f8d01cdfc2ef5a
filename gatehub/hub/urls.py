"""Addresses of the Hub protocol, as each module lists its own.

What is fixed comes before what matches any namespace and name; `misc` ends with what is not offered.
"""

from __future__ import annotations

from django.urls.resolvers import URLPattern

from gatehub.hub import (
    commit,
    git,
    identity,
    info,
    lfs,
    lifecycle,
    listing,
    misc,
    oauth,
    preupload,
    refs,
    report,
    requests,
    resolve,
    tree,
    xet,
)

urlpatterns: list[URLPattern] = [
    *identity.urlpatterns,
    *oauth.urlpatterns,
    *lifecycle.urlpatterns,
    *listing.urlpatterns,
    *xet.urlpatterns,
    *lfs.urlpatterns,
    *requests.urlpatterns,
    *report.urlpatterns,
    *preupload.urlpatterns,
    *commit.urlpatterns,
    *tree.urlpatterns,
    *refs.urlpatterns,
    *info.urlpatterns,
    *resolve.urlpatterns,
    *git.urlpatterns,
    *misc.urlpatterns,
]
