"""More rows at once than a statement has parameters for: 65,535."""

import pytest
from django.utils import timezone

from campaigns.models import BinEntry, Product, ProductCollectionMember
from campaigns.services.bin import put_codes_in_bin
from customers.models import Customer
from promoengine.core.events import Happening, record_events
from promoengine.core.ids import new_id
from promoengine.core.models import OutboxEvent
from vouchers.models import Voucher
from vouchers.services.bin import restore_entries

MANY = 66_000


def test_events(project):
    happenings = [Happening("seen", {"number": number}, "x", None, None) for number in range(MANY)]

    record_events(project, happenings, now=timezone.now())

    assert OutboxEvent.objects.count() == MANY


def test_a_collection_names_those_that_are_not_there(api, project):
    product = Product.objects.create(project=project, name="Shoe", source_id="shoe")
    listed = [{"object": "product", "id": "shoe"}] * MANY
    body = {"name": "Shoes", "type": "STATIC", "products": listed}

    assert api.post("/v1/product-collections", body).status_code == 200
    assert ProductCollectionMember.objects.get().product == product
    unknown = [{"object": "product", "id": f"shoe-{number}"} for number in range(MANY)]
    assert api.post("/v1/product-collections", body | {"products": unknown}).status_code == 404


def test_codes_come_back_from_the_bin(project):
    rows = [
        Voucher(project=project, code=f"C{number}", code_key=f"C{number}", deleted_at=timezone.now())
        for number in range(MANY)
    ]
    Voucher.objects.bulk_create(rows, batch_size=1000)
    put_codes_in_bin(project, ((row.public_id, row.code, None) for row in rows), now=timezone.now())
    keys = list(BinEntry.objects.values_list("pk", flat=True))

    assert restore_entries(project, keys, now=timezone.now()) == MANY
    assert Voucher.objects.present().count() == MANY
    assert not BinEntry.objects.exists()


@pytest.mark.parametrize(("column", "named"), [("pk", [new_id()]), ("source_id", ["ann", "it's {1,2}"])])
def test_rows_are_asked_for_by_any_of_a_list(project, column, named):
    ann = Customer.objects.create(project=project, source_id="ann")
    values = [*named, ann.pk if column == "pk" else "ann"]

    assert Customer.objects.filter(**{f"{column}__any_of": values}).get() == ann
    assert not Customer.objects.filter(**{f"{column}__any_of": []}).exists()
