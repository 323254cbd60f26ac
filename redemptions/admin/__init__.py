"""Redemptions, orders and the page to try offers out, in the dashboard."""

from redemptions.admin import redemptions

__all__ = ["redemptions"]
