"""What people are known again by: one spelling for each, and nothing kept of it but a keyed hash."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.identities import (
    KINDS,
    PROVIDERS,
    identity_key,
    identity_keys,
    key_id,
    normal_address,
    normal_email,
    normal_phone,
)
from customers.models import Customer
from customers.tracking import tracking_id_of
from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import run_async_action
from tests.factories import CustomerFactory, ProjectFactory

SHOP, OTHER_SHOP = uuid.UUID(int=1), uuid.UUID(int=2)


def wide(text):
    """Return a text as a keyboard for Chinese or Japanese may write it: each character twice as wide."""
    return "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text)


@pytest.mark.parametrize(
    ("sent", "mailbox"),
    [
        ("ann@example.com", "ann@example.com"),
        ("  Ann@EXAMPLE.com ", "ann@example.com"),
        ("ann@example.com.", "ann@example.com"),
        ("ann.lee+shop@example.com", "ann.lee+shop@example.com"),
        ("Ann.Lee+shop@gmail.com", "annlee@gmail.com"),
        ("a.n.n.l.e.e@googlemail.com", "annlee@gmail.com"),
        ("ann.lee+shop@outlook.com", "ann.lee@outlook.com"),
        ("ann@hotmail.com", "ann@hotmail.com"),
        ("ann+x@me.com", "ann@icloud.com"),
        ("ann@mac.com", "ann@icloud.com"),
        ("ann+x@protonmail.com", "ann@proton.me"),
        ("ann.lee@ya.ru", "ann-lee@yandex.ru"),
        ("ann-lee+x@yandex.com", "ann-lee@yandex.ru"),
        ("+x@gmail.com", "+x@gmail.com"),
        (wide("ann@example.com"), "ann@example.com"),
        ("STRASSE@example.com", "strasse@example.com"),
        ("straße@example.com", "strasse@example.com"),
        ("ann@MÜNCHEN.de", "ann@xn--mnchen-3ya.de"),
        ("ann@xn--mnchen-3ya.de", "ann@xn--mnchen-3ya.de"),
        ('"a@b"@example.com', '"a@b"@example.com'),
        ("nobody", None),
        ("@example.com", None),
        ("ann@", None),
        ("", None),
        (None, None),
        (["ann@example.com"], None),
    ],
)
def test_an_email_address_has_one_spelling(sent, mailbox):
    assert normal_email(sent) == mailbox


@pytest.mark.parametrize(
    ("sent", "country", "number"),
    [
        ("+48 501 234 567", None, "+48501234567"),
        ("0048 501-234-567", None, "+48501234567"),
        ("501 234 567", "PL", "+48501234567"),
        ("501 234 567", "pl", "+48501234567"),
        ("+48501234567", "DE", "+48501234567"),
        ("(030) 1234567", "DE", "+49301234567"),
        ("+39 06 1234567", None, "+39061234567"),
        ("+44 20 7946 0958 ext. 5", None, "+442079460958"),
        (wide("+48 501 234 567"), None, "+48501234567"),
        ("501 234 567", None, "501234567"),
        ("501-234-567", "Poland", "501234567"),
        (48501234567, None, "48501234567"),
        ("+1", None, None),
        ("call me", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_a_phone_number_has_one_spelling(sent, country, number):
    assert normal_phone(sent, country) == number


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (
            {"line_1": "Łąkowa 5", "postal_code": "00-950"},
            {"line_1": "łąkowa  5", "postal_code": "00950"},
            True,
        ),
        ({"line_1": "Straße 1", "postal_code": "1"}, {"line_1": "STRASSE 1", "postal_code": "1"}, True),
        ({"line_1": "Main St. 5", "postal_code": "1"}, {"line_1": "Main St 5", "postal_code": "1"}, True),
        ({"line_1": "Main 5", "postal_code": "1"}, {"line_1": "Main 5", "postal_code": "2"}, False),
        (
            {"line_1": "Main 5", "line_2": "Apt 1", "postal_code": "1"},
            {"line_1": "Main 5", "postal_code": "1"},
            False,
        ),
        ({"line_1": "Main 51", "postal_code": "1"}, {"line_1": "Main 5", "postal_code": "11"}, False),
    ],
)
def test_addresses_are_compared_by_letters_and_digits(one, other, same):
    assert (normal_address(one) == normal_address(other)) is same


@pytest.mark.parametrize("address", [None, "Main 5", {}, {"line_1": "Main 5"}, {"postal_code": "1"}])
def test_half_an_address_tells_nobody(address):
    assert normal_address(address) is None


@given(st.text(), st.text(), st.sampled_from([None, "PL", "US", "??"]))
def test_any_text_is_read(text, other, country):
    for value in (text, f"{text}@{other}", f"{text}@gmail.com"):
        found = normal_email(value)
        assert found is None or ("@" in found and found == found.strip())
    normal_phone(text, country)
    normal_address({"line_1": text, "postal_code": other})


def test_each_provider_is_known_under_all_its_domains():
    assert {one.domain for one in PROVIDERS.values()} <= PROVIDERS.keys()


def test_a_key_tells_nothing_and_is_each_projects_own():
    keys = identity_keys(SHOP, {"email": "ann@example.com"})
    others = identity_keys(OTHER_SHOP, {"email": "ann@example.com"})

    assert keys == [identity_key(SHOP, "email", "ann@example.com")]
    assert keys != others
    assert "ann" not in keys[0]
    assert key_id(keys[0]).bytes


def test_the_same_text_is_another_key_for_another_kind():
    keys = identity_keys(SHOP, {"identities": dict.fromkeys(("card", "device", "address"), "5555 5555")})

    assert len({key_id(key) for key in keys}) == 3


def test_what_is_sent_replaces_what_is_known_and_the_rest_stays():
    known = identity_keys(SHOP, {"email": "ann@example.com", "identities": {"card": "c1", "device": "d1"}})

    keys = identity_keys(SHOP, {"email": None, "identities": {"card": "c2"}}, known)

    assert keys == identity_keys(SHOP, {"identities": {"card": "c2", "device": "d1"}})


def test_identities_are_kept_as_hashes_and_never_shown(api, project):
    sent = {
        "email": "a@b.co",
        "phone": "+48501234567",
        "card": "card-1",
        "device": "dev-1",
        "address": "adr-1",
    }

    answer = api.post("/v1/customers", {"source_id": "ann", "identities": sent})

    customer = Customer.objects.get()
    assert answer.status_code == 200
    assert "identities" not in answer.json()
    assert "identity_keys" not in answer.content.decode()
    assert [key.partition(":")[0] for key in customer.identity_keys] == list(KINDS)
    assert (customer.email, customer.phone) == (None, None)


def test_a_profile_has_keys_of_its_email_phone_and_address(api):
    api.post(
        "/v1/customers",
        {
            "source_id": "ann",
            "email": "Ann@Gmail.com",
            "phone": "501 234 567",
            "address": {"line_1": "Main 5", "postal_code": "1", "country": "PL"},
        },
    )

    customer = Customer.objects.get()
    assert customer.identity_keys == [
        identity_key(customer.project_id, "email", "ann@gmail.com"),
        identity_key(customer.project_id, "phone", "+48501234567"),
        identity_key(customer.project_id, "address", "main5||1"),
    ]


def test_a_changed_profile_has_changed_keys(api):
    api.post("/v1/customers", {"source_id": "ann", "email": "a@b.co", "identities": {"card": "c"}})
    api.put("/v1/customers/ann", {"email": "c@d.co"})
    changed = Customer.objects.get()
    api.put("/v1/customers/ann", {"email": None, "identities": {"card": None}})

    assert changed.identity_keys == identity_keys(
        changed.project_id, {"email": "c@d.co", "identities": {"card": "c"}}
    )
    assert Customer.objects.get().identity_keys == []


def test_the_same_identities_again_change_nothing(api):
    ann = {"source_id": "ann", "identities": {"card": "c"}}
    api.post("/v1/customers", ann)

    api.post("/v1/customers", ann)

    assert Customer.objects.get().updated_at is None


@pytest.mark.parametrize(
    ("identities", "named"),
    [
        ("card", ".customer.identities should be object"),
        ({"passport": "x"}, "passport"),
        ({"card": 5}, ".customer.identities.card should be string"),
        ({"card": "x" * 321}, ".customer.identities.card may have up to 320 characters"),
    ],
)
def test_wrong_identities_are_refused_by_name(api, identities, named):
    asked = {"redeemables": [{"object": "voucher", "id": "X"}], "customer": {"identities": identities}}

    for path in ("/v1/validations", "/v1/redemptions"):
        answer = api.post(path, asked)
        assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload")
        assert named in answer.json()["details"]
    assert not Customer.objects.exists()


def test_many_updated_at_once_have_keys_and_what_was_sent_is_gone(api):
    api.post("/v1/customers/bulk/async", [{"source_id": "ann", "identities": {"card": "secret-card"}}])
    action = AsyncAction.objects.get()

    run_async_action(action.pk)

    action.refresh_from_db()
    assert Customer.objects.get().identity_keys[0].startswith("card:")
    assert "secret-card" not in str(action.params)


def test_a_deleted_customer_is_free_to_come_again(api):
    api.post("/v1/customers", {"source_id": "ann", "email": "a@b.co"})
    api.delete("/v1/customers/ann")

    assert api.post("/v1/customers", {"source_id": "ann", "email": "a@b.co"}).status_code == 200
    assert Customer.objects.present().count() == 1


def test_permanent_deletion_takes_the_keys(api):
    made = api.post("/v1/customers", {"source_id": "ann", "email": "a@b.co", "identities": {"card": "c"}})

    api.post(f"/v1/customers/{made.json()['id']}/permanent-deletion")

    customer = Customer.objects.get()
    assert (customer.identity_keys, customer.tracking_id) == ([], None)


def test_a_customer_is_found_by_the_tracking_id_given_out(api, project):
    CustomerFactory(project=project, source_id="bob")
    made = api.post("/v1/customers", {"source_id": "ann"}).json()

    assert api.get(f"/v1/customers/{tracking_id_of('ann')}").json()["id"] == made["id"]
    again = api.post("/v1/customers", {"source_id": tracking_id_of("ann"), "name": "Ann"}).json()
    assert (again["id"], again["source_id"], again["name"]) == (made["id"], "ann", "Ann")


def test_another_projects_tracking_ids_and_keys_are_unknown(api, other_api):
    other_api.post("/v1/customers", {"source_id": "ann"})

    assert api.get(f"/v1/customers/{tracking_id_of('ann')}").status_code == 404
    assert api.post("/v1/customers", {"source_id": tracking_id_of("ann")}).json()["source_id"] != "ann"
    assert Customer.objects.filter(project=ProjectFactory()).count() == 0
