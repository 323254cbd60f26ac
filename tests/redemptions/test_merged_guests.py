"""A guest who signs in to an account that the project knows: all that was the guest's is the customer's."""

import pytest
from django.utils import timezone

from customers.models import Consent, ConsentStatement, Customer, CustomEvent, SegmentMember
from customers.services.segments import create_segment
from customers.tracking import tracking_id_of
from promoengine.core.models import OutboxEvent
from redemptions.jobs import refresh_customers, refresh_merged
from redemptions.models import CounterHold, Order, Redemption, UsageCounter
from tests.factories import CustomerFactory, VoucherFactory
from tests.limits import REFUSED, assert_ledger_agrees, body, key_of, limit, lock, redeem, roll_back
from vouchers.models import Publication, Voucher

EVER = "campaign.redemptions.customers_count"
ANN = {"source_id": "ann"}


@pytest.fixture
def ann(api):
    return api.post("/v1/customers", {**ANN, "email": "ann@example.com"}).json()


def redeemed(api, code, **who):
    answer = redeem(api, code.code, **who)
    assert answer.status_code == 200, answer.json()
    return answer.json()["redemptions"][0]


def events(*types):
    rows = OutboxEvent.objects.filter(type__in=types).order_by("pk")
    return [(row.type, row.entity_id) for row in rows]


def refresh(*types):
    job = refresh_merged if types == ("customer.merged",) else refresh_customers
    job(event_ids=[str(row.pk) for row in OutboxEvent.objects.filter(type__in=types)])


class TestLimits:
    def test_signing_in_does_not_double_a_limit(self, api, project, code, ann):
        limit(code.campaign, EVER, 1)
        redeemed(api, code, tracking_id="v-1")

        keys = [
            key_of(redeem(api, code.code, customer=ANN, tracking_id="v-1")),
            key_of(redeem(api, code.code, customer=ANN)),
            key_of(redeem(api, code.code, tracking_id="v-1")),
        ]

        assert keys == [REFUSED] * 3
        assert_ledger_agrees(project)

    @pytest.mark.parametrize("named", ["source_id", "id", "both"])
    def test_uses_of_both_are_counted_as_one(self, api, project, code, ann, named):
        limit(code.campaign, EVER, 3)
        who = {"source_id": ANN, "id": {"id": ann["id"]}, "both": {"id": ann["id"], **ANN}}[named]
        redeemed(api, code, customer=ANN)
        redeemed(api, code, tracking_id="v-1")

        keys = [key_of(redeem(api, code.code, customer=who, tracking_id="v-1")) for _ in range(2)]

        assert keys == ["success", REFUSED]
        assert set(Redemption.objects.values_list("customer__source_id", flat=True)) == {"ann"}
        assert UsageCounter.objects.exclude(subject="").get().value == 3
        assert_ledger_agrees(project)

    def test_signing_out_again_does_not_either(self, api, project, code, ann):
        limit(code.campaign, EVER, 2)
        redeemed(api, code, tracking_id="v-1")
        redeemed(api, code, customer=ANN, tracking_id="v-1")

        assert key_of(redeem(api, code.code, tracking_id="v-1")) == REFUSED
        assert key_of(redeem(api, code.code, tracking_id=tracking_id_of("v-1"))) == REFUSED
        assert Customer.objects.present().count() == 1

    def test_several_browsers_are_one_customer(self, api, project, code, ann):
        limit(code.campaign, EVER, 5)
        for browser in ("v-1", "v-2"):
            redeemed(api, code, tracking_id=browser)
            redeemed(api, code, tracking_id=browser, customer=ANN)

        assert redeemed(api, code, tracking_id="v-1")["customer_id"] == ann["id"]
        assert key_of(redeem(api, code.code, tracking_id="v-2")) == REFUSED
        assert_ledger_agrees(project)

    def test_a_validation_says_what_a_redemption_will_and_changes_nobody(self, api, code, ann):
        limit(code.campaign, EVER, 2)
        redeemed(api, code, customer=ANN)
        redeemed(api, code, tracking_id="v-1")

        asked = body(code.code, customer=ANN, tracking_id="v-1")

        assert not api.post("/v1/validations", asked).json()["valid"]
        assert Customer.objects.present().count() == 2

    def test_what_a_guests_session_holds_is_held_by_the_customer(self, api, project, code, ann):
        limit(code.campaign, EVER, 1)
        api.post("/v1/events", {"event": "seen", "tracking_id": "v-1"})
        asked = body(code.code, tracking_id="v-1", session=lock())
        held = api.post("/v1/validations", asked).json()

        api.post("/v1/events", {"event": "seen", "customer": ANN, "tracking_id": "v-1"})
        other = key_of(redeem(api, code.code, customer=ANN))
        mine = key_of(redeem(api, code.code, customer=ANN, session=lock()))

        assert held["valid"]
        assert [other, mine] == [REFUSED, "success"]
        assert not CounterHold.objects.exists()
        assert_ledger_agrees(project)

    def test_a_session_of_both_holds_for_the_one(self, api, project, code, ann):
        limit(code.campaign, EVER, 2)
        redeemed(api, code, tracking_id="v-1")

        held = api.post(
            "/v1/validations", body(code.code, customer=ANN, tracking_id="v-1", session=lock())
        ).json()

        assert held["valid"]
        assert key_of(redeem(api, code.code, customer=ANN)) == REFUSED
        assert Customer.objects.present().count() == 1

    def test_a_guests_use_is_given_back_to_the_customer(self, api, project, code, ann):
        limit(code.campaign, EVER, 2)
        first = redeem(api, code.code, tracking_id="v-1")
        redeemed(api, code, customer=ANN, tracking_id="v-1")

        assert key_of(redeem(api, code.code, customer=ANN)) == REFUSED
        assert roll_back(api, first).status_code == 200
        assert key_of(redeem(api, code.code, customer=ANN)) == "success"
        assert_ledger_agrees(project)


class TestWhatMoves:
    @pytest.fixture
    def guest(self, api, project):
        """A guest of whom every table has something."""
        api.post("/v1/events", {"event": "seen", "tracking_id": "v-1", "metadata": {"page": 1}})
        return Customer.objects.get(source_id=None)

    def sign_in(self, api):
        answer = api.post("/v1/events", {"event": "login", "customer": ANN, "tracking_id": "v-1"})
        assert answer.status_code == 200, answer.json()
        return answer.json()["customer"]

    def test_all_rows_are_the_customers(self, api, project, code, ann, guest):
        used = redeemed(api, code, tracking_id="v-1", order={"amount": 5000, "status": "PAID"})
        card = VoucherFactory(project=project, holder=guest)
        sent = Publication.objects.create(
            project=project, customer=guest, voucher_ids=[card.pk], created_at=timezone.now()
        )
        consent = Consent.objects.create(project=project, name="News")
        ConsentStatement.objects.create(
            project=project, customer=guest, consent=consent, is_given=True, created_at=timezone.now()
        )
        brought = Order.objects.create(project=project, referrer=guest)
        listed = create_segment(
            project,
            data={"name": "Listed", "type": "static", "customers": [guest.public_id]},
            now=timezone.now(),
        )

        assert self.sign_in(api)["id"] == ann["id"]
        refresh("customer.merged")

        key = Customer.objects.get(source_id="ann").pk
        assert not any(
            model.objects.filter(customer=guest).exists()
            for model in (Redemption, Order, CustomEvent, ConsentStatement, SegmentMember, Publication)
        )
        assert Redemption.objects.get().customer_id == key
        assert Order.objects.get(pk=brought.pk).referrer_id == key
        assert Voucher.objects.get(pk=card.pk).holder_id == key
        assert Publication.objects.get(pk=sent.pk).customer_id == key
        assert CustomEvent.objects.filter(customer=key).count() == 2
        assert SegmentMember.objects.get(segment=listed).customer_id == key
        assert api.get(f"/v1/redemptions/{used['id']}").json()["customer_id"] == ann["id"]
        summary = api.get("/v1/customers/ann").json()["summary"]
        assert summary["redemptions"]["total_succeeded"] == 1
        assert summary["orders"]["total_count"] == 1
        happened = [one["type"] for one in api.get("/v1/customers/ann/activity").json()["data"]]
        assert {"customer.redemption.succeeded", "customer.custom_event", "customer.updated"} <= {*happened}

    def test_the_customer_is_told_of_once_and_the_guest_goes(self, api, ann, guest):
        OutboxEvent.objects.all().delete()

        self.sign_in(api)
        self.sign_in(api)

        assert events("customer.created", "customer.updated", "customer.deleted", "customer.merged") == [
            ("customer.deleted", guest.public_id),
            ("customer.merged", ann["id"]),
            ("customer.updated", ann["id"]),
        ]

    def test_the_customers_profile_is_completed_not_overwritten(self, api, project, ann, guest):
        Customer.objects.filter(pk=guest.pk).update(
            name="Guest", phone="+48501234567", metadata={"size": "M", "level": "none"}
        )
        api.put("/v1/customers/ann", {"name": "Ann", "metadata": {"level": "gold"}})

        self.sign_in(api)

        known = api.get("/v1/customers/ann").json()
        assert (known["name"], known["phone"], known["email"]) == ("Ann", "+48501234567", "ann@example.com")
        assert known["metadata"] == {"size": "M", "level": "gold"}

    def test_the_customer_enters_the_segments_that_both_together_belong_to(self, api, project, ann, guest):
        filter = {"junction": "and", "events.seen.count": {"conditions": {"$more_than": [0]}}}
        data = {"name": "Seen", "type": "auto-update", "filter": filter}
        segment = create_segment(project, data=data, now=timezone.now())
        SegmentMember.objects.create(segment=segment, customer=guest)

        self.sign_in(api)

        assert SegmentMember.objects.get().customer.source_id == "ann"
        assert events("customer.segment.entered", "customer.segment.left") == [
            ("customer.segment.entered", segment.public_id)
        ]

    def test_the_guests_ids_lead_to_the_customer(self, api, ann, guest):
        self.sign_in(api)

        for ref in (guest.public_id, guest.tracking_id):
            assert api.get(f"/v1/customers/{ref}").json()["id"] == ann["id"]
        assert api.get("/v1/customers").json()["total"] == 1

    def test_what_was_being_written_of_the_guest_follows(self, api, project, code, ann, guest):
        self.sign_in(api)
        late = CustomEvent.objects.create(
            project=project, customer=guest, type="late", created_at=timezone.now()
        )
        OutboxEvent.objects.create(
            project=project, type="redemption.failed", customer_id=guest.pk, created_at=timezone.now()
        )

        refresh("redemption.failed")

        late.refresh_from_db()
        assert late.customer.source_id == "ann"

    def test_a_repeated_event_merges_nobody(self, api, project, ann):
        api.post("/v1/events", {"event": "seen", "customer": ANN, "source_id": "e-1"})
        api.post("/v1/events", {"event": "seen", "tracking_id": "v-1"})

        again = {"event": "seen", "customer": ANN, "source_id": "e-1", "tracking_id": "v-1"}

        assert api.post("/v1/events", again).status_code == 200
        assert Customer.objects.present().count() == 2


class TestWhoIsToldApart:
    def test_guests_with_another_address(self, api, project, code, ann):
        redeemed(api, code, tracking_id="v-1", customer={"email": "bob@example.com"})

        redeemed(api, code, tracking_id="v-1", customer=ANN)

        assert Customer.objects.present().count() == 2

    def test_guests_with_the_same_address_spelled_otherwise(self, api, project, code, ann):
        redeemed(api, code, tracking_id="v-1", customer={"email": "ANN@Example.com"})

        redeemed(api, code, tracking_id="v-1", customer=ANN)

        assert Customer.objects.present().get().source_id == "ann"

    def test_another_account_on_the_same_browser(self, api, project, code, ann):
        CustomerFactory(project=project, source_id="bob")
        redeemed(api, code, tracking_id="v-1")
        redeemed(api, code, tracking_id="v-1", customer=ANN)

        redeemed(api, code, tracking_id="v-1", customer={"source_id": "bob"})
        redeemed(api, code, tracking_id="v-1", customer={"source_id": "eve"})

        used = Redemption.objects.order_by("customer__source_id").values_list(
            "customer__source_id", flat=True
        )
        assert list(used) == ["ann", "ann", "bob", "eve"]

    def test_another_projects_guests(self, api, other_api, project, code, ann):
        other_api.post("/v1/events", {"event": "seen", "tracking_id": "v-1"})

        redeemed(api, code, tracking_id="v-1", customer=ANN)

        assert Customer.objects.present().count() == 2

    def test_a_deleted_customers_browser_is_a_new_guest(self, api, project, code, ann):
        redeemed(api, code, tracking_id="v-1")
        redeemed(api, code, tracking_id="v-1", customer=ANN)
        api.delete("/v1/customers/ann")

        first, second = (redeemed(api, code, tracking_id="v-1")["customer_id"] for _ in range(2))

        assert first == second != ann["id"]

    def test_permanent_deletion_takes_the_guests_tracking_id(self, api, project, code, ann):
        redeemed(api, code, tracking_id="v-1")
        redeemed(api, code, tracking_id="v-1", customer=ANN)

        api.post("/v1/customers/ann/permanent-deletion")

        assert not Customer.objects.exclude(tracking_id=None).exists()
