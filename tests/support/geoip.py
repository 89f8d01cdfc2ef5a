"""Writes small databases in MaxMind's format.  Source: MaxMind DB File Format Specification v2.0."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_MARKER = b"\xab\xcd\xefMaxMind.com"
_STRING, _UINT32, _MAP, _ARRAY, _BOOLEAN = 2, 6, 7, 11, 14


def write_database(path: Path, networks: Mapping[str, Any]) -> None:
    """Write a database in which each network (IPv4 or IPv6, none inside another) has its record, such as
    `{"country": {"iso_code": "FR"}}`."""
    nodes: list[list[Any]] = [[None, None]]  # A child is None, the number of a node, or the bytes of a record.
    for network, record in networks.items():
        _insert(nodes, network, _encoded(record))
    data = b"".join(child for node in nodes for child in node if isinstance(child, bytes))
    tree = bytearray()
    offset = 0
    for node in nodes:
        for child in node:
            value = len(nodes) if child is None else child
            if isinstance(child, bytes):
                value = len(nodes) + 16 + offset
                offset += len(child)
            tree += struct.pack(">I", value)[1:]  # Records of 24 bits.
    metadata = {
        "node_count": len(nodes),
        "record_size": 24,
        "ip_version": 6,
        "database_type": "Test-Country",
        "languages": ["en"],
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 0,
        "description": {"en": "for tests"},
    }
    path.write_bytes(bytes(tree) + bytes(16) + data + _MARKER + _encoded(metadata))


def _insert(nodes: list[list[Any]], network: str, record: bytes) -> None:
    parsed = ipaddress.ip_network(network)
    prefix = parsed.prefixlen + (96 if parsed.version == 4 else 0)  # IPv4 lives in ::/96.
    bits = f"{int(parsed.network_address):0128b}"[:prefix]
    here = 0
    for bit in bits[:-1]:
        if nodes[here][int(bit)] is None:
            nodes.append([None, None])
            nodes[here][int(bit)] = len(nodes) - 1
        here = nodes[here][int(bit)]
    nodes[here][int(bits[-1])] = record


def _encoded(value: Any) -> bytes:
    if isinstance(value, str):
        return _control(_STRING, len(value.encode())) + value.encode()
    if isinstance(value, bool):
        return _control(_BOOLEAN, value)  # The size is the value.
    if isinstance(value, int):
        return _control(_UINT32, 4) + struct.pack(">I", value)
    if isinstance(value, list):
        return _control(_ARRAY, len(value)) + b"".join(_encoded(item) for item in value)
    return _control(_MAP, len(value)) + b"".join(_encoded(key) + _encoded(item) for key, item in value.items())


def _control(kind: int, size: int) -> bytes:
    """Type and size; sizes from 29 on take a byte of their own, which is enough for tests."""
    head, tail = (size, b"") if size < 29 else (29, bytes([size - 29]))
    return bytes([kind << 5 | head]) + tail if kind <= 7 else bytes([head, kind - 7]) + tail
