"""Imports of customers, products and SKUs over REST that are checked first, or whose columns are said."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from campaigns.models import Product, Sku
from customers.models import Customer
from promoengine.core.models import AsyncAction, OutboxEvent, Project, UploadedFile
from promoengine.core.services import async_actions
from promoengine.core.services.async_actions import run_async_action
from tests.factories import CustomerFactory

CUSTOMERS, PRODUCTS, SKUS = (f"/v1/{name}/importCSV" for name in ("customers", "products", "skus"))
# What is sent of each: a header, rows of which the last is bad, and a column that can be called otherwise.
TABLES = {
    CUSTOMERS: ("Source_id,Name", ["a,Ann", "b,Bob", ",Nobody"], "source_id"),
    PRODUCTS: ("source_id,name,price", ["hat,Hat,1", "cap,Cap,2", "bag,Bag,cheap"], "name"),
    SKUS: ("product_id,source_id,sku", ["hat,red,Red", "hat,blue,Blue", "none,green,Green"], "sku"),
}
MODELS = {CUSTOMERS: Customer, PRODUCTS: Product, SKUS: Sku}
ALL = pytest.mark.parametrize("path", TABLES)


def send(api, path, fields, header=None, rows=None):
    table = "\n".join([header or TABLES[path][0], *(rows or TABLES[path][1])])
    return api.upload(path, SimpleUploadedFile("table.csv", table.encode()), fields)


def result_of(api, answer):
    assert answer.status_code in (200, 202), answer.content
    run_async_action(AsyncAction.objects.latest("pk").pk)
    return api.get(f"/v1/async-actions/{answer.json()['async_action_id']}").json()["result"]


@pytest.fixture
def hat(api):
    """A product that SKUs are of, made before anything is counted."""
    return api.post("/v1/products", {"source_id": "hat", "name": "Hat"}).json()


@ALL
def test_a_check_tells_what_would_come_in_and_changes_nothing(api, project, path, hat):
    CustomerFactory(project=project, source_id="a", name="As before")
    before = [
        list(rows.order_by("pk").values())
        for rows in (MODELS[path].objects, OutboxEvent.objects, Project.objects)
    ]

    result = result_of(api, send(api, path, {"mode": "check"}))

    after = [
        list(rows.order_by("pk").values())
        for rows in (MODELS[path].objects, OutboxEvent.objects, Project.objects)
    ]
    assert (result["done_count"], result["failed_count"]) == (2, 1)
    assert "2 " in result["message"]
    assert "would be imported, 1 failed" in result["message"]
    assert result["failed"][0]["row"] == 4
    assert before == after
    assert not UploadedFile.objects.exists()


@ALL
def test_a_check_goes_on_where_its_worker_died(api, project, path, hat, monkeypatch):
    answer, whole = send(api, path, {"mode": "check"}), async_actions._finish

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(async_actions, "_finish", die)
    with pytest.raises(KeyboardInterrupt):
        run_async_action(AsyncAction.objects.latest("pk").pk)
    monkeypatch.setattr(async_actions, "_finish", whole)

    result = result_of(api, answer)
    assert (result["done_count"], result["failed_count"]) == (2, 1)


@ALL
@pytest.mark.parametrize("fields", [{}, {"mode": "good"}])
def test_otherwise_the_good_rows_come_in(api, path, hat, fields):
    before = MODELS[path].objects.count()

    result = result_of(api, send(api, path, fields))

    known = 1 if path == PRODUCTS else 0
    assert (result["done_count"], result["failed_count"]) == (2, 1)
    assert "imported, 1 failed" in result["message"]
    assert "would" not in result["message"]
    assert MODELS[path].objects.count() == before + 2 - known


@ALL
def test_a_column_is_what_it_is_said_to_be(api, path, hat):
    header, rows, field = TABLES[path]
    renamed = ",".join("Spalte [1]" if name.lower() == field else name for name in header.split(","))

    result = result_of(api, send(api, path, {"mapping[Spalte [1]]": field}, renamed, rows))

    assert (result["done_count"], result["failed_count"]) == (2, 1)


def test_columns_can_be_attributes_or_left_out(api):
    mapping = {"mapping[Name]": "metadata", "mapping[Secret]": ""}
    result_of(api, send(api, CUSTOMERS, mapping, "Source_id,Name,Secret,Color", ["a,Ann,x,red"]))

    customer = api.get("/v1/customers/a").json()
    assert customer["metadata"] == {"Name": "Ann", "Color": "red"}
    assert "name" not in customer


@ALL
@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"mode": "dry"}, "Property .mode"),
        ({"mode": "all"}, "Property .mode"),
        ({"mapping": "x"}, "Property .mapping should be sent as mapping[name]=value"),
        ({"mapping[Nowhere]": "metadata"}, "Property .mapping names 'Nowhere', which is no column"),
        ({"mapping[{column}]": "shoe_size"}, "Property .mapping.{column} should be one of ["),
        ({"mapping[{column}]": "{other}"}, "Property .mapping can't be so. Only one column can be: {other}"),
    ],
)
def test_what_is_wrong_is_refused_by_name_and_starts_nothing(api, path, fields, details):
    column, other = TABLES[path][0].split(",")[:2]
    said = {"column": column, "other": other.lower()}
    sent = {key.format(**said): value.format(**said) for key, value in fields.items()}

    answer = send(api, path, sent)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload")
    assert answer.json()["details"].startswith(details.format(**said))
    assert not AsyncAction.objects.exists()
    assert not UploadedFile.objects.exists()
