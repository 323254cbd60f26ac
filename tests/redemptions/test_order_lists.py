"""Orders over HTTP: listed, filtered and found."""

import pytest

from tests.factories import CustomerFactory
from tests.redemptions.ordering import ANN, change, create


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["d", "c", "b", "a"]),
        ({"order": "created_at"}, ["a", "b", "c", "d"]),
        ({"order": "-created_at"}, ["d", "c", "b", "a"]),
        ({"order": "updated_at"}, ["b", "c", "d", "a"]),
        ({"order": "-updated_at"}, ["a", "d", "c", "b"]),
        ({"limit": 1, "page": 2}, ["c"]),
        ({"customer": "ann"}, ["b", "a"]),
        ({"filters[status][conditions][$is]": "PAID"}, ["b", "a"]),
        ({"filters[status][conditions][$in][0]": "PAID", "filters[source_id][conditions][$is]": "a"}, ["a"]),
        ({"filters[amount][conditions][$more_than]": "200"}, ["d", "c"]),
        ({"filters[total_amount][conditions][$less_than]": "301"}, ["d", "b", "a"]),
        ({"filters[discount_amount][conditions][$more_than]": "0"}, ["d"]),
        ({"filters[metadata.shop][conditions][$is]": "berlin"}, ["c"]),
        ({"filters[created_at][conditions][$before]": "2020-01-01"}, []),
        ({"filters[source_id][conditions][$starts_with]": "b"}, ["b"]),
    ],
)
def test_orders_are_listed(api, query, expected):
    first = create(api, source_id="a", amount=100, customer=ANN)
    create(api, source_id="b", amount=200, customer=ANN, status="PAID")
    create(api, source_id="c", amount=350, metadata={"shop": "berlin"})
    create(api, source_id="d", amount=400, discount_amount=150)
    change(api, first, status="PAID")

    listed = api.get("/v1/orders", query).json()

    assert [order["source_id"] for order in listed["orders"]] == expected
    assert (listed["object"], listed["data_ref"]) == ("list", "orders")
    assert listed["total"] == (4 if "page" in query else len(expected))


def test_a_customers_orders_are_found_by_id(api, project):
    customer = CustomerFactory(project=project)
    made = create(api, amount=1, customer={"id": customer.public_id})
    create(api, amount=2)

    for query in (
        {"customer": customer.public_id},
        {"filters[customer_id][conditions][$is]": customer.public_id},
    ):
        assert [order["id"] for order in api.get("/v1/orders", query).json()["orders"]] == [made["id"]]


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ({"order": "amount"}, "Property .order should be one of created_at, updated_at"),
        ({"limit": 101}, "Property .limit should be between 1 and 100"),
        ({"filters[name][conditions][$is]": "x"}, "Property .filters.name is not one of amount, created_at"),
        ({"filters[amount][conditions][$is]": "x"}, "Property .filters.amount should be a whole number"),
    ],
)
def test_a_bad_list_query_is_named(api, query, details):
    answer = api.get("/v1/orders", query)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_query_params")
    assert answer.json()["details"].startswith(details)


@pytest.mark.parametrize("count", [1, 3])
def test_a_list_asks_the_same_number_of_queries(api, count, django_assert_max_num_queries):
    for number in range(count):
        create(api, amount=number, customer={"source_id": f"c-{number}"})
    api.get("/v1/orders")

    with django_assert_max_num_queries(3):
        listed = api.get("/v1/orders").json()

    assert len(listed["orders"]) == count
