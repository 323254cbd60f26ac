"""A decision explains itself: what was looked at, what is missing, who took whose place."""

import pytest

from campaigns.models import ProductCollection
from tests.factories import CategoryFactory, VoucherFactory


@pytest.fixture
def guarded(api, project):
    """Make a code with a rule of these numbered conditions, and return the code."""

    def make(code, rules, **more):
        rule = api.post("/v1/validation-rules", {"name": code, "rules": rules, **more}).json()
        voucher = VoucherFactory(project=project, code=code)
        api.post(f"/v1/validation-rules/{rule['id']}/assignments", {"voucher": voucher.code})
        return code

    return make


def validated(api, codes, order, path="/v1/validations", **headers):
    body = {
        "redeemables": [{"object": "voucher", "id": code} for code in codes],
        "order": order,
        "options": {"expand": ["trace"]},
    }
    answer = api.post(path, body, **headers)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_trace_says_what_an_order_lacks(api, guarded):
    guarded("BIG", {"1": {"name": "order.amount", "conditions": {"$more_than_or_equal": [10000]}}})

    (found,) = validated(api, ["BIG"], {"amount": 8760})["redeemables"]

    assert found["trace"] == {
        "conditions": [
            {
                "path": "1",
                "name": "order.amount",
                "text": "Order amount is at least 100.00 EUR",
                "needed": {"$more_than_or_equal": [10000]},
                "actual": 8760,
                "met": False,
                "missing": {"amount": 1240, "text": "12.40 EUR more"},
            }
        ],
        "reason": {"key": "order_rules_violated", "message": "order does not match validation rules"},
        "hints": ["12.40 EUR more"],
    }


def test_a_hint_names_the_collection_that_is_missing(api, project, guarded):
    shoes = ProductCollection.objects.create(project=project, name="Shoes", type="STATIC")
    guarded("SHOES", {"1": {"name": "order.items.any", "conditions": {"$is": [{"id": shoes.public_id}]}}})

    items = [{"source_id": "hat", "quantity": 1, "price": 500}]
    (found,) = validated(api, ["SHOES"], {"items": items})["redeemables"]

    assert found["trace"]["hints"] == ["1 more item of Shoes"]


def test_browsers_get_the_hints_alone(client_api, api, project, guarded):
    guarded("BIG", {"1": {"name": "order.amount", "conditions": {"$more_than_or_equal": [10000]}}})

    (found,) = validated(client_api, ["BIG"], {"amount": 8760}, "/client/v1/validations", Origin="x")[
        "redeemables"
    ]

    assert found["hints"] == ["12.40 EUR more"]
    assert "trace" not in found


def test_a_skipped_code_names_the_rival_that_was_chosen(api, project):
    category = CategoryFactory(project=project, name="Alone")
    project.stacking_rules = {"exclusive_categories": [category.public_id]}
    project.save()
    VoucherFactory(project=project, code="COMMON")
    VoucherFactory(project=project, code="ALONE", category=category)

    answer = validated(api, ["COMMON", "ALONE"], {"amount": 10000})

    (skipped,) = answer["skipped_redeemables"]
    assert skipped["trace"]["reason"]["key"] == "exclusion_rules_not_met"
    assert skipped["trace"]["rival"] == {"id": "ALONE", "object": "voucher"}


def test_a_condition_that_cannot_be_judged_is_neither_met_nor_not(api, guarded):
    guarded(
        "RED",
        {"1": {"name": "order.metadata", "property": "color", "conditions": {"$is": ["red"]}}},
    )

    (found,) = validated(api, ["RED"], {"amount": 100})["redeemables"]

    assert found["trace"]["conditions"][0]["met"] is None
