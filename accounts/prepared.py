"""A statement that PostgreSQL has prepared, asked by libpq at once: what psycopg's cursors and Django's do around each
question takes longer than the answer to the one that begins every download.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.types.numeric import Int8

from accounts.lent import session_of

_numbers = itertools.count(1)
_Dumped = tuple[list[Any], list[Any], Any]


class Statement:
    """SQL with `%s` in the places of constants and of values, which `places` names: texts, or whole numbers.

    Rows are those that a cursor gives.
    """

    def __init__(self, sql: str, constants: Sequence[Any], places: Mapping[int, str]) -> None:
        numbers = itertools.count(1)
        self._sql = re.sub("%(%|s)", lambda sign: "%" if sign[1] == "%" else f"${next(numbers)}", sql).encode()
        self._constants = list(constants)
        self._places = dict(places)
        self._dumped: _Dumped | None = None
        self._names: WeakKeyDictionary[Any, bytes] = WeakKeyDictionary()  # Of the statement, in each session.

    def rows(self, connection: Any, values: Mapping[str, int | str]) -> list[tuple[Any, ...]] | None:
        """None where it cannot be asked so, or fails: a cursor does it, or says what is wrong.

        `connection` is Django's.  In a transaction it is left to a cursor, as a failure would end the transaction; and
        so are queries that somebody wants to see.
        """
        if connection.queries_logged or connection.execute_wrappers:
            return None
        with suppress(psycopg.Error, _Unfit, UnicodeEncodeError), session_of(connection) as session:
            if session.prepare_threshold is not None and session.pgconn.transaction_status == TransactionStatus.IDLE:
                return self._asked(session, values)
        return None

    def _asked(self, session: Any, values: Mapping[str, int | str]) -> list[tuple[Any, ...]] | None:
        transformer = Transformer(session)
        if self._dumped is None:
            self._dumped = self._dump(transformer, values)
        constants, formats, types = self._dumped
        params = constants.copy()
        for place, name in self._places.items():
            params[place] = _text_of(values[name])
        own_name = self._names.get(session)
        if own_name is None:
            own_name = b"gatehub_%d" % next(_numbers)
            if session.pgconn.prepare(own_name, self._sql, types).status != ExecStatus.COMMAND_OK:
                return None
            self._names[session] = own_name
        result = session.pgconn.exec_prepared(own_name, params, formats)
        if result.status != ExecStatus.TUPLES_OK:
            # It was made before a table was changed, or psycopg has let all go, as it does after a rollback.
            self._names.pop(session, None)
            return None
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)

    def _dump(self, transformer: Any, values: Mapping[str, int | str]) -> _Dumped:
        """The constants, formats and types of all, with nothing of the values but their kinds."""
        stand_ins: dict[int, Any] = {
            place: Int8(0) if isinstance(values[name], int) else "" for place, name in self._places.items()
        }
        params = [stand_ins.get(place, constant) for place, constant in enumerate(self._constants)]
        dumped = list(transformer.dump_sequence(params, [PyFormat.AUTO] * len(params)))
        formats = [
            Format.TEXT if place in stand_ins else usual for place, usual in enumerate(transformer.formats or ())
        ]
        return dumped, formats, transformer.types or ()


class _Unfit(Exception):
    """A value that libpq would not take, or not whole."""


def _text_of(value: int | str) -> bytes:
    if isinstance(value, int):
        return b"%d" % value
    text = value.encode()
    if b"\0" in text:  # Where libpq's texts end.
        raise _Unfit
    return text
