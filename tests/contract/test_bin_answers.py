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
