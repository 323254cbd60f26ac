"""Batches of codes: locked until a moment, limited to one code a person."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from customers.jobs import erase_customers
from promoengine.core.models import OutboxEvent
from promoengine.core.services.async_actions import run_async_action
from tests.factories import CampaignFactory, CustomerFactory, VoucherFactory
from vouchers.models import CodeBatch, Publication, ServedPerson, Voucher
from vouchers.services import publish as publishing
from vouchers.services import take
from vouchers.services.batches import BatchTerms, change_batch, open_batch
from vouchers.services.generate import start_generation
from vouchers.services.publish import (
    NoSuitableVoucher,
    PublicationRequest,
    VoucherCannotBePublished,
    publish,
)

HOUR = datetime(2026, 12, 24, 9, tzinfo=UTC)
BEFORE = HOUR - timedelta(microseconds=1)


def batch_of(campaign, *codes, now=datetime(2026, 11, 1, tzinfo=UTC), **terms):
    batch = open_batch(campaign.project, campaign, BatchTerms(**terms), now=now)
    for code in codes:
        VoucherFactory(project=campaign.project, campaign=campaign, batch=batch, discount=None, code=code)
    CodeBatch.objects.filter(pk=batch.pk).update(count=len(codes))
    return batch


def given(campaign, who="ann", *, now=HOUR, **asked):
    customer = who if isinstance(who, dict) else {"source_id": who}
    request = PublicationRequest(customer=customer, campaign=campaign.name, **asked)
    return [voucher.code for voucher in publish(campaign.project, request, now=now).vouchers]


def redeem(api, code):
    return api.post(
        "/v1/redemptions", {"redeemables": [{"object": "voucher", "id": code}], "order": {"amount": 5000}}
    ).json()


@pytest.fixture
def campaign(project):
    return CampaignFactory(project=project, name="Giveaway", type="STATIC")


def test_codes_are_released_at_the_very_moment(campaign):
    batch_of(campaign, "GIFT", locked_until=HOUR)

    with pytest.raises(NoSuitableVoucher, match="Codes of Giveaway are released at 2026-12-24 09:00"):
        given(campaign, now=BEFORE)

    assert given(campaign, now=HOUR) == ["GIFT"]


def test_the_moment_is_told_in_the_shops_zone(campaign):
    campaign.project.timezone = "Europe/Warsaw"
    batch_of(campaign, "GIFT", locked_until=HOUR)

    with pytest.raises(NoSuitableVoucher, match=r"2026-12-24 10:00 \(Europe/Warsaw\)"):
        given(campaign, now=BEFORE)


def test_other_batches_give_theirs_meanwhile_oldest_first(campaign):
    batch_of(campaign, "LOCKED", locked_until=HOUR)
    batch_of(campaign, "SECOND")
    batch_of(campaign, "THIRD")
    VoucherFactory(project=campaign.project, campaign=campaign, discount=None, code="SINGLE")

    codes = [given(campaign, name, now=BEFORE)[0] for name in "abc"]

    assert codes == ["SINGLE", "SECOND", "THIRD"]


def test_a_campaign_does_not_grow_past_a_lock(project):
    growing = CampaignFactory(project=project, type="AUTO_UPDATE")
    batch_of(growing, "GIFT", locked_until=HOUR)

    with pytest.raises(NoSuitableVoucher):
        given(growing, now=BEFORE)

    assert given(growing, "ann", now=HOUR) == ["GIFT"]
    assert len(given(growing, "bob", now=HOUR)) == 1


def test_a_locked_code_is_not_given_by_name(api, campaign):
    batch_of(campaign, "GIFT", locked_until=timezone.now() + timedelta(days=1))

    answer = api.post("/v1/publications", {"voucher": "GIFT", "customer": {"source_id": "ann"}}).json()

    assert (answer["key"], "is locked until" in answer["details"]) == ("voucher_cannot_be_published", True)
    assert Publication.objects.get().result == "FAILURE"


def test_a_locked_code_is_not_used_until_it_is_released(api, campaign):
    batch = batch_of(campaign, "GIFT", locked_until=timezone.now() + timedelta(days=1))
    body = {"redeemables": [{"object": "voucher", "id": "GIFT"}], "order": {"amount": 5000}}
    validated = api.post("/v1/validations", body).json()
    refused = redeem(api, "GIFT")

    now = timezone.now()
    change_batch(campaign.project, campaign.public_id, batch.public_id, data={"locked_until": None}, now=now)

    assert validated["valid"] is False
    assert refused["key"] == "voucher_not_active"
    assert redeem(api, "GIFT")["redemptions"][0]["result"] == "SUCCESS"


def test_a_lock_set_later_holds_at_once_but_for_codes_that_somebody_has(api, campaign):
    batch = batch_of(campaign, "GIVEN", "FREE")
    given(campaign, now=timezone.now())
    lock = {"locked_until": timezone.now() + timedelta(days=1)}

    change_batch(campaign.project, campaign.name, batch.public_id, data=lock, now=timezone.now())

    assert redeem(api, "FREE")["key"] == "voucher_not_active"
    assert redeem(api, "GIVEN")["redemptions"][0]["result"] == "SUCCESS"


def test_a_lock_costs_the_checkout_no_statement(api, campaign, django_assert_num_queries):
    batch_of(campaign, "GIFT", locked_until=timezone.now() + timedelta(days=1))
    VoucherFactory(project=campaign.project, campaign=campaign, discount=None, code="PLAIN")
    bodies = [
        {"redeemables": [{"object": "voucher", "id": code}], "order": {"amount": 5000}}
        for code in ("PLAIN", "GIFT")
    ]
    for body in bodies:
        api.post("/v1/validations", body)

    for body in bodies:
        with django_assert_num_queries(1):
            api.post("/v1/validations", body)


def test_one_code_of_a_batch_is_given_to_each(campaign):
    batch_of(campaign, "ONE", "TWO", one_per_person=True)

    assert given(campaign, "ann") == ["ONE"]
    with pytest.raises(VoucherCannotBePublished, match="one code to each"):
        given(campaign, "ann")
    assert given(campaign, "bob") == ["TWO"]


def test_who_had_theirs_gets_one_of_the_next_batch(campaign):
    batch_of(campaign, "ONE", "TWO", one_per_person=True)
    batch_of(campaign, "OTHER")

    assert [given(campaign, "ann") for _ in range(2)] == [["ONE"], ["OTHER"]]


def test_several_at_once_are_one_of_each_limited_batch(campaign):
    batch_of(campaign, "ONE", "TWO", one_per_person=True)
    batch_of(campaign, "THREE", "FOUR", one_per_person=True)

    assert given(campaign, "ann", count=2) == ["ONE", "THREE"]
    with pytest.raises(VoucherCannotBePublished):
        given(campaign, "bob", count=3)
    assert given(campaign, "bob", count=2) == ["TWO", "FOUR"]


def test_a_limited_code_by_name_is_the_one(campaign, project):
    batch_of(campaign, "ONE", "TWO", one_per_person=True)
    ann = {"source_id": "ann"}
    by_name = [PublicationRequest(customer=ann, voucher=code) for code in ("TWO", "TWO", "ONE")]

    for asked in by_name[:2]:
        publish(project, asked, now=HOUR)
    with pytest.raises(VoucherCannotBePublished):
        publish(project, by_name[2], now=HOUR)
    with pytest.raises(VoucherCannotBePublished):
        given(campaign, "ann")

    assert Voucher.objects.get(code="ONE").published_count == 0


def test_a_limit_set_later_counts_what_was_given_before(campaign):
    batch = batch_of(campaign, "ONE", "TWO", "THREE")
    given(campaign, "ann")

    data = {"one_per_person": True}
    change_batch(campaign.project, campaign.name, batch.public_id, data=data, now=HOUR)

    with pytest.raises(VoucherCannotBePublished):
        given(campaign, "ann")
    assert given(campaign, "bob") == ["TWO"]


@pytest.mark.parametrize("join_once", [False, True])
def test_one_person_is_who_shares_what_the_campaign_counts_by(project, join_once):
    campaign = CampaignFactory(project=project, type="STATIC", join_once=join_once, one_customer_by=["email"])
    batch_of(campaign, "ONE", "TWO", one_per_person=not join_once)

    given(campaign, {"source_id": "ann", "email": "Ann.Smith@gmail.com"})
    with pytest.raises(VoucherCannotBePublished):
        given(campaign, {"source_id": "ann-2", "email": "annsmith+again@googlemail.com"})

    assert given(campaign, {"source_id": "bob", "email": "bob@gmail.com"}) == ["TWO"]


def test_no_request_gets_around_the_campaigns_one_code(api, project):
    campaign = CampaignFactory(project=project, join_once=True)
    body = {"campaign": {"name": campaign.name}, "customer": {"source_id": "ann"}}
    first = api.post("/v1/publications", body).json()
    spare = VoucherFactory(project=project, campaign=campaign, discount=None)

    again = api.post("/v1/publications?join_once=true", body).json()
    keys = [
        api.post("/v1/publications?join_once=false", body).json()["key"],
        api.post("/v1/publications", body | {"voucher": spare.code}).json()["key"],
        api.post(
            "/v1/publications", {"campaign": {"name": campaign.name, "count": 2}, "customer": "bob"}
        ).json()["key"],
    ]

    assert again["voucher"]["code"] == first["voucher"]["code"]
    assert keys == ["voucher_cannot_be_published"] * 2 + ["too_many_vouchers_requested"]


def test_a_failed_publication_leaves_the_code_and_the_person_free(campaign, monkeypatch):
    batch_of(campaign, "ONE", one_per_person=True)

    def die(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "record_event", die)
        with pytest.raises(KeyboardInterrupt):
            given(campaign, "ann")

    assert not ServedPerson.objects.exists()
    assert given(campaign, "ann") == ["ONE"]


def test_codes_that_come_free_again_are_given(api, campaign):
    for code in ("A", "B", "C"):
        VoucherFactory(project=campaign.project, campaign=campaign, discount=None, code=code)
    api.post("/v1/vouchers/A/disable")
    assert [given(campaign, name) for name in "xy"] == [["B"], ["C"]]

    api.post("/v1/vouchers/A/enable")

    assert given(campaign, "z") == ["A"]
    with pytest.raises(NoSuitableVoucher, match="has no free code left"):
        given(campaign, "z")


def test_each_generation_is_a_batch(project):
    campaign = CampaignFactory(project=project)
    terms = BatchTerms("Christmas", locked_until=HOUR, one_per_person=True)
    now = datetime(2026, 11, 1, tzinfo=UTC)

    action = start_generation(project, campaign=campaign, count=30, batch=terms, now=now)
    run_async_action(action.pk)

    batch = CodeBatch.objects.get()
    assert (batch.name, batch.count, batch.locked_until, batch.one_per_person) == (
        "Christmas",
        30,
        HOUR,
        True,
    )
    assert Voucher.objects.filter(campaign=campaign, batch=batch).count() == 30
    assert OutboxEvent.objects.filter(type="campaign.batch.created").count() == 1


def test_what_a_person_got_goes_with_their_data(api, campaign):
    batch_of(campaign, "ONE", one_per_person=True)
    customer = CustomerFactory(project=campaign.project, source_id="ann")
    given(campaign, "ann")
    assert ServedPerson.objects.filter(customer=customer).exists()

    api.post(f"/v1/customers/{customer.public_id}/permanent-deletion")
    events = OutboxEvent.objects.filter(type="customer.erased").values_list("pk", flat=True)
    erase_customers(event_ids=[str(key) for key in events])

    assert not ServedPerson.objects.exists()


def test_taking_reads_the_index_of_free_codes_alone(campaign):
    """Never the table's own key, which would go past the codes of all other campaigns."""
    batch = batch_of(campaign, *(f"CODE{number}" for number in range(50)))
    params = {
        "campaign": campaign.pk,
        "start": take.START,
        "batches": [batch.pk],
        "starts": [take.START],
        "most": [1],
        "besides": [],
        "count": 1,
    }

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE vouchers_voucher")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {take.TAKE}", params)
        scans = [line for (line,) in cursor.fetchall() if "Scan using" in line or "Seq Scan" in line]

    assert [scan.split("using ")[1].split()[0] for scan in scans] == ["voucher_free_of_batch"] * 2
