"""Codes handed out to many at the very same moment: each to one, and to each as many as they may have."""

from collections import Counter
from datetime import timedelta
from threading import Event

import pytest
from django.db import transaction
from django.utils import timezone

from promoengine.core.models import OutboxEvent
from promoengine.core.services.async_actions import run_async_action
from tests.concurrency.parallel import in_parallel
from tests.factories import CampaignFactory, CustomerFactory, VoucherFactory
from vouchers.models import CodeBatch, PoolAlert, Publication, Voucher
from vouchers.services import publish as publishing
from vouchers.services.batches import BatchTerms, change_batch, open_batch
from vouchers.services.generate import start_generation
from vouchers.services.pool_alerts import LOW, watch_pools

pytestmark = pytest.mark.django_db(transaction=True)
TAKERS, CODES = 64, 1000


def give(api, campaign, customer, **more):
    named = customer if isinstance(customer, dict) else {"source_id": customer}
    body = {"campaign": {"name": campaign.name}, "customer": named}
    return api.post("/v1/publications", body | more)


def batch_of(campaign, count, **terms):
    """Return a batch of codes, opened through the service."""
    batch = open_batch(campaign.project, campaign, BatchTerms(**terms), now=timezone.now())
    for _ in range(count):
        VoucherFactory(project=campaign.project, campaign=campaign, batch=batch, discount=None)
    CodeBatch.objects.filter(pk=batch.pk).update(count=count)
    return batch


def test_sixty_four_takers_of_a_thousand_codes_get_a_thousand_and_the_next_is_told_so(api, project):
    campaign = CampaignFactory(project=project, type="STATIC")
    for count in (400, 600):
        action = start_generation(project, campaign=campaign, count=count, now=timezone.now())
        run_async_action(action.pk)
        campaign.refresh_from_db()

    def take(taker):
        wanted = CODES // TAKERS + (taker < CODES % TAKERS)
        answers = [give(api, campaign, f"taker-{taker}").json() for _ in range(wanted)]
        return [answer["voucher"]["code"] for answer in answers]

    codes = [code for taken in in_parallel(TAKERS, take) for code in taken]
    refused = give(api, campaign, "late")

    assert (len(codes), len(set(codes))) == (CODES, CODES)
    assert (refused.status_code, refused.json()["key"]) == (400, "no_voucher_suitable_for_publication")
    assert set(Voucher.objects.values_list("published_count", flat=True)) == {1}
    assert Publication.objects.filter(result="SUCCESS").count() == CODES


def test_more_takers_than_codes_share_them_and_the_others_are_refused(api, project):
    campaign = CampaignFactory(project=project, type="STATIC")
    batch_of(campaign, 40)

    answers = in_parallel(TAKERS, lambda taker: give(api, campaign, f"taker-{taker}"))

    keys = Counter(answer.json().get("key", "given") for answer in answers)
    assert keys == {"given": 40, "no_voucher_suitable_for_publication": 24}


def test_one_source_id_gets_one_code_from_eight_connections(api, project):
    campaign = CampaignFactory(project=project, type="STATIC")
    batch_of(campaign, 8)
    CustomerFactory(project=project, source_id="ann")

    answers = in_parallel(8, lambda _: give(api, campaign, "ann", source_id="order-1").json())

    assert len({answer["voucher"]["code"] for answer in answers}) == 1
    assert Voucher.objects.filter(published_count__gt=0).count() == 1
    assert Publication.objects.count() == 1


@pytest.mark.parametrize("join_once", [False, True])
def test_a_person_with_eight_accounts_gets_one_code_at_once(api, project, join_once):
    campaign = CampaignFactory(project=project, type="STATIC", join_once=join_once, one_customer_by=["email"])
    batch_of(campaign, 20, one_per_person=not join_once)
    people = [{"source_id": f"ann-{n}", "email": f"a.n.n+{n}@gmail.com"} for n in range(8)]

    answers = in_parallel(8, lambda n: give(api, campaign, people[n]))

    assert Counter(answer.json().get("key", "given") for answer in answers) == {
        "given": 1,
        "voucher_cannot_be_published": 7,
    }
    assert Voucher.objects.filter(published_count__gt=0).count() == 1


def test_one_customer_gets_one_of_a_batch_by_name_or_not(api, project):
    campaign = CampaignFactory(project=project, type="STATIC")
    batch = batch_of(campaign, 16, one_per_person=True)
    codes = list(Voucher.objects.filter(batch=batch).order_by("pk").values_list("code", flat=True))
    CustomerFactory(project=project, source_id="ann")

    def take(number):
        if number % 2:
            body = {"voucher": codes[number], "customer": {"source_id": "ann"}}
            return api.post("/v1/publications", body).status_code
        return give(api, campaign, "ann").status_code

    answers = in_parallel(16, take)

    assert Counter(answers) == {200: 1, 400: 15}
    assert Voucher.objects.filter(published_count__gt=0).count() == 1


def test_after_a_lock_has_been_set_no_taker_under_way_gets_a_code(api, project, monkeypatch):
    """A taker that is in the middle is waited for; whoever asks after the lock was set is refused."""
    campaign = CampaignFactory(project=project, type="STATIC")
    batch = batch_of(campaign, 4)
    is_in_the_middle, is_let_go = Event(), Event()
    take = publishing.take_free

    def take_slowly(*args, **kwargs):
        taken = take(*args, **kwargs)
        is_in_the_middle.set()
        is_let_go.wait(10)
        return taken

    monkeypatch.setattr(publishing, "take_free", take_slowly)

    def act(number):
        if number == 0:
            return give(api, campaign, "ann").status_code
        is_in_the_middle.wait(10)
        if number == 1:
            is_let_go.wait(0.3)
            is_let_go.set()
            return None
        lock = {"locked_until": timezone.now() + timedelta(days=1)}
        change_batch(project, campaign.name, batch.public_id, data=lock, now=timezone.now())
        return give(api, campaign, "bob").status_code

    assert in_parallel(3, act) == [200, None, 400]
    assert Voucher.objects.filter(published_count=1).count() == 1


def test_a_taker_that_dies_leaves_its_code_to_the_others(api, project):
    campaign = CampaignFactory(project=project, type="STATIC")
    batch_of(campaign, 1)

    with transaction.atomic():
        assert give(api, campaign, "ann").status_code == 200
        transaction.set_rollback(True)

    assert give(api, campaign, "bob").status_code == 200
    assert Publication.objects.get().customer.source_id == "bob"


def test_two_looks_at_once_tell_of_a_low_pool_once(project):
    campaign = CampaignFactory(project=project, type="STATIC", vouchers_count=1)
    VoucherFactory(project=project, campaign=campaign, discount=None)
    PoolAlert.objects.create(project=project, campaign=campaign, threshold=5)

    in_parallel(8, lambda _: watch_pools(now=timezone.now()))

    assert OutboxEvent.objects.filter(type=LOW).count() == 1
