"""The choice among all countries, which takes longer to render than all the rest of a form, once and for all."""

from __future__ import annotations

from functools import cache

from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from repos import cards


def country_options(chosen: str) -> SafeString:
    """The options of a choice among countries; `chosen` is the code of one, or anything else for none."""
    return _options(cards.country_code(chosen), cards.countries())


def located_country_options(chosen: str) -> SafeString:
    """As `country_options`, of those that an address may be in."""
    return _options(cards.located_country_code(chosen), cards.located_countries())


@cache
def _options(code_chosen: str, countries: tuple[tuple[str, str], ...]) -> SafeString:
    options = ((code, mark_safe(" selected") if code == code_chosen else "", name) for code, name in countries)
    return format_html_join("\n", '<option value="{}"{}>{}</option>', options)
