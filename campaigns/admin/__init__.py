"""Categories, stacking rules, promotions and the catalogue in the dashboard."""

from campaigns.admin import catalogue, categories, promotions, stacking

__all__ = ["catalogue", "categories", "promotions", "stacking"]
