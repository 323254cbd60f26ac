"""The routes of promotions, validation rules and what else needs no codes."""

from django.urls import path

from campaigns.api import (
    activity,
    catalogue,
    categories,
    locations,
    product_collections,
    promotions,
    stacking,
    validation_rules,
)

urlpatterns = [
    path("v1/customers/<path:ref>/activity", activity.Activity.as_view()),
    path("v1/customers/<path:ref>/activities", activity.Activities.as_view()),
    path("v1/validation-rules", validation_rules.ValidationRules.as_view()),
    path("v1/validation-rules/<str:rule_id>", validation_rules.ValidationRuleById.as_view()),
    path("v1/validation-rules-assignments", validation_rules.AllRuleAssignments.as_view()),
    path("v1/categories", categories.Categories.as_view()),
    path("v1/categories/<str:category_id>", categories.CategoryById.as_view()),
    path("v1/locations", locations.Locations.as_view()),
    path("v1/locations/<str:location_id>", locations.LocationById.as_view()),
    path("management/v1/projects/<str:project_id>/stacking-rules", stacking.StackingRulesList.as_view()),
    path(
        "management/v1/projects/<str:project_id>/stacking-rules/<str:rules_id>",
        stacking.StackingRulesById.as_view(),
    ),
    path("v1/promotions/tiers", promotions.Tiers.as_view()),
    path("v1/promotions/tiers/<str:tier_id>", promotions.TierById.as_view()),
    path("v1/promotions/tiers/<str:tier_id>/enable", promotions.TierEnabling.as_view()),
    path("v1/promotions/tiers/<str:tier_id>/disable", promotions.TierDisabling.as_view()),
    path("v1/promotions/stacks", promotions.Stacks.as_view()),
    path("v1/promotions/<path:ref>/tiers", promotions.CampaignTiers.as_view()),
    path("v1/promotions/<path:ref>/stacks", promotions.CampaignStacks.as_view()),
    path("v1/promotions/<path:ref>/stacks/<str:stack_id>", promotions.CampaignStackById.as_view()),
    path("client/v1/promotions/tiers", promotions.ClientTiers.as_view()),
    path("v1/products", catalogue.Products.as_view()),
    path("v1/products/bulk/async", catalogue.ProductsBulk.as_view()),
    path("v1/products/metadata/async", catalogue.ProductsMetadata.as_view()),
    path("v1/products/importCSV", catalogue.ProductsImport.as_view()),
    path("v1/products/<path:ref>/skus", catalogue.ProductSkus.as_view()),
    path("v1/products/<path:ref>/skus/<path:sku_ref>", catalogue.ProductSkuByRef.as_view()),
    path("v1/products/<path:ref>", catalogue.ProductByRef.as_view()),
    path("v1/skus/importCSV", catalogue.SkusImport.as_view()),
    path("v1/skus/<path:ref>", catalogue.SkuByRef.as_view()),
    path("v1/product-collections", product_collections.ProductCollections.as_view()),
    path("v1/product-collections/<str:collection_id>", product_collections.ProductCollectionById.as_view()),
    path(
        "v1/product-collections/<str:collection_id>/products",
        product_collections.CollectionProducts.as_view(),
    ),
]
