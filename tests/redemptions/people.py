"""Codes of campaigns that count people, and how those fare who use them."""

from tests.factories import CampaignFactory, VoucherFactory
from tests.limits import key_of, redeem

EVER = "campaign.redemptions.customers_count"


def code_in(project, *, by=(), guests="UNLESS_LIMITED", **columns):
    campaign = CampaignFactory(project=project, one_customer_by=list(by), guests=guests, **columns)
    return VoucherFactory(project=project, campaign=campaign, discount=None)


def outcomes(api, code, *customers):
    return [key_of(redeem(api, code.code, customer=customer)) for customer in customers]
