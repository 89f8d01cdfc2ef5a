"""What a card's metadata says about a repo: its tags, pipeline tag and library, as the Hub's lists filter by them.

Metadata comes from authors: every value may have any shape, and what has the wrong one says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

MAX_TAGS: Final = 500
MAX_TAG: Final = 200

# Metadata key -> prefix of the tag.  Sources: Hub docs on card metadata, and the tags that the clients filter by
# (huggingface_hub hf_api.py, list_models and list_datasets).
_MODEL_PREFIXES: Final = {
    "license": "license",
    "language": "language",
    "datasets": "dataset",
    "base_model": "base_model",
}
_DATASET_PREFIXES: Final = {
    "license": "license",
    "language": "language",
    "task_categories": "task_categories",
    "task_ids": "task_ids",
    "size_categories": "size_categories",
    "annotations_creators": "annotations_creators",
    "language_creators": "language_creators",
    "multilinguality": "multilinguality",
    "source_datasets": "source_datasets",
}
_BASE_MODEL_RELATIONS: Final = {"adapter", "finetune", "merge", "quantized"}


def tags_of(metadata: Mapping[str, Any], repo_type: str) -> list[str]:
    """The tags of a repo of type `model` or `dataset`, each once, in the Hub's order: what it is, then its own tags.

    A language is there as `fr` and as `language:fr`: clients filter by either.
    """
    tags = dict.fromkeys(tag for tag in _tags(metadata, repo_type) if 0 < len(tag) <= MAX_TAG)
    return list(tags)[:MAX_TAGS]


def pipeline_tag(metadata: Mapping[str, Any]) -> str | None:
    """The task, such as `text-generation`."""
    return _word(metadata, "pipeline_tag")


def library_name(metadata: Mapping[str, Any]) -> str | None:
    """The library that loads the model, such as `transformers`."""
    return _word(metadata, "library_name")


def license_of(metadata: Mapping[str, Any]) -> str | None:
    """The licence's identifier; for `other`, its name where one is given."""
    said = license_id(metadata)
    return (_word(metadata, "license_name") or said) if said == "other" else said


def license_id(metadata: Mapping[str, Any]) -> str | None:
    """The licence as the list of licences is filtered by it."""
    return next(iter(_texts(metadata.get("license"))), None)


def license_link(metadata: Mapping[str, Any]) -> str | None:
    """Where the author's own licence is: an address, or a path in the repo."""
    return _word(metadata, "license_link")


def base_models_of(metadata: Mapping[str, Any]) -> list[str]:
    """The ids of the models that this one was made from."""
    return _ids(metadata, "base_model")


def base_relation_of(metadata: Mapping[str, Any]) -> str | None:
    """How it was made from them: `adapter`, `finetune`, `merge` or `quantized`."""
    relation = _word(metadata, "base_model_relation")
    return relation if relation in _BASE_MODEL_RELATIONS else None


def datasets_of(metadata: Mapping[str, Any]) -> list[str]:
    """The ids of the datasets that it was trained on."""
    return _ids(metadata, "datasets")


def task_categories_of(metadata: Mapping[str, Any]) -> list[str]:
    """What a dataset is for."""
    return list(dict.fromkeys(_texts(metadata.get("task_categories"))))


def _ids(metadata: Mapping[str, Any], key: str) -> list[str]:
    return list(dict.fromkeys(text for text in _texts(metadata.get(key)) if len(text) <= MAX_TAG))


def languages_of(metadata: Mapping[str, Any]) -> list[str]:
    """Language codes, in the author's order."""
    return list(dict.fromkeys(_texts(metadata.get("language"))))


def _tags(metadata: Mapping[str, Any], repo_type: str) -> Iterator[str]:
    yield from filter(None, (library_name(metadata), pipeline_tag(metadata)))
    yield from _texts(metadata.get("tags"))
    yield from languages_of(metadata)
    for key, prefix in (_DATASET_PREFIXES if repo_type == "dataset" else _MODEL_PREFIXES).items():
        yield from (f"{prefix}:{text}" for text in _texts(metadata.get(key)))
    if repo_type != "dataset" and (relation := base_relation_of(metadata)):
        yield from (f"base_model:{relation}:{text}" for text in _texts(metadata.get("base_model")))
    if metadata.get("model-index"):
        yield "model-index"


def _word(metadata: Mapping[str, Any], key: str) -> str | None:
    """The text of the key, in one line, if it is one and no longer than a tag."""
    value = metadata.get(key)
    word = " ".join(value.split()) if isinstance(value, str) else ""
    return word if 0 < len(word) <= MAX_TAG else None


def _texts(value: Any) -> Iterator[str]:
    """The one-line texts in a value that may be one of them or a list."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str) and (text := " ".join(item.split())):
            yield text
        elif isinstance(item, int | float) and not isinstance(item, bool):
            yield str(item)
