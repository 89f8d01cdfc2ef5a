"""Reading `GATEHUB_*` variables: what cannot be read is refused by its name."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from gatehub import env


@pytest.mark.parametrize(("said", "country"), [("", ""), ("US", "US"), (" de ", "DE"), ("xk", "XK")])
def test_a_country_is_its_two_letters(monkeypatch, said, country):
    monkeypatch.setenv("GATEHUB_LOCAL_COUNTRY", said)
    assert env.country("GATEHUB_LOCAL_COUNTRY") == country


@pytest.mark.parametrize("said", ["USA", "XX", "Germany", "U", "1"])
def test_what_is_no_country_stops_the_start(monkeypatch, said):
    monkeypatch.setenv("GATEHUB_LOCAL_COUNTRY", said)
    with pytest.raises(ImproperlyConfigured, match="GATEHUB_LOCAL_COUNTRY: must be the two letters"):
        env.country("GATEHUB_LOCAL_COUNTRY")
