"""What background work is called in plain words, by its type."""

from django.utils.translation import gettext_lazy as _

ACTION_TYPES = {
    "CAMPAIGN.VOUCHERS_GENERATE": _("Making codes"),
    "CAMPAIGN.VOUCHERS_IMPORT_CSV": _("Importing codes"),
    "CAMPAIGN.VOUCHERS_IMPORT": _("Importing codes"),
    "VOUCHERS.IMPORT_CSV": _("Importing codes"),
    "VOUCHERS.IMPORT": _("Importing codes"),
    "CAMPAIGN.VOUCHERS_UPDATE": _("Bringing changed terms to codes"),
    "CAMPAIGN.VOUCHERS_DELETE": _("Deleting codes"),
    "VOUCHERS.BULK_UPDATE": _("Changing codes"),
    "VOUCHERS.BULK_UPDATE_UNDO": _("Taking back a change of codes"),
    "VOUCHERS.METADATA_UPDATE": _("Changing codes' attributes"),
    "CAMPAIGN.VOUCHERS_RESTORE": _("Bringing codes back"),
    "CUSTOMERS.IMPORT_CSV": _("Importing customers"),
    "CUSTOMERS.BULK_UPDATE": _("Changing customers"),
    "CUSTOMERS.METADATA_UPDATE": _("Changing customers' attributes"),
    "PRODUCTS.IMPORT_CSV": _("Importing products"),
    "PRODUCTS.BULK_UPDATE": _("Changing products"),
    "PRODUCTS.METADATA_UPDATE": _("Changing products' attributes"),
    "SKUS.IMPORT_CSV": _("Importing SKUs"),
    "ORDERS.IMPORT": _("Importing orders"),
    "SEGMENTS.CLEAR": _("Taking all customers out of a segment"),
    "SEGMENTS.SYNC": _("Sorting customers into a segment"),
    "EXPORT": _("Making a file of a list"),
    "RECONCILE": _("Checking counts against the ledgers"),
}
