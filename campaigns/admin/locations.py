"""Locations in the dashboard: areas on the map that rules, segments and collections ask about."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from campaigns.admin.in_use import KeptWhileInUse, pages_of
from campaigns.services.in_use import users_of
from campaigns.services.locations import delete_location
from customers.models import Location
from customers.services.locations import create_location
from promoengine.core.admin_project import ProjectModelAdmin, current_project
from promoengine.core.models import Project
from promoengine.engine.places import InvalidShape, Polygon, parse_point, parse_shape

CORNERS_SHOWN = 50


class LocationForm(forms.ModelForm):
    kind = forms.ChoiceField(
        label=_("Area"),
        choices=[("circle", _("Around a place")), ("polygon", _("Within borders"))],
        widget=UnfoldAdminSelectWidget,
    )
    center = forms.CharField(
        label=_("Place"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Latitude and longitude, as maps show them: 52.2297, 21.0122"),
    )
    radius = forms.DecimalField(
        label=_("Kilometres around it"),
        required=False,
        min_value=0,
        max_value=20_000,
        max_digits=9,
        decimal_places=3,
        widget=UnfoldAdminTextInputWidget,
    )
    borders = forms.CharField(
        label=_("Corners"),
        required=False,
        widget=UnfoldAdminTextareaWidget,
        help_text=_("At least three, in order, each on a line of its own: 52.2297, 21.0122"),
    )

    class Meta:
        model = Location
        fields = ["name", "kind", "center", "radius", "borders"]

    project: Project

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if Location.objects.filter(project=self.project, name=name).exists():
            raise forms.ValidationError(_("Another location has this name."))
        return name

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        field = "center" if data.get("kind") == "circle" else "borders"
        try:
            data["shape"] = self._circle(data) if field == "center" else self._polygon(data)
            parse_shape(data["shape"])
        except InvalidShape as error:
            self.add_error(field, str(error))
        return data

    def _circle(self, data: dict[str, Any]) -> dict[str, Any]:
        center = parse_point(data.get("center"))
        if center is None:
            raise InvalidShape(_("Write latitude and longitude, as in 52.2297, 21.0122."))
        if not data.get("radius"):
            raise InvalidShape(_("Say how many kilometres around it."))
        at = f"geo:{center[0]},{center[1]}"
        return {
            "type": "circle",
            "format": "distance",
            "distance": {"center": at, "radius": f"{data['radius'].normalize():f} km"},
        }

    def _polygon(self, data: dict[str, Any]) -> dict[str, Any]:
        ring = []
        for line in (data.get("borders") or "").splitlines():
            if line.strip():
                point = parse_point(line)
                if point is None:
                    raise InvalidShape(_("%(line)s is not latitude and longitude.") % {"line": line.strip()})
                ring.append([point[1], point[0]])
        if len(ring) < 3:
            raise InvalidShape(_("Write at least three corners."))
        ring = ring if ring[0] == ring[-1] else [*ring, ring[0]]
        return {
            "type": "polygon",
            "format": "geojson",
            "geojson": {"type": "Polygon", "coordinates": [ring]},
        }


@admin.register(Location)
class LocationAdmin(KeptWhileInUse, ProjectModelAdmin):
    """Lists locations, makes and deletes them; one is not changed, because rules would change with it."""

    nothing_yet = _("A location is an area on the map that rules can ask about.")
    form = LocationForm
    looked_at = ["name", "area", "corners", "asked_by"]
    list_display = ["name", "area", "created_at"]
    search_fields = ["name"]
    search_help_text = _("Part of a name")
    ordering = ["-created_at", "-id"]
    conditional_fields = {
        "center": "kind == 'circle'",
        "radius": "kind == 'circle'",
        "borders": "kind == 'polygon'",
    }

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_form(
        self, request: HttpRequest, obj: Location | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        made = super().get_form(request, obj, change=change, **kwargs)
        made.project = current_project(request)
        return made

    def get_fieldsets(self, request: HttpRequest, obj: Location | None = None) -> list[Any]:
        if obj is None:
            return [(None, {"fields": self.form.Meta.fields})]
        is_circle = obj.shape["type"] == "circle"
        return [(None, {"fields": [one for one in self.looked_at if one != "corners" or not is_circle]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Location | None = None) -> list[str]:
        return self.looked_at if obj else []

    def delete_model(self, request: HttpRequest, obj: Location) -> None:
        delete_location(current_project(request), obj.public_id)

    @display(description=_("Asked about by"))
    def asked_by(self, location: Location) -> str:
        return pages_of(users_of(location.project, location.public_id)) or _("Nothing yet.")

    @display(description=_("Corners"))
    def corners(self, location: Location) -> str:
        shape = parse_shape(location.shape)
        rings = (part[0] for part in shape.parts) if isinstance(shape, Polygon) else ()
        points = [point for ring in rings for point in ring]
        lines = [(f"{latitude}, {longitude}",) for latitude, longitude in points[:CORNERS_SHOWN]]
        return format_html_join(mark_safe("<br>"), "{}", [*lines, *[("…",)] * (len(points) > len(lines))])

    @display(description=_("Area"))
    def area(self, location: Location) -> str:
        if location.shape["type"] == "circle":
            distance = location.shape["distance"]
            center = distance["center"].removeprefix("geo:").replace(",", ", ")
            return str(_("%(radius)s around %(center)s") % {"radius": distance["radius"], "center": center})
        return str(_("within borders"))

    def save_model(self, request: HttpRequest, obj: Location, form: forms.ModelForm, change: bool) -> None:
        data = form.cleaned_data
        made = create_location(
            current_project(request), name=data["name"], shape=data["shape"], now=timezone.now()
        )
        obj.pk = made.pk
