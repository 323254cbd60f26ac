"""Permanent deletion, and the export of all that is held on a person, over all tables."""

import json
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from customers.jobs import erase_customers
from customers.models import Customer
from promoengine.core.errors import InvalidPayload
from promoengine.core.models import AsyncAction, IdempotentAnswer, OutboxEvent
from promoengine.core.privacy import models_about_people
from promoengine.core.services import async_actions
from promoengine.core.services.async_actions import resume_async_actions, run_async_action
from promoengine.core.services.relay import relay_batch
from redemptions.models import Order, Redemption
from tests.factories import CampaignFactory, VoucherFactory

SECRET = "mrs-secret"


def run_waiting():
    for action in AsyncAction.objects.filter(status="ENQUEUED"):
        run_async_action(action.pk)


def finish():
    erase_customers(event_ids=[str(key) for key in erasures().values_list("pk", flat=True)])


def erasures():
    return OutboxEvent.objects.filter(type="customer.erased")


def cells_with(text):
    """Return where in the whole database a text stands: pairs of a table and a column."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.table_name, column_name FROM information_schema.columns c"
            " JOIN information_schema.tables t USING (table_schema, table_name)"
            " WHERE c.table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        for table, column in cursor.fetchall():
            as_text = f"coalesce(encode(\"{column}\", 'escape'), '')"
            cursor.execute(
                "SELECT data_type FROM information_schema.columns WHERE table_name = %s AND column_name = %s",
                [table, column],
            )
            if cursor.fetchone()[0] != "bytea":
                as_text = f'"{column}"::text'
            cursor.execute(
                f"SELECT count(*) FROM \"{table}\" WHERE {as_text} ILIKE %s ESCAPE '!'", [f"%{text}%"]
            )
            if cursor.fetchone()[0]:
                found.append((table, column))
    return found


@pytest.fixture
def mrs_secret(api, client, project):
    """A customer of whom everything is known, by every way in, each time with a word that tells it."""
    source_id, email = f"{SECRET}-1", f"{SECRET}@example.com"
    person = {
        "source_id": source_id,
        "name": f"{SECRET} name",
        "email": email,
        "phone": f"+49{SECRET}",
        "description": SECRET,
        "birthdate": "1990-05-01",
        "address": {"city": SECRET, "line_1": SECRET},
        "metadata": {"note": SECRET},
    }
    api.post("/v1/customers", person)
    api.post("/v1/customers/bulk/async", [{"source_id": source_id, "metadata": {"more": SECRET}}])
    api.upload(
        "/v1/customers/importCSV",
        SimpleUploadedFile("c.csv", f"Source_id,Hobby\n{source_id},{SECRET}\n".encode()),
    )
    bad = {"source_id": source_id, "email": email, "birthdate": SECRET}
    api.post("/v1/customers/bulk/async", [bad])
    late = {"source_id": "order-0", "customer": {"source_id": source_id}, "amount": 5}
    api.post(
        "/v1/orders/import", [late | {"metadata": {"to": SECRET}}, {"status": SECRET, "customer": person}]
    )
    run_waiting()
    api.post("/v1/events", {"event": "seen", "customer": person, "metadata": {"where": SECRET}})
    campaign = CampaignFactory(project=project, type="AUTO_UPDATE")
    api.post(
        "/v1/publications",
        {
            "campaign": {"name": campaign.name},
            "customer": person,
            "metadata": {"for": SECRET},
            "source_id": SECRET,
        },
    )
    code = VoucherFactory(project=project, quantity=2).code
    redemption = {
        "redeemables": [{"object": "voucher", "id": code}],
        "customer": person,
        "order": {
            "source_id": "order-1",
            "metadata": {"to": SECRET},
            "items": [
                {"product_id": "prod_1", "quantity": 1, "amount": 5000, "metadata": {"engrave": SECRET}}
            ],
        },
        "metadata": {"note": SECRET},
        "tracking_id": SECRET,
    }
    made = api.post("/v1/redemptions", redemption, **{"Idempotency-Key": "once"}).json()
    api.post(f"/v1/redemptions/{made['redemptions'][0]['id']}/rollbacks?reason={SECRET}")
    api.post("/v1/redemptions", redemption | {"redeemables": [{"object": "voucher", "id": "nothing"}]})
    customer = Customer.objects.get(source_id=source_id)
    client.force_login(User.objects.create_superuser("boss"))
    client.post(f"/admin/customers/customer/{customer.pk}/change/", {"name": f"{SECRET} new", "email": email})
    client.logout()
    return customer


def test_erasing_leaves_the_word_nowhere_in_the_database(mrs_secret, api):
    assert {"customers_customer", "redemptions_order"} < {table for table, _ in cells_with(SECRET)}

    answer = api.post(f"/v1/customers/{mrs_secret.source_id}/permanent-deletion")
    finish()

    assert answer.status_code == 200
    assert cells_with(SECRET) == []


def test_sums_and_ledgers_stay(mrs_secret, api):
    before = ledger()

    api.post(f"/v1/customers/{mrs_secret.source_id}/permanent-deletion")
    finish()

    assert ledger() == before
    (order,) = Order.objects.all()
    assert (order.source_id, order.customer_id) == ("order-1", mrs_secret.pk)
    assert order.items[0]["amount"] == 5000
    assert api.get("/v1/redemptions").status_code == 200


def ledger():
    rows = Redemption.objects.order_by("pk")
    return list(rows.values_list("pk", "kind", "status", "discount_amount", "order_amount", "customer_id"))


def test_everybody_else_stays_as_they_are(mrs_secret, api):
    other = api.post("/v1/customers", {"source_id": "bob", "name": "Bob", "email": "bob@example.com"}).json()

    api.post(f"/v1/customers/{mrs_secret.source_id}/permanent-deletion")
    finish()

    assert api.get("/v1/customers/bob").json() == other
    assert len(api.get("/v1/customers/bob/activity").json()["data"]) == 1


def test_a_deleted_customer_is_erased_by_id(mrs_secret, api):
    api.delete(f"/v1/customers/{mrs_secret.source_id}")

    answer = api.post(f"/v1/customers/{mrs_secret.public_id}/permanent-deletion")
    finish()

    assert answer.status_code == 200
    assert cells_with(SECRET) == []


def test_an_erasure_is_told_once_and_without_a_name(mrs_secret, api, settings):
    api.post(f"/v1/customers/{mrs_secret.source_id}/permanent-deletion")

    (event,) = erasures()
    assert (event.entity_id, event.data) == (mrs_secret.public_id, {})
    assert relay_batch({}, now=event.created_at) >= 1


def test_what_is_written_while_erasing_is_erased_with_it(mrs_secret, api, project):
    api.post(f"/v1/customers/{mrs_secret.source_id}/permanent-deletion")
    Order.objects.create(project=project, customer_id=mrs_secret.pk, metadata={"late": SECRET})

    finish()

    assert cells_with(SECRET) == []


def test_answers_kept_for_retries_go_only_where_they_name_the_erased(mrs_secret, api):
    code = VoucherFactory(project=api.project).code
    api.post(
        f"/v1/vouchers/{code}/redemption", {"customer": {"source_id": "bob"}}, **{"Idempotency-Key": "b"}
    )

    api.post(f"/v1/customers/{mrs_secret.source_id}/permanent-deletion")
    finish()

    assert list(IdempotentAnswer.objects.values_list("key", flat=True)) == ["b"]


def test_an_unknown_customer_is_not_found(api):
    for path in ("permanent-deletion", f"x/{uuid.uuid4()}/permanent-deletion"):
        assert api.post(f"/v1/customers/nobody/{path}").status_code == 404
    assert (
        json.loads(api.post("/v1/customers/nobody/permanent-deletion").content)["resource_type"] == "customer"
    )


def test_all_that_is_held_is_exported(mrs_secret, api):
    """Wherever the word stands, of a table that is about people, the export has it from there."""
    document, cells = exported(api, mrs_secret.source_id), cells_with(SECRET)

    for model, privacy in models_about_people():
        rows = document["data"].get(str(model._meta.verbose_name_plural).replace(" ", "_"))
        for column in privacy.personal:
            stands = (model._meta.db_table, column) in cells
            assert privacy.is_copy or not stands or any(SECRET in str(row[column]).lower() for row in rows)
    assert document["customer_id"] == mrs_secret.public_id
    assert {"customers", "custom_events", "orders", "redemptions", "publications"} < set(document["data"])


def test_nobody_elses_data_are_exported(mrs_secret, api):
    api.post("/v1/customers", {"source_id": "bob", "email": "bob@example.com"})

    assert "bob@example.com" not in str(exported(api, mrs_secret.source_id))
    assert SECRET not in str(exported(api, "bob"))


def test_nothing_is_left_to_export_of_the_erased(mrs_secret, api):
    api.post(f"/v1/customers/{mrs_secret.source_id}/permanent-deletion")
    finish()

    document = exported(api, mrs_secret.public_id)

    assert SECRET not in str(document)
    assert len(document["data"]["redemptions"]) == len(Redemption.objects.all())


def exported(api, ref):
    answer = api.get(f"/v1/customers/{ref}/personal-data")
    assert answer.status_code == 200
    return json.loads(b"".join(answer.streaming_content))


def test_reports_keep_what_others_were_told_and_the_numbers_of_rows(mrs_secret, api, project):
    api.post("/v1/customers/bulk/async", [{"source_id": "bob", "birthdate": "never"}])
    run_waiting()
    before = {action.pk: action.failed for action in AsyncAction.objects.filter(failed_count__gt=0)}

    api.post(f"/v1/customers/{mrs_secret.source_id}/permanent-deletion")

    after = {action.pk: action.failed for action in AsyncAction.objects.filter(failed_count__gt=0)}
    changed = [after[key] for key in before if after[key] != before[key]]
    assert (len(before) >= 2, [len(rows) for rows in after.values()]) == (
        True,
        [len(rows) for rows in before.values()],
    )
    assert all(row["reason"] == "" for rows in changed for row in rows)
    assert [rows for rows in after.values() if rows[0].get("source_id") == "bob"] != []


@pytest.mark.parametrize("stop", ["cancel", "fail", "give up"])
def test_what_was_sent_for_work_is_let_go_of_however_it_ends(api, project, monkeypatch, stop):
    api.post("/v1/customers/bulk/async", [{"source_id": "ann", "name": SECRET}])
    action = AsyncAction.objects.get()
    assert "rows" in action.params
    if stop == "give up":
        AsyncAction.objects.update(attempts=99, updated_at=action.created_at - timedelta(days=1))
        resume_async_actions(now=action.created_at)
    else:
        ended = async_actions.Canceled() if stop == "cancel" else InvalidPayload("no")

        def end(*_):
            raise ended

        monkeypatch.setattr("customers.jobs.run_upserts", end, raising=False)
        monkeypatch.setattr("customers.services.import_customers.run_upserts", end)
        run_async_action(action.pk)

    action.refresh_from_db()
    assert (action.status in ("CANCELED", "FAILED"), "rows" in action.params) == (True, False)
