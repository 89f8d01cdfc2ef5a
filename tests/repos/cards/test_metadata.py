"""Tags and filters out of card metadata."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repos.cards import read, validate
from repos.cards.metadata import (
    MAX_TAG,
    MAX_TAGS,
    languages_of,
    library_name,
    license_of,
    pipeline_tag,
    tags_of,
)


def test_tags_of_a_model() -> None:
    metadata = {
        "license": "mit",
        "language": ["en", "fr"],
        "datasets": ["lab/rivers"],
        "tags": ["vision", "en", "vision"],
        "pipeline_tag": "image-classification",
        "library_name": "timm",
        "base_model": "lab/base",
        "base_model_relation": "finetune",
        "model-index": [{"name": "x"}],
        "task_categories": ["not-of-models"],
    }
    assert tags_of(metadata, "model") == [
        "timm",
        "image-classification",
        "vision",
        "en",
        "fr",
        "license:mit",
        "language:en",
        "language:fr",
        "dataset:lab/rivers",
        "base_model:lab/base",
        "base_model:finetune:lab/base",
        "model-index",
    ]


def test_tags_of_a_dataset() -> None:
    metadata = {
        "license": ["cc-by-4.0", "mit"],
        "language": "sw",
        "task_categories": ["token-classification"],
        "size_categories": ["1K<n<10K"],
        "base_model": "not-of-datasets",
    }
    assert tags_of(metadata, "dataset") == [
        "sw",
        "license:cc-by-4.0",
        "license:mit",
        "language:sw",
        "task_categories:token-classification",
        "size_categories:1K<n<10K",
    ]


def test_norwegian_is_a_language() -> None:
    assert tags_of(read("---\nlanguage: no\n---\n").metadata, "model") == ["no", "language:no"]


def test_single_answers() -> None:
    metadata = {"pipeline_tag": " text-generation ", "library_name": "transformers", "license": "mit", "language": "en"}
    assert pipeline_tag(metadata) == "text-generation"
    assert library_name(metadata) == "transformers"
    assert license_of(metadata) == "mit"
    assert license_of({"license": "other", "license_name": "reef"}) == "reef"
    assert license_of({"license": "other"}) == "other"
    assert languages_of(metadata) == ["en"]


@pytest.mark.parametrize("value", [None, "", 1, 1.5, True, [], {}, [[]], [{}], {"a": "b"}, "x" * 300])
def test_wrong_shapes_say_nothing(value: Any) -> None:
    metadata = {"pipeline_tag": value, "library_name": value}
    assert pipeline_tag(metadata) is None
    assert library_name(metadata) is None


def test_words_over_several_lines_are_one_line() -> None:
    metadata = {"pipeline_tag": "text\n\ngeneration", "library_name": " trans\tformers\n"}
    assert (pipeline_tag(metadata), library_name(metadata)) == ("text generation", "trans formers")
    assert tags_of(metadata, "model")[:2] == ["trans formers", "text generation"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
keys = st.sampled_from(
    "license license_name language tags datasets pipeline_tag library_name base_model base_model_relation"
    " size_categories task_categories model-index".split()
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(keys, json_values), st.sampled_from(["model", "dataset"]))
def test_tags_are_short_texts_whatever_the_metadata(metadata: dict[str, Any], repo_type: str) -> None:
    tags = tags_of(metadata, repo_type)
    assert len(tags) == len(set(tags)) <= MAX_TAGS
    assert all(isinstance(tag, str) and 0 < len(tag) <= MAX_TAG and "\n" not in tag for tag in tags)
    for question in (pipeline_tag, library_name, license_of):
        assert isinstance(question(metadata), str | None)


@pytest.mark.parametrize(
    ("readme", "errors", "warnings"),
    [
        ("---\nlicense: mit\n---\n", [], []),
        ("# Title\n", [], ["empty or missing yaml metadata in repo card"]),
        ("---\ntags: [a]\n---\n", [], ["the model has no license: add a line such as 'license: apache-2.0'"]),
        ("---\nlicense: mit\ntags: {a: b}\n---\n", [], ['"tags" should be a text or a list of texts']),
        (
            "---\nlicense: other\nlicense_link: https://[your-org]/LICENSE\n---\n",
            [],
            ["license_link is neither an address nor the path of a file, so it is not shown"],
        ),
        ("---\nlicense: other\nlicense_link: LICENSE.md\n---\n", [], []),
        (
            "---\nlicense: mit\ngated: true\n---\n",
            [],
            ["gated has no effect in a card: access requests are turned on in the settings of the repo"],
        ),
        ("---\nlicense: mit\nlanguage: [true]\n---\n", [], ['"language" should be a text or a list of texts']),
        (
            "---\nlicense: mit\nextra_gated_field:\n  Name: text\n---\n",
            [],
            ['line 3: "extra_gated_field" is not known and has no effect; did you mean extra_gated_fields?'],
        ),
        (
            "---\nlicense: mit\nExtra-Gated Prompt: Hello\nextra_gate_heading: Hi\nextra_gated_colour: red\n---\n",
            [],
            [
                'line 3: "Extra-Gated Prompt" is not known and has no effect; did you mean extra_gated_prompt?',
                'line 4: "extra_gate_heading" is not known and has no effect; did you mean extra_gated_heading?',
                'line 5: "extra_gated_colour" is not known and has no effect',
            ],
        ),
        (
            "---\nlicense: mit\nextra_gated_fields:\n  Name: {type: text, requierd: no}\n---\n",
            [],
            ['line 4: "requierd" of "Name" is not known and has no effect'],
        ),
        (
            "---\nlicense: mit\nextra_gated_fields:\n- Name: {type: text, options: [a]}\n---\n",
            [],
            ['line 4: only a select has options: those of "Name" have no effect'],
        ),
        ("---\nlicense: mit\nextra_gated_fields:\n- Why: {type: Select, options: [a, b]}\n---\n", [], []),
        ("---\nlicense: mit\nlicense: mit\n---\n", ['line 3: the key "license" is given twice'], []),
        (
            "---\nextra_gated_fields:\n  Name: slider\n---\n",
            [
                'line 3: the field "Name" has the unknown type "slider"; the types are text, textarea, checkbox,'
                " date_picker, country, select, ip_location, email, url"
            ],
            [],
        ),
    ],
)
def test_validation(readme: str, errors: list[str], warnings: list[str]) -> None:
    assert validate(readme, "model") == (errors, warnings)
