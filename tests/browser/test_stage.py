"""The stage has a person for whoever asks, however many tests one worker gets."""

from __future__ import annotations

import requests

from tests.browser.conftest import AT_ONCE


def test_people_do_not_run_out(stage, new_context):
    taken = [stage.next() for _ in range(AT_ONCE + 1)]
    assert len({person.name for person in taken}) == len(taken)
    last = taken[-1]
    headers = {"Authorization": f"Bearer {last.token}"}
    assert requests.get(f"{stage.url}/api/whoami-v2", headers=headers, timeout=10).json()["name"] == last.name
    page = new_context(stage.url, session=last.session).new_page()
    page.goto("/settings/profile")
    assert page.get_by_role("link", name=last.name).count() == 1
