"""How a table is imported row by row: what its columns are, and whether rows come in or are only checked."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction

from promoengine.core.errors import InvalidPayload

CHECK, GOOD = "check", "good"
# What a column may be instead of a field: an attribute of its name, or nothing.
METADATA, LEFT_OUT = "metadata", ""


@dataclass(frozen=True, slots=True)
class RowPlan:
    """Whether the good rows come in or all are only checked, and what columns are whose header does not say.

    `mapping` is by the name of the column: a field, METADATA or LEFT_OUT.
    """

    mode: str = GOOD
    mapping: Mapping[str, str] = field(default_factory=dict)

    def to_params(self) -> dict[str, Any]:
        """Return what `row_plan_of` reads, as JSON has it."""
        return asdict(self)

    def fields(self, cells: Mapping[str, str], known: Collection[str]) -> Iterator[tuple[str, str, str]]:
        """Yield what is written in a row: the field or METADATA, the name of the column, and the text."""
        for column, cell in cells.items():
            text, meant = cell.strip(), self.meaning_of(column, known)
            if text and meant != LEFT_OUT:
                yield meant, column, text

    def meaning_of(self, column: str, known: Collection[str]) -> str:
        """Return what a column is."""
        if column in self.mapping:
            return self.mapping[column]
        name = column.strip().lower().replace(" ", "_")
        return name if name in known else METADATA if name else LEFT_OUT

    def check(self, columns: Collection[str], known: Collection[str]) -> None:
        """Refuse a mapping that can't be of a table with these columns.

        Raises:
            InvalidPayload: a column or a field does not exist, or two columns give the same field.
        """
        check_columns(self.mapping, columns)
        for column, meant in self.mapping.items():
            if meant not in (*known, METADATA, LEFT_OUT):
                allowed = ", ".join([*known, METADATA])
                raise InvalidPayload(f"Property .mapping.{column} should be one of [ {allowed} ], or empty")
        given = [self.meaning_of(column, known) for column in columns] if self.mapping else []
        for name in known:
            if given.count(name) > 1:
                raise InvalidPayload(f"Property .mapping can't be so. Only one column can be: {name}")

    def in_words(self, done: str, failed: int) -> str:
        """Return what came of an import, `done` being how many of what, as in `2 customers`."""
        came_in = "would be imported" if self.mode == CHECK else "imported"
        return f"{done} {came_in}, {failed} failed"

    @contextmanager
    def step(self) -> Iterator[None]:
        """Do a step of the import in the caller's transaction; a check takes back what it has written."""
        point = transaction.savepoint() if self.mode == CHECK else None
        yield
        if point:
            transaction.savepoint_rollback(point)


AS_PUBLISHED = RowPlan()


def check_columns(mapping: Mapping[str, str], columns: Collection[str]) -> None:
    """Refuse a mapping of columns that a table doesn't have.

    Raises:
        InvalidPayload: it names such a column.
    """
    for column in mapping:
        if column not in columns:
            raise InvalidPayload(f"Property .mapping names {column!r}, which is no column of the file")


def row_plan_of(params: Mapping[str, Any]) -> RowPlan:
    """Read a plan from the params of a job."""
    return RowPlan(**params.get("plan", {}))
