"""A customer's activity over HTTP: every published filter, in published words."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import CampaignFactory, VoucherFactory

DAY = timedelta(days=1)


def types(api, query=None, form="activity"):
    answer = api.get(f"/v1/customers/ann/{form}", {"limit": 100} | (query or {}))
    assert answer.status_code == 200, answer.content
    return [event["type"] for event in answer.json()["data"]]


@pytest.fixture
def ann(api, project):
    """Who was made, given a gift card, used a code for it, had it rolled back, and did something."""
    gifts = CampaignFactory(
        project=project,
        type="AUTO_UPDATE",
        campaign_type="GIFT_VOUCHERS",
        discount=None,
        gift={"amount": 500},
    )
    codes = CampaignFactory(project=project, type="STATIC")
    code = VoucherFactory(project=project, campaign=codes).code
    customer = {"source_id": "ann", "name": "Ann"}
    api.post("/v1/customers", customer)
    api.post("/v1/publications", {"campaign": {"name": gifts.name}, "customer": customer})
    order = {"items": [{"product_id": "prod_shoe", "quantity": 1, "price": 5000}]}
    used = api.post(
        "/v1/redemptions",
        {"redeemables": [{"object": "voucher", "id": code}], "customer": customer, "order": order},
    ).json()
    api.post(f"/v1/redemptions/{used['redemptions'][0]['id']}/rollback")
    api.post("/v1/events", {"event": "seen", "customer": customer})
    return {"gifts": gifts.public_id, "codes": codes.public_id}


ALL = [
    "customer.custom_event",
    "customer.redemption.rollback.succeeded",
    "customer.redemption.succeeded",
    "customer.publication.succeeded",
    "customer.created",
]


def kept(found):
    return [one for one in found if ".order." not in one]


def test_it_tells_in_published_words_the_newest_first(ann, api):
    assert kept(types(api)) == ALL
    assert kept(types(api, {"order": "created_at"})) == ALL[::-1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"type": "customer.redemption.succeeded"}, ALL[2:3]),
        ({"type": "customer.nothing"}, []),
        ({"category": "EFFECT"}, ALL[3:4]),
        ({"category": "ACTION"}, ALL[:3] + ALL[4:]),
        ({"campaign_id": "{gifts}"}, ALL[3:4]),
        ({"campaign_id": "{codes}"}, ALL[1:3]),
        ({"campaign_id": "camp_nothing"}, []),
        ({"campaign_type": "GIFT_VOUCHERS"}, ALL[3:4]),
        ({"campaign_type": "DISCOUNT_COUPONS"}, ALL[1:3]),
        ({"campaign_type": "PROMOTION"}, []),
        ({"start_date": "{tomorrow}"}, []),
        ({"end_date": "{yesterday}"}, []),
        ({"start_date": "{yesterday}", "end_date": "{tomorrow}"}, ALL),
        ({"product_id": "prod_shoe", "type": "customer.redemption.succeeded"}, ALL[2:3]),
        ({"product_id": "prod_hat"}, []),
    ],
)
@pytest.mark.parametrize("form", ["activity", "activities"])
def test_it_is_filtered(ann, api, query, expected, form):
    now = datetime.now(UTC)
    names = ann | {"tomorrow": (now + DAY).isoformat(), "yesterday": (now - DAY).isoformat()}

    assert kept(types(api, {name: text.format(**names) for name, text in query.items()}, form)) == expected


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"order": "name"}, ".order"),
        ({"category": "ACTIONS"}, ".category"),
        ({"campaign_type": "COUPONS"}, ".campaign_type"),
        ({"start_date": "soon"}, ".start_date"),
        ({"end_date": "x"}, ".end_date"),
        ({"starting_after": "x"}, ".starting_after"),
        ({"starting_after_id": "x"}, ".starting_after_id"),
        ({"limit": "101"}, ".limit"),
    ],
)
def test_a_wrong_filter_is_named(ann, api, query, named):
    answer = api.get("/v1/customers/ann/activity", query)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_query_params")
    assert named in answer.json()["details"]


def test_one_pages_through_it_by_id_and_by_date(ann, api):
    first = api.get("/v1/customers/ann/activity", {"limit": 2}).json()
    rest = api.get(
        "/v1/customers/ann/activity", {"limit": 100, "starting_after_id": first["more_starting_after"]}
    ).json()
    older = api.get(
        "/v1/customers/ann/activities", {"starting_after": first["data"][-1]["created_at"]}
    ).json()

    assert [event["type"] for event in first["data"] + rest["data"]] == types(api)
    assert len(older["data"]) <= len(rest["data"])
    assert not {event["id"] for event in older["data"]} & {event["id"] for event in first["data"]}


def test_the_older_form_counts(ann, api):
    answer = api.get("/v1/customers/ann/activities", {"limit": 1}).json()

    assert sorted(answer) == ["data", "data_ref", "object", "total"]
    assert (len(answer["data"]), answer["total"]) == (1, len(types(api)))


def test_what_is_told_has_the_published_parts(ann, api):
    rows = api.get("/v1/customers/ann/activity", {"limit": 100}).json()["data"]
    told = {row["type"]: row["data"] for row in rows}

    assert {"customer", "order", "voucher", "redemption"} <= set(told["customer.redemption.succeeded"])
    rollback = told["customer.redemption.rollback.succeeded"]
    assert rollback["redemption"]["id"] == told["customer.redemption.succeeded"]["redemption"]["id"]
    assert rollback["redemption_rollback"]["id"].startswith("rr_")
    assert {"customer", "publication"} == set(told["customer.publication.succeeded"])
    assert told["customer.created"]["customer"]["source_id"] == "ann"
