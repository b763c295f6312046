"""
Write digests/render/world.toml, the map of an edition's page, from Natural Earth (public domain).

    npm install world-atlas@2.0.2 && python bench/make_map.py node_modules/world-atlas

The npm package world-atlas carries Natural Earth 4.1 as TopoJSON. Land is its 110m outline without Antarctica, in
Patterson's projection, which gives Europe room, cut through the Bering Strait and simplified until it takes a few kB
(Visvalingam and Whyatt 1993: the point whose triangle is smallest goes first). Of each country in the 50m data there
is one point: the middle of its largest part, or the spot there that is farthest from its borders where the middle
lies outside.
"""

from __future__ import annotations

import json
import math
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

from babel.core import get_global

from digests.analysis.country_names import COUNTRY_CODES

TARGET = Path(__file__).parent.parent / "digests" / "render" / "world.toml"
WIDTH = 720  # units of the map
SOUTH = -57.0  # degrees of latitude: nothing below Tierra del Fuego
MIN_TRIANGLE = 4.0  # square units: a point that matters less goes
MIN_ISLAND = 9.0  # square units
NORTH = 83.0
EDGE = 191.5  # degrees east: where the map begins and ends, between Asia and America
C = (1.0148, 0.23185, -0.14499, 0.02406)  # of the projection (Patterson, Šavrič and Jenny 2015)
STEPS = 40  # of the grid on which the spot farthest from a border is looked for
# Countries that Natural Earth's 50m data leaves out or does not number: longitude, latitude.
BY_HAND = {"XK": (20.9, 42.6), "TV": (179.2, -8.5), "TK": (-171.8, -9.2), "GI": (-5.35, 36.14)}

Point = tuple[float, float]
Ring = list[Point]


def main() -> None:
    """Write the table and say what it holds."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    land = [ring for polygon in polygons(load(folder, "land-110m.json"), "land") for ring in polygon]
    top = project((0.0, NORTH))[1]
    rings = [simplified([moved(project(point), top) for point in ring]) for ring in land if not is_polar(ring)]
    path = "".join(drawn(ring) for ring in rings if len(ring) > 3 and abs(area(ring)) >= MIN_ISLAND)
    spots = {code: moved(project(spot), top) for code, spot in sorted(points(folder).items())}
    height = round(moved(project((0.0, SOUTH)), top)[1])
    rows = [f"{code} = [{round(x)}, {round(y)}]" for code, (x, y) in spots.items()]
    head = "# Land, and a point in each country: Natural Earth (public domain), cut by bench/make_map.py."
    lines = [head, f"width = {WIDTH}", f"height = {height}", f'land = "{path}"', "", "[points]", *rows]
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")
    lacking = sorted(set(COUNTRY_CODES) - spots.keys())
    print(f"{len(path)} bytes of land, {height} units high, {len(spots)} countries; without a point: {lacking}")


def load(folder: Path, name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / name).read_text("utf-8"))
    return data


def polygons(topology: dict[str, Any], name: str) -> list[list[Ring]]:
    """Return the polygons of an object, each as its rings in degrees."""
    return [polygon for shape in shapes(topology, name) for polygon in shape[1]]


def shapes(topology: dict[str, Any], name: str) -> list[tuple[str, list[list[Ring]]]]:
    """Return the id and the polygons of each geometry (TopoJSON §2.1.4: arcs are shared, in steps)."""
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs: list[Ring] = []
    for arc in topology["arcs"]:
        x = y = 0
        line: Ring = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            line.append((x * sx + tx, y * sy + ty))
        arcs.append(line)

    def ring(indices: list[int]) -> Ring:
        points: Ring = []
        for index in indices:
            part = arcs[index] if index >= 0 else arcs[~index][::-1]
            points += part[1:] if points else part
        return points

    found = []
    for geometry in topology["objects"][name]["geometries"]:
        parts = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry.get("arcs", [])
        found.append((str(geometry.get("id", "")), [[ring(indices) for indices in part] for part in parts]))
    return found


def points(folder: Path) -> dict[str, Point]:
    """Return a point in degrees for each country by its ISO code; CLDR knows which code a number stands for."""
    numbers = get_global("territory_aliases")
    found = dict(BY_HAND)
    for number, parts in shapes(load(folder, "countries-50m.json"), "countries"):
        code = next(iter(numbers.get(number, ())), "") if number else ""
        if code in COUNTRY_CODES and parts:
            largest = max((part[0] for part in parts), key=lambda ring: abs(area(ring)))
            found[code] = middle(largest)
    return found


def middle(ring: Ring) -> Point:
    """Return the centre of gravity of a ring, or the spot in it that is farthest from its border."""
    total = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(ring))
    x = sum((x0 + x1) * (x0 * y1 - x1 * y0) for (x0, y0), (x1, y1) in pairwise(ring)) / (3 * total)
    y = sum((y0 + y1) * (x0 * y1 - x1 * y0) for (x0, y0), (x1, y1) in pairwise(ring)) / (3 * total)
    if is_inside((x, y), ring):
        return x, y
    xs, ys = [p[0] for p in ring], [p[1] for p in ring]
    grid = [
        (min(xs) + (max(xs) - min(xs)) * i / STEPS, min(ys) + (max(ys) - min(ys)) * j / STEPS)
        for i in range(1, STEPS)
        for j in range(1, STEPS)
    ]
    inside = [spot for spot in grid if is_inside(spot, ring)] or [ring[0]]
    return max(inside, key=lambda spot: min(math.dist(spot, point) for point in ring))


def is_inside(spot: Point, ring: Ring) -> bool:
    x, y = spot
    crossed = sum(
        (y0 > y) != (y1 > y) and x < (x1 - x0) * (y - y0) / (y1 - y0) + x0 for (x0, y0), (x1, y1) in pairwise(ring)
    )
    return crossed % 2 == 1


def is_polar(ring: Ring) -> bool:
    return max(y for _, y in ring) < SOUTH


def project(point: Point) -> Point:
    """Return a point of the projection for degrees: radians east of the map's middle, and upwards."""
    east = (point[0] - EDGE) % 360 - 180
    latitude = math.radians(point[1])
    return math.radians(east), C[0] * latitude + C[1] * latitude**5 + C[2] * latitude**7 + C[3] * latitude**9


def moved(point: Point, top: float) -> Point:
    """Return a projected point in units of the map, y downwards from `top`."""
    scale = WIDTH / (2 * math.pi)
    return WIDTH / 2 + point[0] * scale, (top - point[1]) * scale


def simplified(ring: Ring) -> Ring:
    """Return a ring without the points that make least difference, in whole units."""
    points = ring[:-1]
    while len(points) > 3:
        sizes = [
            abs(area([points[i - 1], points[i], points[(i + 1) % len(points)], points[i - 1]]))
            for i in range(len(points))
        ]
        least = min(range(len(points)), key=sizes.__getitem__)
        if sizes[least] >= MIN_TRIANGLE:
            break
        del points[least]
    whole = [(float(round(x)), float(round(y))) for x, y in points]
    return [*whole, whole[0]]


def area(ring: Ring) -> float:
    """Return the signed area of a closed ring."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(ring)) / 2


def drawn(ring: Ring) -> str:
    """Return a ring as an SVG path of relative steps."""
    x, y = (int(value) for value in ring[0])
    steps = [(int(x1 - x0), int(y1 - y0)) for (x0, y0), (x1, y1) in pairwise(ring[:-1])]
    words = " ".join(f"{dx} {dy}" for dx, dy in steps if dx or dy).replace(" -", "-")
    return f"M{x} {y}l{words}z"


if __name__ == "__main__":
    main()
