"""Fixtures of the checkout's tests."""

import pytest

from tests.factories import CampaignFactory, CustomerFactory, VoucherFactory
from vouchers.models import Voucher


@pytest.fixture
def code(project) -> Voucher:
    """A code without limit, of a campaign that takes off ten percent."""
    return VoucherFactory(project=project, campaign=CampaignFactory(project=project), discount=None)


@pytest.fixture
def shop(api, project):
    """One of everything that can be exported."""
    customer = CustomerFactory(project=project, source_id="ann", name="Ann", address={"city": "Łódź"})
    campaign = CampaignFactory(project=project, name="Spring")
    VoucherFactory(project=project, campaign=campaign, code="S-1", discount=None, holder=customer)
    VoucherFactory(project=project, code="A-1", metadata={"batch": 7})
    api.post("/v1/publications", {"voucher": "A-1", "customer": {"source_id": "ann"}})
    api.post(
        "/v1/redemptions",
        {
            "redeemables": [{"object": "voucher", "id": "S-1"}],
            "order": {"amount": 1000, "source_id": "o-1"},
            "customer": {"source_id": "ann"},
        },
    )
