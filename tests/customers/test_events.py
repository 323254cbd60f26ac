"""Custom events over HTTP: told once, each in its time, with what they say of the customer."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils.dateparse import parse_datetime
from hypothesis import given
from hypothesis import strategies as st

from customers.models import Customer, CustomEvent, SegmentMember
from promoengine.core.ids import id_of, public_id
from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.core.services.async_actions import run_async_action
from promoengine.core.services.definitions import definitions_changed
from tests.factories import CustomerFactory

ANN = {"source_id": "ann"}


def ago(**span):
    return (datetime.now(UTC) - timedelta(**span)).isoformat()


def timeline(api, ref="ann"):
    return [
        event["data"].get("event", {}).get("type")
        for event in api.get(f"/v1/customers/{ref}/activity").json()["data"]
    ]


def make_segment(api, conditions):
    made = api.post("/v1/segments", {"name": "S", "type": "auto-update", "filter": conditions})
    for action in AsyncAction.objects.filter(status="ENQUEUED"):
        run_async_action(action.pk)
    return made.json()


def moves():
    events = OutboxEvent.objects.filter(type__startswith="customer.segment.").order_by("pk")
    return [event.type.rpartition(".")[2] for event in events]


@pytest.mark.parametrize("path", ["/v1/events", "/client/v1/events"])
def test_an_unknown_customer_is_made(api, client_api, path):
    caller = client_api if path.startswith("/client") else api

    answer = caller.post(path, {"event": "seen", "customer": ANN | {"name": "Ann"}})

    assert answer.json()["customer"]["name"] == "Ann"
    assert api.get("/v1/customers/ann").json()["name"] == "Ann"


def test_the_answer_has_the_customer_as_stored(api):
    stored = api.post("/v1/customers", ANN | {"name": "Ann", "metadata": {"a": 1}}).json()

    answer = api.post("/v1/events", {"event": "seen", "customer": {"id": stored["id"]}}).json()

    assert answer == {
        "object": "event",
        "type": "seen",
        "customer": {
            "id": stored["id"],
            "name": "Ann",
            "email": None,
            "source_id": "ann",
            "metadata": {"a": 1},
            "object": "customer",
        },
        "metadata": {},
        "referral": None,
        "loyalty": None,
    }


def test_what_an_event_says_of_the_customer_is_kept(api):
    api.post("/v1/customers", ANN | {"name": "Ann", "metadata": {"a": 1}})

    answer = api.post("/v1/events", {"event": "seen", "customer": ANN | {"metadata": {"b": [1, {"c": 2}]}}})

    assert answer.json()["customer"]["metadata"] == {"a": 1, "b": [1, {"c": 2}]}
    assert api.get("/v1/customers/ann").json()["metadata"] == {"a": 1, "b": [1, {"c": 2}]}


def test_null_says_nothing_inside_of_an_event_and_takes_away_elsewhere(api):
    api.post("/v1/customers", ANN | {"name": "Ann", "address": {"city": "Oslo"}})
    nothing = dict.fromkeys(("id", "name", "email", "birthdate", "address", "metadata"))

    api.post("/v1/events", {"event": "seen", "customer": nothing | ANN, "referral": None, "loyalty": None})
    assert api.get("/v1/customers/ann").json()["name"] == "Ann"

    api.put("/v1/customers/ann", {"name": None, "address": None})
    changed = api.get("/v1/customers/ann").json()
    assert ("name" in changed, changed["address"]) == (False, None)


def test_an_event_of_a_known_customer_is_one_round_trip(api, django_assert_num_queries):
    body = {"event": "seen", "source_id": "1", "customer": ANN | {"name": "Ann", "metadata": {"a": 1}}}
    api.post("/v1/events", body)

    with django_assert_num_queries(1):
        api.post("/v1/events", body | {"source_id": "2"})


def test_definitions_that_changed_meanwhile_are_noticed(api, project):
    api.post("/v1/events", {"event": "seen", "customer": ANN})
    definitions_changed(project)

    api.post("/v1/events", {"event": "seen", "customer": ANN})

    assert CustomEvent.objects.count() == 2


def test_an_event_sent_again_is_told_once(api):
    body = {"event": "paid", "source_id": "order-1", "customer": ANN, "metadata": {"amount": 5}}
    first = api.post("/v1/events", body).json()
    api.post("/v1/customers", ANN | {"name": "Anna"})

    again = api.post("/v1/events", body | {"customer": ANN | {"name": "Ann"}, "metadata": {"amount": 6}})

    assert again.status_code == 200
    assert again.json()["metadata"] == first["metadata"]
    assert CustomEvent.objects.count() == 1
    assert OutboxEvent.objects.filter(type="customer.custom_event").count() == 1
    assert api.get("/v1/customers/ann").json()["name"] == "Anna"


@pytest.mark.parametrize("other", [{"event": "seen"}, {"customer": {"source_id": "bob"}}])
def test_another_event_of_the_same_id_is_refused(api, other):
    body = {"event": "paid", "source_id": "order-1", "customer": ANN}
    api.post("/v1/events", body)

    answer = api.post("/v1/events", body | other)

    assert (answer.status_code, answer.json()["key"]) == (400, "duplicate_source_id")
    assert not Customer.objects.filter(source_id="bob").exists()


def test_projects_share_no_ids_of_events(api, other_api):
    for caller in (api, other_api):
        assert (
            caller.post("/v1/events", {"event": "paid", "source_id": "1", "customer": ANN}).status_code == 200
        )

    assert CustomEvent.objects.count() == 2


def test_a_late_event_stands_where_it_happened(api):
    for name, moment in (("first", ago(days=3)), ("third", ago(days=1)), ("second", ago(days=2))):
        api.post("/v1/events", {"event": name, "customer": ANN, "created_at": moment})
    api.post("/v1/events", {"event": "now", "customer": ANN})

    assert timeline(api)[:1] == ["now"]
    assert [one for one in timeline(api) if one] == ["now", "third", "second", "first"]


def test_pages_of_the_timeline_go_by_when_things_happened(api):
    for number in range(5):
        moment = ago(hours=5 - number if number % 2 else number)
        api.post("/v1/events", {"event": "seen", "customer": ANN, "created_at": moment})

    found, query = [], {"limit": 2}
    while True:
        page = api.get("/v1/customers/ann/activity", query).json()
        found += [event["created_at"] for event in page["data"]]
        if not page["has_more"]:
            break
        query["starting_after_id"] = page["more_starting_after"]

    assert found == sorted(found, reverse=True)
    assert len(found) == 6


def test_a_late_event_moves_no_membership_back(api):
    gold = make_segment(api, {"metadata.level": {"conditions": {"$is": ["gold"]}}})
    api.post(
        "/v1/events",
        {"event": "up", "customer": ANN | {"metadata": {"level": "gold"}}, "created_at": ago(days=1)},
    )

    api.post(
        "/v1/events",
        {
            "event": "up",
            "customer": ANN | {"metadata": {"level": "silver", "shop": 7}},
            "created_at": ago(days=2),
        },
    )

    assert api.get("/v1/customers/ann").json()["metadata"] == {"level": "gold", "shop": 7}
    assert [one["id"] for one in api.get("/v1/customers/ann/segments").json()["data"]] == [gold["id"]]
    assert moves() == ["entered"]


def test_events_of_the_past_in_their_order_say_what_is_newest(api):
    for days, level in ((3, "bronze"), (2, "silver"), (1, "gold")):
        body = {"event": "up", "customer": ANN | {"metadata": {"level": level}}, "created_at": ago(days=days)}
        api.post("/v1/events", body)

    assert api.get("/v1/customers/ann").json()["metadata"] == {"level": "gold"}


def test_what_is_said_again_is_as_new_as_it_is_said(api):
    CustomerFactory(
        project=api.project,
        source_id="ann",
        metadata={"level": "gold"},
        created_at=datetime.now(UTC) - timedelta(days=9),
    )
    for days, level in ((1, "gold"), (2, "silver")):
        body = {"event": "up", "customer": ANN | {"metadata": {"level": level}}, "created_at": ago(days=days)}
        api.post("/v1/events", body)

    assert api.get("/v1/customers/ann").json()["metadata"] == {"level": "gold"}


def test_segments_count_late_events_and_keep_the_newest_date(api):
    make_segment(api, {"events.paid.last_date": {"conditions": {"$less_than_ago": [7]}}})
    for days in (1, 30):
        api.post("/v1/events", {"event": "paid", "customer": ANN, "created_at": ago(days=days)})

    assert SegmentMember.objects.count() == 1
    assert moves() == ["entered"]


def test_only_segments_that_ask_for_such_events_are_asked(api, django_assert_num_queries):
    make_segment(api, {"events.paid.count": {"conditions": {"$more_than": [1]}}})
    for _ in range(2):
        api.post("/v1/events", {"event": "paid", "customer": ANN})

    with django_assert_num_queries(1):
        api.post("/v1/events", {"event": "seen", "customer": ANN})
    assert moves() == ["entered"]


def test_what_is_sent_beside_is_kept_for_those_who_react(api):
    referral, loyalty = {"code": "REF", "referrer_id": "cust_x"}, {"code": "CARD"}

    api.post("/v1/events", {"event": "joined", "customer": ANN, "referral": referral, "loyalty": loyalty})

    assert CustomEvent.objects.values("referral", "loyalty").get() == {
        "referral": referral,
        "loyalty": loyalty,
    }
    told = OutboxEvent.objects.get(type="customer.custom_event").data["event"]
    assert (told["referral"], told["loyalty"]) == (referral, loyalty)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"event": None}, "'event'"),
        ({"event": ""}, "'event'"),
        ({"event": 5}, "'event'"),
        ({"event": "x" * 301}, ".event "),
        ({"customer": None}, "'customer'"),
        ({"customer": {}}, "'customer'"),
        ({"customer": "ann"}, ".customer "),
        ({"customer": {"source_id": {"a": 1}}}, ".customer.source_id "),
        ({"customer": {"source_id": "a", "birthdate": "soon"}}, ".customer.birthdate "),
        ({"metadata": "x"}, ".metadata "),
        ({"metadata": {str(n): n for n in range(1001)}}, ".metadata "),
        ({"tracking_id": 5}, ".tracking_id "),
        ({"customer": ANN | {"identities": {"shoe": "42"}}}, ".customer.identities "),
        ({"source_id": 5}, ".source_id "),
        ({"source_id": "x" * 256}, ".source_id "),
        ({"created_at": "yesterday"}, ".created_at "),
        ({"created_at": 5}, ".created_at "),
        ({"created_at": "2999-01-01"}, ".created_at "),
        ({"created_at": "1492-10-12"}, ".created_at "),
        ({"referral": "x"}, ".referral "),
        ({"referral": {}}, ".referral should have required property 'code'"),
        ({"referral": {"code": 5}}, ".referral.code "),
        ({"referral": {"code": "x", "referrer_id": []}}, ".referral.referrer_id "),
        ({"loyalty": []}, ".loyalty "),
        ({"loyalty": {"code": ""}}, ".loyalty should have required property 'code'"),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(api, change, named):
    body = {"event": "seen", "customer": ANN, "metadata": {}} | change

    answer = api.post("/v1/events", body)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload")
    assert named in answer.json()["details"]
    assert not Customer.objects.exists()
    assert not OutboxEvent.objects.exists()


@pytest.mark.parametrize("path", ["/v1/events", "/client/v1/events"])
def test_a_guest_is_known_by_the_tracking_id(api, client_api, path):
    caller = client_api if path.startswith("/client") else api
    body = {"event": "seen", "tracking_id": "visitor-1"}

    first = caller.post(path, body).json()
    again = caller.post(path, body | {"customer": {}}).json()
    named = caller.post(path, body | {"customer": ANN}).json()

    assert first["customer"]["id"] == again["customer"]["id"] == named["customer"]["id"]
    assert named["customer"]["source_id"] == "ann"


@pytest.mark.parametrize("ref", ["cust_nobody", "cust_00000000000000000000000000000000"])
def test_an_unknown_id_is_not_found(api, ref):
    assert api.post("/v1/events", {"event": "seen", "customer": {"id": ref}}).status_code == 404


def test_a_clock_a_little_ahead_is_forgiven(api):
    moment = (datetime.now(UTC) + timedelta(minutes=4)).isoformat()

    api.post("/v1/events", {"event": "seen", "customer": ANN, "created_at": moment})

    assert CustomEvent.objects.get().created_at <= datetime.now(UTC)


def test_a_deleted_customer_comes_anew(api):
    first = api.post("/v1/events", {"event": "seen", "customer": ANN}).json()["customer"]["id"]
    api.delete("/v1/customers/ann")

    assert api.post("/v1/events", {"event": "seen", "customer": ANN}).json()["customer"]["id"] != first
    assert api.post("/v1/events", {"event": "seen", "customer": {"id": first}}).status_code == 404


def test_the_database_writes_ids_as_we_do(db):
    keys = [uuid.UUID(int=0), uuid.UUID(int=2**128 - 1), *(uuid.uuid4() for _ in range(1000))]

    with connection.cursor() as cursor:
        cursor.execute("SELECT key, public_id('cust', key) FROM unnest(%s::uuid[]) AS key", [keys])
        written = dict(cursor.fetchall())

    assert written == {key: public_id("cust", key) for key in keys}


@given(st.integers(0, 2**45).map(lambda number: datetime.fromtimestamp(number / 1000, UTC)))
def test_ids_of_moments_are_ordered_as_they_are(moment):
    made = id_of(moment)

    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made.int >> 80 == int(moment.timestamp() * 1000)
    assert made < id_of(moment + timedelta(milliseconds=2))


def test_the_event_told_is_dated_when_it_happened(api):
    moment = ago(days=2)

    api.post("/v1/events", {"event": "seen", "customer": ANN, "created_at": moment})

    (event,) = api.get("/v1/customers/ann/activity", {"type": "customer.custom_event"}).json()["data"]
    assert abs(parse_datetime(event["created_at"]) - parse_datetime(moment)) < timedelta(seconds=1)
