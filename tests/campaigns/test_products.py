"""Products over HTTP."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from campaigns.models import Product, Sku
from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import run_async_action
from tests.factories import ProductFactory, SkuFactory
from tests.versions import growths

PHONE = {
    "source_id": "phone",
    "name": "Phone",
    "price": 200000,
    "attributes": ["color", "memory"],
    "metadata": {"brand": "Acme"},
    "image_url": "https://shop.example/phone.png",
}


def run_newest(project):
    action = AsyncAction.objects.filter(project=project).latest("created_at")
    run_async_action(action.pk)
    action.refresh_from_db()
    return action


def upload(api, path, text):
    return api.upload(path, SimpleUploadedFile("rows.csv", text.encode()))


def test_a_product_shows_what_was_sent(api):
    made = api.post("/v1/products", PHONE).json()

    assert {name: made[name] for name in PHONE} == PHONE
    assert (made["object"], made["updated_at"], made["id"][:5]) == ("product", None, "prod_")


def test_a_product_needs_no_field_at_all(api):
    made = api.post("/v1/products", {}).json()

    assert (made["name"], made["source_id"], made["price"], made["attributes"]) == (None, None, None, [])


def test_the_same_source_id_is_the_same_product(api):
    first = api.post("/v1/products", PHONE).json()

    second = api.post("/v1/products", {"source_id": "phone", "price": 1, "metadata": {"size": 6}}).json()

    assert (second["id"], second["name"], second["price"]) == (first["id"], "Phone", 1)
    assert second["metadata"] == {"brand": "Acme", "size": 6}


def test_a_product_is_upserted_by_its_id(api):
    made = api.post("/v1/products", {"name": "Phone"}).json()

    again = api.post("/v1/products", {"id": made["id"], "source_id": "phone"}).json()

    assert (again["id"], again["source_id"], again["name"]) == (made["id"], "phone", "Phone")


def test_a_source_id_of_another_product_is_refused(api):
    made = api.post("/v1/products", {"name": "Phone"}).json()
    api.post("/v1/products", PHONE)

    answer = api.post("/v1/products", {"id": made["id"], "source_id": "phone"})

    assert (answer.status_code, answer.json()["key"]) == (409, "duplicate_found")


@pytest.mark.parametrize("ref", ["phone", "{id}"])
def test_a_product_is_read_with_its_skus(api, ref):
    made = api.post("/v1/products", PHONE).json()
    sku = api.post("/v1/products/phone/skus", {"sku": "Phone 64GB"}).json()

    read = api.get(f"/v1/products/{ref.format(**made)}").json()

    assert read == made | {"skus": {"object": "list", "data_ref": "data", "data": [sku], "total": 1}}


def test_an_update_changes_what_it_names_and_nothing_else(api):
    made = api.post("/v1/products", PHONE).json()

    changed = api.put(
        "/v1/products/phone", {"price": None, "source_id": "other", "metadata": {"a": 1}}
    ).json()

    expected = made | {"price": None, "metadata": {"brand": "Acme", "a": 1}}
    assert changed | {"updated_at": None} == expected


def test_a_deleted_product_is_gone_with_its_skus(api):
    product = ProductFactory(project=api.project, source_id="phone")
    SkuFactory(project=api.project, product=product)

    assert api.delete("/v1/products/phone?force=true").status_code == 204
    assert api.get("/v1/products/phone").status_code == 404
    assert api.delete("/v1/products/phone").status_code == 404
    assert Sku.objects.count() == 0


@pytest.mark.parametrize("ref", ["a@b.example", "a b", "a/b", "100%", "ä"])
def test_a_source_id_may_be_any_text(api, ref):
    api.post("/v1/products", {"source_id": ref})
    path = "".join(f"%{byte:02X}" for byte in ref.encode())

    assert api.client.get(f"/v1/products/{path}", headers=api.headers).json()["source_id"] == ref


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ([], "Payload should be object"),
        ({"price": "12"}, "Property .price should be integer of 0 or more"),
        ({"price": -1}, "Property .price should be integer of 0 or more"),
        ({"price": True}, "Property .price should be integer of 0 or more"),
        ({"price": 2**63}, "Property .price should be integer of 0 or more"),
        ({"name": ["x"]}, "Property .name should be string"),
        ({"name": "x" * 256}, "Property .name may have up to 255 characters"),
        ({"source_id": {}}, "Property .source_id should be string"),
        ({"attributes": "color"}, "Property .attributes should be an array of strings"),
        ({"attributes": [1]}, "Property .attributes should be an array of strings"),
        ({"metadata": [1]}, "Property .metadata should be object"),
        ({"image_url": 1.5}, "Property .image_url should be string"),
    ],
)
def test_bad_input_is_named_and_makes_nothing(api, body, details):
    answer = api.post("/v1/products", body)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload")
    assert answer.json()["details"] == details
    assert Product.objects.count() == 0


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["A", "B", "C"]),
        ({"order": "-created_at", "limit": 2}, ["C", "B"]),
        ({"limit": 2, "page": 2}, ["C"]),
        ({"start_date": "2999-01-01"}, []),
        ({"end_date": "2999-01-01", "limit": 1}, ["A"]),
        ({"created_at[before]": "2000-01-01"}, []),
    ],
)
def test_products_are_listed(api, query, names):
    for name in ("A", "B", "C"):
        api.post("/v1/products", {"name": name})

    assert [row["name"] for row in api.get("/v1/products", query).json()["products"]] == names


@pytest.mark.parametrize("query", [{"order": "price"}, {"limit": 101}, {"start_date": "yesterday"}])
def test_a_wrong_query_is_refused(api, query):
    assert api.get("/v1/products", query).json()["key"] == "invalid_query_params"


def test_listing_asks_as_much_for_three_as_for_one(api, project, django_assert_num_queries):
    for _ in range(4):
        SkuFactory(project=project)
    api.get("/v1/products")

    with django_assert_num_queries(3):
        api.get("/v1/products", {"limit": 1})
    with django_assert_num_queries(3):
        api.get("/v1/products", {"limit": 3})


def test_each_change_grows_the_version_of_definitions(api, project):
    versions = [growths(project)]
    for change in (
        lambda: api.post("/v1/products", PHONE),
        lambda: api.put("/v1/products/phone", {"price": 1}),
        lambda: api.post("/v1/products/phone/skus", {"source_id": "64"}),
        lambda: api.put("/v1/products/phone/skus/64", {"price": 1}),
        lambda: api.delete("/v1/products/phone/skus/64"),
        lambda: api.delete("/v1/products/phone"),
    ):
        change()
        versions.append(growths(project))

    assert versions == list(range(7))


def test_nothing_is_written_where_nothing_changes(api, project):
    made = api.post("/v1/products", PHONE).json()

    assert api.post("/v1/products", PHONE).json() == made
    assert api.put("/v1/products/phone", {"name": "Phone"}).json() == made
    assert growths(project) == 1


def test_shipping_is_there_for_every_project(api):
    read = api.get("/v1/products/prod_5h1pp1ng").json()

    assert (read["source_id"], read["name"], read["skus"]["data"]) == ("5h1pp1ng", "Shipping", [])
    assert api.get("/v1/products/5h1pp1ng").json() == read


def test_shipping_stays_as_it_is(api):
    answers = [
        api.post("/v1/products", {"source_id": "5h1pp1ng", "price": 1}),
        api.put("/v1/products/prod_5h1pp1ng", {"price": 1}),
        api.delete("/v1/products/prod_5h1pp1ng"),
        api.post("/v1/products/prod_5h1pp1ng/skus", {"sku": "Express"}),
    ]

    assert {answer.json()["key"] for answer in answers} == {"resource_protected"}


def test_many_are_updated_at_once_and_unknown_ones_made(api, project):
    api.post("/v1/products", PHONE)
    rows = [
        {"source_id": "phone", "price": 1, "metadata": {"a": 1}},
        {"source_id": "new", "name": "New"},
        {"source_id": "new", "price": 7},
        {"source_id": "bad", "price": "x"},
    ]
    before = growths(project)

    answer = api.post("/v1/products/bulk/async", rows)
    action = run_newest(project)

    assert answer.json() == {"async_action_id": action.public_id}
    assert (answer.status_code, action.type, action.status) == (202, "PRODUCTS.BULK_UPDATE", "DONE")
    assert (action.done_count, [failure["row"] for failure in action.failed]) == (3, [4])
    assert api.get("/v1/products/phone").json()["metadata"] == {"brand": "Acme", "a": 1}
    assert api.get("/v1/products/new").json()["price"] == 7
    assert growths(project) == before + 1


def test_a_bulk_request_without_a_body_is_no_error(api):
    assert api.post("/v1/products/bulk/async").status_code == 202
    assert api.post("/v1/products/metadata/async").status_code == 202


@pytest.mark.parametrize(
    ("path", "body", "details"),
    [
        ("bulk/async", {"source_id": "a"}, "Payload should be array"),
        ("bulk/async", [{}], "Property [0] should have required property 'source_id'"),
        ("metadata/async", {"source_ids": "a"}, "Property .source_ids should be an array of strings"),
        ("metadata/async", {"source_ids": ["a"]}, "Property .metadata should be object"),
    ],
)
def test_a_wrong_bulk_request_is_refused(api, path, body, details):
    assert api.post(f"/v1/products/{path}", body).json()["details"] == details


def test_metadata_of_many_are_merged(api, project):
    api.post("/v1/products", PHONE)

    api.post("/v1/products/metadata/async", {"source_ids": ["phone", "new"], "metadata": {"a": 1}})
    run_newest(project)

    assert api.get("/v1/products/phone").json()["metadata"] == {"brand": "Acme", "a": 1}
    assert api.get("/v1/products/new").json()["metadata"] == {"a": 1}


def test_products_are_imported_and_bad_rows_reported(api, project):
    text = 'Name,Source_id,price,attributes,image_url,Color\nShoe,shoe,21.5,"color,size",http://x,red\n'

    answer = upload(api, "/v1/products/importCSV", text + ",nameless,1,,,\nHat,hat,cheap,,,\n")
    action = run_newest(project)

    shoe = api.get("/v1/products/shoe").json()
    assert answer.json() == {"async_action_id": action.public_id}
    assert (action.type, action.done_count) == ("PRODUCTS.IMPORT_CSV", 1)
    assert [(failure["row"], failure["source_id"]) for failure in action.failed] == [
        (3, "nameless"),
        (4, "hat"),
    ]
    assert (shoe["price"], shoe["attributes"], shoe["metadata"]) == (
        2150,
        ["color", "size"],
        {"Color": "red"},
    )


@pytest.mark.parametrize(
    ("currency", "written", "price"),
    [("EUR", "21", 2100), ("EUR", "0.05", 5), ("JPY", "1500", 1500), ("BHD", "1.250", 1250)],
)
def test_prices_of_a_file_are_as_on_a_price_tag(api, project, currency, written, price):
    project.currency = currency
    project.save()

    upload(api, "/v1/products/importCSV", f"name,source_id,price\nShoe,shoe,{written}\n")
    run_newest(project)

    assert api.get("/v1/products/shoe").json()["price"] == price


@pytest.mark.parametrize("written", ["cheap", "0.005", "-1", "NaN", "Infinity", "1e99", "12,50"])
def test_a_price_that_is_none_is_reported(api, project, written):
    upload(api, "/v1/products/importCSV", f'name,source_id,price\nShoe,shoe,"{written}"\n')

    assert run_newest(project).failed_count == 1


def test_an_import_changes_only_the_name_of_what_exists(api, project):
    made = api.post("/v1/products", PHONE).json()

    upload(api, "/v1/products/importCSV", "name,source_id,price,Color\nPhone 2,phone,1,red\n")
    run_newest(project)

    read = api.get("/v1/products/phone").json()
    assert {name: read[name] for name in PHONE} == PHONE | {"name": "Phone 2"}
    assert read["id"] == made["id"]


def test_an_import_goes_on_where_a_killed_worker_stopped(api, project):
    upload(api, "/v1/products/importCSV", "name,source_id\nA,a\nB,b\n")
    AsyncAction.objects.update(done_count=1)

    action = run_newest(project)

    assert (action.done_count, list(Product.objects.values_list("name", flat=True))) == (2, ["B"])


def test_an_upload_without_a_file_is_refused(api):
    answer = api.client.post("/v1/products/importCSV", {"other": "x"}, headers=api.headers)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload")


def test_an_import_reads_many_rows_with_as_many_queries_as_one_batch(
    api, project, django_assert_max_num_queries
):
    rows = "".join(f"Product {number},p{number}\n" for number in range(150))
    upload(api, "/v1/products/importCSV", "name,source_id\n" + rows)

    with django_assert_max_num_queries(25):
        run_newest(project)

    assert Product.objects.count() == 150
