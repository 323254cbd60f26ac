"""Every column of every model is declared personal, or free of personal data."""

import pytest
from django.apps import apps
from django.db import models

from promoengine.core.privacy import privacy_of, without_metadata

MODELS = [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]


def says_itself(column):
    """Keys are as personal as the rows they lead to, and a yes or no tells nobody's name."""
    return column.primary_key or column.is_relation or isinstance(column, models.BooleanField)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_each_column_is_declared(model):
    privacy = privacy_of(model)
    assert privacy is not None, (
        f"{model._meta.label} says nothing of its columns: give it a `privacy = Privacy(...)`,"
        " see promoengine/core/privacy.py"
    )

    columns = {column.name for column in model._meta.concrete_fields if not says_itself(column)}
    declared = {*privacy.free_columns, *privacy.personal}

    assert sorted(columns - declared) == [], "neither `free` nor `personal`"
    assert sorted(declared - {column.name for column in model._meta.concrete_fields}) == [], "no columns"
    assert sorted({*privacy.free_columns} & {*privacy.personal}) == [], "both `free` and `personal`"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_what_is_personal_goes_with_its_person_or_lapses(model):
    privacy = privacy_of(model)

    assert not privacy.personal or privacy.person or privacy.lapses


def test_metadata_is_emptied_however_deep():
    order = {"metadata": {"a": 1}, "items": [{"amount": 5, "product": {"name": "x", "metadata": {"b": 2}}}]}

    assert without_metadata(order) == {
        "metadata": {},
        "items": [{"amount": 5, "product": {"name": "x", "metadata": {}}}],
    }
    assert without_metadata(None) is None
