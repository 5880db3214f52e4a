"""How what decides a stage differs between two builds, in words, and of what kind it is.

What decides a stage is a tree of names and values, as `tasks.decided` and the ledger's records keep
it. Lists of [name, version], of "name@version" and tables are compared name by name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SHOWN_CHARS = 12  # of a digest
_DIGEST_CHARS = 64


class Kind(StrEnum):
    """What changed; the first of several is what a sample's change is put down to."""

    SOURCE = "source file"
    CODE = "stage version"
    TEMPLATE = "template"
    PROMPT = "prompt"
    MODEL = "model"
    CONFIGURATION = "configuration"
    OTHER_SCENES = "other scenes"
    SELECTION = "selection"


_KINDS = {
    "stage": Kind.CODE,
    "source": Kind.CODE,
    "readers": Kind.CODE,
    "check": Kind.CODE,
    "templates": Kind.TEMPLATE,
    "kinds": Kind.TEMPLATE,
    "rules": Kind.TEMPLATE,
    "questions": Kind.TEMPLATE,
    "prompts": Kind.PROMPT,
    "weights": Kind.MODEL,
    "annotators": Kind.MODEL,
    "listing": Kind.SOURCE,
    "files": Kind.SOURCE,
    "balance": Kind.SELECTION,
    "control": Kind.SELECTION,
    "mixture": Kind.SELECTION,
    "reviews": Kind.SELECTION,
}
_WORDS = {
    "stage": "version of the stage",
    "source": "version of the reader",
    "readers": "reader of",
    "check": "version of the checks",
    "templates": "template",
    "kinds": "template",
    "rules": "rule",
    "questions": "questions a scene",
    "prompts": "prompt",
    "weights": "weights",
}
# of a writer's settings, what says which model answers
_MODEL_SETTINGS = {"kind", "model", "served", "digest"}
_WRITERS = {"captioner", "composer", "annotator"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that differs; `name` is what it is called where it is decided, `item` a part of it.

    `before` and `after` are "" where it is not there.
    """

    kind: Kind
    name: str
    item: str
    before: str
    after: str

    def __str__(self) -> str:
        what = f"{_WORDS.get(self.name, self.name)} {self.item}".strip()
        if not self.before:
            return f"{what} {self.after} is new"
        if not self.after:
            return f"{what} {self.before} is gone"
        return f"{what} {self.before} -> {self.after}"


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """Return how two trees of what decides a stage differ, in order of their names."""
    return [
        Difference(
            kind=_kind(name, item),
            name=name,
            item=item,
            before=_shown(before.get(item)),
            after=_shown(after.get(item)),
        )
        for name in sorted({*then, *now})
        for before, after in [(dict(_items(then.get(name))), dict(_items(now.get(name))))]
        for item in sorted({*before, *after})
        if before.get(item) != after.get(item)
    ]


def _items(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield name and value of every part of a value, "" as the name of one that has no parts."""
    if isinstance(value, Mapping):
        for name, below in value.items():
            yield from _items(below, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple) and value and all(map(_is_versioned, value)):
        for one in value:
            name, version = one.split("@", 1) if isinstance(one, str) else one
            yield (f"{path}.{name}" if path else name), version
    elif value is not None and value != []:
        yield path, value


def _is_versioned(value: Any) -> bool:
    """Return whether a value is "name@version" or a list of name and version."""
    if isinstance(value, str):
        return "@" in value
    return isinstance(value, list | tuple) and len(value) == 2 and isinstance(value[0], str)


def _kind(name: str, item: str) -> Kind:
    if name in _WRITERS and _MODEL_SETTINGS & {*item.split(".")}:
        return Kind.MODEL
    return _KINDS.get(name, Kind.CONFIGURATION)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else _plain(value)
    return text[:SHOWN_CHARS] if len(text) == _DIGEST_CHARS else text


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value))
    return str(value)
