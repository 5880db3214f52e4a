"""A program with the value of each of its parts, measured anew from the masks beside it.

The plain evaluator measures, the one that `terrascope verify` proves with: what is shown is not
what was stored but what the masks come to now.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pydantic import BaseModel

from masks.reference import evaluate
from masks.reference_regions import forms_of
from masks.reference_scene import ReferenceScene
from masks.rle import encode
from schemas.program import (
    All,
    And,
    Any_,
    ClassMask,
    Compare,
    Instances,
    Minus,
    NamedMask,
    NamedNumber,
    NamedTest,
    Near,
    Number,
    Or,
    Part,
    Valid,
    load_program,
)
from schemas.trace import number_text, quantity_text, value_text
from schemas.value import Quantity, Undefined
from tasks.rows import Row
from tasks.spoken import Words

MOST_PARTS = 60  # a caption may name more than anyone reads; the rest is counted
_LEAVES = (ClassMask, Instances, Valid)
_MASKS = (*_LEAVES, And, Or, Minus, Part, Near)
_NAMED = (NamedNumber, NamedTest, NamedMask)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """A mask that a program speaks of: its code, and the date that it is seen on."""

    counts: str
    date: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Valued:
    """One part of a program: `words` say what it does, `value` what it comes to here.

    `mask` is the number of its mask among those of the evaluation, -1 where it is none.
    """

    role: str
    words: str
    value: str
    mask: int = -1
    parts: tuple["Valued", ...] = ()


@dataclass(slots=True)
class Evaluation:
    """The parts of a row's program, and the masks that they speak of.

    `left` counts the parts that are not shown; `fault` says why there is nothing to show.
    """

    root: Valued | None = None
    masks: list[Mask] = field(default_factory=list)
    left: int = 0
    fault: str = ""

    @property
    def size(self) -> int:
        """Number of its parts that are shown."""
        return 0 if self.root is None else _shown(self.root)


def evaluated(row: Row) -> Evaluation:
    """Return a row's program with its values; what cannot be evaluated is said, not raised."""
    found = Evaluation()
    try:
        program = load_program(row.program)
        found.root = _Evaluator(row, found).valued(program, "")
    except ValueError as error:  # neither a program nor masks to run it on
        found.fault = f"{error}"
    return found


class _Evaluator:
    def __init__(self, row: Row, found: Evaluation) -> None:
        self._scene = ReferenceScene(row.evidence)
        self._north_up = row.grid.north_up
        self._words = Words(row)
        self._found = found
        self._shown = 0
        self._numbers: dict[BaseModel, int] = {}
        self._told: dict[BaseModel, Valued] = {}  # what has parts

    def valued(self, node: BaseModel, role: str) -> Valued:
        """Return a part of the program; one with parts that stood above stands without them."""
        if isinstance(node, All | Any_) and len(node.of) == 1:
            return self.valued(node.of[0], role)
        self._shown += 1
        if node in self._told:
            told = self._told[node]
            return replace(told, role=role, words=f"{told.words}, as above", parts=())
        found = self._valued(node, role)
        if found.parts:
            self._told[node] = found
        return found

    def _valued(self, node: BaseModel, role: str) -> Valued:
        if isinstance(node, _MASKS):
            return self._mask(node, role)
        if isinstance(node, Compare) and isinstance(node.b, Number):
            return self._against(node, node.b, role)
        value = "" if isinstance(node, Number) else self._value(node)
        return Valued(role=role, words=self._words.of(node), value=value, parts=self._parts(node))

    def _against(self, node: Compare, limit: Number, role: str) -> Valued:
        """Return a comparison with a limit, and how many times the limit the number is."""
        value, measured = self._value(node), self._measured(node.a)
        if measured is not None and measured.value > 0 < limit.value:
            value += f", {number_text(measured.value / limit.value)} × the limit"
        words = self._words.against(node.relation, limit, measured)
        return Valued(role=role, words=words, value=value, parts=(self.valued(node.a, ""),))

    def _measured(self, node: BaseModel) -> Quantity | None:
        try:
            value = evaluate(node, self._scene)  # type: ignore[arg-type]
        except Undefined:
            return None
        return value if isinstance(value, Quantity) else None

    def _parts(self, node: BaseModel) -> tuple[Valued, ...]:
        parts = []
        for role, child in _children(node):
            if self._shown < MOST_PARTS:
                parts.append(self.valued(child, role))
            else:
                self._found.left += _size(child)
        return tuple(parts)

    def _value(self, node: BaseModel) -> str:
        try:
            value = evaluate(node, self._scene)  # type: ignore[arg-type]
        except Undefined as outcome:
            return f"no safe value ({outcome})"
        text = value_text(value, self._north_up)
        if not isinstance(value, Quantity):
            return text
        low, high = (quantity_text(edge, value.unit) for edge in (value.low, value.high))
        return text if low == high else f"{text} ({low} to {high})"

    def _mask(self, node: BaseModel, role: str) -> Valued:
        parts = () if isinstance(node, _LEAVES) else self._parts(node)
        try:
            mask_HW = forms_of(node, self._scene).mask_HW  # type: ignore[arg-type]
        except Undefined as outcome:
            value = f"no safe value ({outcome})"
            return Valued(role=role, words=self._words.of(node), value=value, parts=parts)
        if node not in self._numbers:
            self._numbers[node] = len(self._found.masks)
            counts = encode(mask_HW).decode()
            mask = Mask(counts=counts, date=_last_date(node), label=self._words.of(node))
            self._found.masks.append(mask)
        value = f"{int(mask_HW.sum()):,} pixels"
        if isinstance(node, Instances):
            value = f"{len(self._scene.stored(node)):,} objects, {value}"
        number = self._numbers[node]
        return Valued(role=role, words=self._words.of(node), value=value, mask=number, parts=parts)


def _children(node: BaseModel) -> Iterator[tuple[str, BaseModel]]:
    """Yield the operations right under one, each with its role ("of", "within", a name)."""
    plain = ("a", "b", "of", "to") if isinstance(node, Near) else ("a", "b", "of")
    for name, value in node:
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, _NAMED):
                inside = next(v for n, v in one if n != "name")
                yield one.name, inside
            elif isinstance(one, BaseModel):
                yield ("" if name in plain else name), one


def _shown(part: Valued) -> int:
    return 1 + sum(map(_shown, part.parts))


def _size(node: BaseModel) -> int:
    return 1 + sum(_size(child) for _, child in _children(node))


def _last_date(node: BaseModel) -> int:
    if isinstance(node, _LEAVES):
        return node.date
    return max(_last_date(child) for _, child in _children(node))
