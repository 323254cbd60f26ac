"""Patterns of codes: what they make, how many there can be, how hard one is to guess."""

import collections
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promoengine.core.models import Project
from vouchers.check_characters import check_character, is_whole
from vouchers.patterns import DEFAULT_CHARSET, LEGIBLE_CHARSET, InvalidCodeConfig, parse_code_config
from vouchers.words import holds_word

EXACT, FOLDED = Project(case_sensitive_codes=True), Project(case_sensitive_codes=False)
DIGITS = "0123456789"
charsets = st.lists(st.characters(categories=["Lu", "Ll", "Nd"]), min_size=2, max_size=60, unique=True).map(
    lambda found: "".join(found[: len(found) // 2 * 2])
)


@pytest.mark.parametrize(
    ("config", "shape"),
    [
        ({}, r"[0-9a-zA-Z]{8}"),
        ({"length": 12}, r"[0-9a-zA-Z]{12}"),
        ({"length": 3, "charset": "AB"}, r"[AB]{3}"),
        ({"pattern": "SPRING-####-##", "charset": DIGITS}, r"SPRING-\d{4}-\d{2}"),
        ({"pattern": "#-#", "prefix": "A%s", "postfix": "100%", "charset": "7"}, r"A%s7-7100%"),
        ({"pattern": "##", "charset": DIGITS, "postfix": "Z", "check_character": True}, r"\d{3}Z"),
        ({"length": 2, "charset": "żółć"}, r"[żółć]{2}"),
    ],
)
def test_codes_have_the_shape_asked_for(config, shape):
    assert all(re.fullmatch(shape, code) for code in parse_code_config(config).generate(50))


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"charset": "ABC", "check_character": True}, "even number of characters"),
        ({"check_character": "yes"}, "check_character should be boolean"),
        ({"avoid_words": 1}, "avoid_words should be boolean"),
        ({"pattern": "SHIT-##", "avoid_words": True}, "free of words"),
        ({"pattern": "AB"}, "at least one #"),
        ({"charset": "AA"}, "each once"),
        ({"length": 0}, "between 1 and 255"),
        ({"length": 250, "prefix": "too long", "charset": "A"}, "up to 255 characters"),
        ("########", "should be object"),
    ],
)
def test_a_pattern_that_can_not_be_is_refused(config, problem):
    with pytest.raises(InvalidCodeConfig) as refusal:
        parse_code_config(config)

    assert problem in refusal.value.details


def test_what_is_read_is_written_again():
    config = {
        "length": 4,
        "charset": DIGITS,
        "pattern": "##-##",
        "prefix": "A",
        "check_character": True,
        "avoid_words": True,
    }

    assert parse_code_config(config).to_wire() == config
    assert parse_code_config(parse_code_config({}).to_wire()) == parse_code_config({})


@pytest.mark.parametrize(
    ("charset", "project", "capacity"),
    [
        (DIGITS, EXACT, 10**8),
        (DEFAULT_CHARSET, EXACT, 62**8),
        (DEFAULT_CHARSET, FOLDED, 36**8),
        (LEGIBLE_CHARSET, FOLDED, 28**8),
    ],
)
def test_there_are_as_many_codes_as_the_project_tells_apart(charset, project, capacity):
    assert parse_code_config({"charset": charset}).capacity(project) == capacity


@pytest.mark.parametrize(("count", "bits"), [(0, 40), (1, 40), (1024, 30), (2**41, 0)])
def test_the_more_codes_there_are_the_easier_one_is_hit(count, bits):
    pattern = parse_code_config({"charset": "AB", "length": 40})

    assert pattern.guess_bits(EXACT, count) == bits


def test_every_character_is_as_likely():
    characters = "".join(parse_code_config({"length": 100, "charset": LEGIBLE_CHARSET}).generate(1000))

    counts = collections.Counter(characters)
    # 100,000 draws of 28: seven standard deviations are about 410.
    assert set(counts) == set(LEGIBLE_CHARSET)
    assert all(abs(count - 100_000 / 28) < 410 for count in counts.values())


def test_the_published_example_of_the_standard():
    # ISO/IEC 7064, MOD 11,10: 0794 has the check digit 5.
    assert check_character(DIGITS, "0794") == "5"


@given(charsets, st.data())
def test_one_wrong_character_is_told(charset, data):
    word = data.draw(st.text(alphabet=charset, min_size=1, max_size=20))
    whole = word + check_character(charset, word)
    at = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.sampled_from([one for one in charset if one != whole[at]]))

    assert is_whole(charset, whole)
    assert not is_whole(charset, whole[:at] + other + whole[at + 1 :])


@pytest.mark.parametrize("code", ["XSHITX", "x5h1tX", "K4CK-22", "22-puta"])
def test_words_are_found_however_they_are_spelled(code):
    assert holds_word(code)


@pytest.mark.parametrize("code", ["SPRING-2KXW", "SUMMER26", "B7XQ-2ZRT"])
def test_harmless_codes_are_let_be(code):
    assert not holds_word(code)


def test_codes_without_words():
    pattern = parse_code_config({"charset": "ASX2", "length": 4, "avoid_words": True})

    assert not any("ASS" in code for code in pattern.generate(2000))
