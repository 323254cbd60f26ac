"""Categories, validation and stacking rules, promotions and the catalogue in the dashboard."""

from campaigns.admin import catalogue, categories, promotions, rules, stacking

__all__ = ["catalogue", "categories", "promotions", "rules", "stacking"]
