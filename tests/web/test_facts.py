"""What the side of a repo's page says, whatever its card has in the places of names and addresses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.actor import Actor
from gatehub.web.facts import Link, facts_of
from repos import usage

pytestmark = pytest.mark.django_db

KEYS = (
    "license license_name license_link language tags datasets pipeline_tag library_name base_model base_model_relation"
    " task_categories"
).split()
ADDRESSES = st.builds(
    "".join, st.lists(st.sampled_from([*"[]:/.@%?#\\ \u2100", "//", "http://", "https://", "a", "é", "..", "::1"]))
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | ADDRESSES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(KEYS), VALUES), st.sampled_from(["model", "dataset"]))
@example({"license": "other", "license_link": "https://[your-org]/LICENSE"}, "model")
def test_no_card_breaks_the_page_or_leads_to_a_script(gated_repo, card: dict[str, Any], type_: str) -> None:
    gated_repo.card_data, gated_repo.type = card, type_
    facts = facts_of(gated_repo, Actor())
    listed = [*facts.tasks, *facts.languages, *facts.base_models, *facts.datasets, *facts.tags, *facts.more_tags]
    for link in filter(None, [facts.license, facts.library, *listed]):
        assert isinstance(link, Link)
        assert link.url == "" or link.url.startswith(("/", "http:", "https:"))
    library = usage.library_of(gated_repo)
    assert all(
        line.text for line in usage.download_lines(gated_repo, endpoint="https://hub.example.org", library=library)
    )


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ADDRESSES)
def test_no_address_of_a_licence_breaks_the_page(gated_repo, address: str) -> None:
    gated_repo.card_data = {"license": "other", "license_link": address}
    found = facts_of(gated_repo, Actor()).license
    assert found is not None
    assert found.url == "" or found.url.startswith(("/", "http:", "https:"))
