"""Locations: areas on the map, made in the dashboard, listed over REST and asked about by rules."""

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from customers.models import Location
from customers.services.locations import create_location
from promoengine.core.errors import DomainError
from promoengine.engine.places import InvalidShape, parse_point, parse_shape
from tests.api import Api
from tests.factories import ProjectFactory, VoucherFactory

CIRCLE = {
    "type": "circle",
    "format": "distance",
    "distance": {"center": "geo:52.2297,21.0122", "radius": "10 km"},
}
SQUARE = [[10.0, 50.0], [12.0, 50.0], [12.0, 52.0], [10.0, 52.0], [10.0, 50.0]]
HOLE = [[10.8, 50.8], [11.2, 50.8], [11.2, 51.2], [10.8, 51.2], [10.8, 50.8]]


def polygon(*rings):
    return {
        "type": "polygon",
        "format": "geojson",
        "geojson": {"type": "Polygon", "coordinates": list(rings)},
    }


@pytest.fixture
def warsaw(project):
    return create_location(project, name="Warsaw", shape=CIRCLE, now=timezone.now())


class TestAreas:
    @pytest.mark.parametrize(
        ("shape", "point", "is_in"),
        [
            (CIRCLE, (52.2297, 21.0122), True),
            (CIRCLE, (52.3195, 21.0122), True),  # 9.99 km to the north
            (CIRCLE, (52.3197, 21.0122), False),
            (polygon(SQUARE), (51.5, 11.5), True),
            (polygon(SQUARE), (53.0, 11.0), False),
            (polygon(SQUARE, HOLE), (51.0, 11.0), False),
            (polygon(SQUARE, HOLE), (50.5, 11.0), True),
        ],
    )
    def test_points(self, shape, point, is_in):
        assert parse_shape(shape).has(point) is is_in

    def test_parts_of_a_multipolygon(self):
        far = [[x + 100, y] for x, y in SQUARE]
        shape = parse_shape(
            {"type": "polygon", "geojson": {"type": "MultiPolygon", "coordinates": [[SQUARE], [far]]}}
        )

        assert [shape.has(point) for point in ((51.0, 11.0), (51.0, 111.0), (51.0, 60.0))] == [
            True,
            True,
            False,
        ]

    @pytest.mark.parametrize(
        "shape",
        [
            None,
            {},
            {"type": "circle"},
            {"type": "circle", "distance": {"center": "x", "radius": "1 km"}},
            {"type": "circle", "distance": {"center": "1,2", "radius": "far"}},
            {"type": "circle", "distance": {"center": "91,2", "radius": "1 km"}},
            polygon(),
            polygon([[1, 2]]),
            polygon([[1, 2], [3, "4"], [5, 6]]),
            polygon([[1, 2], [300, 4], [5, 6]]),
            polygon([[True, 2], [3, 4], [5, 6]]),
            {"type": "polygon", "geojson": {"type": "Line", "coordinates": []}},
        ],
    )
    def test_what_is_no_shape(self, shape):
        with pytest.raises(InvalidShape):
            parse_shape(shape)

    @pytest.mark.parametrize("text", ["", "1", "1;2", "91,0", "0,181", "nan,1", "1,2,3", None, 5])
    def test_what_is_no_point(self, text):
        assert parse_point(text) is None


class TestRest:
    def test_listing_and_reading(self, api, warsaw):
        listed = api.get("/v1/locations", {"order": "created_at"}).json()

        assert (listed["total"], listed["has_more"]) == (1, False)
        assert listed["data"] == [api.get(f"/v1/locations/{warsaw.public_id}").json()]
        assert listed["data"][0]["shape"] == CIRCLE

    @pytest.mark.parametrize(("name", "count"), [("Warsaw", 1), ("Cracow", 0)])
    def test_filtering(self, api, warsaw, name, count):
        assert api.get("/v1/locations", {"filters[name][conditions][$is]": name}).json()["total"] == count

    def test_an_unknown_one_is_not_found(self, api):
        answer = api.get("/v1/locations/loc_nonsense")

        assert (answer.status_code, answer.json()["resource_type"]) == (404, "location")

    def test_a_name_is_there_once(self, project, warsaw):
        with pytest.raises(DomainError, match="Warsaw"):
            create_location(project, name=" Warsaw ", shape=CIRCLE, now=timezone.now())


class TestRules:
    def rule(self, api, *ids):
        condition = {
            "name": "customer.metadata",
            "property": "home",
            "conditions": {"$in_location": list(ids)},
        }
        return api.post("/v1/validation-rules", {"name": "Near", "rules": {"1": condition, "logic": "1"}})

    @pytest.mark.parametrize(
        ("home", "valid"),
        [("52.23, 21.01", True), ("50.06, 19.94", False), ("at home", False), (None, False)],
    )
    def test_a_code_for_those_who_live_near(self, api, project, warsaw, home, valid):
        VoucherFactory(project=project, code="NEAR")
        rule = self.rule(api, warsaw.public_id)
        assert rule.status_code == 200, rule.json()
        api.post(f"/v1/validation-rules/{rule.json()['id']}/assignments", {"voucher": "NEAR"})

        body = {
            "redeemables": [{"object": "voucher", "id": "NEAR"}],
            "customer": {"source_id": "ann", "metadata": {"home": home} if home else {}},
            "order": {"amount": 1000},
        }

        assert api.post("/v1/validations", body).json()["valid"] is valid

    def test_a_location_of_another_project_is_unknown(self, warsaw):
        answer = self.rule(Api(ProjectFactory()), warsaw.public_id)

        assert (answer.status_code, answer.json()["resource_type"]) == (404, "location")

    @pytest.mark.parametrize("value", ["nonsense", 5, {}])
    def test_what_is_no_location_is_refused(self, api, value):
        assert self.rule(api, value).status_code == 400


class TestDashboard:
    ADD = "/admin/customers/location/add/"

    @pytest.fixture
    def marketer(self, client, project):
        client.force_login(User.objects.create_superuser("marketer"))
        return client

    def test_a_circle(self, marketer, project):
        marketer.post(
            self.ADD, {"name": "Warsaw", "kind": "circle", "center": "52.2297, 21.0122", "radius": "10"}
        )

        assert Location.objects.get(project=project).shape == CIRCLE
        page = marketer.get("/admin/customers/location/").content.decode()
        assert "10 km around 52.2297, 21.0122" in page

    def test_borders_are_closed(self, marketer, project):
        corners = "50, 10\n50, 12\n\n52, 12\n52, 10"
        marketer.post(self.ADD, {"name": "Square", "kind": "polygon", "borders": corners})

        assert Location.objects.get(project=project).shape == polygon(SQUARE)

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"kind": "circle", "center": "here", "radius": "1"}, "Write latitude and longitude"),
            ({"kind": "circle", "center": "1, 2"}, "Say how many kilometres"),
            ({"kind": "polygon", "borders": "1, 2"}, "at least three corners"),
            ({"kind": "polygon", "borders": "1, 2\nhere\n3, 4"}, "here is not latitude"),
        ],
    )
    def test_what_is_wrong_is_said_on_its_field(self, marketer, fields, said):
        page = marketer.post(self.ADD, {"name": "X"} | fields).content.decode()

        assert said in page
        assert not Location.objects.exists()

    def test_permissions(self, client, project):
        user = User.objects.create_user("junior", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename="view_location"))
        client.force_login(user)

        assert client.get("/admin/customers/location/").status_code == 200
        assert client.get(self.ADD).status_code == 403
