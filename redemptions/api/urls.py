"""The routes of validations, qualifications, redemptions and orders."""

from django.urls import path

from redemptions.api import (
    checkout,
    exports,
    orders,
    prices,
    qualifications,
    redemptions,
    refunds,
    single,
    tiers,
)

urlpatterns = [
    path("v1/validations", checkout.Validations.as_view()),
    path("v1/qualifications", qualifications.Qualifications.as_view()),
    path("v1/prices", prices.Prices.as_view()),
    path("v1/exports", exports.Exports.as_view()),
    path("v1/exports/<str:export_id>", exports.ExportById.as_view(), name="export_by_id"),
    path("v1/redemptions", redemptions.Redemptions.as_view()),
    path("v1/redemptions/<str:redemption_id>", redemptions.RedemptionById.as_view()),
    path("v1/redemptions/<str:redemption_id>/rollback", redemptions.Rollback.as_view()),
    path("v1/redemptions/<str:redemption_id>/rollbacks", redemptions.Rollbacks.as_view()),
    path("v1/orders", orders.Orders.as_view()),
    path("v1/orders/export", exports.OrdersExport.as_view()),
    path("v1/orders/import", orders.OrdersImport.as_view()),
    path("v1/orders/<path:ref>/refunds", refunds.Refunds.as_view()),
    path("v1/orders/<path:ref>/refunds/calculation", refunds.RefundCalculation.as_view()),
    path("v1/orders/<path:ref>", orders.OrderByRef.as_view()),
    path("v1/promotions/validation", single.PromotionValidation.as_view()),
    path("v1/promotions/tiers/<str:tier_id>/validation", tiers.TierValidation.as_view()),
    path("v1/promotions/tiers/<str:tier_id>/redemption", tiers.TierRedemption.as_view()),
    path("v1/vouchers/<path:code>/sessions/<str:session_key>", single.SessionRelease.as_view()),
    path("v1/vouchers/<path:code>/validate", single.VoucherValidation.as_view()),
    path("v1/vouchers/<path:code>/redemption", single.VoucherRedemption.as_view()),
    path("v1/vouchers/<path:code>/redemptions", redemptions.VoucherRedemptions.as_view()),
    path("client/v1/validations", checkout.ClientValidations.as_view()),
    path("client/v1/qualifications", qualifications.ClientQualifications.as_view()),
    path("client/v1/prices", prices.ClientPrices.as_view()),
    path("client/v1/redemptions", checkout.ClientRedemptions.as_view()),
    path("client/v1/validate", single.ClientVoucherValidation.as_view()),
    path("client/v1/redeem", single.ClientVoucherRedemption.as_view()),
]
