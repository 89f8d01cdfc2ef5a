"""PostgreSQL's extension pg_trgm, which finds parts of words by index.  SQLite does without."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.db import ProgrammingError
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

REFUSED = """PostgreSQL does not let this user create the extension pg_trgm, which searches need.
Let the owner of the database or a superuser run, in this database,
    CREATE EXTENSION pg_trgm;
and run `migrate` again.  Nothing was changed."""


def require(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create it where it is missing.  Since PostgreSQL 13, whoever may create schemas in the database may create it.

    Raises ImproperlyConfigured, which tells the operator what to do.
    """
    try:
        schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except ProgrammingError as error:
        if getattr(error.__cause__, "sqlstate", "") != "42501":  # insufficient_privilege
            raise
        raise ImproperlyConfigured(REFUSED) from error


def index(schema_editor: BaseDatabaseSchemaEditor, name: str, definition: str) -> None:
    """Make an index on PostgreSQL while others read and write.  What a broken attempt left, goes first."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        schema_editor.execute(f"CREATE INDEX CONCURRENTLY {name} {definition}")


def drop(schema_editor: BaseDatabaseSchemaEditor, name: str) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
