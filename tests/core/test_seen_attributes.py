"""Attributes that come in are written down, whatever brings them."""

from datetime import UTC, datetime, timedelta

import pytest

from promoengine.core.models import OutboxEvent, SeenAttribute
from promoengine.core.services.projects import delete_project, purge_deleted_projects
from promoengine.core.services.seen_attributes import BOUNDS, NAMES_MAX, example_of, scan_outbox
from tests.factories import VoucherFactory

LATER = timedelta(minutes=5)


def scan():
    scan_outbox(now=datetime.now(UTC) + LATER)


def seen(project):
    rows = SeenAttribute.objects.filter(project=project).order_by("resource", "name")
    return [(row.resource, row.name, row.kind, example_of(row), row.times) for row in rows]


def test_each_thing_with_metadata_tells_of_them(api, project):
    VoucherFactory(project=project, code="CODE")

    def with_metadata(path, body, **metadata):
        assert api.post(path, body | {"metadata": metadata}).status_code == 200

    discount = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": 1}}
    with_metadata("/v1/customers", {"source_id": "ann"}, vip=True, none=None)
    with_metadata("/v1/products", {"source_id": "hat", "name": "Hat"}, color="red")
    with_metadata("/v1/products/hat/skus", {"source_id": "hat-l", "sku": "L"}, size="L")
    with_metadata("/v1/vouchers/NEW", discount, shops=["Oslo"])
    with_metadata("/v1/campaigns", {"name": "A", "voucher": discount}, region="north")
    tier = {"name": "T", "action": {"discount": {"type": "AMOUNT", "amount_off": 1}}, "metadata": {"rank": 1}}
    promotion = {"campaign_type": "PROMOTION", "promotion": {"tiers": [tier]}}
    with_metadata("/v1/campaigns", {"name": "B"} | promotion, goal={"a": 1})
    publication = {"voucher": "CODE", "customer": {"source_id": "ann"}}
    with_metadata("/v1/publications", publication, mail=5)
    with_metadata("/v1/events", {"event": "visit", "customer": {"source_id": "ann"}}, page="home")
    line = {"amount": 5000, "metadata": {"gift": True}, "product": {"metadata": {"weight": 2.5}}}
    order = {"source_id": "o-1", "items": [line, line], "metadata": {"way": "fast"}}
    redemption = {"redeemables": [{"object": "voucher", "id": "CODE"}], "order": order}
    with_metadata("/v1/redemptions", redemption, shop=7)

    scan()

    assert seen(project) == [
        ("campaign", "goal", "object", {"a": 1}, 1),
        ("customer", "vip", "boolean", True, 1),
        ("event:visit", "page", "string", "home", 1),
        ("order", "way", "string", "fast", 1),
        ("order_item", "gift", "boolean", True, 2),
        ("product", "color", "string", "red", 1),
        ("product", "size", "string", "L", 1),
        ("product", "weight", "number", 2.5, 2),
        ("publication", "mail", "number", 5, 1),
        ("redemption", "shop", "number", 7, 1),
        ("voucher", "region", "string", "north", 1),
        ("voucher", "shops", "array", ["Oslo"], 1),
    ]


def test_each_event_counts_once_and_the_newest_is_the_example(api, project):
    for level in (1, 2):
        api.post("/v1/customers", {"source_id": f"c{level}", "metadata": {"level": level}})
    scan()
    scan()
    assert seen(project) == [("customer", "level", "number", 2, 2)]

    OutboxEvent.objects.update(relayed_at=datetime.now(UTC))
    scan_outbox(now=datetime.now(UTC) + 2 * LATER)

    assert seen(project) == [("customer", "level", "number", 2, 2)]


def test_what_may_still_be_under_way_waits_for_the_next_scan(api, project):
    api.post("/v1/customers", {"source_id": "ann", "metadata": {"level": 1}})

    scan_outbox(now=datetime.now(UTC))
    assert seen(project) == []
    scan()
    assert len(seen(project)) == 1


def test_more_events_than_are_read_at_once_are_all_read(api, project, monkeypatch):
    monkeypatch.setitem(BOUNDS, "count", 2)
    for number in range(5):
        api.post("/v1/customers", {"source_id": f"c{number}", "metadata": {"level": number}})

    scan()

    assert seen(project) == [("customer", "level", "number", 4, 5)]


def test_names_beyond_the_most_are_not_kept_but_known_ones_counted(api, project, monkeypatch):
    monkeypatch.setitem(BOUNDS, "count", 1)
    names = {f"id-{number}": number for number in range(NAMES_MAX)}
    api.post("/v1/customers", {"source_id": "ann", "metadata": names})
    api.post("/v1/customers", {"source_id": "bob", "metadata": {"id-0": "now text", "one-more": 1}})
    scan()

    rows = SeenAttribute.objects.filter(project=project)
    assert rows.count() == NAMES_MAX
    known = rows.get(name="id-0")
    assert (known.times, known.kind) == (2, "string")


@pytest.mark.parametrize("metadata", [{"x" * 256: 1}, {"x": None}, {}])
def test_what_can_not_be_an_attribute_is_left_out(api, project, metadata):
    api.post("/v1/customers", {"source_id": "ann", "metadata": metadata})
    api.post("/v1/products", {"name": "Hat", "metadata": metadata})

    scan()

    assert seen(project) == []


def test_a_long_example_is_cut_short(api, project):
    api.post("/v1/customers", {"source_id": "ann", "metadata": {"story": "x" * 5000}})
    scan()

    row = SeenAttribute.objects.get(project=project)
    assert (len(row.example), example_of(row)) == (200, None)


def test_an_erased_customer_leaves_no_example(api, project):
    api.post("/v1/customers", {"source_id": "ann", "metadata": {"illness": "flu"}})
    scan()

    api.post("/v1/customers/ann/permanent-deletion")

    assert [(row.name, row.example) for row in SeenAttribute.objects.all()] == [("illness", "")]


def test_events_of_a_project_that_is_gone_stop_no_scan(api, project):
    api.post("/v1/customers", {"source_id": "ann", "metadata": {"level": 1}})
    event = OutboxEvent.objects.get()
    delete_project(project, now=datetime.now(UTC))
    purge_deleted_projects()
    event.save(force_insert=True)

    scan()

    assert not SeenAttribute.objects.exists()
