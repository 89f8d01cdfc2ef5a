"""As `bench.crowd`, for staff: one large repo with three fifths of the requests, and 2,000 others with the rest.

    python -m bench.staff_crowd --requests 1000000 --people 1000000

The others lie in 20 organizations.  Half of the requests were decided by ada, a tenth by each of five reviewers, and a
few were granted unasked.  stef is a superuser, rita a reviewer with the permissions of the ready-made group.
"""

from __future__ import annotations

import argparse
import os

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatehub.settings")
    django.setup()

from django.contrib.auth.models import Permission
from django.db import connection

from access.models import AccessRequest
from accounts import services as accounts
from accounts.actor import SYSTEM
from accounts.models import Namespace, User
from bench import crowd
from bench.hub import PASSWORD
from repos.models import GateForm, Repo

ORGANIZATIONS = 20
OTHERS = 2000
PERMISSIONS = ("view_accessrequest", "review_accessrequest", "export_accessrequest")

AUDIT = """
INSERT INTO accounts_auditevent (at, verb, target, actor, entrance, token_name, repo)
SELECT requested_at, 'access_request:asked', person.username || ' on lab/large', person.username, 'page', '', repo_id
FROM access_accessrequest JOIN accounts_user AS person ON person.id = user_id WHERE repo_id = %s
UNION ALL
SELECT reviewed_at, 'access_request:' || status, person.username || ' on lab/large', 'ada', 'page', '', repo_id
FROM access_accessrequest JOIN accounts_user AS person ON person.id = user_id
WHERE repo_id = %s AND reviewed_at IS NOT NULL
"""


def make_others(like: Repo) -> list[Repo]:
    """Without files: nobody reads them."""
    places = []
    for number in range(ORGANIZATIONS):
        boss = accounts.create_user(
            username=f"boss-{number}", email=f"boss{number}@example.org", password=PASSWORD, by=SYSTEM
        )
        accounts.create_organization(name=f"org-{number}", admin=boss, by=SYSTEM)
        places.append(Namespace.objects.get(name=f"org-{number}"))
    repos = Repo.objects.bulk_create(
        Repo(type="model", namespace=places[number % ORGANIZATIONS], name=f"repo-{number}", gated="manual")
        for number in range(OTHERS)
    )
    form = GateForm.objects.filter(repo=like).order_by("pk").last()
    assert form is not None
    forms = GateForm.objects.bulk_create(
        GateForm(repo=repo, digest=form.digest, commit_sha=f"{repo.pk:040x}", spec=form.spec) for repo in repos
    )
    for repo, own in zip(repos, forms, strict=True):
        repo.gate_form = own
    Repo.objects.bulk_update(repos, ["gate_form"], batch_size=500)
    return repos


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--people", type=int, required=True)
    options = parser.parse_args()
    ada, *reviewers, rita = (
        accounts.create_user(username=name, email=f"{name}@example.org", password=PASSWORD, by=SYSTEM)
        for name in ("ada", *(f"reviewer-{number}" for number in range(5)), "rita")
    )
    accounts.create_user(username="stef", email="stef@example.org", password=PASSWORD, is_superuser=True, by=SYSTEM)
    User.objects.filter(pk=rita.pk).update(is_staff=True)
    rita.user_permissions.set(Permission.objects.filter(codename__in=PERMISSIONS))
    accounts.create_organization(name="lab", admin=ada, fullname="The Lab", by=SYSTEM)
    crowd.make_people(options.people)
    large = crowd.make_repo("large", 5, ada)
    others = make_others(large)
    each = options.requests * 2 // 5 // OTHERS
    repos = [(large, options.requests * 3 // 5), *((repo, each) for repo in others)]
    crowd.make_requests(repos, [*[ada] * 5, *reviewers], grants=True)
    with connection.cursor() as cursor:
        cursor.execute(AUDIT, [large.pk, large.pk])
        cursor.execute("VACUUM (ANALYZE)")
    print(AccessRequest.objects.count(), "requests to", Repo.objects.count(), "repos")


if __name__ == "__main__":
    main()
