"""Validation rules in the dashboard: made, shown and changed without JSON, and nothing lost on the way."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission, User

from campaigns.admin.rule_forms import ROWS
from campaigns.models import ProductCollection, ValidationRule
from campaigns.rule_subjects import GROUPS, Kind, kind_of, operators_of
from customers.models import Segment
from customers.services.locations import create_location
from promoengine.core.models import OutboxEvent
from promoengine.core.services.metadata_schemas import define_attribute
from promoengine.engine.findings import KINDS
from promoengine.engine.operators import OPERATORS
from tests.factories import (
    ProductFactory,
    ProjectFactory,
    PromotionTierFactory,
    SkuFactory,
    ValidationRuleFactory,
    VoucherFactory,
)
from tests.versions import growths

PAGE = "/admin/campaigns/validationrule/"
CIRCLE = {
    "type": "circle",
    "format": "distance",
    "distance": {"center": "geo:52.2297,21.0122", "radius": "10 km"},
}


def row(number, subject, operator="", value="", **more):
    values = {"subject": subject, "operator": operator, "value": value} | more
    return {f"conditions-{number}-{name}": given for name, given in values.items()}


def body(*rows, name="Big orders", **more):
    form = {"name": name, "junction": "and", "message": ""} | more
    for number, values in enumerate(rows):
        form |= row(number, *values[:3], **(values[3] if len(values) > 3 else {}))
    return form


def errors_of(page):
    form = page.context["adminform"].form
    rows = {
        f"{one.prefix}-{name}": list(texts)
        for one in form.conditions
        if one.is_used
        for name, texts in one.errors.items()
    }
    own = {name: list(texts) for name, texts in form.errors.items() if name != "__all__"}
    return own | rows


def saved(marketer, **form):
    marketer.post(f"{PAGE}add/", form)
    return ValidationRule.objects.get()


def form_of(page):
    """Return the page's fields as they are filled in, as a browser sends them."""
    form = page.context["adminform"].form
    fields = {name: form[name].value() or "" for name in form.fields}
    for condition in form.conditions:
        fields |= {condition.add_prefix(name): condition[name].value() or "" for name in condition.fields}
    return fields


def test_a_rule_is_made_of_conditions_as_the_api_makes_it(marketer, project, api):
    marketer.post(
        f"{PAGE}add/",
        body(
            ("order.amount", "$more_than_or_equal", "100.50"),
            ("customer.metadata", "$in", "gold, silver", {"property_name": "level", "message": "Gold only"}),
            ("redemption.count.per_customer", "$less_than_or_equal", "1"),
            message="Not for you",
        ),
    )

    (made,) = api.get("/v1/validation-rules").json()["data"]
    assert made["rules"] == {
        "1": {"name": "order.amount", "conditions": {"$more_than_or_equal": [10050]}, "rules": {}},
        "2": {
            "name": "customer.metadata",
            "property": "level",
            "conditions": {"$in": ["gold", "silver"]},
            "rules": {},
            "error": {"message": "Gold only"},
        },
        "3": {
            "name": "redemption.count.per_customer",
            "conditions": {"$less_than_or_equal": [1]},
            "rules": {},
        },
        "logic": "1 and 2 and 3",
    }
    assert made["error"] == {"message": "Not for you"}
    assert growths(project) == 1
    assert OutboxEvent.objects.get().type == "business_validation_rule.created"


def test_products_are_picked_with_how_many_of_them(marketer, project):
    shoes = ProductCollection.objects.create(project=project, name="Shoes", type="STATIC")
    picked = {"goods": [shoes.public_id], "units": "2"}

    rule = saved(marketer, **body(("order.items.any", "$is", "", picked)))

    assert rule.rules["1"] == {
        "name": "order.items.any",
        "conditions": {"$is": [{"id": shoes.public_id}]},
        "rules": {
            "1": {
                "name": "order.items.aggregated_quantity",
                "conditions": {"$more_than_or_equal": [2]},
                "rules": {},
            },
            "logic": "1",
        },
    }


def test_segments_are_picked(marketer, project):
    segment = Segment.objects.create(project=project, name="VIP", type="static")

    found = marketer.get(f"{PAGE}segments/", {"name": "conditions-0-segments", "find": "vi"})
    rule = saved(marketer, **body(("customer.segment", "$is", "", {"segments": [segment.public_id]})))

    assert [option["name"] for option in found.context["options"]] == ["VIP"]
    assert rule.rules["1"]["conditions"] == {"$is": [segment.public_id]}


def test_locations_are_picked_and_said_by_name(marketer, project):
    warsaw = create_location(project, name="Warsaw", shape=CIRCLE, now=datetime.now(UTC))
    picked = {"property_name": "home", "locations": [warsaw.public_id]}
    form = body(("customer.metadata", "$in_location", "", picked))

    found = marketer.get(f"{PAGE}locations/", {"name": "conditions-0-locations", "find": "war"})
    said = marketer.post(f"{PAGE}preview/", form).content.decode()
    rule = saved(marketer, **form)
    page = marketer.get(f"{PAGE}{rule.pk}/change/")
    marketer.post(f"{PAGE}{rule.pk}/change/", form_of(page))

    assert [(option["name"], option["kind"]) for option in found.context["options"]] == [
        ("Warsaw", "Location")
    ]
    assert "Customer&#x27;s home lies in Warsaw" in said
    assert rule.rules["1"]["conditions"] == {"$in_location": [warsaw.public_id]}
    assert "Customer&#x27;s home lies in Warsaw" in marketer.get(PAGE).content.decode()
    before = rule.rules
    rule.refresh_from_db()
    assert rule.rules == before


def test_the_discounts_products_are_picked(marketer, project):
    product, sku = ProductFactory(project=project), SkuFactory(project=project)

    rule = saved(marketer, **body(included=[product.public_id], excluded=[sku.public_id]))

    assert rule.applicable_to == {
        "included": [{"object": "product", "id": product.public_id, "effect": "APPLY_TO_EVERY"}],
        "excluded": [{"object": "sku", "id": sku.public_id, "effect": "APPLY_TO_EVERY"}],
    }


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        (("customer.birthdate", "$before", "2000-12-31"), ["2000-12-31"]),
        (("customer.birthdate", "$more_than_ago", "30"), [30]),
        (("customer.email", "$is_unknown"), []),
        (("publication.redeemable_by_linked_customer", "$is", "true"), [True]),
        (("order.metadata", "$more_than", "2.5", {"property_name": "weight"}), [2.5]),
        (("order.metadata", "$after", "2026-01-31", {"property_name": "day"}), ["2026-01-31"]),
        (("campaign.orders.amount_discounted", "$less_than_or_equal", "500"), [50000]),
    ],
)
def test_values_are_read_by_what_they_are(marketer, condition, values):
    rule = saved(marketer, **body(condition))

    assert next(iter(rule.rules["1"]["conditions"].values())) == values


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        (("order.amount", "$more_than", "much"), "value"),
        (("order.amount", "$more_than", "1,000"), "value"),
        (("order.amount", "$more_than", ""), "value"),
        (("order.items.count", "$less_than", "Infinity"), "value"),
        (("customer.birthdate", "$before", "31.12.2000"), "value"),
        (("customer.birthdate", "$before", "0001-01-01"), "value"),
        (("customer.birthdate", "$more_than_ago", "-1"), "value"),
        (("customer.email", "$in", "a\0"), "value"),
        (("customer.metadata", "$in", "gold"), "property_name"),
        (("order.items.any", "$is"), "goods"),
        (("order.items.any", "$is", "", {"goods": ["prod_nothing"]}), "goods"),
        (("customer.metadata", "$in_location", "", {"property_name": "home"}), "locations"),
        (("order.amount", "$starts_with", "1"), "operator"),
    ],
)
def test_a_mistake_is_shown_on_its_field(marketer, condition, field):
    page = marketer.post(f"{PAGE}add/", body(condition))

    assert list(errors_of(page)) == [f"conditions-0-{field}"]
    assert not ValidationRule.objects.exists()


def test_a_rule_needs_a_name(marketer):
    page = marketer.post(f"{PAGE}add/", body(("order.amount", "$more_than", "1"), name=""))

    assert list(errors_of(page)) == ["name"]


STORED = {
    "1": {
        "name": "order.items.any",
        "conditions": {"$is": [{"id": "pc_gone", "source_id": "x"}]},
        "rules": {},
        "error": {"message": "Buy shoes"},
    },
    "2": {"name": "order.amount", "conditions": {"$more_than": [12345]}, "rules": {}},
    "3": {"name": "customer.segment", "conditions": {"$is": ["seg_1"]}, "rules": {}},
    "4": {"name": "order.metadata", "property": "a", "conditions": {"$has_value": []}, "rules": {}},
    "logic": "1 or 2 or 3 or 4",
}
PRODUCTS = {
    "included": [{"object": "products_collection", "id": "pc_gone"}],
    "excluded": [{"object": "product", "source_id": "gift"}],
}


def test_a_stored_rule_is_shown_and_kept(marketer, project):
    rule = ValidationRuleFactory(project=project, rules=STORED, applicable_to=PRODUCTS)
    path = f"{PAGE}{rule.pk}/change/"

    answer = marketer.post(path, form_of(marketer.get(path)) | {"name": "Renamed"})

    assert answer.status_code == 302
    rule.refresh_from_db()
    assert (rule.name, rule.rules, rule.applicable_to) == ("Renamed", STORED, PRODUCTS)


@pytest.mark.parametrize("more", [{}, {"rules": STORED, "applicable_to": PRODUCTS}])
def test_a_page_that_is_saved_unchanged_changes_nothing(marketer, project, more):
    rule = ValidationRuleFactory(project=project, **more)
    path = f"{PAGE}{rule.pk}/change/"

    marketer.post(path, form_of(marketer.get(path)))

    rule.refresh_from_db()
    assert (rule.version, OutboxEvent.objects.count()) == (1, 0)


@pytest.mark.parametrize(
    "rules",
    [
        {
            "1": {"name": "order.amount", "conditions": {"$more_than": [1]}, "rules": {}},
            "2": {"name": "order.amount", "conditions": {"$less_than": [9]}, "rules": {}},
            "3": {"name": "order.items.count", "conditions": {"$is": [3]}, "rules": {}},
            "logic": "(1 and 2) or not 3",
        },
        {"1": {"name": "order.amount", "conditions": {"$more_than": [1], "$less_than": [9]}, "rules": {}}},
        {"1": {"name": "order.amount", "conditions": {"$more_than": [1]}, "rules": {}, "unknown": True}},
        {
            "1": {
                "name": "order.items.every",
                "conditions": {"$is": [{"id": "pc_1"}]},
                "rules": {"1": {"name": "product.price", "conditions": {"$more_than": [1]}, "rules": {}}},
            }
        },
        {"1": {"name": "customer.name", "conditions": {"$is": ["Smith, John"]}, "rules": {}}},
    ],
)
def test_what_the_form_can_not_show_stays_and_is_said_in_words(marketer, project, rules):
    products = {"included": [{"object": "product", "id": "prod_1", "quantity_limit": 2}]}
    rule = ValidationRuleFactory(
        project=project, rules=rules, applicable_to=products, error={"message": "No"}
    )
    path = f"{PAGE}{rule.pk}/change/"

    page = marketer.get(path)
    marketer.post(path, form_of(page) | {"name": "Renamed", **row(0, "order.amount", "$is", "5")})

    rule.refresh_from_db()
    assert (rule.name, rule.rules, rule.applicable_to) == ("Renamed", rules, products)
    assert "made by the API" in page.content.decode()


def test_logic_is_said_in_plain_words(marketer, project):
    rules = {
        "1": {"name": "order.amount", "conditions": {"$more_than": [100]}},
        "2": {"name": "customer.email", "conditions": {"$ends_with": ["@acme.com"]}},
        "3": {"name": "order.items.count", "conditions": {"$is": [3]}},
        "logic": "1 and (2 or not 3)",
    }
    rule = ValidationRuleFactory(project=project, rules=rules)

    page = marketer.get(f"{PAGE}{rule.pk}/change/")

    assert [str(said) for said in page.context["said"]] == [
        "All of these must hold: Order amount is more than 1.00 EUR; One of these must hold: "
        "Customer's e-mail ends with @acme.com; This must not hold: Number of units in the order is 3"
    ]


def test_all_conditions_taken_away_leave_a_rule_for_everybody(marketer, project):
    rule = ValidationRuleFactory(project=project, rules=STORED)

    marketer.post(f"{PAGE}{rule.pk}/change/", body(name="Open"))

    rule.refresh_from_db()
    assert rule.rules == {}


def test_the_list_says_each_rule_in_a_constant_number_of_queries(
    marketer, project, django_assert_max_num_queries
):
    shoes = ProductCollection.objects.create(project=project, name="Shoes", type="STATIC")
    rules = {"1": {"name": "order.items.any", "conditions": {"$is": [{"id": shoes.public_id}]}}}
    ValidationRuleFactory(project=project, rules=rules)
    with django_assert_max_num_queries(100) as few:
        marketer.get(PAGE)
    for _ in range(4):
        ValidationRuleFactory(project=project, rules=rules)

    with django_assert_max_num_queries(len(few)):
        page = marketer.get(PAGE).content.decode()

    assert page.count("Any item is Shoes") == 5


def test_a_rule_is_deleted(marketer, project):
    rule = ValidationRuleFactory(project=project)

    marketer.post(f"{PAGE}{rule.pk}/delete/", {"post": "yes"})

    assert not ValidationRule.objects.exists()


def test_those_who_may_only_look_see_the_words(client, project):
    user = User.objects.create_user("teammate", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_validationrule"))
    client.force_login(user)
    rule = ValidationRuleFactory(project=project, rules=STORED)

    page = client.get(f"{PAGE}{rule.pk}/change/").content.decode()

    assert "Order amount is more than 123.45 EUR" in page
    assert 'name="conditions-0-subject"' not in page


def test_a_rules_page_names_what_it_guards(marketer, project, api):
    rule = ValidationRuleFactory(project=project)
    tier, voucher = PromotionTierFactory(project=project, name="Week"), VoucherFactory(project=project)
    for kind, ref in (("promotion_tier", tier.public_id), ("voucher", voucher.code)):
        api.post(f"/v1/validation-rules/{rule.public_id}/assignments", {kind: ref})

    page = marketer.get(f"{PAGE}{rule.pk}/change/")

    assert page.context["guarded"] == [("Week", f"/admin/campaigns/promotiontier/{tier.pk}/change/")]
    assert page.context["codes_count"] == 1


def test_another_projects_rule_is_not_found(marketer, project):
    rule = ValidationRuleFactory(project=ProjectFactory(), name="Theirs")

    assert marketer.get(f"{PAGE}{rule.pk}/change/").status_code == 302
    assert "Theirs" not in marketer.get(PAGE).content.decode()


def test_a_row_offers_what_fits_its_subject(marketer):
    asked = {"row": "3", **row(3, "order.amount", "$starts_with")}

    page = marketer.get(f"{PAGE}condition/", asked)

    form = page.context["condition"]
    operators = [name for name, _ in form.fields["operator"].choices]
    assert operators == list(operators_of("order.amount"))
    assert [*form.fields] == ["subject", "operator", "value", "message"]


def test_the_last_row_has_no_next(marketer):
    page = marketer.get(f"{PAGE}condition/", {"row": str(ROWS - 1), "empty": "", "add": ""})

    assert "next_row" not in page.context


def test_a_rule_is_previewed_as_a_sentence(marketer, project):
    product = ProductFactory(project=project, name="Shoe")
    form = body(
        ("order.amount", "$more_than", "10"), ("order.items.count", "$is", "x"), included=[product.public_id]
    )

    page = marketer.post(f"{PAGE}preview/", form)

    assert [str(said) for said in page.context["said"]] == [
        "Order amount is more than 10.00 EUR",
        "The discount is for Shoe.",
    ]


def test_goods_are_found_by_name_and_those_ticked_stay(marketer, project):
    shoe = ProductFactory(project=project, name="Shoe")
    ProductFactory(project=project, name="Hat")
    ProductFactory(project=ProjectFactory(), name="Their shoe")

    page = marketer.get(f"{PAGE}goods/", {"name": "included", "find": "hat", "included": shoe.public_id})

    found = [(option["name"], option["is_picked"]) for option in page.context["options"]]
    assert found == [("Shoe", True), ("Hat", False)]


@pytest.mark.parametrize("name", sorted(KINDS))
def test_each_condition_has_operators_that_there_are(name):
    operators = operators_of(name)

    assert set(operators) <= OPERATORS.keys()
    assert bool(operators) == (kind_of(name) is not Kind.NOTHING)


def test_each_condition_that_is_offered_is_known():
    assert {name for _title, names in GROUPS for name in names} <= KINDS.keys()


@pytest.mark.parametrize(
    ("subject", "resource"),
    [
        ("customer.metadata", "customer"),
        ("order.metadata", "order"),
        ("order.items.metadata_any", "order_item"),
        ("product.metadata", "product"),
        ("redemption.metadata", "redemption"),
    ],
)
def test_a_detail_is_offered_from_the_attributes_that_are_defined(marketer, project, subject, resource):
    now = datetime(2026, 3, 1, tzinfo=UTC)
    define_attribute(project, resource, "club_level", definition={"type": "string"}, now=now)

    asked = {"row": 0, "conditions-0-subject": subject}
    page = marketer.get(f"{PAGE}condition/", asked).content.decode()

    assert 'list="details-0"' in page
    assert '<datalist id="details-0"><option value="club_level"></option></datalist>' in page
