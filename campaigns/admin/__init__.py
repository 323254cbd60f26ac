"""Categories, stacking rules and promotions in the dashboard."""

from campaigns.admin import categories, promotions, stacking

__all__ = ["categories", "promotions", "stacking"]
