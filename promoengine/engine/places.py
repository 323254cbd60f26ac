"""Areas on the map, as the wire has them, and whether a point lies in one."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EARTH_RADIUS = 6_371_008.8  # metres
POINTS_MAX = 10_000
POINT = re.compile(r"(?:geo:)?\s*(-?\d{1,3}(?:\.\d{1,20})?)\s*,\s*(-?\d{1,3}(?:\.\d{1,20})?)")
DISTANCE = re.compile(r"(\d{1,8}(?:\.\d{1,9})?)\s*(km|mi|m|ft)")
METRES = {"m": 1.0, "km": 1000.0, "mi": 1609.344, "ft": 0.3048}

Point = tuple[float, float]  # latitude, longitude
Ring = tuple[Point, ...]


class InvalidShape(ValueError):
    """A shape that can't be meant; the text says what should be there."""


@dataclass(frozen=True, slots=True)
class Circle:
    """All points up to `radius` metres from a point, over the ground."""

    center: Point
    radius: float

    def has(self, point: Point) -> bool:
        return distance(self.center, point) <= self.radius


@dataclass(frozen=True, slots=True)
class Polygon:
    """The inside of the first ring of each part, without the other rings of it, which are holes."""

    parts: tuple[tuple[Ring, ...], ...]

    def has(self, point: Point) -> bool:
        return any(sum(_encloses(ring, point) for ring in rings) % 2 == 1 for rings in self.parts)


Shape = Circle | Polygon


def parse_point(text: Any) -> Point | None:
    """Return the point that `59.91, 10.75` or `geo:59.91,10.75` writes, or None."""
    found = POINT.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        return None
    point = float(found[1]), float(found[2])
    return point if abs(point[0]) <= 90 and abs(point[1]) <= 180 else None


def parse_shape(shape: Any) -> Shape:
    """Read a published shape.

    Raises:
        InvalidShape: it is none.
    """
    if isinstance(shape, Mapping):
        if shape.get("type") == "circle" and isinstance(shape.get("distance"), Mapping):
            return _circle(shape["distance"])
        if shape.get("type") == "polygon" and isinstance(shape.get("geojson"), Mapping):
            return _polygon(shape["geojson"])
    raise InvalidShape("should be a circle with its distance, or a polygon with its geojson")


def published_shape(shape: Mapping[str, Any]) -> dict[str, Any]:
    """Return a shape that `parse_shape` reads, with all that is published of one, and nothing else."""
    if shape["type"] == "circle":
        distance = {name: shape["distance"][name] for name in ("center", "radius")}
        return {"type": "circle", "format": "distance", "distance": distance}
    geojson = {"type": shape["geojson"]["type"], "coordinates": _flat(shape["geojson"]["coordinates"])}
    return {"type": "polygon", "format": "geojson", "geojson": geojson}


def distance(one: Point, other: Point) -> float:
    """Return the metres between two points, over the ground."""
    north, south = math.radians(one[0]), math.radians(other[0])
    half = math.sin((south - north) / 2) ** 2
    half += math.cos(north) * math.cos(south) * math.sin(math.radians(other[1] - one[1]) / 2) ** 2
    return 2 * EARTH_RADIUS * math.asin(math.sqrt(min(1.0, half)))


def _circle(distance: Mapping[str, Any]) -> Circle:
    center = parse_point(distance.get("center"))
    if center is None:
        raise InvalidShape("should have a center of latitude and longitude, such as geo:59.91,10.75")
    radius = distance.get("radius")
    found = DISTANCE.fullmatch(radius.strip()) if isinstance(radius, str) else None
    if found is None or not float(found[1]):
        raise InvalidShape("should have a radius such as 1.5 km")
    return Circle(center, float(found[1]) * METRES[found[2]])


def _polygon(geojson: Mapping[str, Any]) -> Polygon:
    coordinates = geojson.get("coordinates")
    parts = {"Polygon": [coordinates], "MultiPolygon": coordinates}.get(str(geojson.get("type")))
    if not isinstance(parts, list) or not parts or not all(isinstance(one, list) and one for one in parts):
        raise InvalidShape("should have the coordinates of a Polygon or MultiPolygon")
    return Polygon(tuple(tuple(_ring(ring) for ring in rings) for rings in parts))


def _ring(ring: Any) -> Ring:
    if not isinstance(ring, list) or not 3 <= len(ring) <= POINTS_MAX:
        raise InvalidShape(f"should have from 3 to {POINTS_MAX} points")
    return tuple(_position(position) for position in ring)


def _flat(coordinates: list[Any]) -> list[Any]:
    """Return the positions of rings without their heights."""
    if isinstance(coordinates[0], list):
        return [_flat(one) for one in coordinates]
    return coordinates[:2]


def _position(position: Any) -> Point:
    """Return the point of a GeoJSON position, whose longitude comes first."""
    numbers: list[Any] = position if isinstance(position, list) and len(position) >= 2 else [None, None]
    longitude, latitude = numbers[:2]
    for number, most in ((longitude, 180), (latitude, 90)):
        if isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) <= most:
            raise InvalidShape("should have points of longitude and latitude")
    return float(latitude), float(longitude)


def _encloses(ring: Ring, point: Point) -> bool:
    """Return whether a line from the point to the north crosses the ring an odd number of times."""
    is_inside = False
    for (y, x), (to_y, to_x) in zip(ring, ring[1:] + ring[:1], strict=True):
        if (x > point[1]) != (to_x > point[1]) and point[0] < y + (point[1] - x) * (to_y - y) / (to_x - x):
            is_inside = not is_inside
    return is_inside
