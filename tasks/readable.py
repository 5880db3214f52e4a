"""A sample in words for people: steps cut into pieces, programs as expressions, intervals."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from schemas.program import load_program
from schemas.trace import SEG, THINK_OPEN, cell_text, quantity_text
from tasks.rows import Row

_UNIT = re.compile(r"_(m2|m|share|count)$")
INLINE_LENGTH = 72  # characters; a longer expression is broken over lines


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a step's text: plain words, a measured fact, or the mark of a mask."""

    kind: Literal["text", "fact", "seg"]
    text: str


def step_pieces(row: Row) -> list[list[Piece]]:
    """Return the pieces of every step of a row, in order; joined they are the step's text."""
    facts = [(span.start, span.end) for span in row.fact_spans]
    steps = []
    start = len(THINK_OPEN)
    for step in row.steps:
        end = start + len(step.text)
        inside = [(a - start, b - start) for a, b in facts if start <= a < b <= end]
        steps.append(_cut(step.text, inside))
        start = end + 1  # one space between steps
    return steps


def _cut(text: str, facts: list[tuple[int, int]]) -> list[Piece]:
    marks: list[tuple[int, int, Literal["fact", "seg"]]] = [(a, b, "fact") for a, b in facts]
    at = text.find(SEG)
    while at != -1:
        marks.append((at, at + len(SEG), "seg"))
        at = text.find(SEG, at + 1)
    pieces: list[Piece] = []
    done = 0
    for start, end, kind in sorted(marks):
        if start > done:
            pieces.append(Piece("text", text[done:start]))
        pieces.append(Piece(kind, text[start:end]))
        done = end
    if done < len(text):
        pieces.append(Piece("text", text[done:]))
    return pieces


def claim_lines(row: Row) -> Iterator[str]:
    """Yield what each sentence of a caption claims: verdict, words, kind, and what was measured."""
    for claim in row.claims:
        words = row.trace[claim.start : claim.end]
        yield f"{claim.verdict:<9}{claim.kind}: {words!r}; {claim.detail}"


def interval_text(row: Row) -> str:
    """Return the margin of a number ("9.4 ha to 12 ha"), "" where the answer has none."""
    answer = row.answer
    if answer.low is None or answer.high is None or answer.low == answer.high:
        return ""
    low, high = (quantity_text(value, answer.unit) for value in (answer.low, answer.high))
    return low if low == high else f"{low} to {high}"


def premise_words(name: str) -> str:
    """Return the name of a measured premise without its unit, which its value carries."""
    return _UNIT.sub("", name).replace("_", " ")


def program_text(program: str, north_up: bool = False) -> str:
    """Return a program as an expression over lines, such as `area(forest @ 0)`.

    Raises:
        ValueError: if it is not a program.
    """
    load_program(program)
    return _expression(json.loads(program), north_up, "")


def program_json(program: str) -> str:
    """Return a program as it is stored, indented."""
    return json.dumps(json.loads(program), indent=2, ensure_ascii=False)


def _expression(node: dict[str, Any], north_up: bool, indent: str) -> str:
    leaf = _leaf(node)
    if leaf:
        return leaf
    inner = indent + "  "
    arguments = [_argument(name, value, north_up, inner) for name, value in _parts(node)]
    inline = f"{node['op']}({', '.join(arguments)})"
    if len(indent) + len(inline) <= INLINE_LENGTH and "\n" not in inline:
        return inline
    lines = ",\n".join(inner + argument for argument in arguments)
    return f"{node['op']}(\n{lines}\n{indent})"


def _leaf(node: dict[str, Any]) -> str:
    match node["op"]:
        case "mask":
            return f"{node['label']!r} in {node['layer']} @ {node['date']}"
        case "instances":
            which = f" that are {node['attribute']!r}" if node.get("attribute") else ""
            return f"each {node['label']!r}{which} in {node['layer']} @ {node['date']}"
        case "valid":
            return f"labelled in {node['layer']} @ {node['date']}"
        case "number":
            return f"{node['value']:g} {node.get('unit', '')}".strip()
    return ""


def _parts(node: dict[str, Any]) -> list[tuple[str, Any]]:
    parts: list[tuple[str, Any]] = []
    for name, value in node.items():
        if name == "of" and isinstance(value, list):
            parts += [("", item) for item in value]
        elif name == "min_component_px" and node["of"]["op"] == "instances":
            continue  # objects are counted whatever their size
        elif name != "op":
            parts.append(("" if name in ("a", "b", "of") else name, value))
    return parts


def _argument(name: str, value: Any, north_up: bool, indent: str) -> str:
    if isinstance(value, dict) and "op" not in value:  # a number or a test under a name
        inside = value.get("value") or value.get("test") or value["mask"]
        return f"{value['name']!r}: {_expression(inside, north_up, indent)}"
    prefix = f"{name}: " if name else ""
    if isinstance(value, dict):
        return prefix + _expression(value, north_up, indent)
    if name == "relation":
        return f"{value}"
    if name == "cell":
        return prefix + cell_text(f"cell {value}", north_up)
    return f"{prefix}{value}"
