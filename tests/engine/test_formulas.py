"""Formulas: what they compute, where they can't, and how broken ones are told."""

import math
import pickle
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promoengine.engine.expressions import function
from promoengine.engine.formulas import InvalidFormula, parse_formula

WARSAW = ZoneInfo("Europe/Warsaw")
# Half past midnight in Warsaw on Saturday, 21 November 2026; in UTC it is Friday still.
NOW = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)

OPERANDS = {
    ("ORDER_AMOUNT",): Decimal("250.50"),
    ("ORDER_ITEMS_QUANTITY",): 6,
    ("ORDER_UNITS_QUANTITY",): 14,
    ("ORDER_ITEM_PRICE",): Decimal(6),
    ("VOUCHER_PUBLISH_COUNT",): 1,
    ("VOUCHER_START_DATE",): datetime(2026, 1, 31, 23, 30, tzinfo=UTC),
    ("CUSTOMER_BIRTHDATE",): date(2000, 11, 22),
    ("ORDER_METADATA", "store_city"): "New York",
    ("ORDER_METADATA", "day_of_week"): 5,
    ("ORDER_METADATA", "huge"): 10**4000,
    ("ORDER_METADATA", "nan"): math.nan,
    ("ORDER_METADATA", "object"): {"a": 1},
    ("CUSTOMER_METADATA", "tier"): "VIP",
    ("CUSTOMER_METADATA", "age"): "25",
    ("CUSTOMER_METADATA", "value"): 75.55,
    ("CUSTOMER_METADATA", "brands"): ["Nike", "Puma", 5, None],
    ("CUSTOMER_METADATA", "visits"): [3, 11.5],
    ("CUSTOMER_METADATA", "is_member"): True,
    ("CUSTOMER_METADATA", "since"): "2026-08-21",
    ("CUSTOMER_METADATA", 'a "b" \\'): 7,
    ("CUSTOMER_METADATA", "żółw"): 8,
}


def operands(name, arguments):
    return OPERANDS.get((name, *arguments))


def value(text):
    return parse_formula(text).evaluate(operands, now=NOW, zone=WARSAW)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("20", "20"),
        ("0.15", "0.15"),
        (".5", "0.5"),
        ("007", "7"),
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 4 - 3", "3"),
        ("2 x 3", "6"),
        ("2x3", "6"),
        ("2 X (3)", "6"),
        ("2 × 3", "6"),  # noqa: RUF001 - the published sign of multiplication
        ("7 ÷ 2", "3.5"),
        ("7 / 2", "3.5"),
        ("12 / 3 / 2", "2"),
        ("7 % 4", "3"),
        ("-7 % 4", "-3"),
        ("-2 + 5", "3"),
        ("5 - -2", "7"),
        ("- - 5", "5"),
        ("-(2 + 3)", "-5"),
        ("ORDER_ITEM_PRICE * 0.01 + 1", "1.06"),
        ("ORDER_AMOUNT * 0.8", "200.400"),
        ("order_amount", "250.50"),
        ('CUSTOMER_METADATA("age") + 2', "27"),
        ('CUSTOMER_METADATA("age") - -2', "27"),
        ('CUSTOMER_METADATA("a \\"b\\" \\\\")', "7"),
        ("CUSTOMER_METADATA('żółw')", "8"),
        ("POW(2;10)", "1024"),
        ("POW(2;-1)", "0.5"),
        ("POW(2;0.5) > 1.41 AND POW(2;0.5) < 1.42", True),
        ("POW(9;-999999999)", "0"),
        ("1 + POW(9;-999999999)", "1"),
        ("ABS(-3)", "3"),
        ("MIN(3;1;2)", "1"),
        ("MAX(3,1,2)", "3"),
        ("MAX(1,5)", "5"),  # a comma separates; a decimal point is a point
        ('MAX(CUSTOMER_METADATA("visits");2)', "11.5"),
        ("FLOOR(ORDER_UNITS_QUANTITY / 3;0)", "4"),
        ('ROUND(CUSTOMER_METADATA("value");1)', "75.6"),
        ('ROUND(CUSTOMER_METADATA("value");0)', "76"),
        ('ROUND(CUSTOMER_METADATA("value");-1)', "80"),
        ("ROUND(2.5)", "3"),
        ("ROUND(-2.5)", "-3"),
        ("ROUND(0.125;2)", "0.13"),
        ('FLOOR(CUSTOMER_METADATA("value");1)', "75.5"),
        ('FLOOR(CUSTOMER_METADATA("value"))', "75"),
        ('FLOOR(CUSTOMER_METADATA("value");-1)', "70"),
        ("FLOOR(-1.5)", "-2"),
        ("CEIL(74.44;1)", "74.5"),
        ("CEIL(74.44;0)", "75"),
        ("CEIL(74.44;-1)", "80"),
        ("CEIL(-1.5)", "-1"),
        ('DEFAULT_TO(REDEMPTION_METADATA("store_list") / 2;5)', "5"),
        ("DEFAULT_TO(1/0; 2)", "2"),
        ("DEFAULT_TO(3; 2)", "3"),
        ("IF(ORDER_AMOUNT > 200;15;5)", "15"),
        ("if(order_amount > 300;15;5)", "5"),
        ("IF(ORDER_ITEMS_QUANTITY > 4;IF(ORDER_AMOUNT > 200;25;15);10)", "25"),
        ("IF(VOUCHER_PUBLISH_COUNT = 1;25;1/0)", "25"),
        ('IF(CUSTOMER_METADATA("tier") is "VIP";25;ORDER_METADATA("missing"))', "25"),
        ('IF(CUSTOMER_METADATA("brands") contains "Nike";20;CUSTOMER_METADATA("age"))', "20"),
        ('IF(CUSTOMER_METADATA("brands") contains "Fila";20;ORDER_ITEM_PRICE)', "6"),
        ('IF(CUSTOMER_METADATA("is_member");1;2)', "1"),
        (
            'SWITCH(ORDER_METADATA("store_city");SWITCH_CASE("Boston";10) SWITCH_CASE("New York";15);5)',
            "15",
        ),
        ('SWITCH("Oslo";SWITCH_CASE("Boston";10);SWITCH_CASE("New York";15);5)', "5"),
        ('SWITCH(ORDER_METADATA("day_of_week"),SWITCH_CASE("5",10),1/0)', "10"),
    ],
)
def test_numbers_are_computed(text, result):
    expected = result if isinstance(result, bool) else Decimal(result)

    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("2 > 1", True),
        ("2 < 1", False),
        ("2 >= 2.0", True),
        ("2 <= 1", False),
        ("2 = 2.0", True),
        ("2 == 3", False),
        ("2 != 3", True),
        ("2 <> 2", False),
        ('"VIP" is "VIP"', True),
        ('"VIP" IS "vip"', False),
        ('"VIP" isNot "Beginner"', True),
        ('"VIP" = 5', False),
        ('CUSTOMER_METADATA("age") = 25', True),
        ('CUSTOMER_METADATA("is_member") = TRUE', True),
        ('CUSTOMER_METADATA("is_member") is "true"', True),
        ('"Los Angeles, California" contains "California"', True),
        ('"store_5" startsWith "store_"', True),
        ('"mail_sms" endsWith "_sms"', True),
        ('"mail" endsWith "_sms"', False),
        ('"EU" IN_ARRAY "EU,EMEA"', True),
        ('"EMEA" in_array "EU, EMEA"', True),
        ('"US" IN_ARRAY "EU,EMEA"', False),
        ('"Boston, MA" IN_ARRAY "Boston, MA"', True),
        ('"US" NOT_IN_ARRAY "EU,EMEA"', True),
        ('"EU" IN_ARRAY ("EU";"EMEA")', True),
        ('IN_ARRAY("EU";"US";"EU")', True),
        ('ORDER_METADATA("day_of_week") IN_ARRAY (5;6)', True),
        ('NOT_IN_ARRAY("EU";"US,EU")', False),
        ('ORDER_METADATA("day_of_week") IN_ARRAY "5,6"', True),
        ('"Puma" IN_ARRAY CUSTOMER_METADATA("brands")', True),
        ('CUSTOMER_METADATA("brands") IN_ARRAY "Puma,Fila"', True),
        ('CONTAINS(CUSTOMER_METADATA("brands");5)', True),
        ('CUSTOMER_METADATA("brands") = CUSTOMER_METADATA("visits")', False),
        ('CUSTOMER_METADATA("visits") = CUSTOMER_METADATA("visits")', True),
        ("1 > 2 OR 3 > 2", True),
        ("1 > 2 and 3 > 2", False),
        ("3 > 2 OR 1/0 > 1", True),
        ("1/0 > 1 AND 1 > 2", False),
        ("NOT 1 > 2", True),
        ("not not 1 > 2", False),
        ("NOT (1 > 2 OR 3 > 2)", False),
        ("1 > 2 AND 1 > 2 OR 3 > 2", True),
        ("1 + 1 = 2 AND TRUE", True),
    ],
)
def test_conditions_are_decided(text, result):
    assert value(text) is result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("TODAY", date(2026, 11, 21)),
        ("TODAY()", date(2026, 11, 21)),
        ("NOW", NOW),
        ('DATE("2023-08-17")', date(2023, 8, 17)),
        ('DATE("2023-08-17T23:30:00Z")', date(2023, 8, 18)),
        ('DATE_TIME("2023-08-17T14:05:00.000Z")', datetime(2023, 8, 17, 14, 5, tzinfo=UTC)),
        ('DATE_TIME("2023-08-17")', datetime(2023, 8, 16, 22, tzinfo=UTC)),
        ("DAY_OF_MONTH(TODAY)", 21),
        ("DAY_OF_MONTH(NOW)", 21),
        ("MONTH(TODAY)", 11),
        ("YEAR(CUSTOMER_BIRTHDATE)", 2000),
        ("MONTH(VOUCHER_START_DATE)", 2),  # in Warsaw it is February already
        ("YEARS_SINCE(CUSTOMER_BIRTHDATE)", 25),  # 26 tomorrow
        ('YEARS_SINCE(DATE("2000-11-21"))', 26),
        ('DAYS_SINCE(CUSTOMER_METADATA("since"))', 92),
        ('MONTHS_SINCE(CUSTOMER_METADATA("since"))', 3),
        ('MONTHS_SINCE(DATE("2026-08-22"))', 2),
        ('DAYS_SINCE(DATE("2026-11-22"))', -1),
        ('DAYS_UNTIL(DATE("2026-12-24"))', 33),
        ('MONTHS_UNTIL(DATE("2027-01-21"))', 2),
        ('MONTHS_UNTIL(DATE("2027-01-20"))', 1),
        ('YEARS_UNTIL(DATE("2028-11-20"))', 1),
        ('YEARS_UNTIL(DATE("2024-11-20"))', -2),
        ('TODAY DATE_IS DATE("2026-11-21")', True),
        ('NOW DATE_IS "2026-11-21"', True),
        ('TODAY DATE_IS_NOT DATE("2026-11-21")', False),
        ('TODAY IS_AFTER DATE("2026-11-20")', True),
        ('NOW IS_AFTER DATE("2026-11-21")', False),  # that day itself is not after it
        ('NOW IS_AFTER DATE_TIME("2026-11-21T00:00:00")', True),
        ('IS_BEFORE(NOW;DATE("2026-11-22"))', True),
        ("CUSTOMER_BIRTHDATE < TODAY", True),
        ('VOUCHER_START_DATE = DATE("2026-02-01")', True),
    ],
)
def test_dates_are_of_the_projects_own_calendar(text, result):
    assert value(text) == result


@pytest.mark.parametrize(
    "text",
    [
        "ORDER_METADATA('missing')",
        "ORDER_METADATA('nan')",
        "ORDER_METADATA('huge')",
        "ORDER_METADATA('object')",
        "ORDER_METADATA('missing') + 1",
        "1 / 0",
        "1 % 0",
        "1 / 0 + 2",
        '"abc" + 1',
        '"abc" > 1',
        '"abc" > "abb"',
        "-TODAY",
        "TODAY + 1",
        "TRUE + 1",
        "5 contains 5",
        'CUSTOMER_METADATA("brands") = "Nike"',
        'MAX(1;"a")',
        'MAX(CUSTOMER_METADATA("brands"))',
        "IF(5;1;2)",
        'IF(ORDER_METADATA("missing") > 5;1;2)',
        "NOT 5",
        "3 > 2 AND 1/0 > 1",
        'SWITCH(ORDER_METADATA("missing");SWITCH_CASE("a";1);2)',
        "YEAR(5)",
        "YEAR(ORDER_METADATA('store_city'))",
        "ROUND(1;0.5)",
        "ROUND(1;100)",
        "ROUND(POW(10;60))",
        "POW(0;0)",
        "POW(-1;0.5)",
        "POW(9;999999999999)",
        "POW(POW(9;99);POW(9;99))",
        "DEFAULT_TO(1/0;ORDER_METADATA('missing'))",
    ],
)
def test_what_cannot_be_computed_is_none(text):
    assert value(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5),
        ("POW(9;-999999999)", 0),
        ('CUSTOMER_METADATA("age")', 25),
        ('"abc"', None),
        ("TRUE", None),
        ("TODAY", None),
        ("1/0", None),
    ],
)
def test_a_number_is_asked_for(text, number):
    assert parse_formula(text).number(operands, now=NOW, zone=WARSAW) == number


@pytest.mark.parametrize(
    ("text", "position", "problem"),
    [
        ("", 0, "a value is missing here"),
        ("   ", 3, "a value is missing here"),
        ("1 +", 3, "a value is missing here"),
        ("20%", 3, "a value is missing here"),
        ("(1 + 2", 6, ") is missing here"),
        ("1 + 2)", 5, ") was not expected here"),
        ("1 2", 2, "2 was not expected here"),
        ("1 < 2 < 3", 6, "< was not expected here"),
        ('CUSTOMER_METADATA("age)', 18, "this text has no closing quote"),
        ("5 $ 3", 2, "$ can't be read here"),
        ("5 \ud800", 2, "\ud800 can't be read here"),
        ("ORDER_AMOUT > 5", 0, "ORDER_AMOUT is not known; did you mean ORDER_AMOUNT?"),
        ("1 + MXA(2;3)", 4, "MXA is not known; did you mean MAX?"),
        ("żółw", 0, "ż can't be read here"),
        ("__import__('os')", 0, "__import__ is not known"),
        ("SWITCH_CASE(1;2)", 0, "SWITCH_CASE can stand in a SWITCH only"),
        ("MAX", 3, "( is missing here"),
        ("MAX()", 0, "MAX needs at least 1 value, and has 0"),
        ("IF(1 > 2;3)", 0, "IF needs 3 values, and has 2"),
        ("ROUND(1;2;3)", 0, "ROUND needs 1 to 2 values, and has 3"),
        ("MAX(1,5;2)", 7, "values are separated by ; or by , but not by both"),
        ("MAX(1;2", 7, ") is missing here"),
        ("MAX(1;;2)", 6, "a value is missing here"),
        ("ORDER_METADATA", 0, 'ORDER_METADATA needs a key, such as ORDER_METADATA("key")'),
        ("ORDER_METADATA(5)", 0, 'ORDER_METADATA needs a key, such as ORDER_METADATA("key")'),
        ("ORDER_AMOUNT(5)", 0, "ORDER_AMOUNT takes no values"),
        ('YEAR(DATE("yesterday"))', 10, 'this is no date such as "2026-01-31"'),
        ("DATE( 5)", 6, 'this is no date such as "2026-01-31"'),
        ('SWITCH("a";5)', 11, "SWITCH_CASE is missing here"),
        ('SWITCH("a";SWITCH_CASE(1);5)', 11, "SWITCH_CASE needs 2 values, and has 1"),
        ('SWITCH("a";SWITCH_CASE(1;2))', 27, "; is missing here"),
        ("1" * 41, 0, "a number can have at most 40 digits"),
        ("(" * 33 + "1" + ")" * 33, 32, "brackets can't be nested more than 32 deep"),
        ("1" + " " * 4000, 4000, "a formula can have at most 4000 characters"),
    ],
)
def test_a_broken_formula_is_told_where_and_why(text, position, problem):
    with pytest.raises(InvalidFormula) as error:
        parse_formula(text)

    assert (error.value.position, str(error.value)) == (position, problem)


def test_a_formula_names_the_operands_it_needs():
    formula = parse_formula('IF(order_amount > 100;CUSTOMER_METADATA("age");ORDER_ITEM_PRICE x 2)')

    assert formula.needs == {"ORDER_AMOUNT", "CUSTOMER_METADATA", "ORDER_ITEM_PRICE"}


def test_if_looks_at_no_other_branch():
    asked = []

    def ask(name, arguments):
        asked.append(name)
        return 1

    parse_formula("IF(1 > 2;ORDER_AMOUNT;ORDER_ITEM_PRICE)").evaluate(ask, now=NOW, zone=WARSAW)

    assert asked == ["ORDER_ITEM_PRICE"]


@pytest.mark.parametrize(
    "text",
    [
        "+".join("1" * 2000),
        "-" * 3999 + "1",
        "NOT " * 999 + "TRUE",
        " AND ".join(["TRUE"] * 400),
        "NOT (FALSE OR TRUE AND 0 < 1 - 2 x -" * 31 + "1" + ")" * 31,
    ],
)
def test_long_and_deep_formulas_fit_the_stack(text):
    def under(frames):
        return under(frames - 1) if frames else parse_formula(text).evaluate(operands, now=NOW, zone=WARSAW)

    under(200)


def test_the_name_of_a_function_cannot_be_taken_twice():
    with pytest.raises(ValueError, match="MAX is registered already"):
        function("MAX", 1)(lambda scope, number: number)


def test_a_formula_can_be_kept_outside_of_the_process():
    formula = parse_formula('IF(ORDER_AMOUNT > 100;MAX(1;2);ORDER_METADATA("a"))')

    assert pickle.loads(pickle.dumps(formula)) == formula


WORDS = """
IF MAX POW ROUND DEFAULT_TO SWITCH SWITCH_CASE IN_ARRAY contains is AND OR NOT TODAY NOW YEAR DATE
MONTHS_SINCE ORDER_AMOUNT CUSTOMER_BIRTHDATE ORDER_METADATA("day_of_week") CUSTOMER_METADATA("brands")
TRUE "VIP" "2026-01-01" 0 1 2.5 99999999999 x ( ( ) ) ; ; , + - * / % > < = !=
"""
COMPARISONS = """
+ - * / % > < >= <= = != is isNot contains startsWith endsWith IN_ARRAY NOT_IN_ARRAY DATE_IS IS_AFTER AND OR
"""
FUNCTIONS = """
- MIN MAX ROUND FLOOR CEIL ABS NOT DATE DATE_TIME YEAR MONTH DAY_OF_MONTH DAYS_SINCE YEARS_UNTIL MONTHS_UNTIL
"""
words = st.sampled_from(WORDS.split())


@given(text=st.text(max_size=60) | st.lists(words, max_size=25).map(" ".join))
def test_any_text_is_read_or_refused_within_its_bounds(text):
    try:
        formula = parse_formula(text)
    except InvalidFormula as error:
        refused_at = error.position
    else:
        refused_at = 0
        formula.evaluate(operands, now=NOW, zone=WARSAW)

    assert 0 <= refused_at <= len(text)


answers = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.dates()
    | st.datetimes(timezones=st.just(UTC)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
)


@given(
    left=answers,
    right=answers,
    two=st.sampled_from(COMPARISONS.split()),
    one=st.sampled_from(FUNCTIONS.split()),
)
def test_any_operands_have_a_value_or_none(left, right, two, one):
    answer = {"ORDER_AMOUNT": left, "ORDER_ITEM_PRICE": right}

    def ask(name, arguments):
        return answer[name]

    for text in (
        f"ORDER_AMOUNT {two} ORDER_ITEM_PRICE",
        f"{one}(ORDER_AMOUNT)",
        "POW(ORDER_AMOUNT;ORDER_ITEM_PRICE)",
        "ROUND(ORDER_AMOUNT;ORDER_ITEM_PRICE)",
        "IF(ORDER_AMOUNT;ORDER_ITEM_PRICE;1)",
        "DEFAULT_TO(ORDER_AMOUNT;ORDER_ITEM_PRICE)",
    ):
        number = parse_formula(text).number(ask, now=NOW, zone=WARSAW)
        assert number is None or number.is_finite()
