"""Programs as a model writes them: trees of JSON, in few words."""

from typing import Any

Tree = dict[str, Any]


def of(label: str, date: int = 0, layer: str = "land_cover") -> Tree:
    return {"op": "mask", "layer": layer, "label": label, "date": date}


def valid(date: int = 0, layer: str = "land_cover") -> Tree:
    return {"op": "valid", "layer": layer, "date": date}


def buildings(state: str | None = None, date: int = 1) -> Tree:
    objects: Tree = {"op": "instances", "layer": "footprint", "label": "building", "date": date}
    return objects if state is None else {**objects, "attribute": state}


def both(a: Tree, b: Tree) -> Tree:
    return {"op": "and", "a": a, "b": b}


def either(*masks: Tree) -> Tree:
    joined = masks[0]
    for mask in masks[1:]:
        joined = {"op": "or", "a": joined, "b": mask}
    return joined


def minus(a: Tree, b: Tree) -> Tree:
    return {"op": "minus", "a": a, "b": b}


def part(mask: Tree, *cells: int) -> Tree:
    return either(*({"op": "part", "of": mask, "cell": cell} for cell in cells))


def near(mask: Tree, to: Tree, distance_m: float) -> Tree:
    return {"op": "near", "of": mask, "to": to, "distance_m": distance_m}


def area(mask: Tree) -> Tree:
    return {"op": "area", "of": mask}


def share(mask: Tree, within: Tree | None = None) -> Tree:
    return {"op": "share", "of": mask, "within": within or valid()}


def count(mask: Tree) -> Tree:
    return {"op": "count", "of": mask}


def of_two(op: str, a: Tree, b: Tree) -> Tree:
    return {"op": op, "a": a, "b": b}


def number(value: float, unit: str = "") -> Tree:
    return {"op": "number", "value": value, "unit": unit}


def exists(mask: Tree) -> Tree:
    return {"op": "exists", "of": mask}


def compare(a: Tree, relation: str, b: Tree) -> Tree:
    return {"op": "compare", "a": a, "relation": relation, "b": b}


def joined(op: str, *tests: Tree) -> Tree:
    return {"op": op, "of": list(tests)}


def largest(**numbers: Tree) -> Tree:
    named = [{"name": name.replace("_", " "), "value": tree} for name, tree in numbers.items()]
    return {"op": "argmax", "of": named}


def ranked(place: int, **numbers: Tree) -> Tree:
    return {**largest(**numbers), "op": "rank", "place": place}


def nearest(to: Tree, **masks: Tree) -> Tree:
    return {"op": "nearest", "to": to, "of": _masks(masks)}


def most_of(within: Tree, **masks: Tree) -> Tree:
    return {"op": "majority", "of": _masks(masks), "within": within}


def _masks(masks: dict[str, Tree]) -> list[Tree]:
    return [{"name": name.replace("_", " "), "mask": tree} for name, tree in masks.items()]
