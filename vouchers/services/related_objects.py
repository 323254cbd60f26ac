"""What validation rules may be assigned to, codes among it."""

import uuid

from campaigns.models import ValidationRuleAssignment
from campaigns.services import related_objects
from campaigns.services.related_objects import RelatedObject
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.errors import NotFound
from promoengine.core.ids import public_id
from promoengine.core.models import Project
from vouchers.models import Voucher
from vouchers.selectors import voucher_by_ref
from vouchers.wire import short_voucher

VOUCHER = ValidationRuleAssignment.RelatedObject.VOUCHER


def related_object(project: Project, related_object_type: str, ref: str) -> RelatedObject:
    """Return the voucher of that code or id, the campaign or the promotion tier.

    Raises:
        NotFound: the project has none, or nothing of that type can have a rule yet.
    """
    if related_object_type == VOUCHER:
        return related_voucher(voucher_by_ref(project, ref))
    return related_objects.related_object(project, related_object_type, ref)


def known_object(project: Project, related_object_type: str, key: uuid.UUID) -> RelatedObject:
    """Return what an assignment names, without JSON where it is gone."""
    if related_object_type != VOUCHER:
        return related_objects.known_object(project, related_object_type, key)
    try:
        return related_voucher(voucher_by_ref(project, public_id(Voucher.prefix, key)))
    except NotFound:
        return RelatedObject(VOUCHER, key)


def related_voucher(voucher: Voucher) -> RelatedObject:
    """Return a voucher that came from the selectors as what a rule is assigned to."""
    more = {
        "id": voucher.public_id,
        "type": voucher.type,
        "created_at": wire_datetime(voucher.created_at),
    }
    return RelatedObject(VOUCHER, voucher.pk, {"voucher": short_voucher(voucher) | more})
