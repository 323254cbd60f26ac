"""Lists stay quick and honest however long the table is."""

import threading

import pytest
from django.db import connection

from customers.models import Customer
from promoengine.core import pages
from tests.api import Api
from tests.factories import CustomerFactory, ProjectFactory, VoucherFactory
from vouchers.models import Voucher


@pytest.fixture
def many(project, monkeypatch) -> list[Voucher]:
    """Twenty-five codes, of which a list counts no more than ten."""
    monkeypatch.setattr(pages, "EXACT_UP_TO", 10)
    made = Voucher.objects.bulk_create(VoucherFactory.build(project=project) for _ in range(25))
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {Voucher._meta.db_table}")
    return made


def walk(api, path: str, query: dict[str, str], data_ref: str) -> list[str]:
    """Return the ids of all pages of a list, one page after the other."""
    found, page = [], 1
    while rows := api.get(path, query | {"page": page}).json()[data_ref]:
        found += [row["id"] for row in rows]
        page += 1
    return found


@pytest.mark.parametrize("order", ["created_at", "-created_at", "updated_at", "-updated_at", "code", "-code"])
def test_each_row_is_on_one_page(api, many, order):
    found = walk(api, "/v1/vouchers", {"order": order, "limit": 7}, "vouchers")

    assert sorted(found) == sorted(voucher.public_id for voucher in many)


def test_pages_go_on_where_the_last_one_ended(api, many):
    newest_first = [voucher.public_id for voucher in reversed(many)]

    assert walk(api, "/v1/vouchers", {"order": "-created_at", "limit": 10}, "vouchers") == newest_first


def test_what_was_never_changed_counts_as_changed_longest_ago(api, many):
    changed = many[3]
    api.put(f"/v1/vouchers/{changed.code}", {"additional_info": "new"})

    assert walk(api, "/v1/vouchers", {"order": "-updated_at"}, "vouchers")[0] == changed.public_id
    assert walk(api, "/v1/vouchers", {"order": "updated_at"}, "vouchers")[-1] == changed.public_id


@pytest.mark.parametrize(("count", "total"), [(0, 0), (1, 1), (10, 10), (11, 11)])
def test_a_short_list_is_counted(api, project, count, total):
    for _ in range(count):
        VoucherFactory(project=project)

    answer = api.get("/v1/vouchers", {"limit": 10}).json()

    assert answer["total"] == total
    assert "total_is_estimate" not in answer


def test_a_long_list_says_that_its_total_is_an_estimate(api, many):
    answer = api.get("/v1/vouchers", {"limit": 10}).json()

    assert answer["total_is_estimate"] is True
    assert answer["total"] > 10


def test_the_last_page_knows_the_total(api, many):
    answer = api.get("/v1/vouchers", {"limit": 10, "page": 3}).json()

    assert (len(answer["vouchers"]), answer["total"]) == (5, 25)
    assert "total_is_estimate" not in answer


def test_a_page_beyond_the_end_is_empty_and_has_the_total(api, project):
    VoucherFactory(project=project)

    answer = api.get("/v1/vouchers", {"page": 900}).json()

    assert (answer["vouchers"], answer["total"]) == ([], 1)


def test_more_is_promised_only_where_there_is_more(api, project):
    Customer.objects.bulk_create(CustomerFactory.build(project=project) for _ in range(10))

    assert api.get("/v1/customers", {"limit": 10}).json()["has_more"] is False
    assert api.get("/v1/customers", {"limit": 9}).json()["has_more"] is True


def test_a_plain_list_that_fits_is_one_statement(api, project, django_assert_num_queries):
    Customer.objects.bulk_create(CustomerFactory.build(project=project) for _ in range(5))
    api.get("/v1/customers")

    with django_assert_num_queries(1):
        api.get("/v1/customers")


def test_pages_end_at_the_thousandth(api):
    answer = api.get("/v1/vouchers", {"page": 1001})

    assert (answer.status_code, answer.json()["key"]) == (400, "page_over_limit")


@pytest.mark.django_db(transaction=True)
def test_a_list_that_takes_too_long_is_refused(monkeypatch):
    monkeypatch.setattr(pages, "SECONDS", 1)
    api = Api(ProjectFactory())
    locked, answered = threading.Event(), threading.Event()

    def hold_the_table() -> None:
        try:
            with pages.transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {Voucher._meta.db_table} IN ACCESS EXCLUSIVE MODE")
                locked.set()
                answered.wait(30)
        finally:
            connection.close()

    holder = threading.Thread(target=hold_the_table)
    holder.start()
    locked.wait(30)
    answer = api.get("/v1/vouchers", {"code": "SUMMER"})
    answered.set()
    holder.join()

    assert (answer.status_code, answer.json()["key"]) == (413, "query_too_large")
    assert "Narrow it" in answer.json()["details"]
    assert api.get("/v1/vouchers", {"code": "SUMMER"}).json()["total"] == 0


def test_what_would_cost_too_much_to_count_is_reckoned(api, many, monkeypatch):
    monkeypatch.setattr(pages, "COUNTED_AT_MOST", 0.0)
    few = {"limit": 2, "filters[code][conditions][$in]": [one.code_key for one in many[:3]]}

    answer = api.get("/v1/vouchers", few).json()

    assert answer["total_is_estimate"]
    assert answer["total"] >= 3
    assert "total_is_estimate" not in api.get("/v1/vouchers", few | {"limit": 5}).json()


def test_the_dashboard_turns_pages(marketer, project):
    made = Customer.objects.bulk_create(CustomerFactory.build(project=project) for _ in range(65))

    first = marketer.get("/admin/customers/customer/", {"o": "-1"})
    last = marketer.get("/admin/customers/customer/", {"p": 2})

    assert "65 in all" in first.content.decode()
    assert "p=2" in first.content.decode()
    assert "?p=3" not in last.content.decode()
    assert [row.pk for row in last.context["cl"].result_list] == [row.pk for row in reversed(made[:15])]


def test_the_dashboard_says_that_a_long_list_is_about_that_long(marketer, project, monkeypatch):
    monkeypatch.setattr(pages, "EXACT_UP_TO", 10)
    Customer.objects.bulk_create(CustomerFactory.build(project=project) for _ in range(25))
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {Customer._meta.db_table}")

    page = marketer.get("/admin/customers/customer/").content.decode()

    assert "about 25 in all" in page
    assert "Show all" not in page


def test_the_dashboard_of_an_empty_project_counts_nothing(marketer):
    assert "0 in all" in marketer.get("/admin/vouchers/voucher/").content.decode()


def test_the_dashboard_says_what_took_too_long(marketer, project, monkeypatch):
    def too_slow(rows):
        raise pages.QueryTooLarge("The list took longer than 10 seconds. Narrow it")

    monkeypatch.setattr("promoengine.core.admin_project.total_of", too_slow)
    answer = marketer.get("/admin/customers/customer/", {"q": "alice"})

    assert answer.headers["Location"] == "/admin/customers/customer/"
