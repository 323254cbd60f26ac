"""A validation can be asked for the choice and order of codes that saves most."""

from tests.factories import VoucherFactory


def validated(api, codes, order, combination="BEST"):
    body = {
        "redeemables": [{"object": "voucher", "id": code} for code in codes],
        "order": order,
        "options": {"combination": combination},
    }
    return api.post("/v1/validations", body)


def test_the_best_order_is_answered_with_what_is_left_out(api, project):
    VoucherFactory(project=project, code="FIVE", discount={"type": "AMOUNT", "amount_off": 500})
    VoucherFactory(project=project, code="TEN", discount={"type": "PERCENT", "percent_off": 10})
    VoucherFactory(project=project, code="OFF", active=False)

    answer = validated(api, ["FIVE", "OFF", "TEN"], {"amount": 10000}).json()

    assert answer["valid"] is True
    assert [one["id"] for one in answer["redeemables"]] == ["TEN", "FIVE"]
    assert answer["order"]["total_amount"] == 8500
    assert answer["combination"] == {"saving": 1500, "is_proven": True, "saving_at_most": 1500}
    assert [one["id"] for one in answer["inapplicable_redeemables"]] == ["OFF"]


def test_what_others_make_worthless_is_skipped(api, project):
    VoucherFactory(project=project, code="ALL", discount={"type": "PERCENT", "percent_off": 100})
    VoucherFactory(project=project, code="MORE")

    answer = validated(api, ["MORE", "ALL"], {"amount": 10000}).json()

    (skipped,) = answer["skipped_redeemables"]
    assert skipped["id"] == "MORE"
    assert skipped["result"]["details"]["key"] == "not_in_best_combination"


def test_what_was_found_goes_through_as_it_was_answered(api, project):
    VoucherFactory(project=project, code="FIVE", discount={"type": "AMOUNT", "amount_off": 500})
    VoucherFactory(project=project, code="TEN", discount={"type": "PERCENT", "percent_off": 10})
    found = validated(api, ["FIVE", "TEN"], {"amount": 10000}).json()

    chosen = [{"object": one["object"], "id": one["id"]} for one in found["redeemables"]]
    redeemed = api.post("/v1/redemptions", {"redeemables": chosen, "order": {"amount": 10000}}).json()

    assert redeemed["order"]["total_discount_amount"] == found["combination"]["saving"]


def test_another_word_is_refused(api, project):
    answer = validated(api, ["ANY"], {"amount": 1}, combination="WORST")

    assert answer.status_code == 400
    assert answer.json()["details"] == "Property .options.combination should be one of REQUESTED, BEST"
