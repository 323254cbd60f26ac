"""Erasing, exporting and moving what is held on a person, over all models that say they hold something."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.module_loading import import_string

from promoengine.core.privacy import Privacy, models_about_people

BATCH = 500


def erase_person(customer_id: uuid.UUID) -> dict[str, int]:
    """Delete or blank all rows about a customer, in the caller's transaction; return how many by model.

    Keys, amounts and times stay where rows stay, so that sums and ledgers are as before. Rows that go do so
    first, while the others still say whose they are.
    """
    models = sorted(models_about_people(), key=lambda one: not one[1].is_deleted)
    return {
        model._meta.label: erase_rows(_rows(model, privacy, customer_id), privacy)
        for model, privacy in models
        if not privacy.is_copy
    }


def move_person(from_id: uuid.UUID, to_id: uuid.UUID) -> None:
    """Make all rows about a customer those of another one, in the caller's transaction.

    Rows that are about a customer by way of others move with those; what has a way of its own goes first, so
    that it may lock what is counted by the customer.
    """
    for model, privacy in sorted(models_about_people(), key=lambda one: not one[1].moved_by):
        if privacy.moved_by:
            import_string(privacy.moved_by)(from_id, to_id)
        elif isinstance(privacy.person, str) and privacy.person in _columns_to_others(model):
            _rows(model, privacy, from_id).update(**{privacy.person: to_id})


def erase_copies(customer_id: uuid.UUID) -> None:
    """Delete copies of answers that speak of a customer, which have to be searched for."""
    for model, privacy in models_about_people():
        if privacy.is_copy:
            _rows(model, privacy, customer_id).delete()


def erase_rows(rows: QuerySet[Model], privacy: Privacy, columns: Mapping[str, Any] | None = None) -> int:
    """Delete rows, or leave of their personal columns what their model says; return how many those were.

    `columns` are those to be left something of, where it is not all that are personal.
    """
    if privacy.is_deleted:
        return rows.delete()[0]
    columns = privacy.personal if columns is None else columns
    values = {name: left for name, left in columns.items() if not callable(left)}
    count = rows.update(**values) if values else 0
    functions = {name: left for name, left in columns.items() if callable(left)}
    if functions:
        count = _apply(rows, functions)
    return count


def personal_data(customer_id: uuid.UUID) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    """Yield what is held on a customer: the name of each kind of rows, and the rows one by one."""
    for model, privacy in models_about_people():
        if privacy.is_copy:
            continue
        columns = [column.attname for column in model._meta.concrete_fields if column.name != "project"]
        rows = _rows(model, privacy, customer_id).order_by("pk").values(*columns, *privacy.told.split())
        yield str(model._meta.verbose_name_plural).replace(" ", "_"), rows.iterator(chunk_size=BATCH)


def _rows(model: type[Model], privacy: Privacy, customer_id: uuid.UUID) -> QuerySet[Model]:
    return model._base_manager.filter(privacy.rows_of(customer_id))


def _columns_to_others(model: type[Model]) -> set[str]:
    names = {name for column in model._meta.concrete_fields for name in (column.name, column.attname)}
    return names - {model._meta.pk.name}


def _apply(rows: QuerySet[Model], functions: dict[str, Any]) -> int:
    count, last = 0, None
    ordered = rows.order_by("pk")
    while batch := list((ordered.filter(pk__gt=last) if last else ordered)[:BATCH]):
        for row in batch:
            for name, function in functions.items():
                setattr(row, name, function(getattr(row, name)))
        type(batch[0])._base_manager.bulk_update(batch, list(functions))
        count, last = count + len(batch), batch[-1].pk
    return count
