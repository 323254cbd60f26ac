"""What is deleted lies in the bin, comes back whole or not at all, and goes for good after a time."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from campaigns.models import BinEntry, Campaign, Product, ProductCollectionMember, Sku
from promoengine.core.ids import parse_public_id
from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import run_async_action
from tests.factories import (
    CampaignFactory,
    ProductCollectionFactory,
    ProductFactory,
    SkuFactory,
    VoucherFactory,
)
from vouchers.models import Voucher
from vouchers.services.bin import empty_bins, restore_entries


def entries(api, **query):
    answer = api.get("/v1/trash-bin", query)
    assert answer.status_code == 200, answer.json()
    return answer.json()["data"]


def restore(project, *refs):
    keys = [parse_public_id("tbe", ref) for ref in refs]
    restore_entries(project, keys, now=timezone.now())


def work(project):
    for action in AsyncAction.objects.filter(project=project, finished_at=None).order_by("pk"):
        run_async_action(action.pk)


@pytest.fixture
def campaign(project):
    made = CampaignFactory(project=project, name="Spring", vouchers_count=3)
    for code in ("S-1", "S-2", "S-3"):
        VoucherFactory(project=project, campaign=made, code=code, discount=None)
    return made


class TestCodes:
    def test_a_deleted_code_lies_in_the_bin_and_comes_back(self, api, project, campaign):
        assert api.delete("/v1/vouchers/S-1").status_code == 204

        (entry,) = entries(api)
        voucher = Voucher.objects.get(code="S-1")
        assert entry["resource_id"] == voucher.public_id
        assert entry["resource_parent_id"] == campaign.public_id
        assert (entry["resource_type"], entry["resource_name"]) == ("voucher", "S-1")

        restore(project, entry["id"])
        assert api.get("/v1/vouchers/S-1").status_code == 200
        assert entries(api) == []
        campaign.refresh_from_db()
        assert campaign.vouchers_count == 3

    def test_its_code_stays_reserved_until_it_is_deleted_for_good(self, api, project):
        VoucherFactory(project=project, code="ONLY")
        api.delete("/v1/vouchers/ONLY")
        body = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": 1}}
        assert api.post("/v1/vouchers/ONLY", body).status_code == 409

        (entry,) = entries(api)
        assert api.delete(f"/v1/trash-bin/{entry['id']}").status_code == 204

        assert api.post("/v1/vouchers/ONLY", body).status_code == 200
        assert entries(api) == []

    def test_forced_deletion_leaves_nothing_in_the_bin(self, api, project):
        VoucherFactory(project=project, code="ONLY")

        assert api.delete("/v1/vouchers/ONLY?force=true").status_code == 204
        assert entries(api) == []

    def test_a_code_does_not_come_back_without_its_campaign(self, api, project, campaign):
        api.delete("/v1/vouchers/S-1")
        (code,) = entries(api)
        api.delete(f"/v1/campaigns/{campaign.public_id}")

        with pytest.raises(Exception, match="campaign of code S-1 is not there"):
            restore(project, code["id"])
        assert len(entries(api)) == 2


class TestCampaigns:
    def test_a_campaign_comes_back_with_the_codes_it_took_along(self, api, project, campaign):
        api.delete("/v1/vouchers/S-1")
        api.delete(f"/v1/campaigns/{campaign.public_id}")
        work(project)
        assert api.get("/v1/vouchers/S-2").status_code == 404

        restore(project, entries(api, **{"filters[resource_type][conditions][$is]": "campaign"})[0]["id"])
        work(project)

        assert api.get("/v1/campaigns/Spring").json()["active"] is True
        assert [api.get(f"/v1/vouchers/S-{n}").status_code for n in (1, 2, 3)] == [404, 200, 200]
        assert [entry["resource_name"] for entry in entries(api)] == ["S-1"]

    def test_one_that_was_disabled_comes_back_disabled(self, api, project, campaign):
        api.post(f"/v1/campaigns/{campaign.public_id}/disable")
        api.delete(f"/v1/campaigns/{campaign.public_id}")
        restore(project, entries(api)[0]["id"])

        assert api.get("/v1/campaigns/Spring").json()["active"] is False

    def test_brought_back_before_its_codes_are_in_the_bin_it_keeps_them(self, api, project, campaign):
        api.delete(f"/v1/campaigns/{campaign.public_id}")
        restore(project, entries(api)[0]["id"])
        work(project)

        assert Voucher.objects.filter(campaign=campaign, deleted_at=None).count() == 3

    def test_a_code_comes_back_together_with_its_campaign(self, api, project, campaign):
        api.delete("/v1/vouchers/S-1")
        api.delete(f"/v1/campaigns/{campaign.public_id}")
        work(project)

        restore(project, *[entry["id"] for entry in entries(api)])
        work(project)

        assert Voucher.objects.filter(campaign=campaign, deleted_at=None).count() == 3

    def test_deleted_for_good_its_name_and_codes_are_free(self, api, project, campaign):
        api.delete("/v1/vouchers/S-1")
        api.delete(f"/v1/campaigns/{campaign.public_id}")
        work(project)
        (entry,) = entries(api, **{"filters[resource_type][conditions][$is]": "campaign"})

        api.delete(f"/v1/trash-bin/{entry['id']}")
        work(project)

        assert not Campaign.objects.filter(project=project).exists()
        assert not Voucher.objects.filter(project=project).exists()
        assert entries(api) == []


class TestGoods:
    def test_a_product_comes_back_with_its_skus_and_in_its_collections(self, api, project):
        product = ProductFactory(project=project, name="Boot", source_id="boot", metadata={"sole": "vibram"})
        sku = SkuFactory(project=project, product=product, source_id="boot-42")
        collection = ProductCollectionFactory(project=project, type="STATIC", filter=None)
        ProductCollectionMember.objects.create(collection=collection, product=product)
        before = api.get("/v1/products/boot").json()

        assert api.delete("/v1/products/boot").status_code == 204
        assert api.get("/v1/products/boot").status_code == 404
        restore(project, entries(api)[0]["id"])

        assert api.get("/v1/products/boot").json() == before
        assert api.get("/v1/skus/boot-42").json()["id"] == sku.public_id
        assert ProductCollectionMember.objects.filter(collection=collection, product=product).exists()

    def test_a_collection_that_is_gone_is_left_out(self, api, project):
        product = ProductFactory(project=project, source_id="boot")
        collection = ProductCollectionFactory(project=project, type="STATIC", filter=None)
        ProductCollectionMember.objects.create(collection=collection, product=product)
        api.delete("/v1/products/boot")
        collection.delete()

        restore(project, entries(api)[0]["id"])

        assert Product.objects.filter(pk=product.pk).exists()

    def test_a_source_id_taken_meanwhile_is_told_and_nothing_comes_back(self, api, project):
        ProductFactory(project=project, source_id="boot")
        VoucherFactory(project=project, code="ONLY")
        api.delete("/v1/products/boot")
        api.delete("/v1/vouchers/ONLY")
        api.post("/v1/products", {"source_id": "boot"})

        with pytest.raises(Exception, match="has taken the source id"):
            restore(project, *[entry["id"] for entry in entries(api)])

        assert len(entries(api)) == 2
        assert api.get("/v1/vouchers/ONLY").status_code == 404

    def test_a_sku_comes_back_to_its_product_and_only_there(self, api, project):
        sku = SkuFactory(project=project, source_id="boot-42")
        api.delete(f"/v1/products/{sku.product.public_id}/skus/boot-42")
        (entry,) = entries(api)
        assert entry["resource_parent_id"] == sku.product.public_id
        api.delete(f"/v1/products/{sku.product.public_id}?force=true")

        with pytest.raises(Exception, match="product of"):
            restore(project, entry["id"])
        assert not Sku.objects.filter(pk=sku.pk).exists()

    def test_a_product_deleted_twice_over_is_two_things(self, api, project):
        for _ in range(2):
            api.post("/v1/products", {"source_id": "boot"})
            api.delete("/v1/products/boot")

        assert len(entries(api)) == 2


class TestList:
    @pytest.fixture
    def three(self, api, project):
        for code in ("A", "B", "C"):
            VoucherFactory(project=project, code=code)
            api.delete(f"/v1/vouchers/{code}")

    def test_it_is_paged_by_a_cursor(self, api, three):
        first = api.get("/v1/trash-bin", {"limit": 2, "order": "id"}).json()
        rest = api.get(
            "/v1/trash-bin", {"limit": 2, "order": "id", "starting_after_id": first["more_starting_after"]}
        ).json()

        assert (first["total"], first["has_more"], rest["has_more"]) == (3, True, False)
        assert [row["resource_name"] for row in first["data"] + rest["data"]] == ["A", "B", "C"]

    @pytest.mark.parametrize(
        ("field", "operator", "value", "names"),
        [
            ("resource_name", "$is", "B", ["B"]),
            ("resource_name", "$contains", "c", ["C"]),
            ("resource_type", "$in", "voucher", ["C", "B", "A"]),
            ("resource_type", "$is", "campaign", []),
        ],
    )
    def test_filters(self, api, three, field, operator, value, names):
        found = entries(api, **{f"filters[{field}][conditions][{operator}]": value})

        assert [row["resource_name"] for row in found] == names

    def test_an_unknown_filter_is_named(self, api):
        answer = api.get("/v1/trash-bin", {"filters[color][conditions][$is]": "red"})

        assert (answer.status_code, answer.json()["key"]) == (400, "invalid_query_params")

    def test_an_unknown_entry_is_not_found(self, api):
        answer = api.delete("/v1/trash-bin/tbe_nonsense")

        assert (answer.status_code, answer.json()["resource_type"]) == (404, "bin_entry")


class TestEmptying:
    def test_old_entries_go_and_young_ones_stay(self, api, project):
        for code in ("OLD", "YOUNG"):
            VoucherFactory(project=project, code=code)
            api.delete(f"/v1/vouchers/{code}")
        BinEntry.objects.filter(resource_name="OLD").update(created_at=timezone.now() - timedelta(days=91))

        assert empty_bins(now=timezone.now()) == 1
        assert [entry["resource_name"] for entry in entries(api)] == ["YOUNG"]
        assert not Voucher.objects.filter(code="OLD").exists()

    def test_a_project_may_keep_them_for_ever(self, api, project):
        project.bin_days = None
        project.save()
        VoucherFactory(project=project, code="OLD")
        api.delete("/v1/vouchers/OLD")

        assert empty_bins(now=timezone.now() + timedelta(days=9999)) == 0


class TestDashboard:
    PATH = "/admin/campaigns/binentry/"

    def act(self, marketer, action, **more):
        keys = [str(key) for key in BinEntry.objects.values_list("pk", flat=True)]
        return marketer.post(self.PATH, {"action": action, "_selected_action": keys} | more, follow=True)

    def test_it_says_when_it_is_empty(self, marketer):
        assert marketer.get(self.PATH).status_code == 200

    def test_restoring(self, marketer, project):
        voucher = VoucherFactory(project=project, code="GONE")
        marketer.post(f"/admin/vouchers/voucher/{voucher.pk}/delete/", {"post": "yes"})
        page = marketer.get(self.PATH).content.decode()
        assert "GONE" in page
        assert "marketer" in page

        assert "1 thing is back." in self.act(marketer, "restore").content.decode()
        assert Voucher.objects.get(pk=voucher.pk).deleted_at is None

    def test_a_refusal_is_shown(self, marketer, api, project):
        ProductFactory(project=project, source_id="boot", name="Boot")
        api.delete("/v1/products/boot")
        api.post("/v1/products", {"source_id": "boot"})

        page = self.act(marketer, "restore").content.decode()

        assert "Nothing was restored" in page
        assert BinEntry.objects.count() == 1

    def test_deleting_for_good_asks_first(self, marketer, api, project):
        voucher = VoucherFactory(project=project, code="GONE")
        api.delete("/v1/vouchers/GONE")

        assert "GONE" in self.act(marketer, "delete_selected").content.decode()
        assert BinEntry.objects.exists()
        self.act(marketer, "delete_selected", post="yes")

        assert not Voucher.objects.filter(pk=voucher.pk).exists()

    @pytest.mark.parametrize(
        ("permission", "offered"),
        [("view_binentry", []), ("change_binentry", ["restore"]), ("delete_binentry", ["delete_selected"])],
    )
    def test_permissions(self, client, api, project, permission, offered):
        VoucherFactory(project=project, code="GONE")
        api.delete("/v1/vouchers/GONE")
        user = User.objects.create_user("junior", is_staff=True)
        names = {"view_binentry", permission}
        user.user_permissions.set(Permission.objects.filter(codename__in=names))
        client.force_login(user)

        page = client.get(self.PATH).content.decode()

        for action in ("restore", "delete_selected"):
            assert (f'value="{action}"' in page) is (action in offered)


def test_what_was_deleted_comes_back_over_rest(api, project):
    VoucherFactory(project=project, code="BACK")
    api.delete("/v1/vouchers/BACK")
    (entry,) = entries(api)

    restored = api.post(f"/v1/trash-bin/{entry['id']}/restore")

    assert restored.status_code == 204
    assert api.get("/v1/vouchers/BACK").status_code == 200
    assert entries(api) == []
    assert api.post(f"/v1/trash-bin/{entry['id']}/restore").json()["resource_type"] == "bin_entry"


def test_a_code_does_not_come_back_over_rest_without_its_campaign(api, project, campaign):
    api.delete("/v1/vouchers/S-1")
    (code,) = entries(api)
    api.delete(f"/v1/campaigns/{campaign.public_id}")

    answer = api.post(f"/v1/trash-bin/{code['id']}/restore")

    assert answer.status_code == 409
    assert "restore it first" in answer.json()["details"]


def test_what_is_taken_by_something_in_the_bin_says_so(api, marketer, campaign):
    api.delete("/v1/vouchers/S-1")
    again = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": 100}}
    code = api.post("/v1/vouchers/S-1", again).json()
    body = {"name": campaign.name, "voucher": again}
    there = api.post("/v1/campaigns", body).json()
    api.delete(f"/v1/campaigns/{campaign.public_id}")
    binned = api.post("/v1/campaigns", body).json()
    pages = [
        marketer.post(f"/admin/campaigns/{page}/add/", {field: campaign.name, "campaign_type": "x"})
        for page, field in (("campaign", "name"), ("promotiontier", "new_campaign"))
    ]

    assert code["details"] == "Duplicated voucher exists with code S-1 in the bin"
    assert there["details"] == f"Duplicated campaign exists with name {campaign.name}"
    assert binned["details"] == f"Duplicated campaign exists with name {campaign.name} in the bin"
    assert [one["key"] for one in (code, there, binned)] == ["duplicate_found"] * 3
    for page in pages:
        assert "A campaign in the trash has this name." in page.content.decode()
