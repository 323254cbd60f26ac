"""Forms of the dashboard ask for the attributes that are defined, and keep to them."""

from datetime import UTC, datetime

import pytest

from campaigns.models import Campaign, Product, PromotionTier, Sku
from promoengine.core.services.metadata_schemas import define_attribute
from tests.factories import (
    CampaignFactory,
    ProductFactory,
    PromotionTierFactory,
    SkuFactory,
    VoucherFactory,
)
from vouchers.models import Voucher

NOW = datetime(2026, 3, 1, tzinfo=UTC)
# In the order in which Postgres keeps the names of an object, and so the fields of a form: the shorter first.
DEFINED = {
    "on": {"type": "date"},
    "vip": {"type": "boolean"},
    "kind": {"type": "string", "eq": ["a", "b"]},
    "tags": {"type": "string", "array": True},
    "level": {"type": "number", "optional": False},
    "nested": {"type": "object"},
}
FILLED = {
    "attribute_0": "2026-02-28",
    "attribute_1": "true",
    "attribute_2": "b",
    "attribute_3": "red\nblue, green",
    "attribute_4": "2.5",
}
STORED = {"on": "2026-02-28", "vip": True, "kind": "b", "tags": ["red", "blue, green"], "level": 2.5}


@pytest.fixture
def define(project):
    def define(resource):
        for name, definition in DEFINED.items():
            define_attribute(project, resource, name, definition=definition, now=NOW)

    return define


NEW = {
    "product": ("/admin/campaigns/product/add/", "product", Product, {"name": "Hat"}),
    "campaign": (
        "/admin/campaigns/campaign/add/",
        "voucher",
        Campaign,
        {"name": "Spring", "offer": "PERCENT", "value": "10", "type": "AUTO_UPDATE", "codes": "0",
         "guests": "", "pattern": "#####-#####"},
    ),
    "promotion": (
        "/admin/campaigns/promotiontier/add/",
        "promotion_tier",
        PromotionTier,
        {"name": "One", "new_campaign": "Spring", "offer": "PERCENT", "value": "10",
         "scope": "APPLY_TO_ORDER", "active": "on"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", NEW)
def test_what_is_new_is_filled_in_with_what_is_required(marketer, define, what):
    url, resource, model, fields = NEW[what]
    define(resource)

    empty = marketer.post(url, fields)
    assert "This field is required." in empty.content.decode()
    wrong = marketer.post(url, fields | FILLED | {"attribute_4": "many", "attribute_0": "soon"})
    assert "This should be: Number" in wrong.content.decode()
    assert "This should be: Date" in wrong.content.decode()
    assert not model.objects.exists()

    answer = marketer.post(url, fields | FILLED)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert model.objects.get().metadata == STORED


def test_a_form_shows_what_there_is_and_changes_what_was_changed(marketer, define, project):
    define("product")
    before = STORED | {"nested": {"a": 1}, "other": "kept"}
    product = ProductFactory(project=project, metadata=before)
    url = f"/admin/campaigns/product/{product.pk}/change/"

    page = marketer.get(url).content.decode()
    fields = {"name": "Shoe", "source_id": product.source_id, "price_tag": "50.00"}
    marketer.post(url, fields | FILLED | {"attribute_1": "", "attribute_4": "3"})

    assert "red\nblue, green" in page
    product.refresh_from_db()
    assert product.metadata == before | {"vip": None, "level": 3}


def test_a_code_is_changed_and_what_is_required_is_not_taken_away(marketer, define, project):
    define("voucher")
    voucher = VoucherFactory(project=project, metadata={"level": 1})
    url = f"/admin/vouchers/voucher/{voucher.pk}/change/"

    assert "This field is required." in marketer.post(url, {"active": "on"}).content.decode()
    marketer.post(url, {"active": "on", "attribute_4": "2"})

    assert Voucher.objects.get().metadata == {"level": 2}


def test_a_sku_need_not_repeat_what_its_product_has(marketer, define, project):
    define("product")
    sku = SkuFactory(project=project)

    marketer.post(f"/admin/campaigns/sku/{sku.pk}/change/", {"sku": "L", "source_id": sku.source_id})

    assert (Sku.objects.get().sku, Sku.objects.get().metadata) == ("L", {})


@pytest.mark.parametrize("factory", [CampaignFactory, PromotionTierFactory, ProductFactory, VoucherFactory])
def test_nothing_is_asked_where_nothing_is_defined(marketer, project, factory):
    row = factory(project=project)

    page = marketer.get(f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/")

    assert page.status_code == 200
    assert "attribute_" not in page.content.decode()
