"""The program language: a closed, typed tree whose value is a question's answer.

A program is JSON on disk and is never evaluated as code. Its leaves name scene masks by layer,
class or instances, and date, so that "no", "largest of all" and "changed" can be proved too. What
each operation means, and when it is refused, stands in `masks.evaluate`.
"""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from schemas.mask import MIN_COMPONENT_PX

MAX_DEPTH = 16
LANGUAGE_VERSION = 2


class _Node(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ClassMask(_Node):
    """All pixels of one class of a layer at one date."""

    op: Literal["mask"] = "mask"
    layer: str
    label: str
    date: int = Field(ge=0)


class Instances(_Node):
    """The objects of a label at one date, all of them or those with one attribute.

    As a mask it is their union; `count` counts the objects themselves.
    """

    op: Literal["instances"] = "instances"
    layer: str
    label: str
    date: int = Field(ge=0)
    attribute: str | None = None


class Valid(_Node):
    """The pixels of a layer that carry a label at one date."""

    op: Literal["valid"] = "valid"
    layer: str
    date: int = Field(ge=0)


class And(_Node):
    """Pixels in both masks."""

    op: Literal["and"] = "and"
    a: "MaskExpr"
    b: "MaskExpr"


class Or(_Node):
    """Pixels in either mask."""

    op: Literal["or"] = "or"
    a: "MaskExpr"
    b: "MaskExpr"


class Minus(_Node):
    """Pixels in `a` and not in `b`."""

    op: Literal["minus"] = "minus"
    a: "MaskExpr"
    b: "MaskExpr"


Cell = Annotated[int, Field(ge=0, le=8)]  # of a 3 x 3 grid, row by row from the top left


class Part(_Node):
    """Pixels of a mask inside one cell of the 3 x 3 grid."""

    op: Literal["part"] = "part"
    of: "MaskExpr"
    cell: Cell


class Near(_Node):
    """Pixels of `of` whose centre lies at most `distance_m` from that of a pixel of `to`."""

    op: Literal["near"] = "near"
    of: "MaskExpr"
    to: "MaskExpr"
    distance_m: float = Field(gt=0, allow_inf_nan=False)


MaskExpr = Annotated[
    ClassMask | Instances | Valid | And | Or | Minus | Part | Near, Field(discriminator="op")
]


class Number(_Node):
    """A constant; `unit` is "m2", "m", "share", "count" or ""."""

    op: Literal["number"] = "number"
    value: float = Field(allow_inf_nan=False)
    unit: Literal["m2", "m", "share", "count", ""] = ""


class Area(_Node):
    """Area in square metres."""

    op: Literal["area"] = "area"
    of: MaskExpr


class Share(_Node):
    """Pixels of `of` over pixels of `within` (by default a layer's valid pixels), 0 to 1."""

    op: Literal["share"] = "share"
    of: MaskExpr
    within: MaskExpr


class Count(_Node):
    """Objects of an `Instances` leaf, or 8-connected areas of at least `min_component_px`."""

    op: Literal["count"] = "count"
    of: MaskExpr
    min_component_px: int = Field(default=MIN_COMPONENT_PX, ge=1)


class BorderLength(_Node):
    """Length in metres of the 4-neighbour edges that two masks share."""

    op: Literal["border_length"] = "border_length"
    a: MaskExpr
    b: MaskExpr


class Distance(_Node):
    """Smallest distance in metres between pixel centres of two opened masks."""

    op: Literal["distance"] = "distance"
    a: MaskExpr
    b: MaskExpr


class Add(_Node):
    """Sum of two numbers of one unit."""

    op: Literal["add"] = "add"
    a: "NumberExpr"
    b: "NumberExpr"


class Sub(_Node):
    """Difference of two numbers of one unit."""

    op: Literal["sub"] = "sub"
    a: "NumberExpr"
    b: "NumberExpr"


class Mul(_Node):
    """Product; one factor must be without unit."""

    op: Literal["mul"] = "mul"
    a: "NumberExpr"
    b: "NumberExpr"


class Div(_Node):
    """Quotient; of two numbers of one unit it is a share."""

    op: Literal["div"] = "div"
    a: "NumberExpr"
    b: "NumberExpr"


NumberExpr = Annotated[
    Number | Area | Share | Count | BorderLength | Distance | Add | Sub | Mul | Div,
    Field(discriminator="op"),
]


class Exists(_Node):
    """Whether a mask holds anything."""

    op: Literal["exists"] = "exists"
    of: MaskExpr


class Border(_Node):
    """Whether two masks border one another."""

    op: Literal["border"] = "border"
    a: MaskExpr
    b: MaskExpr


class Compare(_Node):
    """Whether `a` is less or greater than `b`, their intervals being disjoint."""

    op: Literal["compare"] = "compare"
    a: NumberExpr
    relation: Literal["<", ">"]
    b: NumberExpr


class All(_Node):
    """Whether every part holds."""

    op: Literal["all"] = "all"
    of: tuple["BoolExpr", ...] = Field(min_length=1)


class Any_(_Node):
    """Whether at least one part holds."""

    op: Literal["any"] = "any"
    of: tuple["BoolExpr", ...] = Field(min_length=1)


class Not(_Node):
    """Whether the part does not hold."""

    op: Literal["not"] = "not"
    of: "BoolExpr"


BoolExpr = Annotated[Exists | Border | Compare | All | Any_ | Not, Field(discriminator="op")]


class CellOf(_Node):
    """The cell of the 3 x 3 grid in which a mask's largest part lies."""

    op: Literal["cell"] = "cell"
    of: MaskExpr


class NamedNumber(_Node):
    """A number under a name, such as a class or a date."""

    name: str
    value: NumberExpr


class ArgMax(_Node):
    """The name of the largest number, its interval above all the others'."""

    op: Literal["argmax"] = "argmax"
    of: tuple[NamedNumber, ...] = Field(min_length=2)


class Rank(_Node):
    """The name of the number in place `place` (1 = largest), all intervals being disjoint."""

    op: Literal["rank"] = "rank"
    of: tuple[NamedNumber, ...] = Field(min_length=2)
    place: int = Field(ge=1)


class NamedTest(_Node):
    """A test under a name, such as a date or a trend."""

    name: str
    test: BoolExpr


class First(_Node):
    """The name of the first test that holds; every test before it must fail with a margin."""

    op: Literal["first"] = "first"
    of: tuple[NamedTest, ...] = Field(min_length=2)


class NamedMask(_Node):
    """A mask under a name, such as a class."""

    name: str
    mask: MaskExpr


class Nearest(_Node):
    """The name of the mask that lies nearest to `to`, its distance below all the others'."""

    op: Literal["nearest"] = "nearest"
    to: MaskExpr
    of: tuple[NamedMask, ...] = Field(min_length=2)


class Majority(_Node):
    """The name of the mask that safely covers more than half of `within`."""

    op: Literal["majority"] = "majority"
    of: tuple[NamedMask, ...] = Field(min_length=2)
    within: MaskExpr


NameExpr = Annotated[CellOf | ArgMax | Rank | First | Nearest | Majority, Field(discriminator="op")]

Program = Annotated[
    Number
    | Area
    | Share
    | Count
    | BorderLength
    | Distance
    | Add
    | Sub
    | Mul
    | Div
    | Exists
    | Border
    | Compare
    | All
    | Any_
    | Not
    | CellOf
    | ArgMax
    | Rank
    | First
    | Nearest
    | Majority,
    Field(discriminator="op"),
]

for _node in (And, Or, Minus, Part, Near, Share, Add, Sub, Mul, Div, All, Any_, Not, First):
    _node.model_rebuild()

PROGRAM: TypeAdapter[Any] = TypeAdapter(Program)
MASK_EXPR: TypeAdapter[Any] = TypeAdapter(MaskExpr)


def dump_program(program: BaseModel) -> str:
    """Return a program as compact JSON with keys in declared order."""
    return program.model_dump_json(exclude_none=True)


def load_program(text: str | bytes) -> Any:
    """Parse a program; ValueError if it is not JSON, too deep, or not in the language."""
    _check_depth(text)
    return PROGRAM.validate_json(text)


def load_mask(text: str | bytes) -> Any:
    """Parse a mask expression; ValueError as for `load_program`."""
    _check_depth(text)
    return MASK_EXPR.validate_json(text)


def _check_depth(text: str | bytes) -> None:
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"a program is a JSON tree, but this is not one: {error}") from error
    depth = _depth(tree)
    if depth > MAX_DEPTH:
        raise ValueError(f"program nests {depth} operations deep; at most {MAX_DEPTH} are allowed")


def program_json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the language, as committed under docs/."""
    return PROGRAM.json_schema()


def _depth(tree: Any) -> int:
    """Return how many operations nest, without recursion."""
    deepest = 0
    pending = [(tree, 0)]
    while pending:
        node, depth = pending.pop()
        if isinstance(node, dict):
            depth += "op" in node
            deepest = max(deepest, depth)
            pending.extend((child, depth) for child in node.values())
        elif isinstance(node, list):
            pending.extend((child, depth) for child in node)
    return deepest
