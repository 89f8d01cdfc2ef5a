"""The pages of the admin, as rows of a table like those of `pages`.  `{name}` is a key that `staff.prepare` tells."""

from __future__ import annotations

import re

from playwright.sync_api import Page

from tests.browser.pages import Act, Row
from tests.browser.texts import LONG_ORG, LONG_REPO

ADMIN = "/admin"


def ticked(page: Page) -> None:
    for box in page.locator("input.action-select").all()[:2]:
        box.check()


def filters(page: Page) -> None:
    page.locator("a", has_text="Filters").first.click()


def a_reason_without_end(page: Page) -> None:
    """More than the field takes, as a browser without its limit would send it."""
    reason = page.get_by_label("Reason")
    reason.evaluate("(field) => { field.removeAttribute('maxlength'); }")
    reason.fill("x" * 201)
    page.locator("form.staff-question button[type=submit]").click()
    page.wait_for_load_state()


def a_group_without_a_name(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_load_state()


def _lists() -> list[Row]:
    names = {
        "repos": "repos/repo", "forms": "repos/gateform", "organizations": "accounts/organization",
        "memberships": "accounts/membership", "people": "accounts/user", "groups": "auth/group",
        "addresses": "account/emailaddress", "factors": "mfa/authenticator", "tokens": "access/accesstoken",
        "identities": "socialaccount/socialaccount",
        "deliveries": "notifications/delivery", "outbox": "notifications/outboxmessage",
        "problems": "notifications/addressproblem", "opt-outs": "notifications/optout",
        "confirmations": "repos/confirmationmail", "tasks": "django_celery_beat/periodictask",
        "intervals": "django_celery_beat/intervalschedule", "requests": "access/accessrequest",
        "bulk-reviews": "access/bulkreview",
        "trail": "accounts/auditevent",
    }  # fmt: skip
    return [Row(f"staff-{name}", f"{ADMIN}/{path}/", "stef") for name, path in names.items()]


def _rows() -> list[Row]:
    names = {
        "repo": "repos/repo/{staff_repo}", "repo-disabled": "repos/repo/{staff_disabled}",
        "form": "repos/gateform/{staff_form}", "organization": "accounts/organization/{staff_organization}",
        "membership": "accounts/membership/{staff_membership}", "person": "accounts/user/{staff_person}",
        "group": "auth/group/{staff_group}", "address": "account/emailaddress/{staff_address}",
        "factor": "mfa/authenticator/{staff_factor}", "token": "access/accesstoken/{staff_token}",
        "identity": "socialaccount/socialaccount/{staff_identity}",
        "token-scoped": "access/accesstoken/{staff_scoped}",
        "delivery": "notifications/delivery/{staff_delivery_dead}",
        "delivery-sent": "notifications/delivery/{staff_delivery_sent}",
        "message": "notifications/outboxmessage/{staff_message}",
        "problem": "notifications/addressproblem/{staff_problem}",
        "opt-out": "notifications/optout/{staff_opt_out}",
        "confirmation": "repos/confirmationmail/{staff_confirmation}",
        "task": "django_celery_beat/periodictask/{staff_task}",
        "interval": "django_celery_beat/intervalschedule/{staff_interval}",
        "request": "access/accessrequest/{staff_request}", "event": "accounts/auditevent/{staff_event}",
    }  # fmt: skip
    return [Row(f"staff-{name}", f"{ADMIN}/{path}/change/", "stef") for name, path in names.items()]


def decide(name: str, *, every: bool = False) -> Act:
    """Press a button of the list of requests, for the first two rows or for all that match."""

    def act(page: Page) -> None:
        for box in page.locator("[name=_selected_action]").all()[:2]:
            box.check()
        if every:
            page.get_by_label("All that match").check()
        with page.expect_navigation():
            page.get_by_role("button", name=name, exact=True).click()

    return act


def reject_with_too_much(page: Page) -> None:
    decide("Reject…")(page)
    page.get_by_label("Reason").evaluate("(field) => { field.maxLength = 500; }")
    page.get_by_label("Reason").fill("x" * 201)
    with page.expect_navigation():
        page.get_by_role("button", name=re.compile(r"^Reject \d")).click()


REQUESTS = f"{ADMIN}/access/accessrequest/"
STAFF_PAGES = [
    Row("staff-dashboard", f"{ADMIN}/", "stef"),
    *_lists(),
    *_rows(),
    Row("staff-requests-found", f"{REQUESTS}?repo={LONG_ORG}/{LONG_REPO}&status=pending&country=DE", "stef"),
    Row("staff-requests-nothing", f"{REQUESTS}?q={'nothing' * 20}", "stef"),
    Row("staff-requests-not-understood", f"{REQUESTS}?repo={'x' * 150}&status=odd&from=then&age=long", "stef"),
    Row("staff-requests-reject", REQUESTS, "stef", act=decide("Reject…")),
    Row("staff-requests-reject-refused", REQUESTS, "stef", 400, act=reject_with_too_much),
    Row("staff-requests-all", f"{REQUESTS}?status=pending", "stef", act=decide("Accept", every=True)),
    Row("staff-requests-no-status", REQUESTS, "stef", act=decide("Accept", every=True)),
    Row("staff-bulk-review", f"{ADMIN}/access/bulkreview/{{bulk_done}}/change/", "stef"),
    Row("staff-mail", f"{ADMIN}/notifications/delivery/{{staff_delivery_sent}}/mail/", "stef"),
    Row("staff-mail-none", f"{ADMIN}/notifications/delivery/{{staff_delivery_dead}}/mail/", "stef"),
    Row("staff-repos-found", f"{ADMIN}/repos/repo/?q={LONG_ORG}/&gated__exact=manual", "stef"),
    Row("staff-repos-nothing", f"{ADMIN}/repos/repo/?q={'nothing' * 20}", "stef"),
    Row("staff-deliveries-dead", f"{ADMIN}/notifications/delivery/?state__exact=dead", "stef"),
    Row("staff-deliveries-ticked", f"{ADMIN}/notifications/delivery/", "stef", act=ticked),
    Row("staff-deliveries-filters", f"{ADMIN}/notifications/delivery/", "stef", act=filters),
    Row("staff-disable", f"{ADMIN}/repos/repo/{{staff_repo}}/disable/", "stef"),
    Row(
        "staff-disable-refused",
        f"{ADMIN}/repos/repo/{{staff_repo}}/disable/",
        "stef",
        act=a_reason_without_end,
    ),
    Row("staff-enable", f"{ADMIN}/repos/repo/{{staff_disabled}}/enable/", "stef"),
    Row("staff-revoke", f"{ADMIN}/access/accesstoken/{{staff_token}}/revoke/", "stef"),
    Row("staff-group-new", f"{ADMIN}/auth/group/add/", "stef"),
    Row("staff-group-refused", f"{ADMIN}/auth/group/add/", "stef", act=a_group_without_a_name),
    Row("staff-group-delete", f"{ADMIN}/auth/group/{{staff_group}}/delete/", "stef"),
]
