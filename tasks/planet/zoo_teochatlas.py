"""The zoo's TEOChatlas: copies of good eval records on copied images, each with one defect."""

import copy
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.planet.zoo_files import (
    Exhibit,
    blank,
    huge_png,
    huge_tiff,
    link_out,
    palette,
    resized,
    sixteen_bit,
    truncate,
    vrt,
)

FOLDER = "teochatlas"
PREFIX = "TEOChatlas/eval/"
SEQUENCE, PAIR = "sequence", "pair"  # what kind of record a case breaks
FILES = {
    SEQUENCE: ("QFabric_RQA5_RTQA5.json",),
    PAIR: ("S2Looking_Change_Detection.json", "xBD_Change_Detection_Localization.json"),
}
CUT_FILE = "QFabric_RQA2.json"  # an eval file of the archive that the planet does not write
FIRST_NUMBER = 90_000  # of the copied images


@dataclass(frozen=True, slots=True)
class Copied:
    """A copied record and its images, absolute."""

    root: Path
    record: dict[str, Any]
    images: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class EvalFile:
    """One JSON of eval: its records, to which broken ones are added, and a good one to copy."""

    name: str
    entries: list[Any]
    good: dict[str, Any]


Breaker = Callable[[Copied], Path | None]  # returns the broken file, None for the JSON itself


def add_teochatlas(root: Path) -> list[Exhibit]:
    """Add every broken record to the planet's TEOChatlas and return what was added.

    Raises:
        ValueError: if an eval file has no record to copy.
    """
    chosen = {kind: _choose(root, names) for kind, names in FILES.items()}
    exhibits = [_cut_file(root, chosen[SEQUENCE].name)]
    for number, (kind, defect, reasons, breaker) in enumerate(CASES, start=FIRST_NUMBER):
        file = chosen[kind]
        copied = _copy(root, file.good, number)
        broken = breaker(copied) or _json(root, file.name)
        exhibits.append(_exhibit(root, file, defect, reasons, broken, copied))
        file.entries.append(copied.record)
    exhibits += _whole_records(root, chosen[PAIR])
    for file in chosen.values():
        _json(root, file.name).write_text(json.dumps(file.entries))
    return exhibits


def _exhibit(
    root: Path,
    file: EvalFile,
    defect: str,
    reasons: tuple[str, ...],
    broken: Path,
    copied: Copied | None,
) -> Exhibit:
    """Return the entry of the record that is added next."""
    images = copied.images if copied else ()
    return Exhibit(
        source=FOLDER,
        scene=f"{file.name.removesuffix('.json')}#{len(file.entries)}",
        defect=defect,
        reasons=reasons,
        file=broken.relative_to(root).as_posix(),
        record=len(file.entries),
        images=tuple(path.relative_to(root / FOLDER).as_posix() for path in images),
    )


def _json(root: Path, name: str) -> Path:
    return root / FOLDER / "eval" / name


def _choose(root: Path, names: tuple[str, ...]) -> EvalFile:
    """Return the first file that has a record with a polygon and a box in question or answer."""
    for name in names:
        entries = json.loads(_json(root, name).read_text())
        for entry in entries:
            asked, answered = (turn["value"] for turn in entry["conversations"])
            if entry["polygon"] and ("development status" in asked or answered.startswith("[")):
                return EvalFile(name, entries, entry)
    raise ValueError(f"{root / FOLDER / 'eval'} has no record with a polygon in {names}")


def _copy(root: Path, good: dict[str, Any], number: int) -> Copied:
    """Return the record on copies of its images, whose names begin with a new number."""
    record = copy.deepcopy(good)
    images = []
    for place, path in enumerate(record["video"]):
        source = root / FOLDER / "eval" / path.removeprefix(PREFIX)
        stem = source.name.split(".", 1)[1] if source.suffix == ".tif" else f"{place}.png"
        target = source.with_name(f"{number}.{stem}")
        shutil.copy(source, target)
        images.append(target)
    folder = root / FOLDER / "eval"
    record["video"] = [path.relative_to(folder).as_posix() for path in images]
    return Copied(root, record, tuple(images))


def _whole_records(root: Path, file: EvalFile) -> list[Exhibit]:
    """Add a record that is none, and one that stands twice (the second is the broken one)."""
    path = _json(root, file.name)
    none = _exhibit(root, file, "record is a list", ("wrong_type",), path, None)
    twice = _copy(root, file.good, FIRST_NUMBER + len(CASES))
    file.entries.extend([["video", "conversations"], twice.record])
    again = _exhibit(root, file, "the same record twice", ("duplicate_id",), path, twice)
    file.entries.append(copy.deepcopy(twice.record))
    return [none, again]


def _cut_file(root: Path, whole: str) -> Exhibit:
    path = _json(root, CUT_FILE)
    path.write_bytes(_json(root, whole).read_bytes())
    truncate(path, 0.35)
    return Exhibit(
        source=FOLDER, scene=CUT_FILE.removesuffix(".json"), defect="truncated JSON",
        reasons=("unreadable_file",), file=path.relative_to(root).as_posix(),
    )  # fmt: skip


def _image(change: Callable[[Path], object]) -> Breaker:
    """Return what changes the second image."""

    def breaker(copied: Copied) -> Path:
        change(copied.images[1])
        return copied.images[1]

    return breaker


def _record(**changes: object) -> Breaker:
    return lambda copied: copied.record.update(changes)


def _turn(place: int, **changes: object) -> Breaker:
    return lambda copied: copied.record["conversations"][place].update(changes)


def _without(place: int, key: str) -> Breaker:
    def breaker(copied: Copied) -> None:
        del copied.record["conversations"][place][key]

    return breaker


def _one_turn(copied: Copied) -> None:
    del copied.record["conversations"][1]


def _path(path: str) -> Breaker:
    def breaker(copied: Copied) -> None:
        copied.record["video"][0] = path

    return breaker


def _climb(copied: Copied) -> Path:
    outside = copied.root / "outside" / copied.images[0].name
    outside.parent.mkdir(exist_ok=True)
    shutil.move(copied.images[0], outside)
    copied.record["video"][0] = f"../../outside/{outside.name}"
    return outside


def _link(copied: Copied) -> Path:
    link_out(copied.images[1], copied.root)
    return copied.images[1]


def _fewer_dates(copied: Copied) -> None:
    copied.record["timestamp"] = copied.record["timestamp"][:1]


def _bad_day(copied: Copied) -> None:
    copied.record["timestamp"][0] = "2017-02-31"


Case = tuple[str, str, tuple[str, ...], Breaker]
CASES: tuple[Case, ...] = (
    (SEQUENCE, "truncated TIFF", ("unreadable_file",), _image(truncate)),
    (PAIR, "truncated PNG", ("unreadable_file",), _image(truncate)),
    (SEQUENCE, "missing image", ("missing_file", "missing_pair"), _image(Path.unlink)),
    (SEQUENCE, "all-black image", ("blank_image",), _image(lambda p: blank(p, 0))),
    (PAIR, "all-white image", ("blank_image",), _image(lambda p: blank(p, 255))),
    (PAIR, "palette PNG", ("wrong_pixel_format",), _image(palette)),
    (PAIR, "16-bit PNG", ("wrong_pixel_format",), _image(sixteen_bit)),
    (PAIR, "1-pixel image", ("too_small", "size_mismatch"),
     _image(lambda p: resized(p, 1, 1))),
    (SEQUENCE, "image of another size", ("size_mismatch",),
     _image(lambda p: resized(p, 200, 200))),
    (PAIR, "header of 60,000 x 60,000", ("too_large",), _image(huge_png)),
    (SEQUENCE, "TIFF of 60,000 x 60,000", ("too_large",),
     _image(lambda p: huge_tiff(p, "uint8", 3))),
    (SEQUENCE, "VRT under a .tif name", ("external_reference",),
     _image(lambda p: vrt(p, "/vsicurl/http://tiles.invalid/a.tif", 320))),
    (SEQUENCE, "link out of the archive", ("unsafe_path",), _link),
    (SEQUENCE, 'path with ".."', ("unsafe_path",), _climb),
    (SEQUENCE, "absolute path", ("unsafe_path",), _path("/etc/hostname")),
    (SEQUENCE, "polygon outside the image", ("polygon_outside",),
     _record(polygon="POLYGON ((300 300, 340 300, 340 340, 300 340, 300 300))")),
    (SEQUENCE, "self-crossing polygon", ("polygon_crossing",),
     _record(polygon="POLYGON ((20 20, 120 120, 120 20, 20 120, 20 20))")),
    (SEQUENCE, "empty polygon", ("polygon_empty",), _record(polygon="POLYGON EMPTY")),
    (SEQUENCE, "line for a polygon", ("polygon_kind",),
     _record(polygon="LINESTRING (20 20, 120 120)")),
    (SEQUENCE, "three numbers a vertex", ("polygon_vertex",),
     _record(polygon="POLYGON Z ((20 20 0, 90 20 0, 90 90 0, 20 20 0))")),
    (PAIR, "turn without from", ("bad_conversation",), _without(0, "from")),
    (PAIR, "answer without value", ("bad_conversation", "wrong_type"),
     _without(1, "value")),
    (SEQUENCE, "question without answer", ("bad_conversation",), _one_turn),
    (SEQUENCE, "answer is a number", ("wrong_type", "bad_conversation"), _turn(1, value=3)),
    (PAIR, "box out of range", ("unknown_value",),
     _turn(1, value="[20, 30, 130, 60], [5, 5, 20, 20].")),
    (SEQUENCE, "video is a number", ("wrong_type",), _record(video=12)),
    (SEQUENCE, "video holds a number", ("wrong_type",), _record(video=[1, 2])),
    (SEQUENCE, "fewer dates than images", ("bad_date", "size_mismatch", "wrong_type"),
     _fewer_dates),
    (SEQUENCE, "date that does not parse", ("bad_date",), _bad_day),
)  # fmt: skip
