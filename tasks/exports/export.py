"""Write a dataset in a format of another tool: whole or not at all, with a count of what was left.

`export.json`, in the folder of an export, says what it is; only the same export may replace it.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasks.atomic import placing_folder
from tasks.errors import ConfigError, UserError
from tasks.exports.choice import Choice, chosen_files
from tasks.exports.registry import FORMATS
from tasks.exports.target import Export
from tasks.manifest import Manifest, read_manifest

MARKER_NAME = "export.json"


def export(dataset: Path, to: str, out: Path, choice: Choice) -> Export:
    """Write the chosen samples of a dataset to a folder, and return what became of them.

    Raises:
        ConfigError: `out` holds something else, or the format cannot be cut as chosen.
        UserError: something chosen is not there, or the format holds nothing of what is chosen.
        ManifestError: the folder holds no finished dataset.
        RowError: a shard or row cannot be read.
        OSError: the export cannot be written; what was in `out` is as it was.
    """
    manifest = read_manifest(dataset)
    files = chosen_files(dataset, manifest, choice)
    of = {"format": to, "dataset": manifest.dataset, "choice": choice.as_json()}
    _check_out(dataset, out, of)
    with placing_folder(out.absolute()) as folder:
        done = Export(
            dataset=dataset, manifest=manifest, files=files, choice=choice, folder=folder, out=out
        )
        FORMATS[to](done)
        if not done.samples:
            raise UserError(f"{to} can hold nothing of what is chosen: {_left(done)}")
        _mark(folder, {**of, **_told(manifest, done)})
        os.sync()  # an export is many small files: one by one takes longer than all of them
    return done


def export_lines(done: Export) -> Iterator[str]:
    """Yield what was written, and what was left out, a line each."""
    yield f"export   {done.out}"
    yield f"written  {done.samples:,} samples"
    for what, number in sorted(done.made.items()):
        yield f"written  {number:,} {what}"
    for what, number in sorted(done.left_out.items()):
        yield f"left out {number:,} {what}"


def _check_out(dataset: Path, out: Path, of: dict[str, Any]) -> None:
    """Raise ConfigError where the folder holds anything but the same export."""
    if out.resolve().is_relative_to(dataset.resolve()):
        raise ConfigError(f"--out {out} lies in the dataset itself; choose another folder")
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out} is a file; name a folder")
    if not out.exists() or not any(out.iterdir()):
        return
    advice = "choose an empty folder, or remove it"
    marker = out / MARKER_NAME
    if not marker.is_file():
        raise ConfigError(f"--out {out} holds files that are no export of this program; {advice}")
    try:
        found = json.loads(marker.read_text(encoding="utf-8"))
        same = {name: found[name] for name in of} == of
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"{marker} is damaged; {advice}") from error
    if not same:
        raise ConfigError(
            f"--out {out} holds another export, of {found['dataset']} to {found['format']} "
            f"({_wishes(found['choice'])}); {advice}"
        )


def _wishes(choice: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in choice.items() if value) or "all of it"


def _left(done: Export) -> str:
    left = ", ".join(f"{number:,} {what}" for what, number in sorted(done.left_out.items()))
    return f"left out are {left}" if left else "there are no such samples"


def _told(manifest: Manifest, done: Export) -> dict[str, Any]:
    return {
        "digest": manifest.digest,
        "samples": done.samples,
        "written": dict(sorted(done.made.items())),
        "left_out": dict(sorted(done.left_out.items())),
    }


def _mark(folder: Path, told: dict[str, Any]) -> None:
    text = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
    (folder / MARKER_NAME).write_text(text, encoding="utf-8", newline="\n")
