"""Guests at codes with limits by customer: who they are, how they are counted, and what they may use."""

import pytest

from customers.models import Customer
from customers.tracking import tracking_id_of
from tests.factories import CustomerFactory
from tests.limits import REFUSED, assert_ledger_agrees, body, key_of, limit, redeem
from tests.redemptions.people import EVER, code_in, outcomes


def test_a_guest_is_known_by_the_tracking_id(api, project):
    code = code_in(project)
    limit(code.campaign, EVER, 1)

    keys = [key_of(redeem(api, code.code, tracking_id=who)) for who in ("v-1", "v-2", "v-1")]

    assert keys == ["success", "success", REFUSED]
    assert Customer.objects.filter(source_id=None).count() == 2
    assert_ledger_agrees(project)


def test_the_tracking_id_given_out_is_as_good_as_the_one_sent(api, project):
    code = code_in(project)
    limit(code.campaign, EVER, 1)
    seen = api.post("/v1/validations", body(code.code, tracking_id="v-1")).json()
    used = redeem(api, code.code, tracking_id=seen["tracking_id"]).json()

    assert seen["valid"]
    assert seen["tracking_id"] == tracking_id_of("v-1")
    assert used["redemptions"][0]["tracking_id"] == seen["tracking_id"]
    assert key_of(redeem(api, code.code, tracking_id="v-1")) == REFUSED
    assert not api.post("/v1/validations", body(code.code, tracking_id="v-1")).json()["valid"]


@pytest.mark.parametrize("named", ["v-1", tracking_id_of("v-1")], ids=["source id", "tracking id"])
def test_the_source_id_of_the_same_tracking_id_is_the_guest(api, project, named):
    code = code_in(project)
    limit(code.campaign, EVER, 1)
    guest = redeem(api, code.code, tracking_id="v-1").json()["redemptions"][0]

    assert outcomes(api, code, {"source_id": named}) == [REFUSED]
    made = api.post("/v1/customers", {"source_id": named}).json()
    assert (made["id"], made["source_id"]) == (guest["customer_id"], named)


def test_the_shops_own_id_takes_the_place_of_a_tracking_id(api, project):
    first = api.post("/v1/customers", {"source_id": tracking_id_of("ann")}).json()
    second = api.post("/v1/customers", {"source_id": "ann"}).json()

    assert (second["id"], second["source_id"]) == (first["id"], "ann")
    assert api.get(f"/v1/customers/{tracking_id_of('ann')}").json()["id"] == first["id"]


def test_a_guest_who_signs_up_is_one_customer(api, project):
    code = code_in(project)
    limit(code.campaign, EVER, 2)
    redeem(api, code.code, tracking_id="v-1")

    answers = [redeem(api, code.code, customer={"source_id": "ann"}, tracking_id="v-1") for _ in range(2)]

    assert [key_of(answer) for answer in answers] == ["success", REFUSED]
    assert Customer.objects.get().source_id == "ann"


def test_two_customers_of_one_browser_are_told_apart(api, project):
    code = code_in(project)
    limit(code.campaign, EVER, 1)

    keys = [
        key_of(redeem(api, code.code, customer={"source_id": who}, tracking_id="v-1"))
        for who in ("ann", "bob", "ann")
    ]

    assert keys == ["success", "success", REFUSED]
    assert Customer.objects.count() == 2


def test_where_devices_count_a_browser_is_one(api, project):
    code = code_in(project, by=["device"])
    limit(code.campaign, EVER, 1)
    CustomerFactory(project=project, source_id="ann")

    guest = key_of(redeem(api, code.code, tracking_id="v-1"))
    signed_in = key_of(redeem(api, code.code, customer={"source_id": "ann"}, tracking_id="v-1"))

    assert [guest, signed_in] == ["success", REFUSED]
    assert_ledger_agrees(project)


def test_a_guest_who_gives_an_address_is_found_by_both(api, project):
    code = code_in(project)
    redeem(api, code.code, tracking_id="v-1")
    redeem(api, code.code, tracking_id="v-1", customer={"email": "a@b.co"})
    redeem(api, code.code, customer={"email": "a@b.co"})
    redeem(api, code.code, tracking_id="v-1", customer={"email": "other@b.co"})

    assert sorted(Customer.objects.values_list("email", flat=True)) == ["a@b.co", "other@b.co"]


def test_identities_alone_leave_no_customer(api, project):
    code = code_in(project, by=["device"])
    limit(code.campaign, EVER, 1)
    guest = {"identities": {"device": "d"}}

    assert outcomes(api, code, guest, guest) == ["success", REFUSED]
    assert not Customer.objects.exists()
    assert_ledger_agrees(project)


@pytest.mark.parametrize(
    ("guests", "limited", "key"),
    [
        ("UNLESS_LIMITED", False, "success"),
        ("UNLESS_LIMITED", True, "missing_customer"),
        ("ALLOWED", False, "success"),
        ("ALLOWED", True, "success"),
        ("COUNTED", False, "missing_customer"),
        ("COUNTED", True, "missing_customer"),
        ("REFUSED", False, "missing_customer"),
        ("REFUSED", True, "missing_customer"),
    ],
)
def test_somebody_of_whom_nothing_is_known(api, project, guests, limited, key):
    code = code_in(project, guests=guests)
    if limited:
        limit(code.campaign, EVER, 1)

    assert [key_of(redeem(api, code.code)) for _ in range(2)] == [key, key]


@pytest.mark.parametrize(
    ("customer", "tracking_id", "key"),
    [
        ({"source_id": "ann"}, None, "success"),
        ({"email": "a@b.co"}, None, "success"),
        ({"identities": {"phone": "+48501234567"}}, None, "success"),
        ({"identities": {"device": "d"}}, None, "missing_customer"),
        (None, "v-1", "missing_customer"),
    ],
)
def test_who_has_signed_in(api, project, customer, tracking_id, key):
    code = code_in(project, guests="REFUSED")

    assert key_of(redeem(api, code.code, customer=customer, tracking_id=tracking_id)) == key


def test_the_refusal_says_what_to_do(api, project):
    code = code_in(project, guests="REFUSED")

    refused = redeem(api, code.code).json()
    asked = body(code.code, options={"expand": ["trace"]})
    (result,) = api.post("/v1/validations", asked).json()["redeemables"]

    assert (refused["message"], refused["details"]) == (
        "Missing customer",
        "Customer is required: guests have to sign in",
    )
    assert result["trace"]["hints"] == ["sign in"]


@pytest.mark.parametrize("kind", ["device", "address"])
def test_guests_are_counted_by_device_or_address(api, project, kind):
    code = code_in(project, guests="COUNTED")
    limit(code.campaign, EVER, 1)
    guest, other = ({"identities": {kind: value}} for value in ("one", "two"))

    assert outcomes(api, code, guest, other, guest) == ["success", "success", REFUSED]
    assert_ledger_agrees(project)


def test_counted_guests_do_not_make_customers_of_one_house_one(api, project):
    code = code_in(project, guests="COUNTED")
    limit(code.campaign, EVER, 1)
    house = {"identities": {"address": "house"}}

    assert outcomes(api, code, {"source_id": "ann", **house}, {"source_id": "bob", **house}) == [
        "success",
        "success",
    ]


def test_a_guest_on_a_customers_order_is_that_customer(api, project):
    code = code_in(project, by=["email"])
    limit(code.campaign, EVER, 1)
    customer = {"source_id": "ann", "email": "a@b.co"}
    order = api.post("/v1/orders", {"source_id": "o-1", "amount": 5000, "customer": customer}).json()

    keys = [key_of(redeem(api, code.code, order={"id": order["id"]}, tracking_id="v-1")) for _ in range(2)]

    assert keys == ["success", REFUSED]
    assert Customer.objects.count() == 1
