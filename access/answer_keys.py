"""Answers as the index `access_request_find` knows them in one list: a number for each.

Beside the answers themselves, because of these it has one set for all repos and lists together, so that it would go
through all of Paris to intersect that with one list, and because each of the rows that it finds by them is compared
once more: for three thousand, that took PostgreSQL longer than to fetch them.

The numbers are made by the function `access_answer_keys` of the database (migration 11), of answers with up to
`LONGEST` characters, such as the options of a choice.  Two answers may have the same number, also in the lists of two
repos, by chance or because somebody tried until they had: whoever asks by numbers compares list and answers as well.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from access import spans
from access.filters import RequestFilter
from access.looks import EACH_ROW, Condition, all_of

LONGEST = 40
"""As in the function."""

_KEYS = f"access_answer_keys({spans.LIST_SQL}, answers)"


def condition(chosen: RequestFilter, list_key: int) -> Condition | None:
    """Those in a list (`spans.key_of`) whose answers have the numbers of those asked for; None where that cannot be
    asked: without any, with a long one, or with two to one question, which nobody has."""
    pairs = chosen.answers
    one_of = tuple((label, chosen.country) for label in chosen.countries_in if chosen.country)
    if len(one_of) == 1:
        pairs, one_of = (*pairs, *one_of), ()
    said = [answer for _, answer in (*pairs, *one_of)]
    if not said or len(dict(pairs)) < len(pairs) or not all(0 < len(answer) <= LONGEST for answer in said):
        return None
    return all_of(_have("@>", pairs, list_key), _have("&&", one_of, list_key))


def _have(operator: str, pairs: Sequence[tuple[str, str]], list_key: int) -> Condition:
    """All of the answers, or any of them."""
    if not pairs:
        return EACH_ROW
    as_json = connection.ops.adapt_json_value(dict(pairs), None)
    return Condition(f"{_KEYS} {operator} access_answer_keys(%s, %s)", (list_key, as_json))
