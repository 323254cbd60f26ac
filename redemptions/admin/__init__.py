"""Redemptions, orders and the page to try offers out, in the dashboard."""

from redemptions.admin import orders, redemptions

__all__ = ["orders", "redemptions"]
