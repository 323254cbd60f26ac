"""Asking for rows by lists of any length."""

from collections.abc import Collection
from typing import Any

from django.db.models import Lookup


class AnyOf(Lookup):
    """`column__any_of=values`: as `in`, but the values are one parameter, however many they are.

    A statement has up to 65,535 parameters, and `in` takes one for each value.
    """

    lookup_name = "any_of"
    rhs: Collection[Any]

    def get_prep_lookup(self) -> list[Any]:
        return [self.lhs.output_field.get_prep_value(value) for value in self.rhs]

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, list[Any]]:
        field = self.lhs.output_field
        return "%s", [[field.get_db_prep_value(one, connection, prepared=True) for one in value]]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, before = self.process_lhs(compiler, connection)
        values, given = self.process_rhs(compiler, connection)
        kind = self.lhs.output_field.db_type(connection).partition("(")[0]
        return f"{column} = ANY({values}::{kind}[])", [*before, *given]
