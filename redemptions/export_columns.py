"""Expressions that fields of exports are made of: the database writes all of a row."""

from decimal import Decimal
from typing import Any

from django.db.models import CharField, DecimalField, F, Func, JSONField, TextField, Value
from django.db.models.functions import Coalesce

from promoengine.core.currencies import EXPONENTS
from promoengine.core.models import Project

# The name of a column, also of a related row's, or an expression.
Column = Any


class OwnText(TextField):
    """Text that the product itself makes, so that a spreadsheet takes none of it for a formula."""


class PublicId(Func):
    """The public id of a key, null where there is none; `prefix` is text or an expression."""

    function = "public_id"
    output_field = OwnText()

    def __init__(self, prefix: Column, key: Column, **extra: Any) -> None:
        super().__init__(Value(prefix, CharField()) if isinstance(prefix, str) else prefix, key, **extra)


class NumberOf(Func):
    """The number that a JSON value is, or that its text says; null where it says none."""

    template = (
        "CASE jsonb_typeof(%(expressions)s) WHEN 'number' THEN (%(expressions)s)::numeric WHEN 'string' THEN"
        " CASE WHEN %(expressions)s #>> '{}' ~ '^[0-9]{1,30}([.][0-9]{1,30})?$'"
        " THEN (%(expressions)s #>> '{}')::numeric END END"
    )
    output_field = DecimalField()

    def as_sql(self, *args: Any, **kwargs: Any) -> tuple[str, list[Any]]:
        sql, params = super().as_sql(*args, **kwargs)
        return sql, [*params] * self.template.count("%(expressions)s")


class Major(Func):
    """An amount of minor units as on a price tag."""

    # To multiply takes half as long as to divide.
    template = "round((%(expressions)s)::numeric * %(unit)s, %(exponent)s)"
    output_field = DecimalField()

    def __init__(self, amount: Column, project: Project) -> None:
        exponent = EXPONENTS.get(project.currency, 2)
        super().__init__(amount, unit=Decimal(1).scaleb(-exponent), exponent=exponent)


class Chosen(Func):
    """Of some columns by name the one that a text names, null where it names none; the text is read once."""

    def __init__(self, text: Column, output_field: Any, **columns: Column) -> None:
        super().__init__(text, *columns.values(), output_field=output_field)
        self.names = tuple(columns)

    def as_sql(self, compiler: Any, *args: Any, **kwargs: Any) -> tuple[str, list[Any]]:
        (text, found), *columns = (compiler.compile(part) for part in self.source_expressions)
        choices, params = [], [*found]
        for name, (column, own) in zip(self.names, columns, strict=True):
            choices.append(f" WHEN %s THEN {column}")
            params += [name, *own]
        return f"CASE {text}{''.join(choices)} END", params


def member(column: Column, key: str) -> Func:
    """Return what is stored under a key of an object, as JSON."""
    return _under(column, key, "->", JSONField())


def text_of(column: Column, key: str) -> Func:
    """Return what is stored under a key of an object, as text."""
    return _under(column, key, "->>", TextField())


def nothing() -> Value:
    """Return the value of a published field that nothing here has."""
    return Value(None, OwnText())


def first_of(*columns: Column) -> Coalesce:
    """Return the first of some values that is there."""
    return Coalesce(*(F(column) if isinstance(column, str) else column for column in columns))


def _under(column: Column, key: str, operator: str, output_field: Any) -> Func:
    return Func(
        column,
        Value(key, TextField()),
        template="(%(expressions)s)",
        arg_joiner=f" {operator} ",
        output_field=output_field,
    )
