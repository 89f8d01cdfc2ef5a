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


# Codes that databases of network addresses tell, and that ISO leaves to those who use them.
_BEYOND_ISO: Final = {"XK": "Kosovo"}


@lru_cache(maxsize=1)
def countries() -> tuple[tuple[str, str], ...]:
    """All countries of ISO as (alpha-2 code, common English name), by name: those that one can choose."""
    named = ((country.alpha_2, getattr(country, "common_name", country.name)) for country in pycountry.countries)
    return tuple(sorted(named, key=lambda pair: _folded(pair[1])))


@lru_cache(maxsize=1)
def located_countries() -> tuple[tuple[str, str], ...]:
    """As `countries`, with those that an address may be in besides."""
    return tuple(sorted((*countries(), *_BEYOND_ISO.items()), key=lambda pair: _folded(pair[1])))


def country_name(code: str) -> str:
    """The name of a country that an address may be in; the code itself where nobody can name it."""
    return _names().get(code, code)


def located_country_code(text: str) -> str:
    """As `country_code`, of a country that an address may be in."""
    beyond = (code for code, name in _BEYOND_ISO.items() if _folded(text) in (_folded(code), _folded(name)))
    return country_code(text) or next(beyond, "")


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    return dict(located_countries())


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
