"""Fixtures of the tests of codes: campaigns to put them into."""

import pytest

from campaigns.models import Campaign
from tests.factories import CampaignFactory


@pytest.fixture
def campaign(project) -> Campaign:
    return CampaignFactory(project=project, name="Spring")


@pytest.fixture
def gifts(project) -> Campaign:
    """A campaign of gift cards of 50.00."""
    return CampaignFactory(
        project=project, campaign_type="GIFT_VOUCHERS", discount=None, gift={"amount": 5000}
    )
