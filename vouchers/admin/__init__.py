"""Campaigns and codes in the dashboard."""

from vouchers.admin import bin, campaigns, vouchers

__all__ = ["bin", "campaigns", "vouchers"]
