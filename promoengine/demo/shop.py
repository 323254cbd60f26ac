"""A believable shop with a year behind it: campaigns, codes, customers and what they redeemed.

The rows of the past are written directly, because the services only write the present; they are what the
services would have written. Everything is drawn from one seed, so that every demo is alike.
"""

import random
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from campaigns.models import Campaign, Category, PromotionTier
from customers.models import Customer
from promoengine.core.ids import new_id
from promoengine.core.models import OutboxEvent, Project
from promoengine.core.services.projects import create_project
from promoengine.engine.allocation import share_out
from promoengine.engine.discounts import parse_discount
from promoengine.engine.order import Order as Amounts
from redemptions.models import Order, Redemption
from redemptions.services.orders import calculated_of
from redemptions.services.summaries import refresh_summaries
from vouchers.models import UsageEntry, Voucher
from vouchers.patterns import LEGIBLE_CHARSET, CodePattern

KEY = "demo"
SEED = 20260101
CUSTOMERS = 300
FIRST_NAMES = [
    "Ada",
    "Ben",
    "Chloe",
    "Dan",
    "Eva",
    "Finn",
    "Grace",
    "Hugo",
    "Ida",
    "Jack",
    "Kim",
    "Leo",
    "Mia",
    "Noah",
    "Olga",
    "Paul",
    "Rosa",
    "Sam",
    "Tara",
    "Vera",
]
LAST_NAMES = [
    "Adams",
    "Berg",
    "Costa",
    "Diaz",
    "Evans",
    "Fischer",
    "Garcia",
    "Hansen",
    "Ito",
    "Jensen",
    "Kowal",
    "Lopez",
    "Meyer",
    "Novak",
    "Okoro",
]
PAST = timedelta(days=365)

# name, discount or gift, days ago it began, days it ran (None: runs on), codes, uses of each, category
CAMPAIGNS: list[tuple[str, dict[str, Any], int, int | None, int, int | None, str]] = [
    ("Winter sale", {"type": "PERCENT", "percent_off": 20}, 330, 40, 200, 1, "Seasonal"),
    ("Welcome", {"type": "AMOUNT", "amount_off": 500}, 360, None, 300, 1, "Always on"),
    (
        "Spring lookbook",
        {"type": "PERCENT", "percent_off": 15, "amount_limit": 3000},
        240,
        45,
        150,
        2,
        "Seasonal",
    ),
    ("Summer flash", {"type": "FIXED", "fixed_amount": 4900}, 150, 10, 120, 1, "Seasonal"),
    ("We miss you", {"type": "AMOUNT", "amount_off": 1000}, 120, None, 150, 1, "Always on"),
    ("Autumn friends", {"type": "PERCENT", "percent_off": 10}, 60, 90, 200, 1, "Seasonal"),
    ("Gift cards", {"gift": 5000}, 300, None, 80, None, "Gifts"),
]


@transaction.atomic
def build_demo(*, now: datetime) -> Project:
    """Make the demo project with all it has, and return it."""
    chance = random.Random(SEED)
    project = create_project("Hearth & Thread", key=KEY, currency="EUR", timezone="Europe/Berlin")
    Project.objects.filter(pk=project.pk).update(client_trusted_domains=["*"])
    customers = _customers(project, chance, now)
    categories = {
        name: Category.objects.create(project=project, name=name, hierarchy=index, created_at=now - PAST)
        for index, name in enumerate(("Seasonal", "Always on", "Gifts"), start=1)
    }
    history: list[Redemption] = []
    for row in CAMPAIGNS:
        history += _campaign(project, row, categories, customers, chance, now)
    history += _standalone(project, customers, chance, now)
    _promotion(project, now)
    Redemption.objects.bulk_create(sorted(history, key=lambda row: row.id), batch_size=1000)
    refresh_summaries([customer.pk for customer in customers], now=now)
    return project


@transaction.atomic
def delete_demo() -> None:
    """Delete the demo project and all it has."""
    project = Project.objects.filter(key=KEY).first()
    if project is None:
        return
    UsageEntry.objects.filter(voucher__project=project).delete()
    with connection.cursor() as cursor:
        for model in (Redemption, OutboxEvent):
            cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE project_id = %s", [project.pk])
    Voucher.objects.filter(project=project).update(holder=None)
    project.delete()


def _customers(project: Project, chance: random.Random, now: datetime) -> list[Customer]:
    rows = []
    for number in range(CUSTOMERS):
        first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
        rows.append(
            Customer(
                project=project,
                source_id=f"shopper-{number + 1:04d}",
                name=f"{first} {last}",
                email=f"{first}.{last}.{number + 1}@example.com".lower(),
                metadata={"newsletter": chance.random() < 0.6},
                created_at=now - PAST * chance.random(),
            )
        )
    return Customer.objects.bulk_create(rows)


def _campaign(
    project: Project,
    row: tuple[str, dict[str, Any], int, int | None, int, int | None, str],
    categories: dict[str, Category],
    customers: list[Customer],
    chance: random.Random,
    now: datetime,
) -> list[Redemption]:
    name, offer, began, ran, count, uses, category = row
    start = now - timedelta(days=began)
    end = start + timedelta(days=ran) if ran else None
    gift = (
        {"amount": offer["gift"], "balance": offer["gift"], "effect": "APPLY_TO_ORDER"}
        if "gift" in offer
        else None
    )
    pattern = CodePattern(f"{name.split()[0].upper()}-####-##", LEGIBLE_CHARSET)
    campaign = Campaign.objects.create(
        project=project,
        name=name,
        campaign_type="GIFT_VOUCHERS" if gift else "DISCOUNT_COUPONS",
        category=categories[category],
        discount=None if gift else offer,
        gift=gift,
        quantity=uses,
        start_date=start,
        expiration_date=end,
        code_config=pattern.to_wire(),
        vouchers_count=count,
        created_at=start - timedelta(days=3),
    )
    codes = list(dict.fromkeys(pattern.generate(count + 20)))[:count]
    vouchers = [
        Voucher(
            project=project,
            campaign=campaign,
            code=code,
            code_key=code,
            type="GIFT_VOUCHER" if gift else "DISCOUNT_VOUCHER",
            quantity=uses,
            gift_amount=offer.get("gift"),
            gift_balance=offer.get("gift"),
            start_date=start,
            expiration_date=end,
            created_at=start - timedelta(days=3),
        )
        for code in codes
    ]
    history = []
    for voucher in vouchers[: int(count * chance.uniform(0.4, 0.8))]:
        moment = start + (min(end or now, now) - start) * chance.random()
        history += _use(project, voucher, offer, chance.choice(customers), moment, chance)
    Voucher.objects.bulk_create(vouchers)
    return history


def _standalone(
    project: Project, customers: list[Customer], chance: random.Random, now: datetime
) -> list[Redemption]:
    """Make one code for everybody, that everybody uses."""
    discount = {"type": "PERCENT", "percent_off": 5}
    voucher = Voucher(
        project=project,
        code="HEARTH5",
        code_key="HEARTH5",
        discount=discount,
        additional_info="Printed on the parcel",
        created_at=now - PAST,
    )
    history = []
    for _ in range(400):
        history += _use(
            project, voucher, discount, chance.choice(customers), now - PAST * chance.random(), chance
        )
    voucher.save(force_insert=True)
    return history


def _promotion(project: Project, now: datetime) -> None:
    campaign = Campaign.objects.create(
        project=project,
        name="Free wrapping season",
        campaign_type="PROMOTION",
        use_voucher_metadata_schema=False,
        start_date=now - timedelta(days=5),
        created_at=now - timedelta(days=6),
    )
    PromotionTier.objects.create(
        project=project,
        campaign=campaign,
        name="Three euros off",
        banner="We pay for the wrapping",
        discount={"type": "AMOUNT", "amount_off": 300},
        created_at=now - timedelta(days=6),
    )


def _use(
    project: Project,
    voucher: Voucher,
    offer: dict[str, Any],
    customer: Customer,
    moment: datetime,
    chance: random.Random,
) -> list[Redemption]:
    """Let a customer use a code at a moment of the past, now and then too early."""
    order = Amounts(chance.randrange(2500, 25000, 50))
    common = {
        "project": project,
        "voucher": voucher,
        "voucher_code": voucher.code,
        "campaign_id": voucher.campaign_id,
        "customer": customer,
        "created_at": moment,
    }
    if chance.random() < 0.08:
        return [
            Redemption(
                **common,
                id=_id_at(moment),
                result="FAILURE",
                status="FAILED",
                failure_code="voucher_not_active",
                failure_message="voucher is not active yet",
            )
        ]
    credits = min(voucher.gift_balance, order.amount) if voucher.gift_balance is not None else None
    after = order.discount_order(credits) if credits is not None else parse_discount(offer).apply(order).order
    allocation = share_out(order, after, [0])
    stored = Order(
        project=project,
        customer=customer,
        status="PAID",
        amount=order.amount,
        calculated=calculated_of(after, allocation),
        created_at=moment,
    )
    stored.save(force_insert=True)
    use = Redemption(
        **common,
        id=_id_at(moment),
        order=stored,
        amount=credits,
        discount_amount=after.total_discount,
        allocation=allocation,
        order_snapshot={
            "id": stored.public_id,
            "amount": order.amount,
            "discount_amount": after.discount,
            "total_discount_amount": after.total_discount,
            "total_amount": after.total,
            "object": "order",
        },
    )
    voucher.redeemed_quantity += 1
    if credits is not None:
        voucher.gift_balance -= credits
        voucher.redeemed_amount += credits
    return [use]


def _id_at(moment: datetime) -> uuid.UUID:
    """Return a UUIDv7 of a moment of the past, so that lists by id are lists by time."""
    random_bits = new_id().int & ((1 << 80) - 1)
    return uuid.UUID(int=(int(moment.timestamp() * 1000) << 80) | random_bits)
