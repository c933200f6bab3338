"""Places of a dataset as WKT, which is how DCAT says where. Pure."""

from __future__ import annotations

from pyoxigraph import NamedNode

from catalog.graph.drawing import Drawing, Value
from catalog.graph.values import literal
from catalog.graph.vocabulary import DCAT, WKT

_SIDES = ("west", "south", "east", "north")


def place(drawing: Drawing, value: Value, node: NamedNode) -> None:
    """The box and the middle of a place; a box over the date line (west > east) is two boxes."""
    sides = [value.get(side) for side in _SIDES]
    west, south, east, north = (_number(each) for each in sides)
    if west is not None and south is not None and east is not None and north is not None:
        drawing.add(node, DCAT["bbox"], literal(_box(west, south, east, north), WKT))
        width = east - west if west <= east else east - west + 360
        middle = west + width / 2
        centre = _point(middle - 360 if middle > 180 else middle, (south + north) / 2)
        drawing.add(node, DCAT["centroid"], literal(centre, WKT))
        return
    longitude, latitude = _number(value.get("longitude")), _number(value.get("latitude"))
    if longitude is not None and latitude is not None:
        drawing.add(node, DCAT["centroid"], literal(_point(longitude, latitude), WKT))


def _box(west: float, south: float, east: float, north: float) -> str:
    if west <= east:
        return f"POLYGON({_ring(west, south, east, north)})"
    return f"MULTIPOLYGON(({_ring(west, south, 180, north)}),({_ring(-180, south, east, north)}))"


def _ring(west: float, south: float, east: float, north: float) -> str:
    corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return "(" + ",".join(f"{_plain(x)} {_plain(y)}" for x, y in corners) + ")"


def _point(longitude: float, latitude: float) -> str:
    return f"POINT({_plain(longitude)} {_plain(latitude)})"


def _plain(number: float) -> str:
    """A number without an exponent, to a tenth of a metre."""
    return f"{number:.6f}".rstrip("0").rstrip(".") or "0"


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
