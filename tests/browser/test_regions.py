"""Gates that ask where a requester is, with scripts and without, on a server that knows countries of addresses.

Its own network is in France; of the others it knows that of 81.2.69.0, in America.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Stage
from tests.support.geoip import write_database

ASKING = b"---\nextra_gated_fields:\n  Company: text\n  Where you are: ip_location\n---\n# A model\n"
CLOSED = b"---\nextra_gated_eu_disallowed: true\nextra_gated_fields:\n  Company: text\n---\n# Elsewhere\n"
AMERICA = {"X-Forwarded-For": "81.2.69.160"}


@pytest.fixture(scope="module")
def stage(_make_server, tmp_path_factory):
    """A server of these tests alone, of which nothing is known but new people."""
    database = tmp_path_factory.mktemp("countries") / "country.mmdb"
    write_database(database, {"81.2.69.0/24": {"country": {"iso_code": "US"}}})
    places = {"GATEHUB_GEOIP_DB": str(database), "GATEHUB_LOCAL_COUNTRY": "FR", "GATEHUB_BEHIND_PROXY": "1"}
    server = _make_server(env=places)
    server.start()
    yield Stage(server, {}, {})
    server.stop()


def requests(hub, repo_id, owner, status):
    return hub.call("GET", f"/api/models/{repo_id}/user-access-request/{status}", owner).json()


def send(page: Page, company: str) -> None:
    page.locator("#gate").get_by_label("Company").fill(company)
    page.get_by_role("button", name="Agree and send request to access repo").click()


def test_a_requester_sees_the_country_that_is_sent(visit, hub, owner, guest):
    repo_id = f"{owner.name}/asking"
    hub.publish(repo_id, owner, {"README.md": ASKING})
    page = visit(f"/{repo_id}", guest)
    field = page.get_by_label("Where you are")
    expect(field).to_have_value("France")
    expect(field).not_to_be_editable()
    expect(page.locator("#gate .shared")).to_contain_text("the country of your network address, France")
    field.evaluate("field => { field.value = 'Kenya'; }")
    send(page, "  ")  # Enough for the browser, not for the server.
    expect(page.locator("#gate").get_by_role("alert")).to_contain_text("The form is not complete")
    expect(field).to_have_value("France")
    field.evaluate("field => { field.value = 'Kenya'; }")
    send(page, "Example University")
    expect(page.locator("#gate").get_by_role("heading")).to_contain_text("Your request is awaiting review")
    page.get_by_text("What you sent").click()
    expect(page.locator("#gate .sent")).to_contain_text("France")
    (row,) = requests(hub, repo_id, owner, "pending")
    assert row["fields"] == {"Company": "Example University", "Where you are": "FR"}

    review = visit(f"/{repo_id}/settings?show=answers", owner)
    expect(review.locator("#requests .answers")).to_contain_text("France")


def test_the_gate_is_closed_to_a_region(visit, hub, owner, guest):
    repo_id = f"{owner.name}/elsewhere"
    hub.publish(repo_id, owner, {"README.md": CLOSED, "config.json": b'{"hidden": 1}\n'})
    page = visit(f"/{repo_id}", guest)
    gate = page.locator("#gate")
    expect(gate.get_by_role("heading")).to_have_text("Not offered in your region")
    expect(gate).to_contain_text("so from it you cannot ask for access")
    expect(gate.locator("form")).to_have_count(0)
    page.goto(f"/{repo_id}/blob/main/config.json")
    expect(page.locator("main .notice[role=alert]")).to_contain_text("not offered where your network address is from")
    assert hub.call("POST", f"/{repo_id}/ask-access", guest, json={"Company": "C"}).status_code == 403
    assert requests(hub, repo_id, owner, "pending") == []

    page.set_extra_http_headers(AMERICA)
    page.goto(f"/{repo_id}")
    send(page, "Example University")
    expect(gate.get_by_role("heading")).to_contain_text("Your request is awaiting review")
    settings = visit(f"/{repo_id}/settings", owner)
    settings.get_by_role("button", name=f"Accept {guest.name}").click()
    expect(settings.get_by_text(f"{guest.name} has access now.")).to_be_visible()
    page.goto(f"/{repo_id}/blob/main/config.json")
    expect(page.get_by_role("region", name="config.json")).to_contain_text('"hidden": 1')
    page.set_extra_http_headers({})
    page.goto(f"/{repo_id}")
    expect(gate.get_by_role("heading")).to_have_text("Not offered in your region")
    expect(gate).to_contain_text("the files are open to you from elsewhere")
    assert page.goto(f"/{repo_id}/blob/main/config.json").status == 403
    assert hub.call("GET", f"/{repo_id}/resolve/main/config.json", guest).status_code == 403


def test_an_owner_is_told_what_becomes_of_the_region(visit, hub, owner):
    """And reads the files wherever they are themselves."""
    repo_id = f"{owner.name}/elsewhere"
    hub.publish(repo_id, owner, {"README.md": CLOSED, "config.json": b'{"hidden": 1}\n'})
    page = visit(f"/{repo_id}/settings", owner)
    expect(page.get_by_text("so this cannot be enforced")).to_have_count(0)
    page.get_by_text("Form preview").click()
    preview = page.locator(".gate-preview")
    expect(preview).to_contain_text(
        "Callers from the European Union, or from addresses whose country is not known, are"
    )
    expect(preview.get_by_label("Company")).to_be_visible()
    page.goto(f"/{repo_id}/blob/main/config.json")
    expect(page.get_by_role("region", name="config.json")).to_contain_text('"hidden": 1')
