"""LIKE on SQLite: letters of any script in any case within other texts, and as SQLite's own elsewhere."""

from __future__ import annotations

import sqlite3

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from accounts.like import like
from accounts.models import User

ESCAPE = "\\"


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("%émile%", "ÉMILE ZOLA", True),
        ("%ÉMILE%", "Émile Zola", True),
        ("%дмитрий%", "ДМИТРИЙ", True),
        ("%σοφία%", "ΣΟΦΊΑ", True),
        ("%straße%", "STRASSE", True),
        ("%emile%", "Émile", False),
        (r"%100 \%%", "100 %", True),
        (r"%100 \%%", "100 x", False),
        (r"%a\_b%", "a_b", True),
        (r"%a\_b%", "axb", False),
        (r"%a\\b%", r"a\b", True),
        ("%", "", True),
        ("%%", "x", True),
        ("%a%b%", "xaxbx", True),
        ("%a_c%", "ABC\n", True),
        ("%12%", 3123, True),
        # As a whole, only what is the same but for the case of ASCII: the Kelvin sign is no K.
        ("kim@example.org", "Kim@Example.org", True),
        ("\u212aim@example.org", "kim@example.org", False),
        ("\u212a%", "kim", False),
        ("", "", True),
        ("a", "ab", False),
        (None, "a", None),
        ("%a%", None, None),
    ],
)
def test_what_fits_a_pattern(pattern, text, fits):
    assert like(pattern, text, ESCAPE) is fits


ascii_text = st.text(st.sampled_from("aAbB%_\\ \n1"), max_size=12)


@given(ascii_text, ascii_text)
def test_of_ascii_it_finds_what_sqlite_finds_by_itself(pattern, text):
    with sqlite3.connect(":memory:") as database:
        [(found,)] = database.execute("SELECT ? LIKE ? ESCAPE '\\'", [text, pattern])
    database.close()
    # A pattern that ends within an escape is none; Django makes no such.
    if (len(pattern) - len(pattern.rstrip("\\"))) % 2 == 0:
        assert like(pattern, text, ESCAPE) is bool(found)


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
@pytest.mark.django_db
def test_both_databases_find_a_name_in_any_case(database):
    assert connection.vendor == database
    User.objects.create(username="emile", email="emile@example.org", fullname="Émile Дмитриев")
    for text in ("ÉMILE", "émile", "ДМИТ"):
        assert User.objects.filter(fullname__icontains=text).exists(), text
