"""Reading several versions of a form at once: each is read once, and kept by what its digest says of it.  ada manages
lab/toxic-bert."""

from __future__ import annotations

import pytest

from access import services
from repos import cards
from repos.models import GateForm
from tests.support.cast import add_files


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(services, "_specs", {})


@pytest.fixture
def versions(gated_repo, ada) -> dict[str, list[str]]:
    """Digest -> labels."""
    for label in ("One", "Two"):
        add_files(gated_repo, {"README.md": f"---\nextra_gated_fields:\n  {label}: text\n---\n".encode()}, by=ada)
    return {form.digest: [entry["label"] for entry in form.spec["fields"]] for form in gated_repo.gate_forms.all()}


def labels(specs: dict[str, cards.FormSpec]) -> dict[str, list[str]]:
    return {digest: [field.label for field in spec.fields] for digest, spec in specs.items()}


def test_all_are_read_in_one_query_and_then_in_none(versions, gated_repo, django_assert_num_queries):
    assert len(versions) >= 3
    with django_assert_num_queries(1):
        assert labels(services.form_specs(gated_repo, versions)) == versions
    with django_assert_num_queries(0):
        assert labels(services.form_specs(gated_repo, versions)) == versions


def test_what_is_new_is_read_beside_what_is_kept(versions, gated_repo, django_assert_num_queries):
    first, *_ = versions
    services.form_specs(gated_repo, [first])
    with django_assert_num_queries(1):
        assert labels(services.form_specs(gated_repo, versions)) == versions


def test_a_digest_that_no_version_has_is_left_out(versions, gated_repo):
    assert services.form_specs(gated_repo, ["0" * 64]) == {}
    assert services.form_specs(gated_repo, []) == {}


def test_versions_of_another_repo_are_not_read(versions, gated_repo, make_repo, ada):
    other = make_repo("lab/other", by=ada, gated="manual")
    assert other.gate_form is None or other.gate_form.digest in versions
    assert set(services.form_specs(other, versions)) == {form.digest for form in other.gate_forms.all()}


def test_what_does_not_have_its_digest_is_not_kept(gated_repo, make_repo, ada):
    """Whoever wrote such rows by hand gets their contents, and no other repo does."""
    other = make_repo("lab/other", by=ada, gated="manual")
    for repo, label in ((gated_repo, "Mine"), (other, "Theirs")):
        spec = cards.FormSpec(fields=(cards.Field(label=label, type="text"),)).to_json()
        GateForm.objects.create(repo=repo, digest="a" * 64, commit_sha="b" * 40, spec=spec)
    assert labels(services.form_specs(gated_repo, ["a" * 64])) == {"a" * 64: ["Mine"]}
    assert labels(services.form_specs(other, ["a" * 64])) == {"a" * 64: ["Theirs"]}


def test_no_more_are_kept_than_bounded(versions, gated_repo, monkeypatch):
    monkeypatch.setattr(services, "MOST_SPECS_KEPT", 2)
    assert labels(services.form_specs(gated_repo, versions)) == versions
    assert len(services._specs) <= 2
    assert labels(services.form_specs(gated_repo, versions)) == versions
