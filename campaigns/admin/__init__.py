"""Categories, validation and stacking rules, locations, promotions and the catalogue in the dashboard."""

from campaigns.admin import catalogue, categories, locations, promotions, rules, stacking

__all__ = ["catalogue", "categories", "locations", "promotions", "rules", "stacking"]
