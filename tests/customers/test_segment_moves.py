"""Who enters and leaves segments as customers change, act, buy and go."""

from customers.models import SegmentMember
from promoengine.core.models import OutboxEvent
from redemptions.jobs import refresh_customers
from tests.customers.segments import VIP, fill, make, moves, names_of
from tests.factories import CustomerFactory, VoucherFactory


def test_customers_enter_and_leave_as_they_change(api, project):
    make(api, type="auto-update", filter=VIP)
    fill(project)

    api.post("/v1/customers", {"source_id": "ann", "metadata": {"vip": True}})
    api.post("/v1/customers", {"source_id": "ann", "name": "Ann"})
    api.put("/v1/customers/ann", {"metadata": {"vip": False}})
    api.put("/v1/customers/ann", {"metadata": {"vip": True}})

    assert moves(project) == [(what, "Segment", "ann") for what in ("entered", "left", "entered")]
    (entered, *_) = OutboxEvent.objects.filter(type="customer.segment.entered")
    assert entered.data["customer"]["metadata"] == {"vip": True}
    assert entered.entity_id == entered.data["segment"]["id"]


def test_custom_events_bring_customers_in(api, project):
    make(api, type="auto-update", filter={"events.cart.left.count": {"conditions": {"$more_than": ["1"]}}})
    fill(project)

    for _ in range(3):
        api.post("/v1/events", {"event": "cart.left", "customer": {"source_id": "ann"}})

    assert moves(project) == [("entered", "Segment", "ann")]


def test_buying_a_product_brings_customers_in(api, project):
    code = VoucherFactory(project=project).code
    bought = {"summary.orders.products": {"conditions": {"$in": ["shoe"]}}}
    never = {"summary.orders.products": {"conditions": {"$is_unknown": [True]}}}
    made = make(api, type="auto-update", filter=bought)
    make(api, "Never", type="passive", filter=never)
    fill(project)
    api.post("/v1/customers", {"source_id": "bob"})
    items = [{"product_id": "prod_1", "price": 100, "product": {"source_id": "shoe"}}]
    api.post(f"/v1/vouchers/{code}/redemption", {"order": {"items": items}, "customer": {"source_id": "ann"}})

    refresh_customers(event_ids=[str(key) for key in OutboxEvent.objects.values_list("pk", flat=True)])

    assert moves(project) == [("entered", "Segment", "ann")]
    listed = api.get("/v1/customers", {"segment_id": made["id"]}).json()["customers"]
    assert [one["source_id"] for one in listed] == ["ann"]
    assert names_of(api, "bob") == ["Never"]
    assert names_of(api, "ann") == ["Segment"]
    assert "products" not in api.get("/v1/customers/ann").json()["summary"]["orders"]


def test_a_deleted_customer_is_in_no_segment(api, project):
    segment = make(api, type="auto-update", filter=VIP)
    api.post("/v1/customers", {"source_id": "ann", "metadata": {"vip": True}})

    api.delete("/v1/customers/ann")
    fill(project)

    assert not SegmentMember.objects.exists()
    assert api.get("/v1/customers", {"segment_id": segment["id"]}).json()["customers"] == []
    assert moves(project) == [("entered", "Segment", "ann")]


def test_erasing_a_customer_counts_their_segments(api, project):
    CustomerFactory(project=project, source_id="ann")
    make(api, type="static", customers=["ann"])

    answer = api.post("/v1/customers/ann/permanent-deletion")

    assert answer.json()["data_json"]["segments"] == 1


def test_entering_takes_no_more_queries_for_many_segments(api, project, django_assert_max_num_queries):
    for number in range(3):
        make(api, f"{number}", type="auto-update", filter=VIP)
    fill(project)
    api.post("/v1/customers", {"source_id": "bob"})

    with django_assert_max_num_queries(25):
        api.post("/v1/customers", {"source_id": "ann", "metadata": {"vip": True}})

    assert len(moves(project)) == 3


def test_projects_keep_to_themselves(api, other_api, project):
    make(other_api, type="auto-update", filter=VIP)
    fill(other_api.project)

    api.post("/v1/customers", {"source_id": "ann", "metadata": {"vip": True}})

    assert not SegmentMember.objects.exists()
