"""`extra_gated_eu_disallowed` and `ip_location`, with a real database: FR has 81.2.69.0/24, US 2001:db8::/32.

ada manages lab/toxic-bert, which is not offered in the European Union; sam asks.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from access import policy, region, services
from access.errors import GatedRepo
from access.models import AccessRequest
from access.policy import Action
from accounts.actor import Actor
from tests.support.cast import add_files
from tests.support.geoip import write_database
from tests.web.pages import described, form_to, press, soup, words

CARD = b"---\nextra_gated_eu_disallowed: true\nextra_gated_fields:\n  Where you are: ip_location\n---\n"
FRANCE, AMERICA, NOWHERE = "81.2.69.160", "2001:db8::1", "81.2.70.1"
REUNION, KOSOVO = "198.51.100.7", "192.0.2.7"
LAN = ["127.0.0.1", "::1", "10.9.8.7", "172.16.0.1", "192.168.1.5", "169.254.1.1", "100.64.0.1", "fd00::5", "fe80::1"]


@pytest.fixture
def database(tmp_path: Path, settings) -> Path:
    path = tmp_path / "country.mmdb"
    countries = {"81.2.69.0/24": "FR", "2001:db8::/32": "US", "198.51.100.0/24": "RE", "192.0.2.0/24": "XK"}
    write_database(path, {network: {"country": {"iso_code": code}} for network, code in countries.items()})
    settings.GATEHUB_GEOIP_DB = str(path)
    return path


@pytest.fixture
def repo(gated_repo, ada):
    add_files(gated_repo, {"README.md": CARD}, by=ada)
    gated_repo.refresh_from_db()
    return gated_repo


def ask(repo, user, address):
    return services.ask(repo=repo, answers={"Where you are": "KE"}, by=Actor(user=user, address=address))


@pytest.mark.parametrize("address", [FRANCE, REUNION])
def test_whoever_is_in_the_union_cannot_ask(database, repo, sam, address):
    with pytest.raises(GatedRepo, match="not offered in your region"):
        ask(repo, sam, address)
    assert not AccessRequest.objects.exists()


def test_whoever_is_elsewhere_asks_and_the_country_comes_from_the_address(database, repo, sam):
    assert ask(repo, sam, AMERICA).answers == {"Where you are": "US"}


@pytest.mark.parametrize("address", [NOWHERE, "", "unix:", *LAN])
def test_an_address_without_a_country_is_refused(database, repo, sam, address):
    """The gate fails closed: it might be in the Union."""
    with pytest.raises(GatedRepo):
        ask(repo, sam, address)
    assert not AccessRequest.objects.exists()


@pytest.mark.parametrize("address", LAN)
def test_an_operator_says_where_their_own_network_is(database, repo, sam, settings, address):
    settings.GATEHUB_LOCAL_COUNTRY = "US"
    assert ask(repo, sam, address).answers == {"Where you are": "US"}


def test_a_network_in_the_union_is_in_the_union(database, repo, sam, settings):
    settings.GATEHUB_LOCAL_COUNTRY = "DE"
    with pytest.raises(GatedRepo):
        ask(repo, sam, "10.9.8.7")


@pytest.mark.parametrize("address", [NOWHERE, "", "203.0.113.9", "11.0.0.1"])
def test_the_country_of_the_own_network_is_nobody_else_s(database, settings, address):
    settings.GATEHUB_LOCAL_COUNTRY = "US"
    assert region.country_of(address) == ""


def test_accepted_before_and_now_in_the_union_reads_no_files(database, repo, ada, sam):
    services.review(access_request=ask(repo, sam, AMERICA), status="accepted", by=Actor(user=ada))
    for address, may in ((AMERICA, True), (FRANCE, False), (NOWHERE, False)):
        assert policy.may(Actor(user=sam, address=address), Action.FILES_READ, repo) is may
    assert policy.may(Actor(user=ada, address=FRANCE), Action.FILES_READ, repo)


@pytest.mark.parametrize("address", [FRANCE, NOWHERE, "127.0.0.1", ""])
def test_without_a_database_nobody_is_refused(repo, sam, settings, address):
    settings.GATEHUB_GEOIP_DB = ""
    settings.GATEHUB_LOCAL_COUNTRY = "DE"
    assert ask(repo, sam, address).answers == {"Where you are": ""}


@pytest.mark.parametrize("address", [FRANCE, AMERICA, NOWHERE])
def test_a_database_that_cannot_be_read_opens_nothing(database, repo, sam, address, caplog):
    database.write_bytes(b"broken")
    with pytest.raises(GatedRepo):
        ask(repo, sam, address)


def test_a_broken_update_leaves_the_last_good_database_in_force(database, repo, sam, caplog):
    assert region.country_of(AMERICA) == "US"
    database.write_bytes(b"broken")
    assert region.country_of(AMERICA) == "US"
    assert region.is_enforceable()
    assert "stays in use" in caplog.text
    ask(repo, sam, AMERICA)


def test_a_card_without_the_rule_asks_everybody(database, gated_repo, ada, sam):
    add_files(gated_repo, {"README.md": b"---\nextra_gated_fields: {Where: ip_location}\n---\n"}, by=ada)
    gated_repo.refresh_from_db()
    assert services.ask(repo=gated_repo, answers={}, by=Actor(user=sam, address=FRANCE)).answers == {"Where": "FR"}


# --- On the pages ---------------------------------------------------------------------------------------------------

PATH = "/lab/toxic-bert"


def visit(browser, user, address, **headers):
    client = browser(user)
    client.defaults["REMOTE_ADDR"] = address
    client.defaults |= headers
    return client


def test_the_requester_sees_the_country_before_sending_and_cannot_change_it(database, repo, browser, sam):
    client = visit(browser, sam, AMERICA)
    page = soup(client.get(PATH))
    control = page.find(attrs={"name": "Where you are"})
    assert (control["value"], control.has_attr("readonly")) == ("United States", True)
    assert "It is sent with the form." in described(page, control)
    assert "the country of your network address, United States" in words(form_to(page, f"{PATH}/ask-access"))
    press(client, page, f"{PATH}/ask-access", **{"Where you are": "FR"})
    assert AccessRequest.objects.get().answers == {"Where you are": "US"}


def test_a_country_that_is_known_only_when_the_form_is_sent_was_told_to_be_shared(database, repo, browser, sam, ada):
    add_files(repo, {"README.md": CARD.replace(b"true", b"false")}, by=ada)
    client = visit(browser, sam, NOWHERE)
    page = soup(client.get(PATH))
    control = page.find(attrs={"name": "Where you are"})
    assert control["value"] == ""
    assert "is sent with the form. From where you are now it is not known." in described(page, control)
    shared = words(form_to(page, f"{PATH}/ask-access"))
    assert "the country of your network address, if it is known when you send the form" in shared
    press(visit(browser, sam, AMERICA), page, f"{PATH}/ask-access")
    assert AccessRequest.objects.get().answers == {"Where you are": "US"}


@pytest.mark.parametrize("address", [FRANCE, NOWHERE])
def test_the_page_says_to_whom_it_is_not_offered(database, repo, browser, sam, address):
    page = soup(visit(browser, sam, address).get(PATH))
    assert "Not offered in your region" in words(page.select_one("#gate"))
    assert "or its country is not known" in words(page.select_one("#gate"))
    assert page.select_one('form[action*="ask-access"]') is None


def test_a_stranger_is_told_before_signing_in_for_nothing(database, repo, browser, ada):
    page = soup(visit(browser, None, FRANCE).get(PATH))
    said = words(page.select_one("#gate"))
    assert "Not offered in your region" in said
    assert "Sign in to see a request that you sent before." in said
    assert "Sign in to ask for access" in words(soup(visit(browser, None, AMERICA).get(PATH)).select_one("#gate"))


def test_what_is_shown_of_a_country_that_iso_does_not_have_is_what_is_sent(database, repo, browser, sam, ada):
    client = visit(browser, sam, KOSOVO)
    page = soup(client.get(PATH))
    assert page.find(attrs={"name": "Where you are"})["value"] == "Kosovo"
    press(client, page, f"{PATH}/ask-access")
    assert AccessRequest.objects.get().answers == {"Where you are": "XK"}
    review = browser(ada)
    found = soup(review.get(f"{PATH}/settings", {"country": "XK"}))
    assert found.select_one("select[name=country] option[selected]").text == "Kosovo"
    assert "Kosovo (XK)" in words(found.select_one("#requests .request"))
    assert not soup(review.get(f"{PATH}/settings", {"country": "FR"})).select("#requests .request")


def test_a_country_that_nobody_can_name_is_shown_by_its_code(database, repo, browser, sam):
    write_database(database, {"81.2.69.0/24": {"country": {"iso_code": "ZZ"}}})
    page = soup(visit(browser, sam, FRANCE).get(PATH))
    assert page.find(attrs={"name": "Where you are"})["value"] == "ZZ"


@pytest.mark.parametrize("address", [FRANCE, NOWHERE])
def test_a_request_is_seen_and_cancelled_from_anywhere(database, repo, browser, sam, address):
    """Whoever asked and travels since still sees what became of it."""
    ask(repo, sam, AMERICA)
    client = visit(browser, sam, address)
    page = soup(client.get(PATH))
    assert "Your request is awaiting review" in words(page.select_one("#gate"))
    press(client, page, f"{PATH}/withdraw-request")
    assert not AccessRequest.objects.exists()
    assert "Not offered in your region" in words(soup(client.get(PATH)).select_one("#gate"))


def test_who_was_rejected_reads_the_reason_from_anywhere(database, repo, browser, sam, ada):
    found = ask(repo, sam, AMERICA)
    services.review(access_request=found, status="rejected", reason="Not for you", by=Actor(user=ada))
    assert "Not for you" in words(soup(visit(browser, sam, FRANCE).get(PATH)).select_one("#gate"))


def test_who_was_accepted_is_told_that_the_region_closes_the_files(database, repo, browser, sam, ada):
    services.review(access_request=ask(repo, sam, AMERICA), status="accepted", by=Actor(user=ada))
    said = words(soup(visit(browser, sam, FRANCE).get(PATH)).select_one("#gate"))
    assert "Not offered in your region" in said
    assert "Your request was accepted" in said
    assert "You have been granted access" in words(soup(visit(browser, sam, AMERICA).get(PATH)).select_one("#gate"))


@pytest.mark.parametrize(
    ("behind", "forwarded", "country"),
    [
        (False, AMERICA, ""),
        (True, AMERICA, "United States"),
        (True, f"{FRANCE}, {AMERICA}", "United States"),
        (True, "nonsense", ""),
        (True, "", ""),
    ],
)
def test_behind_a_proxy_only_as_configured(
    database, gated_repo, ada, browser, sam, settings, behind, forwarded, country
):
    """The last entry is the proxy's; whatever stands before it, the caller may have written."""
    add_files(gated_repo, {"README.md": CARD.replace(b"true", b"false")}, by=ada)
    settings.BEHIND_PROXY = behind
    client = visit(browser, sam, "10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert soup(client.get(PATH)).find(attrs={"name": "Where you are"})["value"] == country


def test_the_settings_page_tells_what_becomes_of_the_rule(database, repo, browser, ada, settings, caplog):
    client = browser(ada)
    page = soup(client.get(f"{PATH}/settings"))
    assert "extra_gated_eu_disallowed" not in words(page)
    assert "are told instead that it is not offered in their region" in words(page.select_one(".gate-preview"))
    database.write_bytes(b"broken")
    settings.GATEHUB_GEOIP_DB = str(database.rename(database.with_suffix(".broken")))
    said = words(soup(client.get(f"{PATH}/settings")))
    assert "cannot be read" in said
    assert "nobody new is let in" in said
    assert "Everybody is told instead that it is not offered in their region" in said
    settings.GATEHUB_GEOIP_DB = ""
    page = soup(client.get(f"{PATH}/settings"))
    assert "cannot be enforced: nobody is refused for their region" in words(page)
    assert "nobody is refused for their region" in words(page.select_one(".gate-preview"))
    assert "are told instead" not in words(page)
