"""Campaigns and codes in the dashboard."""

from vouchers.admin import campaigns, vouchers

__all__ = ["campaigns", "vouchers"]
