"""Answers about locations have the published shape; to make and delete them is our own, and described."""

from datetime import datetime

import pytest

from customers.models import Location
from tests.contract.published import published
from tests.factories import ValidationRuleFactory

CIRCLE = {"type": "circle", "format": "distance", "distance": {"center": "geo:1.5,2.5", "radius": "10 km"}}
RING = [[10, 50], [12.5, 50], [12, 52], [10, 50]]
POLYGON = {"type": "polygon", "format": "geojson", "geojson": {"type": "Polygon", "coordinates": [RING]}}
PARTS = {
    "type": "polygon",
    "format": "geojson",
    "geojson": {"type": "MultiPolygon", "coordinates": [[RING], [RING, RING]]},
}


def without_format(shape):
    return {name: value for name, value in shape.items() if name != "format"}


@pytest.mark.parametrize("shape", [CIRCLE, POLYGON, PARTS])
def test_a_locations_life(ours, contract, shape):
    made = ours.call("post", "/v1/locations", {"name": " Warsaw ", "shape": shape})
    path = f"/v1/locations/{made['id']}"

    assert made | {"id": "", "created_at": ""} == {
        "id": "",
        "object": "location",
        "name": "Warsaw",
        "shape": shape,
        "created_at": "",
        "updated_at": None,
    }
    assert datetime.fromisoformat(made["created_at"]).tzinfo
    assert published().problems("get", path, 200, made) == []
    assert contract.call("get", path) == made
    listed = contract.call("get", "/v1/locations", query={"order": "-updated_at", "limit": 5})
    assert (listed["data"], listed["total"], listed["has_more"]) == ([made], 1, False)
    ours.call("delete", path, status=204)
    assert contract.call("get", "/v1/locations")["data"] == []
    for method in ("get", "delete"):
        ours.refused(method, path, status=404, key="not_found")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (without_format(CIRCLE) | {"colour": "red"}, CIRCLE),
        (CIRCLE | {"distance": CIRCLE["distance"] | {"unit": "red"}}, CIRCLE),
        (without_format(POLYGON), POLYGON),
        (POLYGON | {"geojson": POLYGON["geojson"] | {"bbox": "red"}}, POLYGON),
        (
            POLYGON | {"geojson": {"type": "Polygon", "coordinates": [[[*point, "red"] for point in RING]]}},
            POLYGON,
        ),
    ],
)
def test_a_shape_is_kept_as_published_whatever_was_sent_with_it(ours, contract, sent, kept):
    made = ours.call("post", "/v1/locations", {"name": "Warsaw", "shape": sent})

    assert made["shape"] == kept
    assert contract.call("get", f"/v1/locations/{made['id']}") == made


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "Payload"),
        ({}, ".name"),
        ({"name": "Warsaw"}, ".shape"),
        ({"name": "  ", "shape": CIRCLE}, ".name"),
        ({"name": "x" * 256, "shape": CIRCLE}, ".name"),
        ({"name": "Warsaw", "shape": "circle"}, ".shape"),
        ({"name": "Warsaw", "shape": {"type": "square"}}, ".shape"),
        ({"name": "Warsaw", "shape": CIRCLE | {"distance": {"center": "here", "radius": "1 km"}}}, "center"),
        ({"name": "Warsaw", "shape": CIRCLE | {"distance": {"center": "1,2", "radius": "0 km"}}}, "radius"),
        (
            {"name": "Warsaw", "shape": POLYGON | {"geojson": {"type": "Polygon", "coordinates": []}}},
            "Polygon",
        ),
        (
            {
                "name": "Warsaw",
                "shape": POLYGON | {"geojson": {"type": "Polygon", "coordinates": [RING[:2]]}},
            },
            "points",
        ),
    ],
)
def test_what_a_location_can_not_be_is_refused_by_name(ours, body, says):
    assert says in ours.refused("post", "/v1/locations", body, status=400, key="invalid_payload")
    assert not Location.objects.exists()


def test_what_a_location_is_refused_for(ours, project):
    made = ours.call("post", "/v1/locations", {"name": "Warsaw", "shape": CIRCLE})
    path = f"/v1/locations/{made['id']}"
    condition = {"name": "customer.metadata", "property": "at", "conditions": {"$in_location": [made["id"]]}}
    rule = ValidationRuleFactory(project=project, rules={"1": condition})

    same = ours.refused(
        "post", "/v1/locations", {"name": "Warsaw", "shape": CIRCLE}, status=409, key="duplicate_found"
    )
    ours.refused("put", path, {"name": "Berlin"}, status=405, key="method_not_allowed")
    kept = ours.refused(
        "delete",
        path,
        status=400,
        key="resource_in_use",
        named=["related_object_ids", "related_object_type"],
    )

    assert ("Warsaw" in same, rule.public_id in kept) == (True, True)
    assert ours.call("get", path) == made
