"""Countries as ISO 3166-1 has them, found by the names that people use."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

import pycountry

# Everyday names that ISO does not list.
_EVERYDAY: Final = {
    "BN": ("Brunei",),
    "CD": ("DR Congo", "Democratic Republic of the Congo"),
    "CG": ("Republic of the Congo",),
    "CI": ("Ivory Coast",),
    "CV": ("Cape Verde",),
    "CZ": ("Czech Republic",),
    "FK": ("Falkland Islands",),
    "FM": ("Micronesia",),
    "GB": ("UK", "Great Britain", "Britain"),
    "GR": ("EL",),
    "MK": ("Macedonia",),
    "MM": ("Burma",),
    "NL": ("Holland", "The Netherlands"),
    "PS": ("Palestine",),
    "RU": ("Russia",),
    "SZ": ("Swaziland",),
    "TL": ("East Timor",),
    "TR": ("Turkey",),
    "US": ("United States of America", "U.S.", "U.S.A."),
    "VA": ("Vatican", "Vatican City"),
}


@lru_cache(maxsize=1)
def countries() -> tuple[tuple[str, str], ...]:
    """All countries as (alpha-2 code, common English name), by name."""
    named = ((country.alpha_2, getattr(country, "common_name", country.name)) for country in pycountry.countries)
    return tuple(sorted(named, key=lambda pair: _folded(pair[1])))


def country_code(text: str) -> str:
    """The alpha-2 code of a country given by code or name in any case, with or without accents; "" for none."""
    return _codes().get(_folded(text), "")


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    codes: dict[str, str] = {}
    for code, names in _EVERYDAY.items():
        codes |= {_folded(name): code for name in names}
    for country in pycountry.countries:
        keys = ("alpha_2", "alpha_3", "name", "official_name", "common_name")
        codes |= {_folded(getattr(country, key)): country.alpha_2 for key in keys if hasattr(country, key)}
    return codes


def _folded(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name)
    letters = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join(letters.casefold().replace("’", "'").split())
