"""Who reacts to what: for each outbox event, the jobs that get its id."""

from promoengine.core.services.relay import Subscriber

SUMMARY = Subscriber("redemptions.jobs.refresh_customers", needs_customer=True)
ANNOUNCEMENT = Subscriber("notifications.jobs.announce_publications")
WARNING = Subscriber("notifications.jobs.warn_of_low_pools")
MERGED = Subscriber("redemptions.jobs.refresh_merged")
ERASURE = Subscriber("customers.jobs.erase_customers")

SUBSCRIBERS: dict[str, list[Subscriber]] = {
    "publication.succeeded": [ANNOUNCEMENT, SUMMARY],
    "campaign.vouchers.low": [WARNING],
    "customer.erased": [ERASURE],
    "customer.merged": [MERGED],
    "customer.order.created": [SUMMARY],
    "customer.order.updated": [SUMMARY],
    "redemption.succeeded": [SUMMARY],
    "redemption.failed": [SUMMARY],
    "redemption.rollback.succeeded": [SUMMARY],
    "redemption.rollback.failed": [SUMMARY],
    "order.refunded": [SUMMARY],
}
