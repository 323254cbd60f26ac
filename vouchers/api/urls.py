"""The routes of campaigns, vouchers and publications, and of rules on them."""

from django.urls import path

from vouchers.api import batches, bin, campaigns, imports, publications, rule_assignments, vouchers

urlpatterns = [
    path("v1/campaigns", campaigns.Campaigns.as_view()),
    path("v1/campaigns/<path:ref>/vouchers", campaigns.CampaignVouchers.as_view()),
    path("v1/campaigns/<path:ref>/importCSV", campaigns.CampaignImport.as_view()),
    path("v1/campaigns/<path:ref>/import", campaigns.CampaignRecordsImport.as_view()),
    path("v1/campaigns/<path:ref>/enable", campaigns.CampaignEnabling.as_view()),
    path("v1/campaigns/<path:ref>/disable", campaigns.CampaignDisabling.as_view()),
    path("v1/campaigns/<path:ref>/batches", batches.CampaignBatches.as_view()),
    path("v1/campaigns/<path:ref>/batches/<str:batch_id>", batches.CampaignBatchById.as_view()),
    path("v1/campaigns/<path:ref>/pool", batches.CampaignPool.as_view()),
    path("v1/campaigns/<str:ref>/vouchers/<path:code>", campaigns.CampaignVoucherByCode.as_view()),
    path("v1/campaigns/<path:ref>", campaigns.CampaignByRef.as_view()),
    path("v1/vouchers", vouchers.Vouchers.as_view()),
    path("v1/vouchers/bulk/async", vouchers.VouchersBulk.as_view()),
    path("v1/vouchers/metadata/async", vouchers.VouchersMetadata.as_view()),
    path("v1/vouchers/importCSV", imports.VouchersImport.as_view()),
    path("v1/vouchers/import", imports.VoucherRecordsImport.as_view()),
    path("v1/vouchers/<path:code>/enable", vouchers.VoucherEnabling.as_view()),
    path("v1/vouchers/<path:code>/disable", vouchers.VoucherDisabling.as_view()),
    path("v1/vouchers/<path:code>/balance", vouchers.VoucherBalance.as_view()),
    path("v1/vouchers/<path:code>/transactions", vouchers.VoucherTransactions.as_view()),
    path("v1/vouchers/<path:code>/publications", vouchers.VoucherPublications.as_view()),
    path("v1/vouchers/<path:code>", vouchers.VoucherByRef.as_view()),
    path("v1/validation-rules/<str:rule_id>/assignments", rule_assignments.RuleAssignments.as_view()),
    path(
        "v1/validation-rules/<str:rule_id>/assignments/<str:assignment_id>",
        rule_assignments.RuleAssignmentById.as_view(),
    ),
    path("v1/trash-bin", bin.BinEntries.as_view()),
    path("v1/trash-bin/<str:entry_id>", bin.BinEntryById.as_view()),
    path("v1/trash-bin/<str:entry_id>/restore", bin.BinRestoring.as_view()),
    path("v1/publications", publications.Publications.as_view()),
    path("v1/publications/create", publications.PublicationByQuery.as_view()),
    path("v1/customers/<path:ref>/redeemables", vouchers.CustomerRedeemables.as_view()),
    path("client/v1/publish", publications.ClientPublication.as_view()),
]
