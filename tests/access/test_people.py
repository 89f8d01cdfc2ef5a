"""Finding people by a part of their names."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.people import named_like
from accounts.models import User

both = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])


@pytest.fixture
def people(make_user) -> None:
    for name, fullname in (
        ("robin", "Robin Hood"), ("Robina", "Ina R."), ("rob-in", "R. In"), ("marian", "Marian Robinson"),
        ("tuck", "Friar Tuck"), ("little", "Not robin"), ("gone", "Robin Gone"), ("robin7", "R. Seven"),
        ("per_cent", "100 %"), ("emile", "Émile Žola"),
    ):  # fmt: skip
        make_user(name, fullname=fullname)
    User.objects.filter(username="gone").update(is_active=False)


def names(text: str, number: int = 8) -> list[str]:
    return [user.username for user in named_like(text, number)]


@both
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("robin", ["robin", "Robina", "robin7", "little", "marian"]),
        ("ROBIN", ["robin", "Robina", "robin7", "little", "marian"]),
        ("robi", ["Robina", "robin", "robin7", "little", "marian"]),
        ("binso", ["marian"]),
        ("per_", ["per_cent"]),
        ("per%", []),
        ("100 %", ["per_cent"]),
        ("tuck", ["tuck"]),
        ("ÉMILE ž", ["emile"]),
        ("gone", []),
        ("", []),
        ("  \0 ", []),
    ],
)
def test_exactly_so_comes_first_then_names_that_begin_with_it_then_others(database, people, text, found):
    said = names(text)
    assert sorted(said, key=str.lower) == sorted(found, key=str.lower)
    first = [name for name in said if name.lower().startswith(text.lower())]
    assert said[: len(first)] == first
    assert not first or said[0].lower() == text.lower() or text.lower() not in map(str.lower, said)


@both
def test_of_a_crowd_whose_user_names_begin_with_it_none_is_looked_for_elsewhere(database, people):
    User.objects.bulk_create(User(username=f"robin-{n}", email=f"r{n}@example.org") for n in range(20))
    with CaptureQueriesContext(connection) as asked:
        found = names("robin")
    assert len(found) == 8
    assert found[0] == "robin"
    assert all(name.lower().startswith("robin") for name in found)
    assert len(asked) == 3, "the exact one, those that begin so, and the rows"


@both
def test_no_more_are_given_than_asked_for(database, people):
    assert names("robin", 1) == ["robin"]
    assert len(names("robin", 2)) == 2
