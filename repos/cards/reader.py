"""Model cards: `README.md` with its metadata.

Source: the Hub's docs on model cards, and huggingface_hub repocard.py for what counts as the metadata block.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from frontmatter.default_handlers import YAMLHandler

from repos.cards import nodes
from repos.cards.nodes import CardError

MAX_CARD_BYTES: Final = 8 * 1024 * 1024
GATE_PREFIX: Final = "extra_gated_"

# A block that was opened and never closed is a mistake when it looks like metadata, else a line across the page.
_LOOKS_LIKE_METADATA: Final = re.compile(r"(?:\? |[\w-]+[ \t]*:(?:\s|$))")


@dataclass(frozen=True)
class Card:
    """A model card.  `metadata` is JSON-safe; `text` is the Markdown after it.

    `gate` holds the `extra_gated_*` entries as nodes, each with the line it stands on, for `form_of`: there, what the
    author wrote counts letter for letter, and JSON values no longer know it.  `lines` has the line of each key of the
    metadata.
    """

    metadata: dict[str, Any]
    text: str
    gate: Mapping[str, yaml.Node] = field(repr=False, compare=False)
    lines: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)


class _FrontMatter(YAMLHandler):
    """Splits only; `---` alone on its line, as on the Hub (the library would take `-----` too)."""

    FM_BOUNDARY = re.compile(r"^---[ \t]*$", re.MULTILINE)


def read(readme: bytes | str) -> Card:
    """Read `README.md`.  A card without metadata is a card: its metadata is empty.

    Raises CardError for bytes that are not UTF-8, for a metadata block that is not closed, and for metadata that is not
    one mapping within the limits of `repos.cards.nodes`.
    """
    above, metadata, text = _split(_decode(readme))
    # The lines above the metadata are kept as empty ones, so that the line marks are those of README.md.
    root = nodes.compose("\n" * above + metadata)
    if root is None:
        return Card(metadata={}, text=text, gate={})
    values = nodes.plain(root)
    gate = {key.value: value for key, value in root.value if key.value.startswith(GATE_PREFIX)}
    lines = {key.value: nodes.line_of(key) for key, _ in root.value}
    return Card(metadata=values, text=text, gate=gate, lines=lines)


def _decode(readme: bytes | str) -> str:
    """Text with plain newlines, without a byte order mark."""
    if len(readme) > MAX_CARD_BYTES:
        raise CardError(f"README.md is larger than {MAX_CARD_BYTES // 1024**2} MiB")
    try:
        text = readme.decode("utf-8") if isinstance(readme, bytes) else readme
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise CardError("README.md is not UTF-8 text", line=line) from error
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _split(card: str) -> tuple[int, str, str]:
    """Number of lines above the metadata, the metadata (starting with a newline), the text below."""
    start = card.lstrip("\n \t")
    above = card.count("\n", 0, len(card) - len(start))
    handler = _FrontMatter()
    if not handler.detect(start):
        return 0, "", _clean(card)
    try:
        metadata, text = handler.split(start)
    except ValueError:
        written = (line for line in start.split("\n")[1:] if line.strip() and not line.startswith("#"))
        if _LOOKS_LIKE_METADATA.match(next(written, "")):
            raise CardError("the metadata that starts here is not closed by a line ---", line=above + 1) from None
        return 0, "", _clean(card)
    return above, metadata, _clean(text.removeprefix("\n"))


def _clean(text: str) -> str:
    """U+FFFD for what no database stores and no page shows: NUL and halves of surrogate pairs."""
    return re.sub(r"[\x00\ud800-\udfff]", "\ufffd", text)
