"""Whatever is sent as a rule is either refused with its place, or judged without an exception."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from promoengine.engine.facts import Customer
from promoengine.engine.findings import KINDS
from promoengine.engine.operators import OPERATORS
from promoengine.engine.order import Item, Order
from promoengine.engine.rules import InvalidRule, parse_rule
from tests.engine.offered import code, decided

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(
        ["hat", "9" * 500, "2026-02-30", "2026-01-01T00:00:00+99:00", "1e999", "NaN", "{}", "%s"]
    ),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "source_id", "", "a.b"]), inner, max_size=2)
    ),
    max_leaves=6,
)
names = st.sampled_from(sorted(KINDS)) | st.text(max_size=5) | values
operators = st.sampled_from([*OPERATORS, "$from", "$", "is"])
logics = st.text(alphabet="123() andornt!&|", max_size=20) | values


def nodes(inner):
    return st.fixed_dictionaries(
        {"name": names, "conditions": st.dictionaries(operators, values, max_size=2) | values},
        optional={"property": values, "rules": inner, "error": values, "unknown": values},
    )


def numbered(inner):
    return st.dictionaries(st.sampled_from(["1", "2", "1.1", "x", ""]), inner, max_size=3)


rules = st.recursive(values, lambda inner: numbered(nodes(inner) | values), max_leaves=4)
wires = st.fixed_dictionaries({"rules": rules}, optional={"error": values})
ODD = Order(
    500,
    (Item(500, 2, 250, metadata={"a": {"b": [1, None, "x"]}, "": float("nan")}), Item(0, 0)),
    metadata={"a.b": "x", "": [[]]},
)
ANN = Customer(
    "ann", metadata={"a": {"b": 10**40}}, attributes={"address": "nowhere", "birthdate": "0001-01-01"}
)


@settings(max_examples=1000)
@given(wire=wires, logic=logics)
def test_a_rule_is_read_or_refused(wire, logic):
    if isinstance(wire["rules"], dict):
        wire["rules"]["logic"] = logic

    with contextlib.suppress(InvalidRule):
        parse_rule(wire)


conditions = st.fixed_dictionaries(
    {
        "name": st.sampled_from(sorted(KINDS)),
        "property": st.sampled_from(["a", "a.b", ".", "a.", "x"]),
        "conditions": st.dictionaries(operators, st.lists(scalars, min_size=1, max_size=2), max_size=2),
    }
)


@settings(max_examples=1000)
@given(condition=conditions, order=st.sampled_from([None, ODD]), customer=st.sampled_from([None, ANN]))
def test_a_rule_that_was_read_is_judged(condition, order, customer):
    with contextlib.suppress(InvalidRule):
        guard = parse_rule({"rules": {"1": condition}})

        [outcome] = decided(
            code(rules=(guard,)), order=order, customer=customer, metadata={"a": [{}]}
        ).outcomes
        assert all(finding.truth in (True, False) or not finding.truth for finding in outcome.findings)
