"""Files of your own dataset by pattern, gathered to scenes and their dates."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from schemas.rejection import Reason, Refusal
from tasks.sources.own_config import FilePattern, OwnDataset

_PARTS = re.compile(r"(\{scene\}|\{date\}|\*)")
_PLACEHOLDER = {"{scene}": r"(?P<scene>[^/]+?)", "{date}": r"(?P<date>\d{4}-?\d{2}-?\d{2})"}
_AGAIN = {"{scene}": r"(?P=scene)", "{date}": r"(?P=date)"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file of a scene: its path, its date (ISO, "" where unknown).

    `entry` is the number of its entry in `images`, or of its layer in `layers`.
    """

    path: str
    entry: int
    date: str


@dataclass(slots=True, kw_only=True)
class FoundScene:
    """All files of one scene; a fault is the first thing wrong with their names."""

    images: list[FoundFile] = field(default_factory=list)
    labels: list[FoundFile] = field(default_factory=list)
    outline: str = ""
    fault: Refusal | None = None


def find_scenes(root: Path, config: OwnDataset) -> dict[str, FoundScene]:
    """Return the scenes whose images or labels are there.

    Images whose pattern has no `{scene}` make one scene of the dataset's name; labels without one
    belong to every scene.
    """
    scenes: dict[str, FoundScene] = defaultdict(FoundScene)
    for number, entry in enumerate(config.images):
        for scene, found in _matches(root, entry, number, scenes):
            scenes[scene or config.name].images.append(found)
    shared: list[FoundFile] = []
    for number, layer in enumerate(config.layers):
        for files in layer.files:
            for scene, found in _matches(root, files, number, scenes):
                (scenes[scene].labels if scene else shared).append(found)
    for found_scene in scenes.values():
        found_scene.labels.extend(shared)
    if config.grid is not None and config.grid.geojson:
        _add_outlines(root, config.grid.geojson, scenes)
    return dict(scenes)


def _matches(
    root: Path, files: FilePattern, entry: int, scenes: dict[str, FoundScene]
) -> list[tuple[str, FoundFile]]:
    found = []
    for scene, day, path in _names(root, files.pattern):
        try:
            iso = date.fromisoformat(day).isoformat() if day else ""
        except ValueError:
            refusal = Refusal(Reason.BAD_DATE, f"{path}: {day!r} is no day of the calendar")
            scenes[scene].fault = scenes[scene].fault or refusal
            continue
        fixed = files.date.isoformat() if files.date else ""
        found.append((scene, FoundFile(path=path, entry=entry, date=iso or fixed)))
    return found


def _add_outlines(root: Path, pattern: str, scenes: dict[str, FoundScene]) -> None:
    for scene, _, path in _names(root, pattern):
        for name in [scene] if scene else list(scenes):
            if name in scenes:
                scenes[name].outline = path


def _names(root: Path, pattern: str) -> list[tuple[str, str, str]]:
    """Return (scene, date, path) of the files that fit a pattern, in order; else ""."""
    regex = _regex(pattern)
    found = []
    for path in sorted(root.glob(_PARTS.sub("*", pattern))):
        name = path.relative_to(root).as_posix()
        match = regex.fullmatch(name)
        if match is not None:
            groups = match.groupdict()
            found.append((groups.get("scene", ""), groups.get("date", ""), name))
    return found


def _regex(pattern: str) -> re.Pattern[str]:
    parts, seen = [], set()
    for part in _PARTS.split(pattern):
        if part == "*":
            parts.append(r"[^/]*")
        elif part in _PLACEHOLDER:
            parts.append(_AGAIN[part] if part in seen else _PLACEHOLDER[part])
            seen.add(part)
        else:
            parts.append(re.escape(part))
    return re.compile("".join(parts))
