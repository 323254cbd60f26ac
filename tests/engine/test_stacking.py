"""Which offers meet, in which order, and what is said of those that may not."""

from dataclasses import fields

import pytest

from promoengine.engine.decide import Applicable, Inapplicable, Skipped
from promoengine.engine.refusals import Refusal
from promoengine.engine.stacking import OF_MANAGEMENT, StackingRules, parse_stacking_rules
from tests.engine.offered import amount, code, decided, percent, rule

# Categories by their names: an exclusive, a joint and two common ones.
KINDS = {"exclusive_categories": ("EX", "EX2"), "joint_categories": ("JO", "JO2")}
PARTIAL = {"redeemables_application_mode": "PARTIAL"}
ONE_OFF = amount(100)


def offers_of(text):
    """Return vouchers as `A, B:CAT, C:CAT/2!`: a name, its category, its hierarchy, and ! where it fails."""
    found = []
    for part in text.split(", "):
        name, _, category = part.rstrip("!").partition(":")
        category, _, hierarchy = category.partition("/")
        failing = {"missing": Refusal("not_found")} if part.endswith("!") else {}
        found.append(code(name, category or None, int(hierarchy or 1), key=name, **failing))
    return found


def said(decision):
    """Return the outcomes as `A B! C-key(rival)`: applied, refused, skipped."""
    return " ".join(map(word_of, decision.outcomes))


def word_of(outcome):
    match outcome:
        case Applicable():
            return outcome.offer.id
        case Inapplicable():
            return f"{outcome.offer.id}!"
        case Skipped():
            rival = f"({outcome.rival.id})" if outcome.rival else ""
            return f"{outcome.offer.id}-{NAMES[outcome.skip.key]}{rival}"


NAMES = {
    "applicable_redeemables_limit_exceeded": "limit",
    "applicable_redeemables_per_category_limit_exceeded": "category",
    "applicable_exclusive_redeemables_limit_exceeded": "exclusive",
    "applicable_exclusive_redeemables_per_category_limit_exceeded": "exclusive_category",
    "exclusion_rules_not_met": "excluded",
    "no_effect": "no_effect",
    "preceding_validation_failed": "preceding",
}

BY_HIERARCHY = {"redeemables_sorting_rule": "CATEGORY_HIERARCHY"}
TOGETHER = {"grouped_redeemables_sorting_rule": "SORTING_RULE"}
TEN = {"applicable_redeemables_limit": 10, "applicable_exclusive_redeemables_limit": 5}


@pytest.mark.parametrize(
    ("offers", "rules", "outcomes"),
    [
        # in the order asked, or by hierarchy: the lower first, those without a category last, else as asked
        ("A:X/3, B, C:Y/1, D:Y/1", {}, "A B C D"),
        ("A:X/3, B, C:Y/1, D:Y/1", BY_HIERARCHY, "C D A B"),
        ("A:X/0, B:Y/0, C, D", BY_HIERARCHY, "A B C D"),
        ("A, B, C:X/9", BY_HIERARCHY, "C A B"),
        # joint ones come last where an exclusive one applies, unless the sorting holds for them too
        ("J:JO, E:EX", {}, "E J"),
        ("J:JO/1, E:EX/2", BY_HIERARCHY, "E J"),
        ("J:JO/2, K:JO2/1, E:EX/3", BY_HIERARCHY, "E K J"),
        ("J:JO, E:EX", TOGETHER, "J E"),
        ("J:JO/1, E:EX/2", BY_HIERARCHY | TOGETHER, "J E"),
        ("J:JO, A", {}, "J A"),
        ("J:JO, E:EX!", PARTIAL, "J E!"),
    ],
)
def test_offers_are_sorted(offers, rules, outcomes):
    assert said(decided(*offers_of(offers), stacking=KINDS | rules)) == outcomes


@pytest.mark.parametrize(
    ("offers", "rules", "outcomes"),
    [
        ("A, B:X, C:Y", {}, "A B C"),
        ("A, J:JO", {}, "A J"),
        ("J:JO, K:JO2", {}, "J K"),
        ("A, E:EX", {}, "A-excluded(E) E"),
        ("A:X, E:EX, B:Y", {}, "A-excluded(E) E B-excluded(E)"),
        ("E:EX, J:JO, A", {}, "E A-excluded(E) J"),
        ("E:EX, F:EX2", TEN, "E F"),
        ("A, E:EX, F:EX2, J:JO", TEN, "A-excluded(E) E F J"),
        # one that does not apply excludes nobody
        ("A, E:EX!", PARTIAL, "A E!"),
        ("A, E:EX!, F:EX2", PARTIAL, "A-excluded(F) E! F"),
        ("A, E:EX!, B", {}, "A E! B-preceding"),
        ("E:EX!, J:JO, A", PARTIAL, "E! J A"),
        ("A, J:JO!, E:EX", {}, "A-excluded(E) E J!"),
    ],
)
def test_exclusive_common_and_joint_ones(offers, rules, outcomes):
    assert said(decided(*offers_of(offers), stacking=KINDS | rules)) == outcomes


def test_a_category_in_both_lists_is_exclusive():
    rules = StackingRules(exclusive_categories=("X",), joint_categories=("X", "Y"))

    assert [rules.type_of(category) for category in ("X", "Y", "Z")] == ["EXCLUSIVE", "JOINT", None]


BELOW_100 = rule("order.amount", {"$less_than": [10000]})


def test_an_exclusive_one_cannot_follow_common_ones_that_made_it_fit():
    exclusive = code("E", "EX", rules=(BELOW_100,))

    decision = decided(code("A"), exclusive, stacking=KINDS | PARTIAL)

    assert said(decision) == "A E-excluded(A)"
    assert decision.order.total == 9900


def test_a_joint_one_may_make_an_exclusive_one_fit():
    exclusive = code("E", "EX", rules=(BELOW_100,))

    assert said(decided(code("J", "JO"), exclusive, stacking=KINDS | TOGETHER)) == "J E"


@pytest.mark.parametrize(
    ("offers", "rules", "outcomes"),
    [
        ("A, B, C", {"applicable_redeemables_limit": 2}, "A B C-limit(B)"),
        ("A!, B, C", PARTIAL | {"applicable_redeemables_limit": 1}, "A! B C-limit(B)"),
        ("A, J:JO", {"applicable_redeemables_limit": 1}, "A J-limit(A)"),
        ("A:X, B:Y, C:X", {"applicable_redeemables_per_category_limit": 1}, "A B C-category(A)"),
        ("A, B, C", {"applicable_redeemables_per_category_limit": 1}, "A B C"),
        ("J:JO, K:JO", {"applicable_redeemables_per_category_limit": 1}, "J K-category(J)"),
        ("A:X, B:X, C:X", {"applicable_redeemables_category_limits": {"X": 2}}, "A B C-category(B)"),
        ("A:X, B:X, C:Y, D:Y", {"applicable_redeemables_category_limits": {"X": 1}}, "A B-category(A) C D"),
        (
            "A:X, B:X, C:Y, D:Y",
            {
                "applicable_redeemables_category_limits": {"X": 2},
                "applicable_redeemables_per_category_limit": 1,
            },
            "A B C D-category(C)",
        ),
        ("E:EX, F:EX2", {}, "E F-exclusive(E)"),
        ("E:EX, J:JO, F:EX2", {}, "E F-exclusive(E) J"),
        ("E:EX, F:EX", {"applicable_exclusive_redeemables_limit": 2}, "E F"),
        (
            "E:EX, F:EX2, G:EX",
            {
                "applicable_exclusive_redeemables_limit": 3,
                "applicable_exclusive_redeemables_per_category_limit": 1,
            },
            "E F G-exclusive_category(E)",
        ),
        (
            "E:EX, F:EX",
            {
                "applicable_exclusive_redeemables_limit": 3,
                "applicable_redeemables_per_category_limit": 1,
            },
            "E F-category(E)",
        ),
        # the limit on all goes before that on exclusive ones, and that before the categories'
        (
            "E:EX, F:EX",
            {"applicable_redeemables_limit": 1, "applicable_exclusive_redeemables_per_category_limit": 1},
            "E F-limit(E)",
        ),
        ("A", {"applicable_redeemables_limit": 0}, "A-limit"),
    ],
)
def test_limits_skip_what_goes_past_them(offers, rules, outcomes):
    assert said(decided(*offers_of(offers), stacking=KINDS | rules)) == outcomes


def test_unless_told_otherwise_five_may_apply():
    decision = decided(*offers_of("A, B, C, D, E, F"))

    assert said(decision) == "A B C D E F-limit(E)"


@pytest.mark.parametrize(
    ("offers", "rules", "outcomes", "is_valid"),
    [
        ("A, B", {}, "A B", True),
        ("A!, B", {}, "A! B-preceding", False),
        ("A, B!, C, D", {}, "A B! C-preceding D-preceding", False),
        ("A!, B", PARTIAL, "A! B", True),
        ("A, B!, C", PARTIAL, "A B! C", True),
        ("A!, B!", PARTIAL, "A! B!", False),
        ("A, B", {"applicable_redeemables_limit": 1}, "A B-limit(A)", True),
        ("A", {"applicable_redeemables_limit": 0}, "A-limit", False),
    ],
)
def test_all_or_some_must_apply(offers, rules, outcomes, is_valid):
    decision = decided(*offers_of(offers), stacking=rules)

    assert (said(decision), decision.is_valid) == (outcomes, is_valid)


def test_a_refusal_looks_at_the_running_order():
    # 10 % first drops 105.00 to 94.50, and then more than 100.00 is no longer there
    rules = (rule("order.amount", {"$more_than": [10000]}),)
    tenth, guarded = code("A", discount=percent(10)), code("B", rules=rules)

    order = "1 hat @ 105.00"

    assert said(decided(tenth, guarded, order=order, stacking=PARTIAL)) == "A B!"
    assert said(decided(guarded, tenth, order=order, stacking=PARTIAL)) == "B A"


NOTHING = amount(0)
SKIP = {"redeemables_no_effect_rule": "SKIP"}


@pytest.mark.parametrize(
    ("category", "rules", "outcomes"),
    [
        (None, {}, "A B"),
        (None, SKIP, "A-no_effect B"),
        ("X", SKIP, "A-no_effect B"),
        ("X", SKIP | {"no_effect_redeem_anyway_categories": ("X",)}, "A B"),
        ("X", SKIP | {"no_effect_redeem_anyway_categories": ("Y",)}, "A-no_effect B"),
        ("X", {"no_effect_skip_categories": ("X",)}, "A-no_effect B"),
        ("X", {"no_effect_skip_categories": ("Y",)}, "A B"),
        (None, {"no_effect_skip_categories": ("X",)}, "A B"),
    ],
)
def test_what_takes_nothing_off_is_used_or_left_out(category, rules, outcomes):
    decision = decided(code("A", category, discount=NOTHING), code("B"), stacking=rules)

    assert (said(decision), decision.is_valid) == (outcomes, True)


def test_what_comes_too_late_to_take_anything_off_has_no_effect():
    decision = decided(code("A", discount=percent(100)), code("B"), stacking=SKIP)

    assert said(decision) == "A B-no_effect"


def test_one_without_effect_takes_no_place():
    rules = SKIP | {"applicable_redeemables_limit": 1} | KINDS
    nothing = code("E", "EX", discount=NOTHING)

    assert said(decided(nothing, code("A"), stacking=rules)) == "E-no_effect A"


def test_without_an_order_nobody_can_say_that_it_has_no_effect():
    assert said(decided(code("A", discount=NOTHING), order=None, stacking=SKIP)) == "A"


ON_ITEMS = {"effect": "APPLY_TO_ITEMS"}


@pytest.mark.parametrize(("mode", "discounts"), [("STACK", [200, 200]), ("ONCE", [100, 100])])
def test_discounts_meet_on_a_line_or_not(mode, discounts):
    offers = [code(name, discount=amount(100, **ON_ITEMS)) for name in "AB"]

    decision = decided(
        *offers, order="1 hat @ 10.00, 1 cap @ 5.00", stacking={"redeemables_products_application_mode": mode}
    )

    assert [item.discount for item in decision.order.items] == discounts


def test_once_goes_by_the_order_of_application_and_leaves_the_whole_order_alone():
    hats = rule("order.amount", {})
    rules = BY_HIERARCHY | {"redeemables_products_application_mode": "ONCE"}
    late, early = amount(100, **ON_ITEMS), amount(300, **ON_ITEMS)

    decision = decided(
        code("A", "X", 2, discount=late, rules=(hats,)),
        code("B", "Y", 1, discount=early),
        code("C", discount=amount(50)),
        order="1 hat @ 10.00",
        stacking=rules,
    )

    assert (decision.order.items[0].discount, decision.order.discount) == (300, 50)


FROM_INITIAL = {"discount_calculation_mode": "INITIAL_AMOUNT"}


@pytest.mark.parametrize(
    ("category", "rules", "taken"),
    [
        (None, {}, 900),
        (None, FROM_INITIAL, 1000),
        ("X", FROM_INITIAL, 1000),
        ("X", FROM_INITIAL | {"discounted_amount_mode_categories": ("X",)}, 900),
        ("X", FROM_INITIAL | {"discounted_amount_mode_categories": ("Y",)}, 1000),
        ("X", {"initial_amount_mode_categories": ("X",)}, 1000),
        ("X", {"initial_amount_mode_categories": ("Y",)}, 900),
        (None, {"initial_amount_mode_categories": ("X",)}, 900),
    ],
)
@pytest.mark.parametrize("effect", ["APPLY_TO_ORDER", "APPLY_TO_ITEMS"])
def test_percentages_are_of_what_is_left_or_of_what_it_cost_at_first(category, rules, taken, effect):
    first = code("A", discount=amount(1000, effect=effect))
    tenth = code("B", category, discount=percent(10, effect=effect))

    decision = decided(first, tenth, order="1 hat @ 100.00", stacking=rules)

    assert decision.applicable[1].saving == taken


def test_of_the_initial_amount_too_no_more_is_taken_than_is_left():
    offers = [code(name, discount=percent(60)) for name in "AB"]

    decision = decided(*offers, stacking=FROM_INITIAL)

    assert [one.saving for one in decision.applicable] == [6000, 4000]


@pytest.mark.parametrize(
    ("offers", "rules", "message"),
    [
        ("A, B", {"applicable_redeemables_limit": 1}, "Applicable redeemables limit exceeded"),
        (
            "A:X, B:X",
            {"applicable_redeemables_per_category_limit": 1},
            "Applicable redeemables limit per category exceeded",
        ),
        ("E:EX, B:EX2", {}, "Applicable exclusive redeemables limit exceeded"),
        (
            "E:EX, B:EX",
            TEN | {"applicable_exclusive_redeemables_per_category_limit": 1},
            "Applicable exclusive redeemables limit per category exceeded",
        ),
        ("E:EX, B", {}, "Redeemable cannot be applied due to exclusion rules"),
        ("A!, B", {}, "Redeemable cannot be applied due to preceding validation failure"),
    ],
)
def test_a_skip_says_why(offers, rules, message):
    [skipped] = decided(*offers_of(offers), stacking=KINDS | rules).skipped

    assert (skipped.offer.id, skipped.skip.message) == ("B", message)


def test_no_effect_says_why():
    [skipped] = decided(code("A", discount=NOTHING), code("B"), stacking=SKIP).skipped

    assert skipped.skip.message == "Redeemable cannot be applied due to no effect"


def test_a_fresh_project_has_the_published_rules():
    assert StackingRules().to_wire() == {
        "redeemables_limit": 30,
        "applicable_redeemables_limit": 5,
        "applicable_redeemables_per_category_limit": None,
        "applicable_redeemables_category_limits": {},
        "applicable_exclusive_redeemables_limit": 1,
        "applicable_exclusive_redeemables_per_category_limit": None,
        "exclusive_categories": [],
        "joint_categories": [],
        "redeemables_application_mode": "ALL",
        "redeemables_sorting_rule": "REQUESTED_ORDER",
        "redeemables_products_application_mode": "STACK",
        "redeemables_no_effect_rule": "REDEEM_ANYWAY",
        "no_effect_skip_categories": [],
        "no_effect_redeem_anyway_categories": [],
        "redeemables_rollback_order_mode": "WITH_ORDER",
    }


def test_rules_are_read_back_as_they_were_shown():
    changed = StackingRules(
        applicable_redeemables_category_limits={"X": 2}, exclusive_categories=("EX",), redeemables_limit=7
    )

    assert parse_stacking_rules(changed.management_to_wire()) == changed


@pytest.mark.parametrize("name", [rule.name for rule in fields(StackingRules)])
def test_what_is_null_or_unknown_is_as_by_default(name):
    assert parse_stacking_rules({name: None, "colour": 1}) == StackingRules()


def test_only_the_management_shows_how_it_calculates():
    shown = StackingRules().management_to_wire().keys() - StackingRules().to_wire().keys()

    assert shown == set(OF_MANAGEMENT)
