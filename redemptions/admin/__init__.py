"""Redemptions, orders, exports and the page to try offers out, in the dashboard."""

from redemptions.admin import exports, orders, redemptions

__all__ = ["exports", "orders", "redemptions"]
