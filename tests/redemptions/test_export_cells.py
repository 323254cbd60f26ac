"""Cells of exports: what the database writes is what Python would."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db.models import DateTimeField, JSONField, TextField, UUIDField, Value
from django.db.models.functions import Cast
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promoengine.core.api.renderers import wire_datetime
from promoengine.core.ids import public_id
from promoengine.core.models import Project
from promoengine.core.spreadsheets import FORMULA_STARTS, harmless
from redemptions.export_cells import CELLS_AT_ONCE, CsvCell, SheetCell, array, record
from redemptions.export_columns import OwnText, PublicId, nothing

FIRST_DAY = datetime(1899, 12, 30, tzinfo=UTC)
at_random = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

texts = st.builds(
    str.__add__,
    st.sampled_from(["", *FORMULA_STARTS]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
)
moments = st.datetimes(datetime(1900, 1, 1), datetime(9000, 1, 1), timezones=st.timezones())  # noqa: DTZ001
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


def text(value):
    return Cast(Value(value), TextField())


def moment(value):
    return Cast(Value(value), DateTimeField())


def document(value):
    return Cast(Value(value, JSONField()), JSONField())


@pytest.fixture
def computed(project):
    """Return what the database makes of an expression."""

    def compute(expression):
        return Project.objects.filter(pk=project.pk).annotate(cell=expression).values_list("cell").get()[0]

    return compute


@given(value=texts)
@at_random
def test_texts(computed, value):
    assert computed(CsvCell(text(value))) == harmless(value)
    assert json.loads(computed(array([text(value)]))) == [harmless(value)]
    assert json.loads(computed(record({value: text(value)}))) == {value: value}


@given(value=moments)
@at_random
def test_moments(computed, value):
    written = wire_datetime(value)
    (days,) = json.loads(computed(array([moment(value)])))

    assert computed(CsvCell(moment(value))) == written
    assert json.loads(computed(record({"at": moment(value)}))) == {"at": written}
    shown = FIRST_DAY + timedelta(milliseconds=round(days * 86_400_000))
    assert wire_datetime(shown) == written


@given(value=values)
@at_random
def test_documents(computed, value):
    cell, (shown,) = computed(CsvCell(document(value))), json.loads(computed(array([document(value)])))

    assert json.loads(computed(record({"is": document(value)}))) == {"is": value}
    if value in (None, {}, []):
        assert (cell, shown) == (None, None)
    elif isinstance(value, str):
        assert cell == shown == harmless(value)
    else:
        assert json.loads(cell) == value
        is_plain = isinstance(value, int)
        assert (shown if is_plain else json.loads(shown)) == value


@given(key=st.uuids(), prefix=st.sampled_from(["v", "cust", "rf"]))
@at_random
def test_public_ids(computed, key, prefix):
    made = public_id(prefix, key)

    assert computed(PublicId(prefix, Cast(key, UUIDField()))) == made
    assert computed(CsvCell(PublicId(Value(prefix, OwnText()), Cast(key, UUIDField())))) == made


@pytest.mark.parametrize("number", [0, 1, 61, 62, 62**4 - 1, 62**4, 2**32, 2**64 - 1, 2**127, 2**128 - 1])
def test_public_ids_at_their_edges(computed, number):
    key = UUID(int=number)

    assert computed(PublicId("v", Cast(key, UUIDField()))) == public_id("v", key)


@pytest.mark.parametrize("cell", [CsvCell, SheetCell])
def test_nothing_is_an_empty_cell(computed, cell):
    found = [nothing(), text(None), moment(None)]

    assert [computed(cell(one)) for one in found] == [None, None, None]
    assert computed(PublicId("v", Cast(None, UUIDField()))) is None


def test_a_row_may_have_many_cells(computed):
    columns = {f"c{place}": Value(place) for place in range(2 * CELLS_AT_ONCE + 1)}

    assert json.loads(computed(array(list(columns.values())))) == list(range(2 * CELLS_AT_ONCE + 1))
    assert list(json.loads(computed(record(columns)))) == list(columns)
