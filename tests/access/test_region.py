"""The country of an address, from a database that is written here: FR has 81.2.69.0/24, US 2001:db8::/32."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from pytest_django import Settings

from access import region
from tests.support.geoip import write_database

NETWORKS: dict[str, Any] = {
    "81.2.69.0/24": {"country": {"iso_code": "FR", "names": {"en": "France"}}},
    "2001:db8::/32": {"country": {"iso_code": "US"}},
    "10.1.0.0/16": {"country_code": "KE"},
    "10.2.0.0/16": {"country": "JP"},
    "10.3.0.0/16": {"registered_country": {"iso_code": "DE"}},
    "10.4.0.0/16": {"country": {"iso_code": "<script>"}},
    "10.5.0.0/16": {"country": {"names": {"en": "Nowhere"}}},
    "10.6.0.0/16": "FR",
    "10.7.0.0/16": {"country": ["FR"]},
    "10.8.0.0/16": {"country": {"iso_code": "XX", "is_in_european_union": True}},
    "10.9.0.0/16": {"country": {"iso_code": "US", "is_in_european_union": False}},
    "10.10.0.0/16": {"country": {"iso_code": "RE", "is_in_european_union": False}},
    "10.11.0.0/16": {"country": {"is_in_european_union": True}},
    "10.12.0.0/16": {"country": {"iso_code": "US", "is_in_european_union": "no"}},
}


@pytest.fixture
def database(tmp_path: Path, settings: Settings) -> Path:
    path = tmp_path / "country.mmdb"
    write_database(path, NETWORKS)
    settings.GATEHUB_GEOIP_DB = str(path)
    return path


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("81.2.69.160", "FR"),
        (" 81.2.69.0 ", "FR"),
        ("::ffff:81.2.69.160", "FR"),
        ("2001:db8::1", "US"),
        ("2001:db8::1%eth0", "US"),
        ("10.1.2.3", "KE"),
        ("10.2.2.3", "JP"),
        ("10.3.2.3", ""),
        ("10.4.2.3", ""),
        ("10.5.2.3", ""),
        ("10.6.2.3", ""),
        ("10.7.2.3", ""),
        ("81.2.70.1", ""),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("", ""),
        ("unix:", ""),
        ("81.2.69", ""),
        ("81.2.69.160:443", ""),
        ("81.2.69.160, 10.0.0.1", ""),
        ("x" * 10_000, ""),
        ("\x00", ""),
    ],
)
def test_country_of_an_address(database: Path, address: str, country: str) -> None:
    assert region.country_of(address) == country


def test_a_readable_database_makes_rules_about_countries_enforceable(database: Path) -> None:
    assert region.is_enforceable()


@pytest.mark.parametrize("name", ["", None, "/nowhere/country.mmdb", "/", "nul\x00.mmdb"])
def test_without_a_database_no_country_is_known(name: str | None, settings: Settings) -> None:
    settings.GATEHUB_GEOIP_DB = name
    assert region.country_of("81.2.69.160") == ""
    assert not region.is_enforceable()


@pytest.mark.parametrize(
    "content",
    [b"", b"not a database", bytes(5_000), b"\xab\xcd\xefMaxMind.com", b"\xab\xcd\xefMaxMind.com\xe1\x41a\x41b"],
)
def test_a_broken_database_is_none(database: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    database.write_bytes(content)
    assert region.country_of("81.2.69.160") == ""
    assert not region.is_enforceable()
    assert region.country_of("81.2.69.160") == ""
    assert caplog.text.count("cannot be read") == 1, "said once, not with each request"


def test_a_database_that_is_cut_off_or_garbled_never_raises(database: Path) -> None:
    whole = database.read_bytes()
    for position in range(0, len(whole), 7):
        for broken in (whole[:position], whole[:position] + b"\xff\xff\xff" + whole[position + 3 :]):
            database.write_bytes(broken)
            os.utime(database, ns=(position, len(broken) * 1_000 + position))
            assert region.country_of("81.2.69.160") in ("", "FR", "US", "KE", "JP") or len(broken) == len(whole)


def test_the_file_is_opened_once(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    region.country_of("81.2.69.160")
    monkeypatch.setattr(region.maxminddb, "open_database", None)
    assert region.country_of("81.2.69.160") == "FR"


def test_a_new_file_is_opened_anew(database: Path, tmp_path: Path) -> None:
    assert region.country_of("81.2.69.160") == "FR"
    new = tmp_path / "new.mmdb"
    write_database(new, {"81.2.69.0/24": {"country": {"iso_code": "BE"}}})
    new.replace(database)
    assert region.country_of("81.2.69.160") == "BE"


def test_a_file_that_comes_back_is_used(database: Path, tmp_path: Path) -> None:
    database.rename(tmp_path / "away")
    assert not region.is_enforceable()
    (tmp_path / "away").rename(database)
    assert region.country_of("81.2.69.160") == "FR"


def test_threads_may_ask_at_once(database: Path) -> None:
    found: list[str] = []
    threads = [Thread(target=lambda: found.append(region.country_of("81.2.69.160"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["FR"] * 20


def test_the_union_has_27_members() -> None:
    assert len(region.EU_MEMBERS) == 27
    assert {"FR", "GR", "HR"} <= region.EU_MEMBERS
    assert not {"GB", "CH", "NO", "EL", "UK"} & region.EU_MEMBERS


@pytest.mark.parametrize(
    ("address", "is_in_union"),
    [
        ("81.2.69.160", True),
        ("2001:db8::1", False),
        ("10.1.2.3", False),
        ("10.8.2.3", True),  # Only the database knows that its country is in the Union.
        ("10.9.2.3", False),
        ("10.10.2.3", True),  # The Union's law is the law of Réunion, which has a code of its own.
        ("10.11.2.3", True),
        ("10.12.2.3", False),
        ("10.3.2.3", None),
        ("81.2.70.1", None),
        ("", None),
    ],
)
def test_whether_an_address_is_in_the_union(database: Path, address: str, is_in_union: bool | None) -> None:
    assert region.is_in_union(address) is is_in_union


def test_without_a_database_it_is_not_known_whether_an_address_is_in_the_union(settings: Settings) -> None:
    settings.GATEHUB_GEOIP_DB = ""
    assert region.is_in_union("81.2.69.160") is None


@pytest.mark.parametrize(("country", "is_in_union"), [("FR", True), ("GP", True), ("CH", False), ("", None)])
def test_the_own_network_is_where_its_operator_says(
    database: Path, settings: Settings, country: str, is_in_union: bool | None
) -> None:
    settings.GATEHUB_LOCAL_COUNTRY = country
    assert region.is_in_union("192.168.1.5") is is_in_union


def test_regions_of_members_with_a_code_of_their_own_are_in_the_union() -> None:
    """Articles 349 and 355 of the Treaty on the Functioning of the European Union."""
    assert {"AX", "GF", "GP", "MF", "MQ", "RE", "YT"} == region.EU_TERRITORIES
    assert not {"PF", "NC", "GL", "AW", "BL"} & region.EU_TERRITORIES
