"""What a schema accepts of each kind of attribute, and what it says of what it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promoengine.core.metadata import KINDS, Definition, Schemas, parse_schema

GOOD_AND_BAD = {
    "string": (["", "red", "x" * 10_000], [1, True, [], {}, ["red"]]),
    "number": ([0, -1, 2.5, 10**18], ["1", True, [], {}]),
    "boolean": ([True, False], ["true", 0, 1, "", [], {}]),
    "date": (
        ["2026-02-28", "2024-02-29", "2026-02-28T10:00:00Z", "2020-03-11T09:00:00.000Z"],
        ["2026-02-30", "2026-2-1", "20260201", "tomorrow", "", 20260201, "2026-02-28 or so", "٢٠٢٦-٠٢-٢٨"],
    ),
    "datetime": (
        ["2026-02-28T10:00:00Z", "2026-02-28T10:00", "2026-02-28 10:00:00+02:00", "2026-02-28T10:00:00.123Z"],
        ["2026-02-28", "2026-02-28T25:00:00Z", "2026-02-30T10:00:00Z", "10:00", "", 1, "2026-W09-6T10:00"],
    ),
    "image_url": (
        ["https://shop.example/a.jpg", "http://shop.example/A.PNG", "https://shop.example/a.jpeg?w=1"],
        ["http.com", "https://shop.example/a.gif", "ftp://shop.example/a.jpg", "a.jpg", "", 1,
         "javascript:alert(1)//a.jpg", " https://shop.example/a.jpg", "https://[/a.jpg"],
    ),
    "geopoint": (
        ["37.786971, -122.399677", "0,0", "-90,180"],
        ["91,0", "0,181", "0", "0,0,0", "north", "", 1, [0, 0], "1e5,0", "nan,nan"],
    ),
    "object": ([{}, {"any": ["thing"]}], ["{}", 1, [], True]),
}  # fmt: skip


def problems(definition, *value, **others):
    """Return what is wrong with the value of `it`, or with its absence."""
    schema = parse_schema("customer", {"it": definition}, **others)
    metadata = {"it": value[0]} if value else {}
    return [str(found) for found in Schemas({"customer": schema}).violations(schema, metadata, is_new=True)]


@pytest.mark.parametrize(("kind", "value"), [(k, v) for k, (good, _) in GOOD_AND_BAD.items() for v in good])
def test_a_value_of_its_kind_is_accepted(kind, value):
    assert problems({"type": kind}, value) == []
    assert problems({"type": kind, "array": True}, [value, value]) == []


@pytest.mark.parametrize(("kind", "value"), [(k, v) for k, (_, bad) in GOOD_AND_BAD.items() for v in bad])
def test_a_value_of_another_kind_is_refused(kind, value):
    (problem,) = problems({"type": kind}, value)

    assert problem.startswith(f"it: {KINDS[kind].says} (actual value is ")
    assert len(problems({"type": kind, "array": True}, [value])) == 1


@pytest.mark.parametrize(
    ("definition", "good", "bad", "says"),
    [
        ({"type": "string", "eq": ["a", "b"]}, "b", "c", "must be equal to one of a,b"),
        ({"type": "number", "eq": [1, 2]}, 2.0, 3, "must be equal to one of 1,2"),
        ({"type": "number", "ne": [1, 2]}, 3, 1, "must not be equal to any of 1,2"),
        ({"type": "string", "min_length": 2}, "ab", "a", "must have at least 2 characters"),
        ({"type": "string", "max_length": 2}, "ab", "abc", "must have at most 2 characters"),
        ({"type": "string", "exact_length": 2}, "ab", "a", "must have exactly 2 characters"),
        ({"type": "number", "lt": 2}, 1.99, 2, "must be less than 2"),
        ({"type": "number", "lte": 2}, 2, 2.01, "must be less than or equal to 2"),
        ({"type": "number", "gt": 2.5}, 3, 2.5, "must be greater than 2.5"),
        ({"type": "number", "gte": 2}, 2, 1, "must be greater than or equal to 2"),
    ],
)
def test_a_bound_is_kept_by_single_values_and_by_each_of_several(definition, good, bad, says):
    several = definition | {"array": True}

    assert problems(definition, good) == problems(several, [good, good]) == problems(several, []) == []
    assert [says in problem for problem in problems(definition, bad)] == [True]
    assert [says in problem for problem in problems(several, [good, bad])] == [True]


def test_a_refusal_reads_as_published():
    locations = {"type": "string", "array": True, "eq": ["L1", "L2", "L3"]}

    assert problems(locations, "L1") == [
        "it: must be an array, and every element: must be a string, must be equal to one of L1,L2,L3"
        " (actual value is 'L1')"
    ]
    assert problems({"type": "image_url"}, "http.com") == [
        "it: must be a URL pointing to JPG/JPEG or PNG resource (actual value is 'http.com')"
    ]


def test_a_required_attribute_must_be_there_in_what_is_new_and_may_never_be_null():
    schema = parse_schema("customer", {"it": {"type": "number", "optional": False}})
    schemas = Schemas({"customer": schema})

    def found(metadata, is_new):
        return [str(one) for one in schemas.violations(schema, metadata, is_new=is_new)]

    said = "it: must be a number, property is required (actual value is {})"
    assert found({}, True) == [said.format("undefined")]
    assert found({}, False) == []
    assert found({"it": None}, True) == found({"it": None}, False) == [said.format("null")]


def test_an_optional_attribute_may_be_null_but_not_one_of_several_values():
    assert problems({"type": "number"}, None) == problems({"type": "number", "array": True}, None) == []
    assert len(problems({"type": "number", "array": True}, [1, None])) == 1


def test_an_undefined_attribute_is_refused_only_where_just_defined_ones_are_allowed():
    schema = parse_schema("customer", {"gone": {"type": "string", "deleted": True}}, allow_defined_only=True)
    found = Schemas({"customer": schema}).violations(schema, {"gone": "x", "new": 1}, is_new=True)

    assert [str(one) for one in found] == [
        "gone: is not defined in the metadata schema 'customer'",
        "new: is not defined in the metadata schema 'customer'",
    ]
    assert problems({"type": "string", "deleted": True}, 1) == []


def test_nested_objects_are_held_to_their_own_schema():
    payment = parse_schema(
        "Payment",
        {"tax": {"type": "number", "optional": False}, "way": {"type": "string"}},
        allow_defined_only=True,
    )
    order = parse_schema(
        "order",
        {
            "one": {"type": "object", "object_type": "Payment"},
            "all": {"type": "object", "object_type": "Payment", "array": True},
            "any": {"type": "object", "object_type": "never defined"},
        },
    )
    schemas = Schemas({"order": order, "Payment": payment})
    metadata = {
        "one": {"way": 1, "odd": 2},
        "all": [{"tax": 1}, {"tax": "2"}, {}],
        "any": {"whatever": None},
    }

    found = [str(one) for one in schemas.violations(order, metadata, is_new=False)]

    assert found == [
        "one.tax: must be a number, property is required (actual value is undefined)",
        "one.way: must be a string (actual value is 1)",
        "one.odd: is not defined in the metadata schema 'Payment'",
        "all[1].tax: must be a number, property is required (actual value is '2')",
        "all[2].tax: must be a number, property is required (actual value is undefined)",
    ]


def test_a_schema_nested_in_itself_ends():
    tree = parse_schema("tree", {"below": {"type": "object", "object_type": "tree"}})
    value: dict = {}
    for _ in range(500):
        value = {"below": value}

    (found,) = Schemas({"tree": tree}).violations(tree, value, is_new=True)

    assert found.says == "must not be nested in more than 10 objects"


def test_a_long_value_is_cut_short_in_what_is_said():
    (problem,) = problems({"type": "number"}, "x" * 10_000)

    assert len(problem) < 200


@pytest.mark.parametrize(
    ("definition", "text", "value"),
    [
        ({"type": "string"}, "12", "12"),
        ({"type": "number"}, "12", 12),
        ({"type": "number"}, "-1.50", -1.5),
        ({"type": "number"}, "1_000", "1_000"),
        ({"type": "number"}, "nan", "nan"),
        ({"type": "number"}, "twelve", "twelve"),
        ({"type": "boolean"}, "TRUE", True),
        ({"type": "boolean"}, "no", False),
        ({"type": "boolean"}, "perhaps", "perhaps"),
        ({"type": "date"}, "2026-02-28", "2026-02-28"),
        ({"type": "number", "array": True}, "1, 2", [1, 2]),
        ({"type": "string", "array": True}, '["a,b", "c"]', ["a,b", "c"]),
        ({"type": "string", "array": True}, "[a", ["[a"]),
        ({"type": "object"}, '{"tax": 1}', {"tax": 1}),
        ({"type": "object"}, "[1]", "[1]"),
    ],
)
def test_a_cell_of_a_file_is_read_as_its_attribute_is_defined(definition, text, value):
    schemas = Schemas({"customer": parse_schema("customer", {"it": definition})})

    read = schemas.read_cells("customer", {"it": text, "other": "1"})

    assert read == {"it": value, "other": "1"}
    assert type(read["it"]) is type(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from(sorted(KINDS)), st.booleans(), st.booleans(), JSON)
def test_any_value_is_accepted_or_refused_by_its_path(kind, array, optional, value):
    definition = {"type": kind, "array": array, "optional": optional}

    found = problems(definition, value)

    single = Definition(kind).allows
    fits = isinstance(value, list) and all(map(single, value)) if array else single(value)
    assert (found == []) == (fits or (value is None and optional))
    assert all(one.startswith("it: must be ") for one in found)
