"""Locations: areas on the map, made in the dashboard and over REST, and asked about by rules."""

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from campaigns.models import ProductCollection
from customers.models import Location, Segment
from customers.services.locations import create_location
from promoengine.core.errors import DomainError
from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import run_async_action
from promoengine.engine.places import InvalidShape, parse_point, parse_shape
from tests.api import Api
from tests.factories import ProjectFactory, ValidationRuleFactory, VoucherFactory
from tests.versions import growths

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

    def test_making_and_deleting(self, api, project):
        versions = growths(project)
        made = api.post("/v1/locations", {"name": "Warsaw", "shape": CIRCLE})

        assert made.status_code == 200
        assert (made.json()["name"], made.json()["shape"]) == ("Warsaw", CIRCLE)
        assert api.get(f"/v1/locations/{made.json()['id']}").json() == made.json()
        assert api.delete(f"/v1/locations/{made.json()['id']}").status_code == 204
        assert api.delete(f"/v1/locations/{made.json()['id']}").status_code == 404
        assert not Location.objects.exists()
        assert growths(project) == versions + 2

    @pytest.mark.parametrize(
        ("body", "key", "named"),
        [
            ([], "invalid_payload", ""),
            ({"shape": CIRCLE}, "invalid_payload", "name"),
            ({"name": " ", "shape": CIRCLE}, "invalid_payload", "name"),
            ({"name": "x" * 256, "shape": CIRCLE}, "invalid_payload", "name"),
            ({"name": "Cracow"}, "invalid_payload", "shape"),
            ({"name": "Cracow", "shape": "round"}, "invalid_payload", "shape"),
            ({"name": "Cracow", "shape": {"type": "circle"}}, "invalid_payload", ".shape"),
            ({"name": "Warsaw", "shape": CIRCLE}, "duplicate_found", "Warsaw"),
        ],
    )
    def test_what_is_wrong_makes_nothing(self, api, warsaw, body, key, named):
        answer = api.post("/v1/locations", body)

        assert (answer.json()["key"], named in answer.content.decode()) == (key, True)
        assert Location.objects.count() == 1

    def test_one_that_a_rule_asks_about_stays(self, api, warsaw):
        asked = {"name": "customer.metadata", "property": "home"}
        asked["conditions"] = {"$in_location": [warsaw.public_id]}
        api.post("/v1/validation-rules", {"name": "R", "rules": {"1": asked}})

        answer = api.delete(f"/v1/locations/{warsaw.public_id}")

        assert (answer.status_code, answer.json()["key"]) == (400, "resource_in_use")
        assert Location.objects.exists()

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


class TestFilters:
    def filter(self, *ids):
        return {"junction": "and", "metadata.home": {"conditions": {"$in_location": list(ids)}}}

    @pytest.fixture
    def people(self, api):
        for name, home in (("ann", "52.23, 21.01"), ("bob", "50.06, 19.94"), ("eve", "somewhere")):
            api.post("/v1/customers", {"source_id": name, "metadata": {"home": home}})

    @pytest.mark.parametrize("kind", ["passive", "auto-update"])
    def test_a_segment_of_those_who_live_near(self, api, project, warsaw, people, kind):
        asked = self.filter(warsaw.public_id)

        made = api.post("/v1/segments", {"name": "Near", "type": kind, "filter": asked})
        for action in AsyncAction.objects.filter(project=project):
            run_async_action(action.pk)

        assert made.status_code == 200, made.json()
        assert made.json()["filter"] == asked
        found = {name: api.get(f"/v1/customers/{name}/segments").json()["total"] for name in ("ann", "bob")}
        assert found == {"ann": 1, "bob": 0}

    def test_how_many_a_filter_would_match(self, api, warsaw, people):
        answer = api.post("/v1/segments/preview", {"filter": self.filter(warsaw.public_id)})

        assert answer.json()["total"] == 1

    def test_a_collection_of_what_is_made_near(self, api, warsaw):
        for name, home in (("Near", "52.23, 21.01"), ("Far", "50.06, 19.94")):
            api.post("/v1/products", {"name": name, "metadata": {"home": home}})
        body = {"name": "Local", "type": "AUTO_UPDATE", "filter": self.filter(warsaw.public_id)}

        made = api.post("/v1/product-collections", body).json()
        found = api.get(f"/v1/product-collections/{made['id']}/products").json()

        assert [product["name"] for product in found["data"]] == ["Near"]

    @pytest.mark.parametrize(
        ("path", "type_"), [("segments", "auto-update"), ("product-collections", "AUTO_UPDATE")]
    )
    def test_a_location_of_another_project_is_unknown(self, warsaw, path, type_):
        theirs = Api(ProjectFactory())

        answer = theirs.post(
            f"/v1/{path}", {"name": "Near", "type": type_, "filter": self.filter(warsaw.public_id)}
        )

        assert (answer.status_code, answer.json()["resource_type"]) == (404, "location")


class TestDashboard:
    ADD = "/admin/customers/location/add/"

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

    def test_a_name_that_is_taken_is_said_on_its_field(self, marketer, warsaw):
        form = {"name": "Warsaw ", "kind": "circle", "center": "1, 2", "radius": "3"}

        page = marketer.post(self.ADD, form).content.decode()

        assert "Another location has this name." in page
        assert 'value="1, 2"' in page

    def page(self, location, name="change"):
        return f"/admin/customers/location/{location.pk}/{name}/"

    def near(self, project, warsaw):
        condition = {
            "name": "customer.metadata",
            "property": "home",
            "conditions": {"$in_location": [warsaw.public_id]},
        }
        return ValidationRuleFactory(project=project, name="Near", rules={"1": condition, "logic": "1"})

    def test_one_is_shown_with_who_asks_about_it(self, marketer, project, warsaw):
        nobody = marketer.get(self.page(warsaw)).content.decode()
        rule = self.near(project, warsaw)
        page = marketer.get(self.page(warsaw)).content.decode()

        assert "Nothing yet." in nobody
        assert f"/admin/campaigns/validationrule/{rule.pk}/change/" in page

    def test_borders_are_shown(self, marketer, project):
        square = create_location(project, name="Square", shape=polygon(SQUARE), now=timezone.now())

        assert "50.0, 12.0<br>52.0, 12.0" in marketer.get(self.page(square)).content.decode()

    def test_one_that_nobody_asks_about_is_deleted(self, marketer, project, warsaw):
        marketer.post(self.page(warsaw, "delete"), {"post": "yes"})

        assert not Location.objects.exists()
        assert growths(project) == 2

    def test_one_that_a_rule_asks_about_stays_and_the_rule_is_named(self, marketer, project, warsaw):
        self.near(project, warsaw)

        page = marketer.post(self.page(warsaw, "delete"), {"post": "yes"}, follow=True).content.decode()

        assert "It is not deleted, because it is used in:" in page
        assert ">Near</a>" in page
        assert Location.objects.count() == 1

    @pytest.mark.parametrize(("model", "type_"), [(Segment, "passive"), (ProductCollection, "AUTO_UPDATE")])
    def test_one_that_a_filter_asks_about_stays(self, marketer, project, warsaw, model, type_):
        asked = {"junction": "and", "metadata.home": {"conditions": {"$in_location": [warsaw.public_id]}}}
        model.objects.create(project=project, name="Those near", type=type_, filter=asked)

        page = marketer.post(self.page(warsaw, "delete"), {"post": "yes"}, follow=True).content.decode()

        assert ">Those near</a>" in page
        assert Location.objects.count() == 1

    def test_a_segment_says_the_location_by_its_name(self, marketer, project, warsaw):
        asked = {"junction": "and", "metadata.home": {"conditions": {"$in_location": [warsaw.public_id]}}}
        segment = Segment.objects.create(project=project, name="Near", type="passive", filter=asked)

        page = marketer.get(f"/admin/customers/segment/{segment.pk}/change/").content.decode()

        assert "lies in Warsaw" in page

    def test_permissions(self, client, project, warsaw):
        user = User.objects.create_user("junior", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename="view_location"))
        client.force_login(user)

        assert client.get("/admin/customers/location/").status_code == 200
        assert client.get(self.ADD).status_code == 403
        assert client.get(self.page(warsaw)).status_code == 200
        assert client.post(self.page(warsaw, "delete"), {"post": "yes"}).status_code == 403
