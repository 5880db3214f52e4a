"""The parts of a program in plain words, for people who have not read the language's definition."""

from pydantic import BaseModel

from schemas.program import ClassMask, Count, Instances, Minus, Number, Valid
from schemas.trace import M2_PER_HA, cell_text, number_text, quantity_text
from schemas.value import Quantity
from tasks.rows import Row

_OPERATIONS = {
    "and": "in both",
    "or": "in any of these",
    "minus": "the first without the second",
    "area": "area",
    "share": "share",
    "border_length": "length of the border between",
    "distance": "distance between",
    "add": "sum",
    "sub": "difference",
    "mul": "product",
    "div": "ratio",
    "exists": "is there any",
    "border": "do they border",
    "all": "all of",
    "any": "any of",
    "not": "not",
    "cell": "where it mainly lies",
    "argmax": "the largest",
    "first": "the first that holds",
    "nearest": "the nearest",
    "majority": "the one with more than half",
}


class Words:
    """Words for the programs of one sample; dates and layers are named where there are several."""

    def __init__(self, row: Row) -> None:
        self._north_up = row.grid.north_up
        self._dates = {info.date_index: info.date for info in row.image_info}
        dates = {mask.date_index for mask in row.evidence.masks} | self._dates.keys()
        self._many_dates = len(dates) > 1
        self._many_layers = len({info.layer for info in row.evidence.layers}) > 1

    def of(self, node: BaseModel) -> str:
        """Return what one operation does, without what it does it to."""
        match node:
            case ClassMask() | Instances():
                return f"{self._named(node)}{self._where(node)}"
            case Count(of=Instances()):
                return "number of"
            case Count():
                return f"number of areas of at least {node.min_component_px} pixels of"
            case Valid():
                return f"all that is labelled{self._where(node)}"
            case Minus(a=ClassMask() | Instances() | Valid(), b=ClassMask() | Instances()):
                return f"{self.of(node.a)} without {self.of(node.b)}"
        return self._operation(node.model_dump())

    def against(self, relation: str, limit: Number, measured: Quantity | None) -> str:
        """Return what a comparison with a limit asks; the limit in the unit of what is measured."""
        text = self.of(limit)
        if measured is not None and limit.unit == "m2" and limit.value < M2_PER_HA:
            if measured.value >= M2_PER_HA:
                text += f" ({number_text(limit.value / M2_PER_HA)} ha)"
        return f"is it {'less' if relation == '<' else 'more'} than {text}"

    def _operation(self, node: dict[str, object]) -> str:
        match node["op"]:
            case "number":
                unit = f"{node['unit']}"
                return (
                    quantity_text(float(f"{node['value']}"), unit) if unit else f"{node['value']:g}"
                )
            case "near":
                return f"the first, within {node['distance_m']:g} m of the second"
            case "part":
                cell = cell_text(f"cell {node['cell']}", self._north_up)
                return f"its part in the {cell}"
            case "compare":
                than = "less" if node["relation"] == "<" else "greater"
                return f"is the first {than} than the second"
            case "rank":
                return f"number {node['place']} by size"
        return _OPERATIONS[f"{node['op']}"]

    def _named(self, leaf: ClassMask | Instances) -> str:
        if isinstance(leaf, ClassMask):
            return leaf.label
        return f"each {leaf.label}" + (f" that is {leaf.attribute}" if leaf.attribute else "")

    def _where(self, leaf: ClassMask | Instances | Valid) -> str:
        date = self._dates.get(leaf.date, "")
        shown = f"date {leaf.date + 1}" + (f" ({date})" if date else "")
        told = [leaf.layer] * self._many_layers + [shown] * self._many_dates
        return f", {', '.join(told)}" if told else ""
