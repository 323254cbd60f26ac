"""Who may be the same person, on a customer's page."""

from datetime import UTC, datetime

from django.contrib.auth.models import Permission, User

from customers.models import Customer
from customers.services.upsert import upsert_customer
from tests.factories import ProjectFactory

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def made(project, source_id, **data):
    return upsert_customer(project, data={"source_id": source_id, **data}, now=NOW)


def page_of(client, customer):
    answer = client.get(f"/admin/customers/customer/{customer.pk}/change/")
    assert answer.status_code == 200
    return answer


def test_others_are_named_with_what_they_share(marketer, project):
    ann = made(project, "ann", name="Ann", email="ann@gmail.com", identities={"card": "c", "device": "d"})
    made(project, "bob", name="Bob", email="A.nn+x@gmail.com", identities={"card": "c"})
    made(project, "eve", name="Eve", email="eve@gmail.com")
    made(ProjectFactory(), "foe", name="Foe", email="ann@gmail.com")

    answer = page_of(marketer, ann)

    (found,) = answer.context["sharing"].others
    assert found.customer.name == "Bob"
    assert [str(name) for name in found.names] == ["e-mail address", "payment card"]
    assert "e-mail address, payment card" in answer.content.decode()
    for key in ann.identity_keys:
        assert key.partition(":")[2] not in answer.content.decode()


def test_deleted_customers_are_not_named(marketer, api, project):
    ann = made(project, "ann", email="a@b.co")
    made(project, "bob", email="a@b.co")
    api.delete("/v1/customers/bob")

    assert "Nobody else has the same e-mail address." in page_of(marketer, ann).content.decode()


def test_where_nothing_is_known_the_page_says_so(marketer, project):
    ann = made(project, "ann")

    assert "Nothing is known that others could share" in page_of(marketer, ann).content.decode()


def test_very_many_are_cut(marketer, project, django_assert_max_num_queries):
    for number in range(23):
        made(project, f"c-{number}", email="a@b.co")

    with django_assert_max_num_queries(20):
        answer = page_of(marketer, Customer.objects.get(source_id="c-0"))

    assert len(answer.context["sharing"].others) == 20
    assert "Only the newest are shown here." in answer.content.decode()


def test_who_may_only_look_sees_it_too(client, project):
    made(project, "bob", name="Bob", email="a@b.co")
    ann = made(project, "ann", email="a@b.co")
    looker = User.objects.create_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_customer"))
    client.force_login(looker)

    assert "Bob" in page_of(client, ann).content.decode()
