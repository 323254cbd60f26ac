"""How long data are kept: by project and by table, deleted or blanked by a job."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from customers.models import Customer, CustomEvent
from promoengine.core.jobs import forget
from promoengine.core.models import OutboxEvent, RetentionPeriod
from promoengine.core.privacy import retained_models
from promoengine.core.services import retention
from promoengine.core.services.relay import relay_batch
from redemptions.models import Order, Redemption
from tests.factories import CustomerFactory, VoucherFactory

ANN = {"source_id": "ann"}
LONG_AGO = timedelta(days=400)


def keep(project, table, days=365):
    return retention.set_retention(project, table=table, days=days, now=timezone.now())


def forget_as_of(moment):
    for period in RetentionPeriod.objects.select_related("project"):
        retention.forget(period, now=moment)


def in_a_year():
    return datetime.now(UTC) + LONG_AGO


def redeem(api):
    code = VoucherFactory(project=api.project).code
    order = {"source_id": "o", "amount": 5000, "metadata": {"to": "Ann"}}
    body = {"redeemables": [{"object": "voucher", "id": code}], "customer": ANN, "order": order}
    assert api.post("/v1/redemptions", body).status_code == 200


def test_old_events_are_deleted_and_young_ones_stay(api, project):
    keep(project, "customers.CustomEvent")
    for moment in ((datetime.now(UTC) - LONG_AGO).isoformat(), None):
        api.post("/v1/events", {"event": "seen", "customer": ANN, "created_at": moment})

    forget()

    assert CustomEvent.objects.count() == 1
    assert CustomEvent.objects.get().created_at > datetime.now(UTC) - timedelta(days=1)


def test_without_a_period_everything_stays(api, project):
    api.post("/v1/events", {"event": "seen", "customer": ANN, "created_at": "1999-01-01"})

    forget()

    assert CustomEvent.objects.count() == 1


def test_other_projects_keep_theirs(api, other_api, project):
    keep(project, "customers.CustomEvent")
    for caller in (api, other_api):
        caller.post("/v1/events", {"event": "seen", "customer": ANN, "created_at": "1999-01-01"})

    forget()

    assert [event.project for event in CustomEvent.objects.all()] == [other_api.project]


def test_orders_and_redemptions_lose_what_is_personal_and_keep_their_amounts(api, project):
    redeem(api)
    keep(project, "redemptions.Order")
    keep(project, "redemptions.Redemption")
    amounts = Redemption.objects.values_list("order_amount", "discount_amount").get()

    forget_as_of(in_a_year())

    order, redemption = Order.objects.get(), Redemption.objects.get()
    assert (order.metadata, order.amount, order.source_id) == ({}, 5000, "o")
    assert redemption.order_snapshot["metadata"] == {}
    assert redemption.order_snapshot["amount"] == 5000
    assert (redemption.order_amount, redemption.discount_amount) == amounts


def test_what_limits_are_counted_by_lasts_as_long_as_the_person(api, project):
    redeem(api)
    Redemption.objects.update(identity_keys=["email:x"])
    keep(project, "redemptions.Redemption")

    forget_as_of(in_a_year())
    assert Redemption.objects.get().identity_keys == ["email:x"]

    api.post("/v1/customers/ann/permanent-deletion")
    assert not Redemption.objects.get().identity_keys


def test_what_was_blanked_is_not_gone_through_again(api, project, django_assert_num_queries):
    redeem(api)
    keep(project, "redemptions.Order")
    forget_as_of(in_a_year())
    Order.objects.update(metadata={"again": 1})

    forget_as_of(in_a_year())

    assert Order.objects.get().metadata == {"again": 1}


def test_many_go_in_batches(api, project, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    keep(project, "customers.CustomEvent")
    for number in range(5):
        api.post("/v1/events", {"event": "seen", "customer": ANN, "created_at": f"1999-01-0{number + 1}"})

    (period,) = RetentionPeriod.objects.select_related("project")

    assert retention.forget(period, now=timezone.now()) == 5
    assert not CustomEvent.objects.exists()


def test_what_is_not_told_yet_stays_until_it_is(api, project):
    api.post("/v1/events", {"event": "seen", "customer": ANN})
    keep(project, "core.OutboxEvent")

    forget_as_of(in_a_year())
    waiting = OutboxEvent.objects.count()
    relay_batch({}, now=timezone.now())
    forget_as_of(in_a_year())

    assert (waiting, OutboxEvent.objects.count()) == (2, 0)


def test_silent_customers_are_erased_and_others_stay(api, project):
    old = timezone.now() - LONG_AGO
    for name in ("silent", "changed", "buys", "tells"):
        CustomerFactory(project=project, source_id=name, name=name, created_at=old)
    CustomerFactory(project=project, source_id="new", name="new")
    api.put("/v1/customers/changed", {"description": "x"})
    redeem_for = {"customer": {"source_id": "buys"}}
    api.post(f"/v1/vouchers/{VoucherFactory(project=project).code}/redemption", redeem_for)
    api.post("/v1/events", {"event": "seen", "customer": {"source_id": "tells"}})
    keep(project, "customers.Customer")

    forget()

    assert set(Customer.objects.present().values_list("name", flat=True)) == {
        "changed",
        "buys",
        "tells",
        "new",
    }
    assert Customer.objects.exclude(deleted_at=None).get().name is None
    assert OutboxEvent.objects.filter(type="customer.erased", channel="INTERNAL").count() == 1


@pytest.mark.parametrize("table", sorted(retained_models()))
def test_each_table_can_be_forgotten(api, project, table):
    redeem(api)
    api.post("/v1/events", {"event": "seen", "customer": ANN})
    keep(project, table, days=1)

    forget_as_of(in_a_year())


def test_one_that_fails_does_not_keep_the_others(api, project):
    RetentionPeriod.objects.create(project=project, table="customers.Gone", days=1)
    keep(project, "customers.CustomEvent")
    api.post("/v1/events", {"event": "seen", "customer": ANN, "created_at": "1999-01-01"})

    forget()

    assert not CustomEvent.objects.exists()


class TestPage:
    @pytest.fixture
    def admin(self, client, project):
        client.force_login(User.objects.create_superuser("boss"))
        return client

    def test_a_period_is_set_and_changed(self, admin, project):
        admin.post("/admin/core/retentionperiod/add/", {"table": "customers.CustomEvent", "days": "30"})
        period = RetentionPeriod.objects.get()
        admin.post(f"/admin/core/retentionperiod/{period.pk}/change/", {"days": "60"})

        period.refresh_from_db()
        assert (period.project, period.table, period.days) == (project, "customers.CustomEvent", 60)
        shown = admin.get("/admin/core/retentionperiod/").content.decode()
        assert "Custom events" in shown
        assert "Deleted" in shown

    @pytest.mark.parametrize("days", ["0", "-1", "36501", "x", ""])
    def test_days_out_of_range_are_refused(self, admin, project, days):
        answer = admin.post(
            "/admin/core/retentionperiod/add/", {"table": "customers.CustomEvent", "days": days}
        )

        assert "days" in answer.context["adminform"].form.errors
        assert not RetentionPeriod.objects.exists()

    def test_what_is_set_already_is_said_in_words(self, admin, project):
        for _ in range(2):
            answer = admin.post(
                "/admin/core/retentionperiod/add/",
                {"table": "customers.CustomEvent", "days": "30"},
                follow=True,
            )

        assert "change that entry" in answer.content.decode()
        assert RetentionPeriod.objects.count() == 1

    def test_a_period_that_is_deleted_keeps_everything(self, admin, project):
        period = keep(project, "customers.CustomEvent")

        admin.post(f"/admin/core/retentionperiod/{period.pk}/delete/", {"post": "yes"})

        assert not RetentionPeriod.objects.exists()
