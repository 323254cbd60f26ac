"""Who reacts to what: for each outbox event, the dotted names of the jobs that get its id."""

SUMMARY = ["redemptions.jobs.refresh_customers"]

SUBSCRIBERS: dict[str, list[str]] = {
    "publication.succeeded": ["notifications.jobs.announce_publications", *SUMMARY],
    "customer.erased": ["notifications.jobs.erase_messages"],
    "redemption.succeeded": SUMMARY,
    "redemption.failed": SUMMARY,
    "redemption.rollback.succeeded": SUMMARY,
    "redemption.rollback.failed": SUMMARY,
}
