"""The bin's answers have the published shape."""

from tests.factories import CampaignFactory, SkuFactory, VoucherFactory


def test_bin(contract, project):
    campaign = CampaignFactory(project=project)
    voucher = VoucherFactory(project=project, campaign=campaign)
    sku = SkuFactory(project=project)
    product = sku.product.public_id
    contract.call("delete", f"/v1/vouchers/{voucher.code}", status=204)
    contract.call("delete", f"/v1/products/{product}/skus/{sku.public_id}", status=204)
    contract.call("delete", f"/v1/products/{product}", status=204)
    contract.api.delete(f"/v1/campaigns/{campaign.public_id}")

    listed = contract.call("get", "/v1/trash-bin", query={"limit": 2, "order": "-id"})

    assert (listed["total"], listed["has_more"]) == (4, True)
    after = {"starting_after_id": listed["more_starting_after"]}
    rest = contract.call("get", "/v1/trash-bin", query=after)
    for entry in listed["data"] + rest["data"]:
        contract.call("delete", f"/v1/trash-bin/{entry['id']}", status=204)
    contract.call("get", "/v1/trash-bin")


def entries(ours):
    return {row["resource_type"]: row for row in ours.call("get", "/v1/trash-bin")["data"]}


def test_each_kind_is_restored(ours, project):
    campaign = CampaignFactory(project=project)
    code = VoucherFactory(project=project).code
    sku, other = SkuFactory(project=project), SkuFactory(project=project)
    paths = {
        "voucher": f"/v1/vouchers/{code}",
        "sku": f"/v1/skus/{sku.public_id}",
        "product": f"/v1/products/{other.product.public_id}",
        "campaign": f"/v1/campaigns/{campaign.public_id}",
    }
    before = {kind: ours.api.get(path).json() for kind, path in paths.items()}
    for kind, path in paths.items():
        ours.api.delete(
            f"/v1/products/{sku.product.public_id}/skus/{sku.public_id}" if kind == "sku" else path
        )
    assert entries(ours).keys() == paths.keys()

    for kind, entry in entries(ours).items():
        assert ours.api.get(paths[kind]).status_code == 404
        restore = f"/v1/trash-bin/{entry['id']}/restore"
        ours.call("post", restore, status=204)
        ours.refused("post", restore, status=404, key="not_found")

    assert entries(ours) == {}
    for kind, path in paths.items():
        after = ours.api.get(path).json()
        assert {name for name in before[kind] if after[name] != before[kind][name]} <= {"updated_at"}


def test_what_can_not_be_restored_says_why_and_stays(ours, project):
    campaign = CampaignFactory(project=project)
    voucher = VoucherFactory(project=project, campaign=campaign)
    sku, taken = SkuFactory(project=project), SkuFactory(project=project, source_id="taken")
    for path in (
        f"vouchers/{voucher.code}",
        f"products/{sku.product.public_id}/skus/{sku.public_id}",
        f"products/{sku.product.public_id}?force=true",
    ):
        ours.call("delete", f"/v1/{path}", status=204)
    ours.api.delete(f"/v1/campaigns/{campaign.public_id}")
    before = entries(ours)

    for kind in ("voucher", "sku"):
        details = ours.refused(
            "post",
            f"/v1/trash-bin/{before[kind]['id']}/restore",
            status=409,
            key="resource_not_restorable",
            named=["resource_id", "resource_type"],
        )
        assert "restore it first" in details
    assert entries(ours) == before
    ours.call("delete", f"/v1/products/{taken.product.public_id}", status=204)
    SkuFactory(project=project, source_id="taken")
    newest = ours.call("get", "/v1/trash-bin", query={"order": "-id", "limit": 1})["data"][0]
    details = ours.refused(
        "post",
        f"/v1/trash-bin/{newest['id']}/restore",
        status=409,
        key="duplicate_found",
        named=["resource_id", "resource_type"],
    )
    assert "source id" in details


def test_a_bin_entry_that_nobody_has_is_not_found(ours):
    for unknown in ("be_nothing", "cust_1"):
        ours.refused("post", f"/v1/trash-bin/{unknown}/restore", status=404, key="not_found")
        ours.refused("delete", f"/v1/trash-bin/{unknown}", status=404, key="not_found")
