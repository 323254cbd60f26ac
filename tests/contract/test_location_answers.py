"""Answers about locations have the published shape."""

from django.utils import timezone

from customers.services.locations import create_location

CIRCLE = {"type": "circle", "format": "distance", "distance": {"center": "geo:1.5,2.5", "radius": "10 km"}}


def test_locations(contract, project):
    made = create_location(project, name="Warsaw", shape=CIRCLE, now=timezone.now())

    contract.call("get", "/v1/locations", query={"order": "-updated_at", "limit": 5})
    contract.call("get", f"/v1/locations/{made.public_id}")
