"""The page of attributes: defined without JSON, found by what came in."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User

from promoengine.core.models import MetadataSchema, SeenAttribute
from promoengine.core.services.metadata_schemas import define_attribute
from promoengine.core.services.seen_attributes import note_attributes, scan_outbox
from tests.factories import ProjectFactory

PAGE = "/admin/core/metadataschema/"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def page(client, of="customer"):
    answer = client.get(PAGE, {"of": of})
    assert answer.status_code == 200
    return answer.content.decode()


def save(client, of="customer", **fields):
    return client.post(f"{PAGE}attribute/", {"of": of, "attribute": ""} | fields)


def properties(name="customer"):
    return MetadataSchema.objects.get(name=name).properties


def test_an_empty_project_says_what_to_do(marketer):
    found = page(marketer)

    assert "Nothing is defined: anything may come in." in found
    assert "It takes a minute or two until what comes in is shown here." in found
    assert "Add an attribute" in found
    assert "Order lines" in found


@pytest.mark.parametrize(
    ("fields", "definition", "said"),
    [
        ({"type": "boolean"}, {}, "Yes or no"),
        (
            {"type": "string", "values": "red\nblue \n\nred", "several": "on", "required": "on", "most": "5"},
            {"array": True, "optional": False, "eq": ["red", "blue"], "max_length": 5},
            "Texts: at most 5 characters, one of red, blue",
        ),
        (
            {"type": "number", "values": "1\n2.5", "least": "0", "most": "10"},
            {"eq": [1, 2.5], "gte": 0, "lte": 10},
            "Number: at least 0, at most 10, one of 1, 2.5",
        ),
        ({"type": "object", "nested": "Payment"}, {"object_type": "Payment"}, "Nested object (Payment)"),
        ({"type": "date", "values": "red", "least": "x"}, {}, "Date"),
    ],
)
def test_an_attribute_is_defined_in_plain_words(marketer, project, fields, definition, said):
    define_attribute(project, "Payment", "tax", definition={"type": "number"}, now=NOW)

    answer = save(marketer, name="level", **fields)

    assert answer.status_code == 302, answer.content.decode()
    whole = {"type": fields["type"], "array": False, "optional": True, "object_type": None} | definition
    assert properties() == {"level": whole}
    assert said in page(marketer)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"type": "number"}, "This field is required"),
        ({"name": "level", "type": "money"}, "Select a valid choice"),
        ({"name": "level", "type": "number", "values": "1\ntwo"}, "Write one number a line."),
        ({"name": "level", "type": "number", "least": "few"}, "Write a number."),
        ({"name": "level", "type": "string", "least": "1.5"}, "Write a number."),
        ({"name": "level", "type": "number", "least": "2", "most": "1"}, "This is less than the least."),
        ({"name": "level", "type": "object", "nested": "nothing"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(marketer, fields, says):
    answer = save(marketer, **fields)

    assert answer.status_code == 200
    assert says in answer.content.decode()
    assert not MetadataSchema.objects.exists()


def test_a_change_keeps_the_type_and_what_the_form_does_not_ask(marketer, project):
    stored = {"type": "number", "gt": 1, "ne": [13], "lte": 9, "eq": [3]}
    define_attribute(project, "customer", "level", definition=stored, now=NOW)

    form = marketer.get(f"{PAGE}attribute/", {"of": "customer", "attribute": "level"}).content.decode()
    marketer.post(
        f"{PAGE}attribute/",
        {"of": "customer", "attribute": "level", "type": "string", "required": "on", "most": "20"},
    )

    assert "be changed." in form
    assert properties()["level"] == {
        "type": "number", "array": False, "optional": False, "object_type": None,
        "gt": 1, "ne": [13], "lte": 20,
    }  # fmt: skip


def test_an_attribute_is_removed_and_brought_back(marketer, project):
    define_attribute(project, "customer", "level", definition={"type": "number"}, now=NOW)

    marketer.post(f"{PAGE}remove/", {"of": "customer", "attribute": "level"})
    assert properties()["level"]["deleted"] is True
    assert "Bring back" in page(marketer)

    marketer.post(f"{PAGE}remove/", {"of": "customer", "attribute": "level", "restore": "on"})
    assert "deleted" not in properties()["level"]


def test_undefined_attributes_are_refused_and_kept_again(marketer, api):
    marketer.post(f"{PAGE}strict/", {"of": "customer", "on": "on"})
    assert "They are refused" in page(marketer)
    assert api.post("/v1/customers", {"source_id": "ann", "metadata": {"x": 1}}).status_code == 400

    marketer.post(f"{PAGE}strict/", {"of": "customer"})
    assert "They are kept as they come." in page(marketer)
    assert api.post("/v1/customers", {"source_id": "ann", "metadata": {"x": 1}}).status_code == 200


@pytest.mark.parametrize(
    ("value", "kind", "definition"),
    [
        (True, "Yes or no", {"type": "boolean"}),
        (2.5, "Number", {"type": "number"}),
        ("gold", "Text", {"type": "string"}),
        ("2026-02-28", "Date", {"type": "date"}),
        ("2026-02-28T10:00:00Z", "Date and time", {"type": "datetime"}),
        ("https://shop.example/a.png", "Address of an image", {"type": "image_url"}),
        ("59.9, 10.7", "Place on the map", {"type": "geopoint"}),
        (["a", "b"], "Texts", {"type": "string", "array": True}),
        ([1], "Numbers", {"type": "number", "array": True}),
        ([], "Texts", {"type": "string", "array": True}),
        ({"a": 1}, "Nested object", {"type": "object"}),
        ("x" * 500, "Text", {"type": "string"}),
    ],
)
def test_what_came_in_is_listed_and_added_to_the_schema(marketer, api, project, value, kind, definition):
    api.post("/v1/customers", {"source_id": "ann", "metadata": {"level": value}})
    scan_outbox(now=datetime.now(UTC) + timedelta(minutes=5))

    row = page(marketer).partition("nobody defined it")[2].partition("</tbody>")[0]
    form = marketer.get(f"{PAGE}attribute/", {"of": "customer", "attribute": "level"})
    chosen = {name: form.context["form"][name].value() for name in ("name", "type", "several")}
    save(marketer, **{name: field for name, field in chosen.items() if field})

    assert f"<td>{kind}</td>" in row
    assert "[&quot;" not in row
    assert "Add to the schema" in row
    whole = {"array": False, "optional": True, "object_type": None} | definition
    assert properties() == {"level": whole}
    assert "Add to the schema" not in page(marketer)


def test_what_came_in_is_hidden(marketer, project):
    note_attributes(project, "customer", [{"junk": 1}], now=NOW)

    marketer.post(f"{PAGE}forget/", {"of": "customer", "attribute": "junk"})

    assert not SeenAttribute.objects.exists()


def test_events_and_nested_objects_begin_with_a_name(marketer):
    answer = marketer.post(f"{PAGE}new/", {"of": "customer", "kind": "event", "name": "review"}, follow=True)
    assert "such events may come with anything" in answer.content.decode()
    save(marketer, of="event:review", name="stars", type="number", required="on")
    assert properties("review") == {"stars": {"type": "number", "optional": False}}

    marketer.post(f"{PAGE}new/", {"of": "customer", "kind": "object", "name": "Payment"})
    more = {"values": "praise\ncomplaint", "several": "on"}
    save(marketer, of="event:review", name="kind", type="string", **more)
    save(marketer, of="event:review", name="paid", type="object", nested="Payment")
    assert properties("review") == {
        "stars": {"type": "number", "optional": False},
        "kind": {"type": "string", "optional": True, "array": True, "eq": ["praise", "complaint"]},
        "paid": {"type": "object", "optional": True, "object_type": "Payment"},
    }
    save(marketer, of="event:review", attribute="kind", name="kind", type="number")
    assert properties("review")["kind"] == {"type": "number", "optional": True}
    answer = marketer.post(
        f"{PAGE}new/", {"of": "customer", "kind": "object", "name": "Payment"}, follow=True
    )
    assert "Duplicated metadata schema exists with related_object Payment" in answer.content.decode()


def test_all_definitions_are_deleted_at_once(marketer, project):
    define_attribute(project, "customer", "level", definition={"type": "number"}, now=NOW)

    answer = marketer.post(f"{PAGE}clear/", {"of": "customer"}, follow=True)

    assert "The definitions of Customers are deleted." in answer.content.decode()
    assert not MetadataSchema.objects.exists()


def test_who_may_only_look_can_not_change(client, project):
    looker = User.objects.create_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_metadataschema"))
    client.force_login(looker)
    define_attribute(project, "customer", "level", definition={"type": "number"}, now=NOW)

    assert "Add an attribute" not in page(client)
    assert save(client, name="x", type="number").status_code == 403
    for place in ("remove", "forget", "strict", "new", "clear"):
        assert client.post(f"{PAGE}{place}/", {"of": "customer"}).status_code == 403
    assert list(properties()) == ["level"]


def test_who_may_not_look_sees_nothing(client, project):
    client.force_login(User.objects.create_user("nobody", is_staff=True))

    assert client.get(PAGE).status_code == 403


def test_another_projects_attributes_are_not_shown(marketer, project):
    other = ProjectFactory()
    define_attribute(other, "customer", "secret", definition={"type": "number"}, now=NOW)
    note_attributes(other, "customer", [{"unheard": 1}], now=NOW)

    found = page(marketer)

    assert "secret" not in found
    assert "unheard" not in found


@pytest.mark.parametrize("of", ["", "event:", "никто", "<script>", "x" * 2000])
def test_any_topic_may_be_asked_for(marketer, of):
    assert "<script>alert" not in page(marketer, of)


def test_the_page_asks_the_same_few_statements_however_much_there_is(
    marketer, project, django_assert_max_num_queries
):
    for number in range(30):
        define_attribute(project, f"n{number}", "level", definition={"type": "number"}, now=NOW)
        note_attributes(project, "customer", [{f"a{number}": 1}], now=NOW)
    page(marketer)

    with django_assert_max_num_queries(12):
        page(marketer)
