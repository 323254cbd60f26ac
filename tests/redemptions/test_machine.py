"""Any sequence of checkouts beside a plain model of what they should leave, on the real database.

`MACHINE_EXAMPLES` and `MACHINE_STEPS` in the environment make it look longer than in the suite.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from campaigns.services.rules import update_validation_rule
from customers.services.upsert import upsert_customer
from promoengine.core.errors import DomainError
from redemptions.channel import Channel
from redemptions.models import CounterHold, Reservation, UsageCounter
from redemptions.requests import parse_checkout
from redemptions.services.redeem import redeem
from redemptions.services.roll_back import roll_back_redemptions
from redemptions.services.sessions import release
from redemptions.services.validate import validate
from tests.factories import (
    CampaignFactory,
    ProjectFactory,
    PromotionTierFactory,
    VoucherFactory,
)
from tests.limits import assert_ledger_agrees, limit
from vouchers.models import Voucher
from vouchers.selectors import voucher_by_ref
from vouchers.services.update import set_voucher_active, update_voucher

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "10"))
STEPS = int(os.environ.get("MACHINE_STEPS", "20"))
SHOP = Channel("app-1", "API", "API", "Shop")
RULES = "redemption_rules_violated"
ORDER = 5000
CODES = ("FEW", "MANY")  # codes of one campaign, the first with a limit of its own
CARD, TIER = "CARD", "TIER"
OFF = {"FEW": 1000, "MANY": 1000, TIER: 500}
TOTAL, PER_DAY, BUDGET = (
    "campaign.redemptions.count",
    "campaign.redemptions.customers_count.daily",
    "campaign.orders.amount_discounted",
)
TIER_DAY = "redemption.count.daily"
Refs = st.permutations([*CODES, CARD, TIER]).flatmap(
    lambda refs: st.integers(1, 4).map(lambda count: tuple(refs[:count]))
)
# Ann has two accounts with one e-mail address, by which the campaign counts.
ADDRESSES = {"ann": "ann.lee@gmail.com", "annie": "annlee+2@gmail.com", "bob": "bob@example.com"}
PEOPLE = {"ann": "Ann", "annie": "Ann", "bob": "Bob"}
Customers = st.sampled_from(list(PEOPLE))
Sessions = st.sampled_from(["s1", "s2"])


@dataclass(frozen=True)
class Use:
    """One redeemable used, or held for a while, and what it took."""

    ref: str
    customer: str
    day: date
    off: int = 0
    credits: int = 0


@dataclass(frozen=True)
class Hold:
    session: str
    use: Use
    expires_at: datetime


class Refused(Exception):
    """The model refuses, with the key on the wire."""


class Model:
    """What a shop keeps in its head: all that is used, and what sessions hold."""

    def __init__(self) -> None:
        self.used: dict[str, list[Use]] = {}
        self.holds: list[Hold] = []
        self.quantity, self.balance, self.disabled = 4, 12000, set()
        self.limits = {TOTAL: 6, PER_DAY: 3, BUDGET: 7000, TIER_DAY: 3}

    def uses(self) -> Iterator[Use]:
        for part in self.used.values():
            yield from part

    def live(self, now: datetime) -> list[Hold]:
        return [hold for hold in self.holds if hold.expires_at > now]

    def decide(self, refs: tuple[str, ...], customer: str, session: str | None, now: datetime) -> list[Use]:
        """Return what using these would take, or refuse."""
        others = [hold.use for hold in self.live(now) if hold.session != session]
        so_far, wanted, left = [*self.uses(), *others], [], ORDER
        for ref in refs:
            use = self.turn(ref, customer, left, so_far + wanted, others, now.date())
            left -= use.off + use.credits
            wanted.append(use)
        return wanted

    def turn(self, ref, customer, left, counted, others, today) -> Use:
        if ref in self.disabled:
            raise Refused("voucher_disabled")
        if ref == CARD:
            free = self.balance - sum(use.credits for use in others)
            if free <= 0:
                raise Refused("gift_amount_exceeded")
            return Use(ref, customer, today, credits=min(free, left))
        mine = [use for use in counted if use.ref == ref]
        if ref == "FEW" and len(mine) >= self.quantity:
            raise Refused("quantity_exceeded")
        use = Use(ref, customer, today, off=min(OFF[ref], left))
        if ref == TIER:
            if sum(one.day == today for one in mine) >= self.limits[TIER_DAY]:
                raise Refused(RULES)
            return use
        campaign = [one for one in (*counted, use) if one.ref in CODES]
        person = PEOPLE[customer]
        today_by_person = [one for one in campaign if one.day == today and PEOPLE[one.customer] == person]
        spent = sum(one.off for one in campaign)
        counts = {TOTAL: len(campaign), PER_DAY: len(today_by_person), BUDGET: spent}
        if any(count > self.limits[name] for name, count in counts.items()):
            raise Refused(RULES)
        return use

    def counters(self) -> dict[tuple[str, str, date | None], int]:
        """Return what counters stand at, those that are not zero."""
        counts: dict[tuple[str, str, date | None], int] = {}
        for use in self.uses():
            if use.ref == TIER:
                named = {("count", "", use.day): 1}
            elif use.ref in CODES:
                named = {
                    ("count", "", None): 1,
                    ("count", use.customer, use.day): 1,
                    ("count", PEOPLE[use.customer], use.day): 1,
                    ("discount_amount", "", None): use.off,
                }
            else:
                named = {}
            for key, amount in named.items():
                counts[key] = counts.get(key, 0) + amount
        return {key: count for key, count in counts.items() if count}


class Checkout(RuleBasedStateMachine):
    @initialize()
    def open_shop(self) -> None:
        self.now, self.model = datetime(2026, 3, 27, 9, tzinfo=UTC), Model()
        self.project = ProjectFactory()
        campaign = CampaignFactory(
            project=self.project, discount={"type": "AMOUNT", "amount_off": 1000}, one_customer_by=["email"]
        )
        for code, quantity in (("FEW", self.model.quantity), ("MANY", None)):
            VoucherFactory(
                project=self.project, campaign=campaign, discount=None, code=code, quantity=quantity
            )
        VoucherFactory(
            project=self.project,
            code=CARD,
            type=Voucher.Type.GIFT_VOUCHER,
            discount=None,
            gift_amount=self.model.balance,
            gift_balance=self.model.balance,
        )
        tier = PromotionTierFactory(project=self.project)
        guarded = {TIER_DAY: tier}
        self.rules = {
            name: limit(guarded.get(name, campaign), name, most).rule.public_id
            for name, most in self.model.limits.items()
        }
        self.ids = {TIER: tier.public_id}
        self.subjects = {}
        for who, email in ADDRESSES.items():
            customer = upsert_customer(self.project, data={"source_id": who, "email": email}, now=self.now)
            self.subjects |= {f"customer:{customer.pk}": who, customer.identity_keys[0]: PEOPLE[who]}

    def asked(self, refs, customer, session=None, hours=1):
        named = [
            {"object": "promotion_tier" if ref == TIER else "voucher", "id": self.ids.get(ref, ref)}
            for ref in refs
        ]
        body = {
            "redeemables": named,
            "order": {"amount": ORDER},
            "customer": {"source_id": customer},
        }
        if session:
            body["session"] = {"type": "LOCK", "key": session, "ttl": hours, "ttl_unit": "HOURS"}
        return parse_checkout(body)

    @rule(refs=Refs, customer=Customers, session=st.none() | Sessions)
    def redeem(self, refs, customer, session) -> None:
        asked = self.asked(refs, customer, session)
        try:
            wanted, key = self.model.decide(refs, customer, session, self.now), None
        except Refused as refused:
            wanted, key = [], str(refused)
        if key:
            with pytest.raises(DomainError) as refusal:
                redeem(self.project, asked, channel=SHOP, now=self.now)
            assert refusal.value.key == key
            return
        made = redeem(self.project, asked, channel=SHOP, now=self.now).recorded
        whole = made.parent or made.redemptions[0]
        assert made.order["total_discount_amount"] == sum(use.off + use.credits for use in wanted)
        self.model.used[whole.redemption.public_id] = wanted
        self.model.balance -= sum(use.credits for use in wanted)
        self.model.holds = [
            hold for hold in self.model.holds if not (hold.session == session and hold.use.ref in refs)
        ]

    @precondition(lambda self: self.model.used)
    @rule(data=st.data())
    def roll_back(self, data) -> None:
        redemption = data.draw(st.sampled_from(sorted(self.model.used)))
        roll_back_redemptions(self.project, redemption, channel=SHOP, now=self.now)
        self.model.balance += sum(use.credits for use in self.model.used.pop(redemption))

    @rule(refs=Refs, customer=Customers, session=Sessions, hours=st.integers(1, 30))
    def hold(self, refs, customer, session, hours) -> None:
        asked = self.asked(refs, customer, session, hours)
        try:
            wanted = self.model.decide(refs, customer, session, self.now)
        except Refused:
            wanted = []
        decision = validate(self.project, asked, channel=SHOP, now=self.now).decision
        assert decision.is_valid is bool(wanted)
        if wanted:
            until = self.now + timedelta(hours=hours)
            kept = [hold for hold in self.model.holds if hold.session != session]
            self.model.holds = kept + [Hold(session, use, until) for use in wanted]

    @precondition(lambda self: any(hold.use.ref != TIER for hold in self.model.live(self.now)))
    @rule(data=st.data())
    def let_go(self, data) -> None:
        held = [hold for hold in self.model.live(self.now) if hold.use.ref != TIER]
        gone = data.draw(st.sampled_from(held))
        release(self.project, code=gone.use.ref, key=gone.session)
        self.model.holds.remove(gone)

    @rule(hours=st.sampled_from([1, 5, 24]))
    def wait(self, hours) -> None:
        self.now += timedelta(hours=hours)

    @rule(ref=st.sampled_from([*CODES, CARD]), active=st.booleans())
    def switch(self, ref, active) -> None:
        set_voucher_active(self.project, ref, active=active, now=self.now)
        (self.model.disabled.discard if active else self.model.disabled.add)(ref)

    @rule(quantity=st.integers(1, 8))
    def allow(self, quantity) -> None:
        used = sum(use.ref == "FEW" for use in self.model.uses())
        change = {"redemption": {"quantity": quantity}}
        if quantity < used:
            with pytest.raises(DomainError):
                update_voucher(self.project, "FEW", data=change, now=self.now)
        else:
            update_voucher(self.project, "FEW", data=change, now=self.now)
            self.model.quantity = quantity

    @rule(name=st.sampled_from([TOTAL, PER_DAY, TIER_DAY]), most=st.integers(0, 8))
    def tighten_or_loosen(self, name, most) -> None:
        rules = {"1": {"name": name, "conditions": {"$less_than_or_equal": [most]}}}
        update_validation_rule(self.project, self.rules[name], data={"rules": rules}, now=self.now)
        self.model.limits[name] = most

    @invariant()
    def codes_agree(self) -> None:
        used = [use.ref for use in self.model.uses()]
        for code in (*CODES, CARD):
            voucher = voucher_by_ref(self.project, code)
            assert voucher.redeemed_quantity + voucher.pending_quantity == used.count(code)

        assert voucher.gift_balance == self.model.balance
        assert voucher.redeemed_amount == sum(use.credits for use in self.model.uses())

    @invariant()
    def counters_agree(self) -> None:
        rows = UsageCounter.objects.filter(project=self.project).exclude(value=0)
        found = {
            (
                row.measure,
                self.subjects.get(row.subject, row.subject),
                row.starts_at.date() if row.starts_at else None,
            ): row.value
            for row in rows
        }
        assert found == self.model.counters()
        assert_ledger_agrees(self.project)

    @invariant()
    def holds_agree(self) -> None:
        live = self.model.live(self.now)
        mine = {"project": self.project, "expires_at__gt": self.now}
        held = Reservation.objects.filter(**mine)
        assert held.count() == sum(hold.use.ref != TIER for hold in live)
        assert (held.aggregate(Sum("amount"))["amount__sum"] or 0) == sum(hold.use.credits for hold in live)
        in_codes = [hold.use for hold in live if hold.use.ref in CODES]
        of_tier = [hold for hold in live if hold.use.ref == TIER]
        amount = CounterHold.objects.filter(**mine).aggregate(Sum("amount"))["amount__sum"] or 0
        assert amount == sum(3 + use.off for use in in_codes) + len(of_tier)


@pytest.mark.django_db
def test_any_sequence_of_checkouts_leaves_what_it_should():
    run_state_machine_as_test(
        Checkout,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
