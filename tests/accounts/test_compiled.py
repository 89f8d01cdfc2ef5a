"""Queries whose SQL is kept."""

from __future__ import annotations

import pytest
from django.db import DataError, connection
from django.db.models import F, IntegerField, Q
from django.db.models.functions import Cast

from accounts.actor import Actor
from accounts.compiled import (
    ChainedQuery,
    CompiledQuery,
    IsOneOf,
    NotCompilable,
    UnfitValue,
    _kept,
    columns_of,
    keys_as_text,
    rows,
)
from accounts.models import AuditEvent, Namespace, User

both = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
pytestmark = pytest.mark.django_db


def named(name):
    return User.objects.filter(username=name)


def in_order(name, other):
    return Namespace.objects.filter(name__in=[name, other]).order_by("-name").values_list("name", "user__username")


@both
def test_it_gives_the_instances_that_the_queryset_would_give(database, sam, olu, django_assert_num_queries):
    query = CompiledQuery(named, {"name": str})
    with django_assert_num_queries(3):
        assert query.rows(name="sam") == [sam]
        assert query.rows(name="olu") == [olu]
        assert query.rows(name="nobody") == []
    (found,) = query.rows(name="sam")
    assert (found.email, found.date_joined) == (sam.email, sam.date_joined)


@both
def test_it_gives_rows_of_values(database, sam, olu):
    query = CompiledQuery(in_order, {"name": str, "other": str})
    assert query.rows(name="sam", other="olu") == [("sam", "sam"), ("olu", "olu")]
    assert query.rows(name="sam", other="nobody") == [("sam", "sam")]


def among(keys):
    return User.objects.filter(IsOneOf(keys)).order_by("username").values_list("username", flat=True)


@both
@pytest.mark.parametrize("number", [0, 1, 2, 300])
def test_keys_are_one_text_however_many(database, sam, olu, ada, number):
    query = CompiledQuery(among, {"keys": str})
    keys = [ada.pk, sam.pk, *range(10**9, 10**9 + 298)][:number]
    assert query.rows(keys=keys_as_text(keys)) == ["ada", "sam"][:number]


def of_organizations(keys):
    return Namespace.objects.filter(IsOneOf(keys, of="organization")).values_list("name", flat=True)


@both
def test_keys_may_be_those_of_related_rows(database, sam, lab):
    assert rows(of_organizations, keys=keys_as_text([lab.pk, 10**9])) == ["lab"]
    assert rows(of_organizations, keys="") == []


def of_repo(repo):
    return AuditEvent.objects.filter(repo=repo).values_list("verb", flat=True)


@both
def test_a_number_may_be_in_a_plain_column(database, sam):
    AuditEvent.record(by=Actor(user=sam), verb="repo:create", target="sam/one", repo=2**40)
    assert rows(of_repo, repo=2**40) == ["repo:create"]
    assert rows(of_repo, repo=2**40 + 1) == []


@both
def test_related_rows_come_with_it(database, sam, lab, django_assert_num_queries):
    def build(name):
        return Namespace.objects.filter(name=name).select_related("user", "organization")

    query = CompiledQuery(build, {"name": str})
    with django_assert_num_queries(2):
        (own,), (group,) = query.rows(name="sam"), query.rows(name="lab")
        assert (own.user, own.organization) == (sam, None)
        assert (group.user, group.organization) == (None, lab)


@both
def test_a_value_is_never_part_of_the_text(database, sam):
    query = CompiledQuery(named, {"name": str})
    for name in ("' OR ''='", "sam' --", "%s", "%(name)s", "sam%", "\\"):
        assert query.rows(name=name) == []


@both
def test_what_can_match_nothing_asks_the_database_nothing(database, django_assert_num_queries):
    query = CompiledQuery(lambda key: User.objects.filter(Q(pk__in=[]), pk=key), {"key": int})
    with django_assert_num_queries(0):
        assert query.rows(key=1) == []


@pytest.mark.parametrize("value", [None, True, "1", 1.0])
def test_a_value_of_another_kind_is_refused(value, django_assert_num_queries):
    query = CompiledQuery(lambda key: User.objects.filter(pk=key), {"key": int})
    with django_assert_num_queries(0), pytest.raises(UnfitValue, match="key must be an int"):
        query.rows(key=value)


def test_a_missing_value_is_refused():
    query = CompiledQuery(in_order, {"name": str, "other": str})
    with pytest.raises(UnfitValue, match="other"):
        query.rows(name="sam")


@pytest.mark.parametrize(
    "build",
    [
        lambda name: User.objects.filter(username__contains=name),  # Goes into a pattern.
        lambda name: User.objects.filter(username=name.strip()),
        lambda name: User.objects.filter(username=name.casefold()),
        lambda name: User.objects.filter(username=name.replace("_", "-")),
        lambda name: User.objects.filter(username=name.upper()),
        lambda name: User.objects.filter(username=hash(name)),
        lambda name: User.objects.filter(Q(username=name) & Q(username=name[::-1])),
        lambda name: User.objects.extra(where=[f"username = '{name}'"]),  # noqa: S610 - to be refused.
        lambda name: User.objects.annotate(**{f"n{name[-13:-1]}": F("pk")}),
    ],
)
def test_a_query_that_makes_something_of_its_values_is_refused(build):
    with pytest.raises(NotCompilable):
        CompiledQuery(build, {"name": str})


def test_a_text_that_becomes_a_pattern_is_refused_where_only_its_signs_tell():
    """On SQLite `iexact` is LIKE, with a backslash before each sign that LIKE knows; PostgreSQL's takes the text."""

    def build(name):
        return User.objects.filter(username__iexact=name)

    with pytest.raises(NotCompilable):
        CompiledQuery(build, {"name": str})


@both
def test_a_query_is_kept_by_the_function_that_builds_it(database, sam, olu, monkeypatch, django_assert_num_queries):
    assert rows(named, name="sam") == [sam]
    kept = _kept.cache_info().misses
    assert rows(named, name="olu") == [olu]
    assert rows(in_order, name="sam", other="nobody") == [("sam", "sam")]
    assert _kept.cache_info().misses <= kept + 1


def emails(name):
    return User.objects.filter(username__in=[name, "ada"]).values_list("pk", "email")


def namespaces_of(owner, kind):
    return Namespace.objects.filter(user=owner).exclude(name=kind).values_list("name", "user")


def chained(first=emails, second=namespaces_of) -> ChainedQuery:
    asked = CompiledQuery(second, {"owner": int, "kind": str})
    return ChainedQuery(CompiledQuery(first, {"name": str}), asked, {"owner": "pk"})


@pytest.mark.postgresql
def test_chained_queries_give_to_each_row_those_it_leads_to_in_one_query(sam, olu, ada, django_assert_num_queries):
    query = chained()
    with django_assert_num_queries(1):
        found = query.rows(name="sam", kind="x")
    assert set(found) == {(user.pk, user.email, user.username, user.pk) for user in (ada, sam)}
    assert query.rows(name="sam", kind="ada") == [(sam.pk, sam.email, "sam", sam.pk)]
    assert query.rows(name="nobody", kind="ada") == []
    assert query.rows(name="' OR ''='", kind="%s") == [(ada.pk, ada.email, "ada", ada.pk)]
    for wrong in ({"name": "sam"}, {"name": "sam", "kind": 1}, {"kind": "x"}):
        with pytest.raises(UnfitValue):
            query.rows(**wrong)


@pytest.mark.postgresql
def test_a_percent_sign_in_a_chained_query_stays_one(sam):
    def literal(owner, kind):
        named_so = Namespace.objects.filter(user=owner).extra(where=["name NOT LIKE '%%s%%%%' || %s"], params=["x"])
        return named_so.exclude(name=kind).values_list("name", "user")

    assert chained(second=literal).rows(name="sam", kind="x") == [(sam.pk, sam.email, "sam", sam.pk)]


@pytest.mark.postgresql
def test_only_plain_rows_are_chained(sam):
    with pytest.raises(NotCompilable):
        chained(first=lambda name: User.objects.filter(username=name))


def test_only_postgresql_chains(sam):
    with pytest.raises(NotCompilable):
        chained()


def in_json(target):
    return AuditEvent.objects.filter(target=target).values_list("verb", "after")


@both
def test_values_that_django_reads_are_read(database, sam):
    AuditEvent.record(by=Actor(user=sam), verb="repo:create", target="sam/one", after={"private": True})
    query = CompiledQuery(in_json, {"target": str})
    assert query.rows(target="sam/one") == [("repo:create", {"private": True})]


@both
def test_moments_are_what_django_gives(database, sam):
    query = CompiledQuery(lambda name: User.objects.filter(username=name).values_list("date_joined"), {"name": str})
    assert query.rows(name="sam") == [(sam.date_joined,)]


def test_columns_are_in_the_order_in_which_instances_are_made_of_them(sam):
    columns = columns_of(User, "is_active", "username", "id")
    values = User.objects.values_list(*columns).get(pk=sam.pk)
    made = User.from_db(None, columns, values)
    assert (made.pk, made.username, made.is_active) == (sam.pk, "sam", True)
    assert made.get_deferred_fields() >= {"email", "fullname"}


def prepared() -> list[str]:
    """What PostgreSQL has prepared in this session."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [statement for (statement,) in cursor.fetchall()]


def of_key(key):
    return Namespace.objects.filter(user=key)


@pytest.mark.postgresql
def test_postgresql_prepares_what_is_asked_often_and_once_for_keys_of_any_size(sam, olu):
    before = set(prepared())
    for key in (sam.pk, 2**15, 2**31, 2**40, 2**62) * 3:
        assert rows(of_key, key=key) == ([sam.namespace] if key == sam.pk else [])
    (statement,) = set(prepared()) - before
    assert "$1" in statement
    assert "user_id" in statement
    for _ in range(12):
        assert User.objects.get(username="olu") == olu
    assert set(prepared()) - before == {statement}, "other queries are as they were"


@pytest.mark.postgresql
def test_a_pooler_can_be_spared_prepared_statements(sam, monkeypatch):
    monkeypatch.setattr(connection.connection, "prepare_threshold", None)
    before = prepared()
    for _ in range(12):
        assert rows(named, name="sam") == [sam]
    assert prepared() == before


def as_number(name):
    return User.objects.filter(username=name).annotate(number=Cast("username", IntegerField())).values_list("number")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_after_an_error_other_queries_are_as_they_were(sam, django_assert_num_queries):
    with pytest.raises(DataError):
        rows(as_number, name="sam")
    before = set(prepared())
    for _ in range(12):
        assert User.objects.get(username="sam") == sam
    assert set(prepared()) == before
