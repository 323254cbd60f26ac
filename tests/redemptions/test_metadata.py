"""Metadata are held to the project's schemas by whatever door they come, and refused by their path."""

from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.models import Campaign, Product, PromotionTier, Sku
from customers.models import Customer, CustomEvent
from promoengine.core.models import AsyncAction, MetadataSchema
from promoengine.core.services.async_actions import run_async_action
from promoengine.core.services.metadata_schemas import define_attribute, delete_schema
from redemptions.models import Order, Redemption
from tests.factories import CampaignFactory, CustomerFactory, ProductFactory, VoucherFactory
from vouchers.models import Publication, Voucher

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NUMBER = {"type": "number"}
DISCOUNT = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": 100}}
CAMPAIGN = {"name": "Spring", "voucher": DISCOUNT}
PROMOTION = {"name": "Spring", "campaign_type": "PROMOTION"}


@pytest.fixture
def define(project):
    """Return a function that defines the attribute `level` of a resource."""

    def define(resource, definition=NUMBER, name="level", **kind):
        return define_attribute(project, resource, name, definition=definition, now=NOW, **kind)

    return define


def refused(answer, path="level"):
    body = answer.json()
    assert (answer.status_code, body.get("key")) == (400, "metadata_validation_failed"), body
    assert body["message"] == "Metadata validation failed"
    assert body["details"].startswith(f"{path}: "), body["details"]
    return True


def run(answer):
    """Do the background work that an answer names, and return it."""
    action = AsyncAction.objects.get(pk=AsyncAction.objects.latest("id").pk)
    assert answer.status_code in (200, 202), answer.content
    run_async_action(action.pk)
    action.refresh_from_db()
    return action


# Each door that makes something: the schema's name, the call, its body, and what would be made.
MAKING = {
    "customer": ("customer", "/v1/customers", {"source_id": "ann"}, Customer),
    "product": ("product", "/v1/products", {"source_id": "hat", "name": "Hat"}, Product),
    "order": ("order", "/v1/orders", {"source_id": "o-1", "amount": 100}, Order),
    "voucher": ("voucher", "/v1/vouchers/CODE", DISCOUNT, Voucher),
    "campaign": ("voucher", "/v1/campaigns", CAMPAIGN, Campaign),
    "campaign of its own schema": (
        "campaign",
        "/v1/campaigns",
        CAMPAIGN | {"use_voucher_metadata_schema": False},
        Campaign,
    ),
    "promotion": ("campaign", "/v1/campaigns", PROMOTION, Campaign),
}


@pytest.mark.parametrize("door", MAKING)
def test_what_is_made_keeps_to_its_schema(api, define, door):
    resource, path, body, model = MAKING[door]
    define(resource, NUMBER | {"optional": False})

    assert refused(api.post(path, body))
    assert refused(api.post(path, body | {"metadata": {"level": "high"}}))
    assert not model.objects.exists()

    made = api.post(path, body | {"metadata": {"level": 3, "other": "kept"}})
    assert made.status_code == 200, made.content
    assert made.json()["metadata"] == {"level": 3, "other": "kept"}


@pytest.mark.parametrize("door", MAKING)
def test_undefined_attributes_are_refused_where_only_defined_ones_are_allowed(api, define, door):
    resource, path, body, _model = MAKING[door]
    schema = define(resource)
    schema.allow_defined_only = True
    schema.save()

    assert refused(api.post(path, body | {"metadata": {"level": 1, "other": 1}}), "other")
    assert api.post(path, body | {"metadata": {"level": 1}}).status_code == 200


def test_an_update_is_judged_by_what_it_sends(api, define, project):
    CustomerFactory(project=project, source_id="ann")
    ProductFactory(project=project, source_id="hat")
    VoucherFactory(project=project, code="CODE")
    campaign = CampaignFactory(project=project)
    for resource in ("customer", "product", "voucher"):
        define(resource, NUMBER | {"optional": False})
        define(resource, NUMBER, name="age")

    for path in (
        "/v1/customers/ann",
        "/v1/products/hat",
        "/v1/vouchers/CODE",
        f"/v1/campaigns/{campaign.public_id}",
    ):
        assert refused(api.put(path, {"metadata": {"age": "old"}}), "age")
        assert refused(api.put(path, {"metadata": {"level": None}}))
        assert api.put(path, {"metadata": {"age": 1}}).status_code == 200
        assert api.put(path, {"metadata": {"age": None}}).status_code == 200


def test_promotion_tiers_keep_to_their_schema(api, define):
    define("promotion_tier", NUMBER | {"optional": False})
    action = {"discount": {"type": "AMOUNT", "amount_off": 100}}
    tier = {"name": "One", "action": action, "metadata": {"level": 1}}

    wrong = {"tiers": [tier, tier | {"metadata": {"level": "x"}}]}
    assert refused(
        api.post("/v1/campaigns", PROMOTION | {"promotion": wrong}), "promotion.tiers[1].metadata.level"
    )
    assert not Campaign.objects.exists()
    campaign = api.post("/v1/campaigns", PROMOTION).json()
    path = f"/v1/promotions/{campaign['id']}/tiers"
    assert refused(api.post(path, {"name": "One", "action": action}))

    made = api.post(path, tier).json()
    assert refused(api.put(f"/v1/promotions/tiers/{made['id']}", {"metadata": {"level": True}}))
    assert api.put(f"/v1/promotions/tiers/{made['id']}", {"name": "Two"}).json()["metadata"] == {"level": 1}
    assert PromotionTier.objects.count() == 1


def test_lines_of_orders_keep_to_their_schema(api, define):
    define("order_item", NUMBER | {"optional": False})
    define("product", NUMBER, name="size")
    line = {"amount": 100, "metadata": {"level": 1}}
    body = {"source_id": "o-1", "items": [line, {"amount": 100}]}

    assert refused(api.post("/v1/orders", body), "items[1].metadata.level")
    goods = {"items": [line | {"product": {"metadata": {"size": "L"}}}]}
    assert refused(api.post("/v1/orders", body | goods), "items[0].product.metadata.size")
    assert not Order.objects.exists()
    assert api.post("/v1/orders", body | {"items": [line]}).status_code == 200
    assert refused(api.put("/v1/orders/o-1", {"items": [{"amount": 5}]}), "items[0].metadata.level")


def test_skus_share_the_schema_of_products_but_need_not_repeat_what_is_required(api, define, project):
    ProductFactory(project=project, source_id="hat", metadata={"level": 1})
    define("product", NUMBER | {"optional": False})

    assert refused(api.post("/v1/products/hat/skus", {"sku": "L", "metadata": {"level": "x"}}))
    made = api.post("/v1/products/hat/skus", {"sku": "L", "source_id": "hat-l"})
    assert made.status_code == 200
    assert refused(api.put("/v1/products/hat/skus/hat-l", {"metadata": {"level": None}}))


def test_codes_of_a_campaign_need_not_repeat_what_is_required(api, define):
    define("voucher", NUMBER | {"optional": False})
    campaign = api.post("/v1/campaigns", CAMPAIGN | {"metadata": {"level": 1}}).json()
    path = f"/v1/campaigns/{campaign['id']}/vouchers"

    assert api.post(path, {}).status_code == 200
    assert refused(api.post(path, {"metadata": {"level": "x"}}))


def test_publications_keep_to_their_schema_and_their_customers_to_theirs(api, define, project):
    VoucherFactory(project=project, code="CODE")
    define("publication", NUMBER | {"optional": False})
    define("customer")
    body = {"voucher": "CODE", "customer": {"source_id": "ann", "metadata": {"level": "x"}}}

    assert refused(api.post("/v1/publications", body), "customer.metadata.level")
    assert refused(api.post("/v1/publications", body | {"customer": {"source_id": "ann"}}))
    assert not Publication.objects.exists()
    assert not Customer.objects.exists()
    right = {"voucher": "CODE", "customer": {"source_id": "ann"}, "metadata": {"level": 1}}
    assert api.post("/v1/publications", right).json()["metadata"] == {"level": 1}


@pytest.mark.parametrize("door", ["server", "client"])
def test_events_keep_to_their_schema(api, client_api, define, door):
    define("review", NUMBER | {"optional": False}, kind="event")
    caller, path = (api, "/v1/events") if door == "server" else (client_api, "/client/v1/events")
    body = {"event": "review", "customer": {"source_id": "ann"}}

    assert refused(caller.post(path, body))
    assert refused(caller.post(path, body | {"metadata": {"level": "x"}}))
    assert not Customer.objects.exists()
    assert caller.post(path, body | {"metadata": {"level": 5, "more": "kept"}}).status_code == 200
    assert caller.post(path, {"event": "visit", "customer": {"source_id": "ann"}}).status_code == 200
    assert [event.metadata for event in CustomEvent.objects.order_by("pk")] == [
        {"level": 5, "more": "kept"},
        {},
    ]


# What a checkout may carry, and the path at which its metadata are refused.
CARRIED = {
    "redemption": ("redemption", lambda metadata: {"metadata": metadata}, "level"),
    "customer": (
        "customer",
        lambda metadata: {"customer": {"source_id": "ann", "metadata": metadata}},
        "customer.metadata.level",
    ),
    "order": (
        "order",
        lambda metadata: {"order": {"amount": 5000, "metadata": metadata}},
        "order.metadata.level",
    ),
    "line": (
        "order_item",
        lambda metadata: {"order": {"items": [{"amount": 1}, {"amount": 5000, "metadata": metadata}]}},
        "order.items[1].metadata.level",
    ),
    "product of a line": (
        "product",
        lambda metadata: {"order": {"items": [{"amount": 5000, "product": {"metadata": metadata}}]}},
        "order.items[0].product.metadata.level",
    ),
    "SKU of a line": (
        "product",
        lambda metadata: {"order": {"items": [{"amount": 5000, "sku": {"metadata": metadata}}]}},
        "order.items[0].sku.metadata.level",
    ),
}
REDEEMABLES = {"redeemables": [{"object": "voucher", "id": "CODE"}]}
CHECKOUTS = {
    "redemption": ("/v1/redemptions", REDEEMABLES),
    "redemption of one code": ("/v1/vouchers/CODE/redemption", {}),
    "validation": ("/v1/validations", REDEEMABLES),
    "validation of one code": ("/v1/vouchers/CODE/validate", {}),
    "qualification": ("/v1/qualifications", {}),
    "promotions' validation": ("/v1/promotions/validation", {}),
}


@pytest.mark.parametrize("checkout", CHECKOUTS)
@pytest.mark.parametrize("carried", CARRIED)
def test_checkouts_keep_to_the_schemas(api, define, project, checkout, carried):
    VoucherFactory(project=project, code="CODE")
    resource, body_of, where = CARRIED[carried]
    path, body = CHECKOUTS[checkout]
    define(resource)

    assert refused(api.post(path, {"order": {"amount": 5000}} | body | body_of({"level": "x"})), where)
    assert not Redemption.objects.exists()
    assert not Order.objects.exists()
    assert not Customer.objects.exists()

    right = api.post(path, {"order": {"amount": 5000}} | body | body_of({"level": 2, "more": [1]}))
    assert right.status_code == 200, right.content


@pytest.mark.parametrize("carried", ["redemption", "customer", "order", "line"])
def test_only_a_redemption_asks_for_what_is_required(api, define, project, carried):
    VoucherFactory(project=project, code="CODE")
    resource, body_of, where = CARRIED[carried]
    define(resource, NUMBER | {"optional": False})
    if carried == "line":
        where = "order.items[0].metadata.level"
    body = REDEEMABLES | {"order": {"amount": 5000}} | body_of({})

    assert api.post("/v1/validations", body).json()["valid"] is True
    assert api.post("/v1/qualifications", body).status_code == 200
    assert refused(api.post("/v1/redemptions", body), where)


def test_a_redemption_by_somebody_known_on_an_order_known_asks_for_what_is_sent(api, define, project):
    VoucherFactory(project=project, code="CODE")
    customer = CustomerFactory(project=project)
    order = Order.objects.create(project=project, source_id="o-1", amount=5000, items=[], created_at=NOW)
    define("customer", NUMBER | {"optional": False})
    define("order", NUMBER | {"optional": False})
    body = {"customer": {"id": customer.public_id}, "order": {"id": order.public_id}}

    assert api.post("/v1/redemptions", REDEEMABLES | body).status_code == 200


def test_a_rollback_is_judged_by_what_it_sends(api, define, project):
    VoucherFactory(project=project, code="CODE")
    made = api.post("/v1/redemptions", REDEEMABLES | {"order": {"amount": 5000}}).json()
    path = f"/v1/redemptions/{made['redemptions'][0]['id']}/rollback"
    define("redemption", NUMBER | {"optional": False})

    assert refused(api.post(path, {"metadata": {"level": "x"}}))
    assert api.post(path, {}).status_code == 200


def test_a_product_stored_from_an_order_line_keeps_to_its_schema(api, define, project):
    VoucherFactory(project=project, code="CODE")
    define("product", NUMBER | {"optional": False})
    product = {"source_id": "hat", "name": "Hat", "override": True}

    def redeem(product):
        order = {"items": [{"amount": 5000, "product": product}]}
        return api.post("/v1/redemptions", REDEEMABLES | {"order": order})

    assert refused(redeem(product), "order.items.product.metadata.level")
    assert not Product.objects.exists()
    assert redeem(product | {"metadata": {"level": 1}}).status_code == 200
    assert Product.objects.get().metadata == {"level": 1}


@pytest.mark.parametrize("path", ["/v1/redemptions", "/v1/validations"])
def test_schemas_add_no_statement_to_a_checkout(api, define, project, path):
    VoucherFactory(project=project, code="CODE")
    body = REDEEMABLES | {"order": {"amount": 5000, "metadata": {"level": 1}}}

    def statements():
        api.post(path, body)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert api.post(path, body).status_code == 200
        return len(captured)

    before = statements()
    define("order")
    define("redemption")

    assert statements() == before


def test_a_schema_holds_from_the_moment_it_is_made(api, define, project):
    VoucherFactory(project=project, code="CODE")
    body = REDEEMABLES | {"order": {"amount": 5000, "metadata": {"level": "x"}}}

    assert api.post("/v1/redemptions", body).status_code == 200
    define("order")
    assert refused(api.post("/v1/redemptions", body), "order.metadata.level")


def test_another_projects_schemas_hold_nobody_here(other_api, define):
    define("customer", NUMBER | {"optional": False})

    assert (
        other_api.post("/v1/customers", {"source_id": "ann", "metadata": {"level": "x"}}).status_code == 200
    )


def csv_file(*lines):
    return SimpleUploadedFile("rows.csv", "\n".join(lines).encode(), "text/csv")


def test_customers_of_a_file_are_read_as_defined(api, define):
    define("customer", NUMBER | {"optional": False})
    define("customer", {"type": "boolean"}, name="vip")
    define("customer", {"type": "string", "array": True}, name="tags")
    file = csv_file("source_id,level,vip,tags,other", 'ann,3,yes,"a,b",1', "bob,high,,,", "cid,,,,")

    action = run(api.upload("/v1/customers/importCSV", file))

    assert Customer.objects.get().metadata == {"level": 3, "vip": True, "tags": ["a", "b"], "other": "1"}
    assert [(row["row"], row["reason"].partition(":")[0]) for row in action.failed] == [
        (3, "level"),
        (4, "level"),
    ]


def test_products_and_skus_of_a_file_are_read_as_defined(api, define, project):
    define("product", NUMBER | {"optional": False})
    rows = ("name,source_id,level", "Hat,hat,3", "Cap,cap,high", "Bag,bag,", "Hat 2,hat,4")

    action = run(api.upload("/v1/products/importCSV", csv_file(*rows)))

    assert Product.objects.get().metadata == {"level": 3}
    assert [row["row"] for row in action.failed] == [3, 4]
    rows = ("product_id,source_id,level", "hat,hat-s,1.5", "hat,hat-m,wide", "hat,hat-l,")
    action = run(api.upload("/v1/skus/importCSV", csv_file(*rows)))
    found = dict(Sku.objects.values_list("source_id", "metadata"))
    assert found == {"hat-s": {"level": 1.5}, "hat-l": {}}
    assert [row["row"] for row in action.failed] == [3]


def test_codes_of_a_file_are_read_as_defined(api, define, project):
    campaign = CampaignFactory(project=project)
    define("voucher", NUMBER | {"optional": False})
    file = csv_file("Code,level", "A-1,3", "A-2,high", "A-3,")

    action = run(api.upload(f"/v1/campaigns/{campaign.public_id}/importCSV", file))

    found = dict(Voucher.objects.values_list("code", "metadata"))
    assert found == {"A-1": {"level": 3}, "A-3": {}}
    assert [row["row"] for row in action.failed] == [3]


def test_metadata_of_many_at_once_are_judged_row_by_row(api, define, project):
    CustomerFactory(project=project, source_id="ann")
    ProductFactory(project=project, source_id="hat")
    for resource in ("customer", "product"):
        define(resource, NUMBER | {"optional": False})

    wrong = {"source_ids": ["ann", "hat"], "metadata": {"level": "x"}}
    for kind in ("customers", "products"):
        assert run(api.post(f"/v1/{kind}/metadata/async", wrong)).failed_count == 2

    rows = [{"source_id": "ann", "metadata": {"level": 1}}, {"source_id": "new"}]
    for kind in ("customers", "products"):
        assert run(api.post(f"/v1/{kind}/bulk/async", rows)).failed_count == 1
    assert Customer.objects.get().metadata == {"level": 1}


LEAF = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=5)
)
VALUE = LEAF | st.lists(LEAF, max_size=3) | st.dictionaries(st.sampled_from("ab"), LEAF, max_size=2)
DEFINITION = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["string", "number", "boolean", "object", "date"]),
        "array": st.booleans(),
        "optional": st.booleans(),
    }
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from("xyz"), DEFINITION, max_size=3),
    st.dictionaries(st.sampled_from("xyz"), VALUE),
)
def test_what_a_schema_accepts_is_stored_as_sent_and_the_rest_refused_by_its_path(
    api, project, definitions, metadata
):
    for schema in MetadataSchema.objects.filter(project=project):
        delete_schema(project, MetadataSchema.Kind.OBJECT, schema.public_id)
    Customer.objects.filter(project=project).delete()
    for name, definition in definitions.items():
        define_attribute(project, "customer", name, definition=definition, now=NOW)

    answer = api.post("/v1/customers", {"source_id": "ann", "metadata": metadata})

    if answer.status_code == 200:
        assert Customer.objects.get(project=project).metadata == metadata
        return
    body = answer.json()
    assert body["key"] == "metadata_validation_failed"
    assert not Customer.objects.filter(project=project).exists()
    assert body["details"].partition(":")[0] in definitions
