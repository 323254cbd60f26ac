"""Handing codes out, over HTTP."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from promoengine.core.models import OutboxEvent
from tests.factories import CampaignFactory, CustomerFactory, GiftCardFactory, VoucherFactory
from vouchers.models import Publication, Voucher

ANN = {"source_id": "ann", "email": "ann@example.com"}


def publish(api, query="", **body):
    return api.post(f"/v1/publications{query}", {"customer": ANN} | body)


def test_the_next_free_code_is_given(api, project):
    campaign = CampaignFactory(project=project, type="STATIC")
    taken = VoucherFactory(project=project, campaign=campaign, discount=None, published_count=1)
    free = VoucherFactory(project=project, campaign=campaign, discount=None)

    answer = publish(api, campaign={"name": campaign.name}).json()

    assert (answer["voucher"]["code"], answer["voucher"]["publish"]["count"]) == (free.code, 1)
    assert answer["voucher"]["holder_id"] == answer["customer_id"]
    assert taken.code != free.code


def test_a_growing_campaign_makes_the_code(api, project):
    campaign = CampaignFactory(project=project)

    assert publish(api, campaign={"name": campaign.name}).json()["voucher"]["campaign"] == campaign.name


def test_an_exhausted_campaign_says_so_and_keeps_the_attempt(api, project):
    campaign = CampaignFactory(project=project, type="STATIC")

    answer = publish(api, campaign={"name": campaign.name})

    assert answer.json()["key"] == "no_voucher_suitable_for_publication"
    assert Publication.objects.get().result == "FAILURE"


def test_several_codes_at_once(api, project):
    campaign = CampaignFactory(project=project)

    answer = publish(api, campaign={"name": campaign.name, "count": 3}).json()

    assert len(set(answer["vouchers"])) == len(answer["vouchers_id"]) == 3


def test_the_same_source_id_gives_the_same_code(api, project):
    campaign = CampaignFactory(project=project)
    first = publish(api, campaign={"name": campaign.name}, source_id="order-1").json()

    again = publish(api, campaign={"name": campaign.name}, source_id="order-1").json()
    other = publish(api, campaign={"name": campaign.name}, source_id="order-1", customer={"source_id": "bob"})

    assert again["voucher"]["code"] == first["voucher"]["code"]
    assert other.json()["key"] == "duplicate_source_id"
    assert Voucher.objects.count() == 1


def test_joining_once_gives_the_same_code(api, project):
    campaign = CampaignFactory(project=project)
    first = publish(api, "?join_once=true", campaign={"name": campaign.name}).json()

    again = publish(api, "?join_once=true", campaign={"name": campaign.name}).json()

    assert again["voucher"]["code"] == first["voucher"]["code"]


def test_a_code_belongs_to_one_customer(api, project):
    voucher = VoucherFactory(project=project)
    publish(api, voucher=voucher.code)

    again, other = (
        publish(api, voucher=voucher.code),
        publish(api, voucher=voucher.code, customer={"source_id": "bob"}),
    )

    assert (again.status_code, other.json()["key"]) == (200, "voucher_already_published")


def test_a_common_code_is_given_to_many(api, project):
    campaign = CampaignFactory(project=project, type="STANDALONE")
    VoucherFactory(project=project, campaign=campaign, discount=None, code="ALL")

    answers = [
        publish(api, campaign={"name": campaign.name}, customer={"source_id": name}) for name in ("a", "b")
    ]

    assert [answer.json()["voucher"]["code"] for answer in answers] == ["ALL", "ALL"]


def test_its_time_begins_when_it_is_given(api, project):
    campaign = CampaignFactory(project=project, activity_duration_after_publishing="P24D")

    voucher = publish(api, campaign={"name": campaign.name}).json()["voucher"]

    assert voucher["start_date"] < voucher["expiration_date"]


@pytest.mark.parametrize(
    "form",
    [{"campaign": "Spring", "customer": "ann"}, {"campaign[name]": "Spring", "customer[source_id]": "ann"}],
)
def test_a_form_is_taken_as_connectors_send_it(api, project, form):
    CampaignFactory(project=project, name="Spring")

    posted = api.client.post("/v1/publications", form, headers=api.headers)
    fetched = api.get("/v1/publications/create", form)

    assert posted.json()["customer"]["source_id"] == fetched.json()["customer"]["source_id"] == "ann"


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({}, "missing_vouchers"),
        ({"voucher": None, "campaign": None, "channel": None, "metadata": None}, "missing_vouchers"),
        ({"voucher": "x", "customer": None}, "invalid_payload"),
        ({"voucher": "none"}, "not_found"),
        ({"campaign": {"name": "none"}}, "not_found"),
        ({"campaign": {"name": "Spring", "count": 51}}, "invalid_payload"),
        ({"campaign": {"name": "Spring", "count": "x"}}, "invalid_payload"),
        ({"campaign": {"name": "Spring", "count": 2}, "source_id": "s"}, "too_many_vouchers_requested"),
        ({"campaign": {"name": "Spring"}, "customer": {"id": "cust_none"}}, "not_found"),
        ({"campaign": 5}, "invalid_payload"),
    ],
)
def test_bad_input_is_named_and_gives_nothing(api, project, body, key):
    CampaignFactory(project=project, name="Spring")

    assert publish(api, **body).json()["key"] == key
    assert not OutboxEvent.objects.filter(type="publication.succeeded").exists()


def test_a_wallet_lists_what_its_holder_has(api, project):
    customer = CustomerFactory(project=project)
    for number in range(3):
        VoucherFactory(project=project, holder=customer, code=f"W{number}")

    first = api.get(f"/v1/customers/{customer.source_id}/redeemables", {"limit": 2}).json()
    rest = api.get(
        f"/v1/customers/{customer.source_id}/redeemables", {"starting_after_id": first["more_starting_after"]}
    ).json()

    codes = [row["redeemable"]["voucher"]["code"] for row in first["data"] + rest["data"]]
    assert (codes, first["has_more"], rest["has_more"]) == (["W2", "W1", "W0"], True, False)


def test_publications_are_listed(api, project):
    campaign = CampaignFactory(project=project)
    for name in ("a", "b"):
        publish(api, campaign={"name": campaign.name}, customer={"source_id": name})

    everything = api.get("/v1/publications").json()
    of_a = api.get("/v1/publications", {"customer": "a"}).json()

    assert (everything["total"], of_a["total"]) == (2, 1)


@pytest.mark.parametrize(
    ("query", "listed"),
    [
        ({"voucher_type": "discount"}, ["LONE", "SPRING", "FRIEND"]),
        ({"voucher_type": "gift"}, ["LONE-GIFT", "GIFT"]),
        ({"voucher_type": "loyalty"}, []),
        ({"filters[voucher_type][conditions][$is]": "GIFT_VOUCHER"}, ["LONE-GIFT", "GIFT"]),
        ({"filters[voucher_type][conditions][$in][0]": "DISCOUNT_VOUCHER"}, ["LONE", "SPRING", "FRIEND"]),
        ({"is_referral_code": "true"}, ["FRIEND"]),
        ({"filters[is_referral_code][conditions][$is]": "true"}, ["FRIEND"]),
        ({"filters[is_referral_code][conditions][$is]": "false"}, ["LONE-GIFT", "LONE", "GIFT", "SPRING"]),
    ],
)
def test_publications_are_listed_by_what_their_codes_are(api, project, query, listed):
    gift = {"type": "GIFT_VOUCHER", "gift_amount": 500, "gift_balance": 500, "discount": None}
    for text, kind, terms in (
        ("FRIEND", "REFERRAL_PROGRAM", {}),
        ("SPRING", "DISCOUNT_COUPONS", {}),
        ("GIFT", "GIFT_VOUCHERS", gift),
        ("LONE", None, {}),
        ("LONE-GIFT", None, gift),
    ):
        campaign = CampaignFactory(project=project, campaign_type=kind) if kind else None
        VoucherFactory(project=project, campaign=campaign, code=text, code_key=text, **terms)
        assert publish(api, voucher=text).status_code == 200

    answer = api.get("/v1/publications", query).json()

    assert [one["voucher"]["code"] for one in answer["publications"]] == listed


def test_earlier_publications_are_told_their_types(api, project):
    gifts = CampaignFactory(project=project, campaign_type="GIFT_VOUCHERS")
    VoucherFactory(project=project, code="SPRING")
    GiftCardFactory(project=project, campaign=gifts, code="GIFT")
    for code in ("SPRING", "GIFT"):
        assert publish(api, voucher=code).status_code == 200
    Publication.objects.update(voucher_type="")
    Voucher.objects.filter(code="GIFT").delete()
    migration = import_module("vouchers.migrations.0013_publications_of_a_type")

    migration.tell_types(apps, SimpleNamespace(connection=connection))

    told = Publication.objects.order_by("pk").values_list("voucher_code", "voucher_type")
    assert list(told) == [("SPRING", "DISCOUNT_VOUCHER"), ("GIFT", "GIFT_VOUCHER")]


def test_a_failed_publication_is_of_its_campaigns_type(api, project):
    campaign = CampaignFactory(project=project, campaign_type="GIFT_VOUCHERS", type="STATIC")

    assert publish(api, campaign={"name": campaign.name}).status_code == 400

    (one,) = api.get("/v1/publications", {"voucher_type": "gift"}).json()["publications"]
    assert one["result"] == "FAILURE"
