"""Which names people, organizations and repos may have."""

from __future__ import annotations

import re

import pytest
from django.db import IntegrityError, transaction
from django.urls import get_resolver
from hypothesis import given
from hypothesis import strategies as st

from accounts import names, services
from accounts.actor import SYSTEM
from accounts.models import Namespace, Organization, User
from accounts.names import InvalidName
from accounts.services import NameTaken
from tests.support.cast import PASSWORD

GOOD = ["ada", "Ada", "a1", "a-b", "a_b", "a.b", "0x", "x" * 42]
BAD = [
    "", "a", "x" * 43, "x" * 2000, "-a", "a-", ".a", "a.", "_a", "a_", "a--b", "a..b", "a.git", "a.GIT", "a b", "a/b",
    "a%2Fb", "é", "\u0430da", "a\n", "a\x00b", "..", "a\u200bb", "<b>", "a@b",
]  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_a_good_name_is_kept_letter_for_letter(name):
    assert names.clean_namespace(name) == name
    assert names.clean_repo_name("lab", name) == name


@pytest.mark.parametrize("name", BAD)
def test_a_bad_name_is_refused(name):
    with pytest.raises(InvalidName):
        names.clean_namespace(name)


@pytest.mark.parametrize(
    "name", ["", "-a", ".a", "a.", "a-", "a--b", "a..b", "a.git", "a/b", "é", "a\n", "a\x00", "x" * 93]
)
def test_a_bad_repo_name_is_refused(name):
    with pytest.raises(InvalidName):
        names.clean_repo_name("lab", name)


@pytest.mark.parametrize("name", ["a", "_a", "a_", "bert-base_v1.5", "x" * 92])
def test_a_repo_may_be_named_so(name):
    assert names.clean_repo_name("lab", name) == name


@pytest.mark.parametrize(
    "name", ["api", "API", "Datasets", "settings", "admin", "login", "static", "oauth", "healthz", "Organizations"]
)
def test_our_own_addresses_are_nobodys_name(name):
    with pytest.raises(InvalidName, match="reserved"):
        names.clean_namespace(name)


def test_the_first_segment_of_every_address_of_ours_is_reserved():
    routes = [str(pattern.pattern).lstrip("^") for pattern in get_resolver().url_patterns]
    routes += [
        str(inner.pattern).lstrip("^")
        for pattern in get_resolver().url_patterns
        for inner in getattr(pattern, "url_patterns", [])
        if str(pattern.pattern) == ""
    ]
    firsts = {re.split(r"[/$]", route)[0] for route in routes}
    fixed = {first for first in firsts if re.fullmatch(r"[a-z0-9.-]{2,}", first)}
    assert fixed - names.RESERVED == set()


@given(st.text(max_size=60))
def test_whatever_passes_is_safe_in_an_address_and_in_a_path(name):
    try:
        names.clean_namespace(name)
    except InvalidName:
        return
    assert re.fullmatch(r"[A-Za-z0-9._-]{2,42}", name)
    assert name not in {".", ".."}
    assert name.lower() not in names.RESERVED


def make(name: str) -> User:
    return services.create_user(username=name, email=f"{name}@example.com", password=PASSWORD, by=SYSTEM)


def test_people_and_organizations_share_one_name_space(ada, lab):
    with pytest.raises(NameTaken):
        make("LAB")
    for name in ("Ada", "Lab"):
        with pytest.raises(NameTaken):
            services.create_organization(name=name, admin=ada, by=SYSTEM)
    assert (User.objects.count(), Organization.objects.count()) == (1, 1)


def test_the_database_keeps_a_name_once_whatever_its_case(ada, lab, sam):
    with pytest.raises(IntegrityError), transaction.atomic():
        Namespace.objects.filter(user=sam).update(name="LAB")


@pytest.mark.parametrize("owners", ["both", "none"])
def test_the_database_wants_one_owner_per_name(owners, ada, lab):
    wrong = {"user": ada} if owners == "both" else {"organization": None}
    with pytest.raises(IntegrityError), transaction.atomic():
        Namespace.objects.filter(organization=lab).update(**wrong)


@pytest.mark.parametrize("name", ["ada", "ADA", "lab", "Lab"])
def test_people_and_organizations_are_found_in_any_case(name, ada, lab):
    if name.lower() == "ada":
        assert services.get_user(name) == ada
    else:
        assert services.get_organization(name) == lab
