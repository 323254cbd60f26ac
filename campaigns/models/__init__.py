"""The rows of this room: what is offered, the rules on it, and the catalogue that both name."""

from campaigns.models.bin import BinEntry
from campaigns.models.campaigns import (
    Campaign,
    CampaignQuerySet,
    Category,
    ProjectStacking,
    PromotionStack,
    PromotionTier,
    ValidityModel,
)
from campaigns.models.catalogue import Product, ProductCollection, ProductCollectionMember, Sku
from campaigns.models.rules import RELATED_PREFIXES, ValidationRule, ValidationRuleAssignment

__all__ = [
    "RELATED_PREFIXES",
    "BinEntry",
    "Campaign",
    "CampaignQuerySet",
    "Category",
    "Product",
    "ProductCollection",
    "ProductCollectionMember",
    "ProjectStacking",
    "PromotionStack",
    "PromotionTier",
    "Sku",
    "ValidationRule",
    "ValidationRuleAssignment",
    "ValidityModel",
]
