"""A real, tiny BERT with its tokenizer, built here: nothing is fetched.

The weights are random but always the same.  Formats: safetensors (8 bytes of header length, a JSON header, the
tensors), and the tokenizers library's `tokenizer.json`.
"""

from __future__ import annotations

import json
import random
import struct
from array import array
from math import prod

WORDS = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] . , ! ? the a an of to and in is it you that he was for on are with as i his they "
    "be at one have this from or had by not but what some we can out other were all there when up use your how said "
    "each she which do their time if will way about many then them write would like so these her long make thing see"
).split()

CONFIG = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "vocab_size": len(WORDS),
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "pad_token_id": 0,
    "dtype": "float32",
}

Shapes = dict[str, tuple[int, ...]]


def files() -> dict[str, bytes]:
    """The model's files but for its card: path and content.  `model.safetensors` is the large one."""
    return {
        "config.json": _json(CONFIG),
        "tokenizer.json": _json(_tokenizer()),
        "tokenizer_config.json": _json(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "pad_token": "[PAD]",
                "unk_token": "[UNK]",
                "cls_token": "[CLS]",
                "sep_token": "[SEP]",
                "mask_token": "[MASK]",
                "model_max_length": 64,
            }
        ),
        "model.safetensors": _safetensors(_shapes()),
    }


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2).encode() + b"\n"


def _tokenizer() -> dict[str, object]:
    special = [
        {
            "id": number,
            "content": word,
            "special": True,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
        }
        for number, word in enumerate(WORDS[:5])
    ]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": {
            "type": "BertProcessing",
            "sep": ["[SEP]", WORDS.index("[SEP]")],
            "cls": ["[CLS]", WORDS.index("[CLS]")],
        },
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": {word: number for number, word in enumerate(WORDS)},
            "unk_token": "[UNK]",
        },
    }


def _shapes() -> Shapes:
    """Names and shapes of BertModel's tensors."""
    hidden, inner = 32, 64
    linear: Shapes = {"weight": (hidden, hidden), "bias": (hidden,)}
    norm: Shapes = {"weight": (hidden,), "bias": (hidden,)}
    layer: dict[str, Shapes] = {
        **{f"attention.self.{part}": linear for part in ("query", "key", "value")},
        "attention.output.dense": linear,
        "attention.output.LayerNorm": norm,
        "intermediate.dense": {"weight": (inner, hidden), "bias": (inner,)},
        "output.dense": {"weight": (hidden, inner), "bias": (hidden,)},
        "output.LayerNorm": norm,
    }
    modules: dict[str, Shapes] = {
        "embeddings.word_embeddings": {"weight": (len(WORDS), hidden)},
        "embeddings.position_embeddings": {"weight": (64, hidden)},
        "embeddings.token_type_embeddings": {"weight": (2, hidden)},
        "embeddings.LayerNorm": norm,
        **{f"encoder.layer.{number}.{name}": shapes for number in range(2) for name, shapes in layer.items()},
        "pooler.dense": linear,
    }
    return {f"{module}.{name}": shape for module, shapes in modules.items() for name, shape in shapes.items()}


def _safetensors(shapes: Shapes) -> bytes:
    chance = random.Random(2026)  # noqa: S311 - weights, not secrets.
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    data = bytearray()
    for name, shape in shapes.items():
        if "LayerNorm" in name:
            values = array("f", [1.0 if name.endswith("weight") else 0.0] * prod(shape))
        else:
            values = array("f", (chance.gauss(0, 0.02) for _ in range(prod(shape))))
        start = len(data)
        data += struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [start, len(data)]}
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + bytes(data)
