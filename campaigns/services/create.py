"""Making campaigns."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from campaigns.models import Campaign, PromotionTier
from campaigns.services.promotions import new_tiers
from campaigns.services.rollback_policy import rollback_columns
from campaigns.services.rules import assign_rules_to
from campaigns.services.terms import (
    category_of,
    check_dates,
    check_discount,
    check_duration,
    check_gift,
    check_quantity,
    check_windows,
    who_counts,
)
from campaigns.wire import campaigns_to_wire
from promoengine.core.errors import DomainError, Duplicate, InvalidPayload
from promoengine.core.events import record_event
from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_changed
from promoengine.core.services.metadata import check_metadata, schemas_now

CAMPAIGN_TYPES = {
    "DISCOUNT_VOUCHER": Campaign.CampaignType.DISCOUNT_COUPONS,
    "GIFT_VOUCHER": Campaign.CampaignType.GIFT_VOUCHERS,
    "LOYALTY_CARD": Campaign.CampaignType.LOYALTY_PROGRAM,
}
NOT_YET = {
    Campaign.CampaignType.LOYALTY_PROGRAM: "Loyalty programmes are not available yet",
    Campaign.CampaignType.REFERRAL_PROGRAM: "Referral programmes are not available yet",
}


class InvalidCampaign(DomainError):
    key = "invalid_campaign"
    message = "Invalid Campaign"


@transaction.atomic
def create_campaign(
    project: Project,
    *,
    data: Mapping[str, Any],
    code_config: dict[str, Any] | None = None,
    channel: str = "API",
    now: datetime,
) -> Campaign:
    """Make a campaign of the published fields, dates as datetimes, and return it without codes yet.

    `code_config` is the checked pattern of its codes. Types that are not given follow from the voucher.

    Raises:
        InvalidCampaign, InvalidPayload, MetadataRefused: a field is wrong; the details name it.
        Duplicate: another campaign of the project has that name.
        NotFound: a category or rule of that id does not exist.
    """
    name = data.get("name")
    if not name:
        raise InvalidPayload("Payload must have required property 'name'")
    kind = campaign_type_of(data)
    if kind in NOT_YET:
        raise InvalidCampaign(NOT_YET[kind])
    definitions_changed(project)
    check_dates(data.get("start_date"), data.get("expiration_date"))
    campaign = Campaign(
        project=project,
        name=name,
        campaign_type=kind,
        type=data.get("type") or Campaign.Type.AUTO_UPDATE,
        category=category_of(project, name=data.get("category"), ref=data.get("category_id")),
        start_date=data.get("start_date"),
        expiration_date=data.get("expiration_date"),
        validity=check_windows(data),
        metadata=_metadata(project, kind, data),
        description=data.get("description") or "",
        auto_join=bool(data.get("auto_join")),
        join_once=bool(data.get("join_once")),
        use_voucher_metadata_schema=_uses_schema(kind, data),
        created_at=now,
        **rollback_columns(data),
        **who_counts(data),
        **_voucher_columns(kind, data),
    )
    if campaign.discount or campaign.gift:
        campaign.code_config = code_config or {}
    if duration := data.get("activity_duration_after_publishing"):
        campaign.activity_duration_after_publishing = check_duration(
            duration, ".activity_duration_after_publishing"
        )
    _save_new(campaign)
    assign_rules_to(project, "campaign", campaign.pk, data.get("validation_rules"), now, channel=channel)
    _create_tiers(campaign, data, channel=channel, now=now)
    record_event(
        project,
        "campaign.created",
        {"campaign": campaigns_to_wire([campaign])[0]},
        entity_id=campaign.public_id,
        campaign_id=campaign.pk,
        channel=channel,
        now=now,
    )
    return campaign


def schema_of_campaign(*, uses_voucher_schema: bool) -> str:
    """Return the name of the schema that a campaign's metadata are held to."""
    return "voucher" if uses_voucher_schema else "campaign"


def campaign_type_of(data: Mapping[str, Any]) -> Campaign.CampaignType:
    """Return the campaign type that is given, or that follows from the voucher.

    Raises:
        InvalidCampaign: none is given and none follows.
    """
    voucher = data.get("voucher") or {}
    if data.get("campaign_type"):
        return Campaign.CampaignType(data["campaign_type"])
    if voucher.get("is_referral_code") or data.get("referral_program"):
        return Campaign.CampaignType.REFERRAL_PROGRAM
    kind = voucher.get("type") or next(
        (
            kind
            for block, kind in (
                ("discount", "DISCOUNT_VOUCHER"),
                ("gift", "GIFT_VOUCHER"),
                ("loyalty_card", "LOYALTY_CARD"),
            )
            if voucher.get(block)
        ),
        None,
    )
    if not isinstance(kind, str) or kind not in CAMPAIGN_TYPES:
        raise InvalidCampaign("Property 'campaign_type' or a 'voucher' with its type is required")
    return CAMPAIGN_TYPES[kind]


def _voucher_columns(kind: Campaign.CampaignType, data: Mapping[str, Any]) -> dict[str, Any]:
    voucher = data.get("voucher")
    if kind == Campaign.CampaignType.PROMOTION:
        if voucher:
            raise InvalidCampaign("A PROMOTION campaign has no 'voucher'")
        return {}
    if not isinstance(voucher, Mapping):
        raise InvalidCampaign(f"Property 'voucher' is required for {kind} campaign")
    columns: dict[str, Any] = {"quantity": check_quantity(voucher.get("redemption"), ".voucher.redemption")}
    if kind == Campaign.CampaignType.GIFT_VOUCHERS:
        if not voucher.get("gift"):
            raise InvalidCampaign(f"Property 'gift' is required for {kind} campaign")
        return columns | {"gift": check_gift(voucher["gift"], ".voucher.gift")}
    if not voucher.get("discount"):
        raise InvalidCampaign(f"Property 'discount' is required for {kind} campaign")
    return columns | {"discount": check_discount(voucher["discount"], ".voucher.discount")}


def _uses_schema(kind: Campaign.CampaignType, data: Mapping[str, Any]) -> bool:
    given = data.get("use_voucher_metadata_schema")
    return kind != Campaign.CampaignType.PROMOTION if given is None else bool(given)


def _metadata(project: Project, kind: Campaign.CampaignType, data: Mapping[str, Any]) -> dict[str, Any]:
    metadata = data.get("metadata") or {}
    resource = schema_of_campaign(uses_voucher_schema=_uses_schema(kind, data))
    check_metadata(schemas_now(project), resource, metadata, is_new=True)
    return metadata


def _save_new(campaign: Campaign) -> None:
    try:
        with transaction.atomic():
            campaign.save(force_insert=True)
    except IntegrityError as error:
        same = Campaign.objects.filter(project=campaign.project_id, name=campaign.name)
        where = " in the bin" if same.filter(deleted_at__isnull=False).exists() else ""
        raise Duplicate(
            f"Duplicated campaign exists with name {campaign.name}{where}",
            resource_id=campaign.name,
            resource_type="campaign",
        ) from error


def _create_tiers(
    campaign: Campaign, data: Mapping[str, Any], *, channel: str, now: datetime
) -> list[PromotionTier]:
    rows = (data.get("promotion") or {}).get("tiers") or []
    return new_tiers(campaign.project, campaign, rows, where=".promotion.tiers[{}]", channel=channel, now=now)
