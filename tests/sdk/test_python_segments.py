"""The official Python SDK makes segments, and rules that ask for them."""

import uuid

import pytest
import voucherify as sdk
from voucherify.exceptions import ApiException

pytestmark = pytest.mark.xdist_group("product")

VIP = {"junction": "and", "metadata.vip": {"conditions": {"$is": [True]}}}


@pytest.mark.parametrize("type_", ["static", "auto-update", "passive"])
def test_a_code_for_a_segment(client, type_):
    customers, segments = sdk.CustomersApi(client), sdk.SegmentsApi(client)
    source_id = f"vip-{uuid.uuid4().hex[:8]}"
    vip = customers.create_customer(
        sdk.CustomersCreateRequestBody(source_id=source_id, metadata={"vip": True})
    )
    named = {"customers": [vip.id]} if type_ == "static" else {"filter": VIP}
    segment = segments.create_segment(sdk.SegmentsCreateRequestBody(name="VIP", type=type_, **named))
    code = code_for(client, segment.id)

    read = segments.get_segment(segment.id)
    listed = customers.list_customer_segments(source_id)

    assert (read.type, read.filter) == (type_, named.get("filter"))
    assert segment.id in [one.id for one in listed.data]
    assert applies(client, code, {"source_id": source_id})
    assert not applies(client, code, {"source_id": "somebody-else"})

    segments.delete_segment(segment.id)
    with pytest.raises(ApiException) as refused:
        segments.get_segment(segment.id)
    assert refused.value.status == 404
    assert not applies(client, code, {"source_id": source_id})


def code_for(client, segment_id):
    rules = {"1": {"name": "customer.segment", "conditions": {"$is": [segment_id]}}}
    rule = sdk.ValidationRulesApi(client).create_validation_rules(
        sdk.ValidationRulesCreateRequestBody.from_dict({"name": "For VIPs", "rules": rules})
    )
    body = {
        "type": "DISCOUNT_VOUCHER",
        "discount": {"type": "AMOUNT", "amount_off": 1000},
        "validation_rules": [rule.id],
    }
    return (
        sdk.VouchersApi(client)
        .create_voucher(
            f"PY-{uuid.uuid4().hex[:8]}", sdk.VouchersCreateWithSpecificCodeRequestBody.from_dict(body)
        )
        .code
    )


def applies(client, code, customer):
    body = {
        "redeemables": [{"object": "voucher", "id": code}],
        "order": {"amount": 5000},
        "customer": customer,
    }
    return (
        sdk.ValidationsApi(client)
        .validate_stacked_discounts(sdk.ValidationsValidateRequestBody.from_dict(body))
        .valid
    )
