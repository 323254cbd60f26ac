"""Limits by customer that count the same person together."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import Campaign
from customers.models import Customer
from promoengine.core.models import Project, RetentionPeriod
from promoengine.core.services.retention import forget, set_retention
from redemptions.models import CounterHold, Redemption, UsageCounter
from redemptions.services.reconcile import differences, set_right
from tests.factories import CampaignFactory, PromotionTierFactory, VoucherFactory
from tests.limits import REFUSED, assert_ledger_agrees, body, key_of, limit, lock, redeem, roll_back
from tests.redemptions.people import EVER, code_in, outcomes

SENT = {
    "email": ({"email": "Ann.Lee@gmail.com"}, {"email": "annlee+x@googlemail.com"}),
    "phone": ({"phone": "+48 501 234 567"}, {"phone": "0048501234567"}),
    "card": ({"identities": {"card": "c"}}, {"identities": {"card": "c"}}),
    "device": ({"identities": {"device": "d"}}, {"identities": {"device": "d"}}),
    "address": (
        {"address": {"line_1": "Main 5", "postal_code": "1"}},
        {"address": {"line_1": "main  5", "postal_code": "1"}},
    ),
}


def subjects():
    return {
        (row.subject.partition(":")[0], row.window): row.value
        for row in UsageCounter.objects.exclude(subject="")
    }


@pytest.mark.parametrize("kind", SENT)
def test_who_shares_a_key_is_one_customer(api, project, kind):
    code = code_in(project, by=[kind])
    limit(code.campaign, EVER, 1)
    first, again = SENT[kind]

    keys = outcomes(
        api, code, {"source_id": "ann", **first}, {"source_id": "bob", **again}, {"source_id": "eve"}
    )

    assert keys == ["success", REFUSED, "success"]
    assert_ledger_agrees(project)


@pytest.mark.parametrize("kind", SENT)
def test_each_record_counts_alone_unless_a_campaign_asks(api, project, kind):
    code = code_in(project, by=[other for other in SENT if other != kind])
    limit(code.campaign, EVER, 1)
    first, again = SENT[kind]

    assert outcomes(api, code, {"source_id": "ann", **first}, {"source_id": "bob", **again}) == [
        "success",
        "success",
    ]
    assert_ledger_agrees(project)


@pytest.mark.parametrize(
    "name",
    [
        f"{name}{window}"
        for name in ("campaign.redemptions.customers_count", "redemption.count.per_customer")
        for window in ("", ".daily", ".weekly", ".monthly")
    ],
)
def test_every_window_counts_people(api, project, name):
    code = code_in(project, by=["email"])
    limit(code.campaign, name, 2)

    keys = outcomes(api, code, *({"source_id": who, "email": "a@b.co"} for who in ("x", "y", "z")))

    assert keys == ["success", "success", REFUSED]
    assert_ledger_agrees(project)


def test_any_full_key_refuses_and_each_use_counts_on_all(api, project):
    """Ann and Bob share a card, Bob and Eve a phone: Eve is refused for Bob's use, not for Ann's."""
    code = code_in(project, by=["card", "phone"])
    limit(code.campaign, EVER, 2)
    ann = {"source_id": "ann", "identities": {"card": "c"}}
    bob = {"source_id": "bob", "identities": {"card": "c"}, "phone": "+48501234567"}
    eve = {"source_id": "eve", "phone": "+48501234567"}

    assert outcomes(api, code, ann, bob, ann, eve, eve) == ["success", "success", REFUSED, "success", REFUSED]
    assert subjects() == {("customer", "ever"): 1, ("card", "ever"): 2, ("phone", "ever"): 2}
    assert_ledger_agrees(project)


@pytest.mark.parametrize("kind", ["email", "phone", "address"])
@pytest.mark.parametrize(
    "value", [["x"], {"a": 1}, 5, 2**62, True, "", "\x00", "x" * 10_000, {"line_1": {}, "country": ["PL"]}]
)
def test_a_hostile_profile_is_no_key(api, project, kind, value):
    code = code_in(project, by=[kind])
    limit(code.campaign, EVER, 1)

    validated = api.post("/v1/validations", body(code.code, customer={"source_id": "ann", kind: value}))
    redeemed = redeem(api, code.code, customer={"source_id": "ann", kind: value})

    assert validated.status_code in (200, 400)
    assert redeemed.status_code in (200, 400)
    assert_ledger_agrees(project)


def test_counting_people_takes_no_more_statements(api, project):
    """One more for each would be a round trip; keys come with the customer and go with the redemption."""
    api.post("/v1/customers", {"source_id": "ann", "email": "a@b.co", "identities": {"card": "c"}})
    ann, counts = {"source_id": "ann"}, []
    for by in ((), ("email", "card")):
        code = code_in(project, by=by)
        limit(code.campaign, EVER, 100)
        asked = body(code.code, customer=ann)
        redeem(api, code.code, customer=ann)
        for path in ("/v1/validations", "/v1/redemptions"):
            with CaptureQueriesContext(connection) as queries:
                assert api.post(path, asked).status_code == 200
            counts.append(len(queries))

    assert counts[:2] == counts[2:]


def test_what_is_stored_counts_where_nothing_is_sent(api, project):
    code = code_in(project, by=["email"])
    limit(code.campaign, EVER, 1)
    for who in ("ann", "bob"):
        api.post("/v1/customers", {"source_id": who, "email": "a@b.co"})

    assert outcomes(api, code, {"source_id": "ann"}, {"source_id": "bob"}) == ["success", REFUSED]


def test_a_validation_says_what_a_redemption_will(api, project):
    code = code_in(project, by=["email"])
    limit(code.campaign, EVER, 1)
    redeem(api, code.code, customer={"source_id": "ann", "email": "a@b.co"})

    def valid(**customer):
        return api.post("/v1/validations", body(code.code, customer=customer)).json()["valid"]

    assert not valid(source_id="new", email="A@B.co")
    assert not valid(identities={"email": "a@b.co"})
    assert valid(source_id="new", email="other@b.co")
    assert not Customer.objects.filter(source_id="new").exists()


def test_the_setting_counts_what_was_used_before_it(api, project):
    code = code_in(project)
    limit(code.campaign, EVER, 1)
    outcomes(api, code, {"source_id": "ann", "email": "a@b.co"})
    changed = api.put(f"/v1/campaigns/{code.campaign.public_id}", {"one_customer_by": ["email"]})

    assert changed.json()["one_customer_by"] == ["email"]
    assert outcomes(api, code, {"source_id": "bob", "email": "a@b.co"}) == [REFUSED]
    assert_ledger_agrees(project)


def test_promotions_and_discounted_units_count_people(api, project):
    campaign = CampaignFactory(
        project=project, campaign_type="PROMOTION", discount=None, one_customer_by=["email"]
    )
    tier = PromotionTierFactory(
        project=project,
        campaign=campaign,
        discount={"type": "PERCENT", "percent_off": 100, "effect": "APPLY_TO_ITEMS"},
    )
    entry = {
        "object": "product",
        "id": "shoe",
        "source_id": "shoe",
        "product_customer_campaign_quantity_limit": 4,
    }
    limit(tier, "redemption.count.per_customer", 5, extra={"applicable_to": {"included": [entry]}})
    order = {"items": [{"source_id": "shoe", "product_id": "shoe", "quantity": 3, "price": 100}]}

    answers = [
        redeem(api, tier.public_id, order=order, customer={"source_id": who, "email": "a@b.co"})
        for who in ("ann", "bob", "eve")
    ]

    given = [one.json().get("order", {}).get("total_discount_amount") for one in answers]
    assert given[:2] == [300, 100]
    assert not given[2]
    assert_ledger_agrees(project)


def test_two_codes_of_one_campaign_count_twice_on_every_key(api, project):
    code = code_in(project, by=["email"])
    other = VoucherFactory(project=project, campaign=code.campaign, discount=None)
    limit(code.campaign, EVER, 3)

    def both(who):
        return key_of(redeem(api, code.code, other.code, customer={"source_id": who, "email": "a@b.co"}))

    assert [both("ann"), both("bob")] == ["success", REFUSED]
    assert subjects()["email", "ever"] == 2
    assert_ledger_agrees(project)


def test_a_rollback_counts_down_each_key_once(api, project):
    code = code_in(project, by=["email", "card"])
    limit(code.campaign, EVER, 1)
    ann = {"source_id": "ann", "email": "a@b.co", "identities": {"card": "c"}}
    first = redeem(api, code.code, customer=ann)

    roll_back(api, first)
    again = roll_back(api, first)

    assert key_of(again) == "already_rolled_back"
    assert set(subjects().values()) == {0}
    assert outcomes(api, code, ann | {"source_id": "bob"}, ann) == ["success", REFUSED]
    assert_ledger_agrees(project)


def test_a_key_changed_since_is_not_counted_down(api, project):
    """What a redemption counted on is what it gives back, whoever the customer is by then."""
    code = code_in(project, by=["email"])
    limit(code.campaign, EVER, 1)
    first = redeem(api, code.code, customer={"source_id": "ann", "email": "old@b.co"})
    api.put("/v1/customers/ann", {"email": "new@b.co"})

    roll_back(api, first)

    assert set(subjects().values()) == {0}
    assert outcomes(api, code, {"source_id": "bob", "email": "old@b.co"}) == ["success"]
    assert_ledger_agrees(project)


def test_a_session_holds_every_key(api, project):
    code = code_in(project, by=["email"])
    limit(code.campaign, EVER, 1)
    ann, bob = ({"source_id": who, "email": "a@b.co"} for who in ("ann", "bob"))
    held = api.post("/v1/validations", body(code.code, customer=ann, session=lock("cart")))

    assert held.json()["valid"]
    assert outcomes(api, code, bob) == [REFUSED]
    assert key_of(redeem(api, code.code, customer=ann, session=lock("cart"))) == "success"
    assert not CounterHold.objects.exists()
    assert outcomes(api, code, bob) == [REFUSED]
    assert_ledger_agrees(project)


def test_a_released_session_lets_go_of_every_key(api, project):
    code = code_in(project, by=["email", "card"])
    limit(code.campaign, EVER, 1)
    ann = {"source_id": "ann", "email": "a@b.co", "identities": {"card": "c"}}
    api.post("/v1/validations", body(code.code, customer=ann, session=lock("cart")))

    api.delete(f"/v1/vouchers/{code.code}/sessions/cart")

    assert not CounterHold.objects.exists()
    assert outcomes(api, code, ann | {"source_id": "bob"}) == ["success"]


def test_counters_by_key_are_proved_and_set_right(api, project):
    code = code_in(project, by=["email"])
    limit(code.campaign, EVER, 5)
    outcomes(api, code, {"source_id": "ann", "email": "a@b.co"})
    UsageCounter.objects.filter(subject__startswith="email:").update(value=4)

    (found,) = differences(project)
    digest = UsageCounter.objects.get(subject__startswith="email:").subject.partition(":")[2]

    assert (found.found, found.expected) == (4, 1)
    assert "by one email" in str(found)
    assert digest not in str(found)
    assert set_right(project, found)
    assert_ledger_agrees(project)


def test_a_redemption_keeps_keys_and_answers_none(api, project):
    code = code_in(project, by=["email"])

    answer = redeem(
        api, code.code, customer={"source_id": "ann", "email": "a@b.co", "identities": {"card": "c"}}
    )

    (use,) = Redemption.objects.all()
    assert [key.partition(":")[0] for key in use.identity_keys] == ["email", "card"]
    for key in use.identity_keys:
        assert key.partition(":")[2] not in answer.content.decode()


def test_another_projects_people_are_others(api, other_api, project):
    codes = []
    for shop in (api, other_api):
        code = code_in(shop.project, by=["email"])
        limit(code.campaign, EVER, 1)
        codes.append(code)
    ann = {"source_id": "ann", "email": "a@b.co"}

    assert outcomes(api, codes[0], ann) == ["success"]
    assert outcomes(other_api, codes[1], ann) == ["success"]
    assert UsageCounter.objects.filter(subject__startswith="email:").values("subject").distinct().count() == 2


def test_permanent_deletion_takes_the_keys_out_of_the_ledger(api, project):
    """What others who share the key have used still counts, and the ledger still proves it."""
    code = code_in(project, by=["email"])
    limit(code.campaign, EVER, 5)
    outcomes(api, code, {"source_id": "ann", "email": "a@b.co"}, {"source_id": "bob", "email": "a@b.co"})
    ann = Customer.objects.get(source_id="ann")

    api.post("/v1/customers/ann/permanent-deletion")

    assert Redemption.objects.get(customer=ann).identity_keys is None
    assert_ledger_agrees(project)
    outcomes(api, code, {"source_id": "eve", "email": "a@b.co"})
    assert subjects()["email", "ever"] == 2
    assert_ledger_agrees(project)


def test_permanent_deletion_leaves_no_counter_of_the_person_alone(api, project):
    code = code_in(project, by=["email"])
    limit(code.campaign, EVER, 5)
    ann = {"source_id": "ann", "email": "a@b.co"}
    outcomes(api, code, ann)
    key = Customer.objects.get().identity_keys[0]

    api.post("/v1/customers/ann/permanent-deletion")

    assert not UsageCounter.objects.filter(subject=key).exists()
    assert_ledger_agrees(project)


def test_forgetting_details_after_a_time_forgets_no_limit(api, project):
    code = code_in(project, by=["email"])
    limit(code.campaign, EVER, 1)
    outcomes(api, code, {"source_id": "ann", "email": "a@b.co"})
    set_retention(project, table="redemptions.Redemption", days=30, now=timezone.now())

    forget(RetentionPeriod.objects.get(), now=timezone.now() + timedelta(days=90))

    assert Redemption.objects.get().tracking_id is None
    assert_ledger_agrees(project)
    assert outcomes(api, code, {"source_id": "bob", "email": "a@b.co"}) == [REFUSED]


class TestSetting:
    def test_a_campaign_is_made_with_it(self, api, project):
        asked = {
            "name": "One each",
            "campaign_type": "PROMOTION",
            "one_customer_by": ["phone", "email", "email"],
            "guests": "REFUSED",
        }

        made = api.post("/v1/campaigns", asked).json()

        assert (made["one_customer_by"], made["guests"]) == (["email", "phone"], "REFUSED")
        campaign = Campaign.objects.get()
        assert (campaign.one_customer_by, campaign.guests) == (["email", "phone"], "REFUSED")

    @pytest.mark.parametrize("wrong", [{"one_customer_by": ["passport"]}, {"guests": "MAYBE"}])
    def test_what_nobody_knows_is_refused(self, api, project, wrong):
        campaign = CampaignFactory(project=project)

        answer = api.put(f"/v1/campaigns/{campaign.public_id}", wrong)

        assert answer.status_code == 400
        assert next(iter(wrong)) in answer.json()["details"]

    def test_a_change_holds_at_once(self, api, project):
        code = code_in(project)
        version = Project.objects.get(pk=project.pk).definitions_version
        redeem(api, code.code)

        api.put(f"/v1/campaigns/{code.campaign.public_id}", {"guests": "REFUSED"})

        assert Project.objects.get(pk=project.pk).definitions_version > version
        assert key_of(redeem(api, code.code)) == "missing_customer"

    def test_it_is_absent_where_it_is_as_published(self, api, project):
        campaign = CampaignFactory(project=project)

        wire = api.get(f"/v1/campaigns/{campaign.public_id}").json()

        assert not {"one_customer_by", "guests"} & wire.keys()
