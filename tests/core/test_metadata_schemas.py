"""Metadata schemas and schemas of custom events: defined over the management API, read by storefronts."""

import pytest

from customers.models import CustomEvent
from promoengine.core.models import MetadataSchema
from tests.versions import growths

STRING = {"type": "string", "array": False, "optional": True, "object_type": None}
COLOR = STRING | {"eq": ["red", "blue"], "min_length": 3, "max_length": 4, "exact_length": 3}


@pytest.fixture
def url(project) -> str:
    return f"/management/v1/projects/{project.public_id}/metadata-schemas"


@pytest.fixture
def events_url(project) -> str:
    return f"/management/v1/projects/{project.public_id}/custom-event-schemas"


def test_a_schema_is_made_read_and_listed(management, api, url):
    made = management.post(url, {"related_object": "product", "properties": {"color": COLOR}}).json()

    assert made["id"].startswith("ms_")
    assert made == {
        "id": made["id"],
        "related_object": "product",
        "properties": {"color": COLOR},
        "allow_defined_only": False,
        "created_at": made["created_at"],
        "updated_at": None,
        "object": "metadata_schema",
    }
    assert management.get(f"{url}/{made['id']}").json() == made
    assert management.get(url).json() == {"object": "list", "data_ref": "data", "data": [made], "total": 1}
    camel = {"objectType": None, "minLength": 3, "maxLength": 4, "exactLength": 3, "eq": ["red", "blue"]}
    shown = made | {
        "properties": {"color": {"type": "string", "array": False, "optional": True} | camel},
    }
    assert api.get("/v1/metadata-schemas/product").json() == shown
    assert api.get("/v1/metadata-schemas").json() == {
        "object": "list", "data_ref": "schemas", "schemas": [shown], "total": 1,
    }  # fmt: skip


def test_a_project_without_schemas_has_an_empty_list(management, api, url, events_url):
    empty = {"object": "list", "data_ref": "data", "data": [], "total": 0}

    assert management.get(url).json() == management.get(events_url).json() == empty
    assert api.get("/v1/metadata-schemas").json()["schemas"] == []
    answer = api.get("/v1/metadata-schemas/customer")
    assert (answer.status_code, answer.json()["resource_id"]) == (404, "customer")


def test_definitions_may_be_written_as_storefronts_read_them(management, url):
    definition = {"type": "object", "objectType": "Payment"}

    made = management.post(url, {"related_object": "order", "properties": {"paid": definition}}).json()

    assert made["properties"] == {
        "paid": {"type": "object", "array": False, "optional": True, "object_type": "Payment"}
    }


def test_a_second_schema_of_an_object_is_refused(management, url):
    body = {"related_object": "customer", "properties": {}}
    management.post(url, body)

    answer = management.post(url, body)

    assert answer.status_code == 409
    assert answer.json() | {"request_id": ""} == {
        "code": 409,
        "key": "duplicate_found",
        "message": "Duplicated resource found",
        "details": "Duplicated metadata schema exists with related_object customer",
        "request_id": "",
        "resource_id": "customer",
        "resource_type": "metadata schema",
    }


def test_an_update_takes_each_definition_as_sent_and_leaves_the_others(management, url):
    properties = {"color": COLOR, "size": STRING}
    made = management.post(url, {"related_object": "product", "properties": properties}).json()

    body = {"properties": {"color": {"type": "string", "optional": False}}, "allow_defined_only": True}
    changed = management.put(f"{url}/{made['id']}", body).json()

    assert changed["properties"] == {"color": STRING | {"optional": False}, "size": STRING}
    assert (changed["allow_defined_only"], changed["updated_at"] is None) == (True, False)


def test_a_definition_is_removed_and_brought_back(management, api, url):
    made = management.post(url, {"related_object": "product", "properties": {"size": STRING}}).json()
    path = f"{url}/{made['id']}"

    removed = management.put(path, {"properties": {"size": STRING | {"deleted": True}}}).json()
    assert removed["properties"]["size"]["deleted"] is True
    assert api.post("/v1/products", {"name": "x", "metadata": {"size": 1}}).status_code == 200

    restored = management.put(path, {"properties": {"size": STRING}}).json()
    assert restored["properties"] == {"size": STRING}
    assert api.post("/v1/products", {"name": "y", "metadata": {"size": 1}}).status_code == 400


def test_a_deleted_schema_holds_nobody_any_more(management, api, url):
    properties = {"size": STRING | {"optional": False}}
    made = management.post(url, {"related_object": "product", "properties": properties}).json()
    assert api.post("/v1/products", {"name": "x"}).status_code == 400

    assert management.delete(f"{url}/{made['id']}").status_code == 204

    assert management.get(f"{url}/{made['id']}").status_code == 404
    assert api.get("/v1/metadata-schemas/product").status_code == 404
    assert api.post("/v1/products", {"name": "x"}).status_code == 200


NAMED = "must be a name of 1 to 255 characters"
BOUND = "is not for attributes of type"


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ([], "Payload must be object"),
        ({"properties": {}}, "Payload must have required property 'related_object'"),
        ({"related_object": "product"}, "Payload must have required property 'properties'"),
        ({"related_object": " ", "properties": {}}, f"Property .related_object {NAMED}"),
        ({"related_object": 1, "properties": {}}, f"Property .related_object {NAMED}"),
        ({"related_object": "product", "properties": []}, "Property .properties must be object"),
        (
            {"related_object": "product", "properties": {}, "allow_defined_only": "yes"},
            "Property .allow_defined_only must be boolean",
        ),
        (
            {"related_object": "product", "properties": {"": {"type": "string"}}},
            "Property .properties must have names of 1 to 255 characters",
        ),
        (
            {"related_object": "product", "properties": {f"a{n}": {"type": "string"} for n in range(101)}},
            "Property .properties must have up to 100 definitions, with removed ones",
        ),
    ],
)
def test_a_wrong_schema_is_refused_by_its_place(management, url, body, details):
    answer = management.post(url, body)

    found = answer.json()
    assert (answer.status_code, found["key"], found["details"]) == (400, "invalid_payload", details)
    assert not MetadataSchema.objects.exists()


@pytest.mark.parametrize(
    ("definition", "details"),
    [
        (1, " must be object"),
        ({}, " must have required property 'type'"),
        (
            {"type": "money"},
            ".type must be equal to one of"
            " string, number, boolean, date, datetime, image_url, geopoint, object",
        ),
        ({"type": "string", "array": "no"}, ".array must be boolean"),
        ({"type": "string", "optional": 1}, ".optional must be boolean"),
        ({"type": "number", "eq": ["1"]}, ".eq.0 must be number"),
        ({"type": "number", "eq": 1}, ".eq must be an array of up to 1000 values"),
        ({"type": "boolean", "eq": [True]}, f".eq {BOUND} boolean"),
        ({"type": "string", "ne": ["x"]}, f".ne {BOUND} string"),
        ({"type": "string", "lt": 1}, f".lt {BOUND} string"),
        ({"type": "number", "lt": "1"}, ".lt must be number"),
        ({"type": "string", "min_length": 1.5}, ".min_length must be integer"),
        ({"type": "string", "minLength": -1}, ".min_length must be between 0 and 100000"),
        ({"type": "object", "object_type": 5}, ".object_type must be string,null"),
    ],
)
def test_a_wrong_definition_is_refused_by_its_place(management, url, definition, details):
    answer = management.post(url, {"related_object": "product", "properties": {"size": definition}})

    assert (answer.status_code, answer.json()["details"]) == (400, f"Property .properties.size{details}")
    assert not MetadataSchema.objects.exists()


def test_a_type_stays_as_it_is(management, url):
    made = management.post(url, {"related_object": "product", "properties": {"size": STRING}}).json()

    answer = management.put(f"{url}/{made['id']}", {"properties": {"size": {"type": "number"}}})

    details = "Property .properties.size.type must be string, as a type can't be changed"
    assert (answer.status_code, answer.json()["details"]) == (400, details)


def test_a_change_of_nothing_leaves_the_schema_untouched(management, url):
    made = management.post(url, {"related_object": "product", "properties": {"size": STRING}}).json()

    assert management.put(f"{url}/{made['id']}", {"properties": {"size": STRING}}).json() == made


def test_each_change_grows_the_version_of_the_definitions(management, project, url):
    made = management.post(url, {"related_object": "product", "properties": {}}).json()
    management.put(f"{url}/{made['id']}", {"properties": {"size": STRING}})
    management.delete(f"{url}/{made['id']}")

    assert growths(project) == 3


def test_an_event_schema_lives(management, events_url):
    rating = {"type": "number", "optional": True}
    made = management.post(
        events_url, {"name": "review", "schema": {"properties": {"rating": rating}}}
    ).json()

    assert made == {
        "id": made["id"],
        "name": "review",
        "schema": {"properties": {"rating": rating}},
        "created_at": made["created_at"],
        "object": "custom-event-schema",
    }
    path = f"{events_url}/{made['id']}"
    assert management.get(path).json() == made
    assert management.get(events_url).json()["data"] == [made]

    more = {"rating": {"type": "string", "optional": False}, "text": {"type": "string", "deleted": True}}
    changed = management.put(path, {"schema": {"properties": more}}).json()
    assert changed["schema"]["properties"] == {
        "rating": {"type": "string", "optional": False},
        "text": {"type": "string", "optional": True, "deleted": True},
    }
    assert changed["updated_at"] is not None

    assert management.delete(path).status_code == 204
    assert management.get(path).status_code == 404


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({"schema": {"properties": {}}}, "Payload must have required property 'name'"),
        ({"name": "review"}, "Payload must have required property 'schema'"),
        ({"name": "review", "schema": {}}, "Property .schema must have required property 'properties'"),
        ({"name": "review", "schema": []}, "Property .schema must be object"),
        (
            {"name": "review", "schema": {"properties": {"a": {"type": "money"}}}},
            "Property .schema.properties.a.type must be equal to one of"
            " string, number, boolean, date, datetime, image_url, geopoint, object",
        ),
        (
            {"name": "review", "schema": {"properties": {"a": {"type": "boolean", "eq": [True]}}}},
            "Property .schema.properties.a.eq is not for attributes of type boolean",
        ),
    ],
)
def test_a_wrong_event_schema_is_refused_by_its_place(management, events_url, body, details):
    answer = management.post(events_url, body)

    assert (answer.status_code, answer.json()["details"]) == (400, details)


def test_an_event_schema_says_as_much_as_one_of_objects(management, api, url, events_url):
    place = {"properties": {"city": {"type": "string", "optional": False}}}
    management.post(url, {"related_object": "Place", **place})
    said = {
        "kind": {"type": "string", "optional": False, "eq": ["praise", "complaint"]},
        "tags": {"type": "string", "optional": True, "array": True},
        "stars": {"type": "number", "optional": True, "gte": 0, "lte": 5},
        "places": {"type": "object", "optional": True, "array": True, "object_type": "Place"},
    }
    plain = {"text": {"type": "string", "optional": True, "array": False, "object_type": None, "eq": []}}
    body = {"name": "review", "schema": {"properties": said | plain}}

    made = management.post(events_url, body).json()

    assert made["schema"]["properties"] == said | {"text": {"type": "string", "optional": True}}
    event = {"event": "review", "customer": {"source_id": "ann"}}
    good = {"kind": "praise", "tags": ["a"], "stars": 0, "places": [{"city": "Łódź"}], "odd": 1}
    assert api.post("/v1/events", event | {"metadata": good}).status_code == 200
    for bad, where in (
        ({}, "kind: "),
        ({"kind": "question"}, "kind: "),
        ({"kind": "praise", "tags": "a"}, "tags: "),
        ({"kind": "praise", "tags": ["a", 1]}, "tags: "),
        ({"kind": "praise", "stars": 6}, "stars: "),
        ({"kind": "praise", "places": [{"city": "Łódź"}, {}]}, "places[1].city: "),
    ):
        answer = api.post("/v1/events", event | {"metadata": bad}).json()
        assert (answer["key"], where in answer["details"]) == ("metadata_validation_failed", True), answer
    assert CustomEvent.objects.count() == 1


def test_a_second_schema_of_an_event_is_refused(management, events_url):
    body = {"name": "sign-up", "schema": {"properties": {}}}
    management.post(events_url, body)

    answer = management.post(events_url, body)

    assert answer.status_code == 409
    assert answer.json()["details"] == "Duplicated custom_event_schema exists with name sign-up"
    assert answer.json()["resource_type"] == "custom_event_schema"


def test_a_schema_is_found_only_among_its_kind(management, url, events_url):
    of_object = management.post(url, {"related_object": "product", "properties": {}}).json()["id"]
    of_event = management.post(events_url, {"name": "review", "schema": {"properties": {}}}).json()["id"]

    assert management.get(f"{url}/{of_event}").status_code == 404
    assert management.get(f"{events_url}/{of_object}").status_code == 404
    assert management.delete(f"{url}/{of_event}").status_code == 404
    assert MetadataSchema.objects.count() == 2
