"""Gift cards' balances: changed by guarded updates, every change with a line in the ledger."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction

from promoengine.core.errors import DomainError, Duplicate
from promoengine.core.events import record_event
from promoengine.core.models import Project
from vouchers.models import Voucher, VoucherTransaction
from vouchers.selectors import voucher_by_ref
from vouchers.wire import voucher_to_wire

AMOUNT_MAX = 2**53


class InvalidBalance(DomainError):
    key = "invalid_add_balance_params"
    message = "Invalid add balance params"


class BalanceTooLow(DomainError):
    key = "gift_amount_exceeded"
    message = "gift amount exceeded"


class DuplicateTransaction(Duplicate):
    """The sender's id of this change has been used on the card with another amount."""


@transaction.atomic
def add_balance(
    project: Project,
    ref: str,
    *,
    amount: Any,
    source_id: str | None = None,
    reason: str | None = None,
    channel: str = "API",
    now: datetime,
) -> dict[str, Any]:
    """Add `amount` minor units to a gift card, negative takes away, and return the published balance.

    A change repeated with the same `source_id` and amount happens once.

    Raises:
        NotFound: the project has no such voucher.
        InvalidBalance: it is no gift card, or the amount is no whole number other than zero.
        BalanceTooLow: the balance would fall below zero.
        DuplicateTransaction: the `source_id` belongs to a change by another amount.
    """
    voucher = voucher_by_ref(project, ref)
    if voucher.type != Voucher.Type.GIFT_VOUCHER:
        raise InvalidBalance(f"Voucher {voucher.code} has no balance")
    if type(amount) is not int or not amount or abs(amount) > AMOUNT_MAX:
        raise InvalidBalance("Property .amount should be a whole number of minor units other than 0")
    if source_id and (earlier := _earlier(voucher, source_id)):
        return _again(voucher, earlier, amount)
    balance, total = _change(voucher, amount)
    try:
        with transaction.atomic():
            VoucherTransaction.objects.create(
                project=project,
                voucher=voucher,
                campaign_id=voucher.campaign_id,
                type="CREDITS_ADDITION" if amount > 0 else "CREDITS_REMOVAL",
                amount=amount,
                balance=balance,
                source_id=source_id,
                source=channel,
                reason=reason,
                created_at=now,
            )
    except IntegrityError as error:
        raise DuplicateTransaction(f"Duplicated transaction exists with source_id {source_id}") from error
    voucher.gift_balance, voucher.gift_amount = balance, total
    wire = balance_to_wire(voucher, amount)
    record_event(
        project,
        "voucher.gift.balance_added",
        {"balance": wire, "voucher": voucher_to_wire(voucher)},
        entity_id=voucher.public_id,
        customer_id=voucher.holder_id,
        campaign_id=voucher.campaign_id,
        channel=channel,
        now=now,
    )
    return wire


def balance_to_wire(voucher: Voucher, amount: int) -> dict[str, Any]:
    """Return a change of balance as the wire has it."""
    return {
        "amount": amount,
        "total": voucher.gift_amount,
        "balance": voucher.gift_balance,
        "type": "gift_voucher",
        "operation_type": "MANUAL",
        "object": "balance",
        "related_object": {"type": "voucher", "id": voucher.public_id},
    }


def _earlier(voucher: Voucher, source_id: str) -> VoucherTransaction | None:
    return VoucherTransaction.objects.filter(voucher=voucher, source_id=source_id).first()


def _again(voucher: Voucher, earlier: VoucherTransaction, amount: int) -> dict[str, Any]:
    if earlier.amount != amount:
        raise DuplicateTransaction(f"Duplicated transaction exists with source_id {earlier.source_id}")
    return balance_to_wire(voucher, amount)


def _change(voucher: Voucher, amount: int) -> tuple[int, int]:
    """Return the new balance and the sum of all that ever was on the card."""
    with connection.cursor() as cursor:
        cursor.execute(CHANGE_BALANCE, {"voucher": voucher.pk, "amount": amount, "most": AMOUNT_MAX})
        changed = cursor.fetchone()
    if changed is None:
        raise BalanceTooLow(f"Voucher {voucher.code} has {voucher.gift_balance} left")
    balance, total = changed
    return balance, total


CHANGE_BALANCE = f"""
    UPDATE {Voucher._meta.db_table}
    SET gift_balance = gift_balance + %(amount)s, gift_amount = gift_amount + greatest(%(amount)s, 0)
    WHERE id = %(voucher)s AND gift_balance + %(amount)s BETWEEN 0 AND %(most)s
    RETURNING gift_balance, gift_amount
"""
