"""Changing settings by the API.  lab/toxic-bert is gated for manual review; ada is the admin of lab."""

from __future__ import annotations

import pytest

from accounts.models import AuditEvent

PATH = "/api/models/lab/toxic-bert/settings"


def _state(repo):
    repo.refresh_from_db()
    return (
        repo.gated,
        repo.private,
        repo.org_members_gated,
        repo.gated_notifications_mode,
        repo.gated_notifications_email,
    )


@pytest.mark.parametrize(
    ("body", "column", "value"),
    [
        ({"gated": "auto"}, "gated", "auto"),
        ({"gated": False}, "gated", "no"),
        ({"visibility": "private"}, "private", True),
        ({"private": True}, "private", True),
        ({"orgMembersGated": True}, "org_members_gated", True),
        ({"gatedNotificationsMode": "real-time"}, "gated_notifications_mode", "real-time"),
        ({"gatedNotificationsEmail": "gate@example.org"}, "gated_notifications_email", "gate@example.org"),
    ],
)
def test_each_setting_is_changed_and_audited(api, gated_repo, ada, body, column, value):
    answer = api(ada).put(PATH, body)
    assert answer.status_code == 200, answer.content
    gated_repo.refresh_from_db()
    assert getattr(gated_repo, column) == value
    event = AuditEvent.objects.first()
    assert (event.verb, event.after) == ("repo:settings", {column: value})


def test_the_answer_echoes_what_was_sent_but_the_notifications(api, gated_repo, ada):
    body = {"gated": "auto", "private": True, "gatedNotificationsMode": "bulk"}
    assert api(ada).put(PATH, body).json() == {"gated": "auto", "private": True}


@pytest.mark.parametrize(
    "body",
    [
        {"gated": True},
        {"gated": "open"},
        {"gated": "Manual"},
        {"gated": ""},
        {"gated": "no"},
        {"gated": 0},
        {"gated": None},
        {"gated": ["auto"]},
        {"gated": {"mode": "auto"}},
        {"private": "true"},
        {"private": 1},
        {"visibility": "protected"},
        {"visibility": "public", "private": True},
        {"orgMembersGated": "false"},
        {"gatedNotificationsMode": "hourly"},
        {"gatedNotificationsMode": ["bulk"]},
        {"gatedNotificationsEmail": "not an address"},
        {"gatedNotificationsEmail": "a@example.org\nBcc: all@example.org"},
        {"gate": "auto"},
        {"gated": "auto", "unknown": 1},
        {"gated": "auto", "private": "no"},
        {},
    ],
)
def test_any_other_value_is_a_400_and_changes_nothing(api, gated_repo, ada, body):
    before = _state(gated_repo)
    answer = api(ada).put(PATH, body)
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]
    assert _state(gated_repo) == before


@pytest.mark.parametrize("raw", [b"[]", b"", b"gated=auto", b'"auto"', b"{"])
def test_a_body_that_is_no_object_changes_nothing(api, gated_repo, ada, raw):
    before = _state(gated_repo)
    assert api(ada).put(PATH, raw).status_code == 400
    assert _state(gated_repo) == before


def test_only_those_with_the_right_change_settings(api, stranger, gated_repo, ada, con, rea, sam):
    before = _state(gated_repo)
    for caller, status in ((stranger, 401), (api(sam), 403), (api(rea), 403), (api(con), 403), (api(ada, "read"), 403)):
        assert caller.put(PATH, {"gated": False}).status_code == status
    assert _state(gated_repo) == before


def test_settings_a_client_sends_and_nobody_needs_are_ignored(api, gated_repo, ada):
    before = _state(gated_repo)
    assert api(ada).put(PATH, {"xetEnabled": True, "discussionsDisabled": True}).status_code == 200
    assert _state(gated_repo) == before
