"""Logic strings: what they mean for true, false and unknown conditions, and what is refused."""

from itertools import product

import pytest

from promoengine.engine.logic import DEPTH_MAX, LENGTH_MAX, InvalidLogic, all_of, parse_logic
from promoengine.engine.operators import UNKNOWN

TRUTHS = {"T": True, "F": False, "?": UNKNOWN}
KNOWN = {"1", "2", "3", "4", "1.2", "10"}


def judged(text, truths):
    """Judge a logic over conditions 1, 2, 3… with a letter for the truth of each."""
    given = {str(number): TRUTHS[letter] for number, letter in enumerate(truths, 1)}
    return parse_logic(text, KNOWN).judge(lambda key, wanted: given[key])


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("1", "T:T F:F ?:?"),
        ("not 1", "T:F F:T ?:?"),
        ("not not 1", "T:T F:F ?:?"),
        ("1 and 2", "TT:T TF:F T?:? FT:F FF:F F?:F ?T:? ?F:F ??:?"),
        ("1 or 2", "TT:T TF:T T?:T FT:T FF:F F?:? ?T:T ?F:? ??:?"),
        ("not (1 and 2)", "TT:F TF:T T?:? F?:T ??:?"),
        ("not (1 or 2)", "TT:F FF:T F?:? T?:F ??:?"),
        ("not 1 or 1", "T:T F:T ?:?"),  # what is unknown stays so, even where it could not matter
    ],
)
def test_truths_are_joined(text, rows):
    for row in rows.split():
        truths, answer = row.split(":")
        assert judged(text, truths) is TRUTHS[answer], row


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("1 or 2 and 3", "1 or (2 and 3)"),
        ("1 and 2 or 3", "(1 and 2) or 3"),
        ("1 and 2 or 3 and 4", "(1 and 2) or (3 and 4)"),
        ("not 1 and 2", "(not 1) and 2"),
        ("not 1 or 2", "(not 1) or 2"),
        ("not (1 or 2) and 3", "(not (1 or 2)) and 3"),
        ("1 and 2 and 3", "1 and (2 and 3)"),
        ("1 AND 2 Or Not 3", "1 and 2 or not 3"),
        ("1 && 2 || !3", "1 and 2 or not 3"),
        ("(1)and(2)or not(3)", "1 and 2 or not 3"),
        ("1and2or not3", "1 and 2 or not 3"),
        ("  ( ( 1 ) )\n and\t2  ", "1 and 2"),
    ],
)
def test_precedence_and_spelling(text, same_as):
    for truths in map("".join, product("TF?", repeat=4)):
        assert judged(text, truths) is judged(same_as, truths), truths


def test_numbers_may_have_dots_and_digits():
    logic = parse_logic("1.2 and 10", KNOWN)

    assert list(logic.leaves()) == ["1.2", "10"]


def test_without_a_logic_all_must_hold():
    assert all_of(["1", "2"]) == parse_logic("1 and 2", KNOWN)


def test_what_cannot_matter_any_more_is_not_asked():
    asked = []

    def truth_of(key, wanted):
        asked.append(key)
        return key == "2"

    parse_logic("1 and 3 or 2 or 4", KNOWN).judge(truth_of)

    assert asked == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "truths", "blamed"),
    [
        ("1 and 2", "TF", {"2": True}),
        ("1 and 2", "?F", {"1": True, "2": True}),
        ("1 or 2", "F?", {"1": True, "2": True}),
        ("1 and (2 or 3)", "TFF", {"2": True, "3": True}),
        ("not 1 and 2", "TT", {"1": False}),
        ("not 1 and 2", "TF", {"1": False, "2": True}),
        ("not (1 and 2) and 3", "TTT", {"1": False, "2": False}),
        ("not (1 or 2)", "TF", {"1": False}),
        ("not (1 and not 2)", "TF", {"1": False, "2": True}),
        ("1 and 2", "TT", {}),
    ],
)
def test_what_failed_is_named_with_what_it_ought_to_be(text, truths, blamed):
    given = {str(number): TRUTHS[letter] for number, letter in enumerate(truths, 1)}

    assert dict(parse_logic(text, KNOWN).blamed(lambda key, wanted: given[key])) == blamed


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", " lacks a condition's number at its end"),
        ("   ", " lacks a condition's number at its end"),
        ("1 and", " lacks a condition's number at its end"),
        ("not", " lacks a condition's number at its end"),
        ("(", " lacks a condition's number at its end"),
        ("and 1", " lacks a condition's number before 'and'"),
        ("1 or or 2", " lacks a condition's number before 'or'"),
        ("()", " lacks a condition's number before ')'"),
        ("1 and )", " lacks a condition's number before ')'"),
        ("(1", " has a bracket that is not closed"),
        ("((1)", " has a bracket that is not closed"),
        ("1)", " is not clear at ')'"),
        ("1 2", " is not clear at '2'"),
        ("1 not 2", " is not clear at 'not'"),
        ("1 (2)", " is not clear at '('"),
        ("9", " names condition 9, which is not among the rules"),
        ("1 and 1.3", " names condition 1.3, which is not among the rules"),
        ("1 xor 2", " can't be read at 'xor 2'"),
        ("1 & 2", " can't be read at '& 2'"),
        ("1 order 2", " can't be read at 'order 2'"),
        ("1;DROP", " can't be read at ';DROP'"),
        ("-1", " can't be read at '-1'"),
        ("1.", " can't be read at '.'"),
        ("x" * 100, " can't be read at 'xxxxxxxxxxxxxxxxxxxx'"),
        ("\0", " can't be read at '\0'"),
        ("(" * 51 + "1" + ")" * 51, " is nested more than 50 deep"),
        ("not " * 51 + "1", " is nested more than 50 deep"),
        ("(" * LENGTH_MAX, " is nested more than 50 deep"),
        ("1" * (LENGTH_MAX + 1), " may have up to 5000 characters"),
    ],
)
def test_a_mistake_is_said(text, mistake):
    with pytest.raises(InvalidLogic) as error:
        parse_logic(text, KNOWN)

    assert str(error.value) == mistake


def test_the_deepest_and_longest_that_is_allowed_is_judged():
    deep = "(" * DEPTH_MAX + "1" + ")" * DEPTH_MAX
    long = " or ".join(["1"] * 900)

    assert judged(deep, "T") is True
    assert judged(long, "F") is False
