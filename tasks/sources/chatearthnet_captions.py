"""ChatEarthNet's caption lists: which patches there are, in which split, with which captions."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.rejection import Reason, Refusal
from schemas.scene import ArchiveCaption
from tasks.sources.faults import refusing_faults
from tasks.sources.safe_files import Archive, safe_path

MAX_LIST_BYTES = 2**30  # the largest list, 98,092 captions, is about 90 MB
WRITERS = {"35": "gpt-3.5", "4v": "gpt-4v"}
# in this order: a patch that two lists put in two splits stays in the one held out further
SPLITS = {"train": "train", "val": "validation", "test": "test"}
IMAGE_KEYS = ("image", "image_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionRecord:
    """One record of a list: the image's name as written, its split, its captions."""

    image: str
    split: str
    captions: tuple[ArchiveCaption, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRecord:
    """A list, or one record of it, that cannot be used; `name` is file and position."""

    name: str
    refusal: Refusal


def caption_lists(root: Path) -> list[tuple[str, str, str]]:
    """Return (relative path, writer, split) of each list that is there, anywhere near the top.

    Raises:
        ValueError: if there is none.
    """
    found = []
    for code, writer in WRITERS.items():
        for part, split in SPLITS.items():
            name = f"ChatEarthNet_caps_{code}_{part}.json"
            paths = [*root.glob(name), *root.glob(f"*/{name}"), *root.glob(f"*/*/{name}")]
            if paths:
                found.append((min(paths).relative_to(root).as_posix(), writer, split))
    if not found:
        raise ValueError(
            f"{root} is no ChatEarthNet archive: looked for "
            "json_files/ChatEarthNet_caps_{35,4v}_{train,val,test}.json"
        )
    return found


def read_records(
    root: Path, path: str, writer: str, split: str
) -> Iterator[CaptionRecord | BadRecord]:
    """Yield the records of one list; what cannot be used comes as `BadRecord`."""
    try:
        records = Archive(root).read_json(path, MAX_LIST_BYTES)
        if not isinstance(records, list):
            raise Refusal(
                Reason.WRONG_TYPE, f"{path}: {type(records).__name__}; expected a list of records"
            )
    except Refusal as refusal:
        yield BadRecord(name=path, refusal=refusal)
        return
    real_root = root.resolve()
    for number, record in enumerate(records):
        where = f"{path}#{number}"
        try:
            with refusing_faults(where):
                image = _image(record, where)
                safe_path(real_root, image)
                texts = _texts(record.get("caption"), where)
        except Refusal as refusal:
            yield BadRecord(name=where, refusal=refusal)
            continue
        captions = tuple(ArchiveCaption(writer=writer, text=text) for text in texts)
        yield CaptionRecord(image=image, split=split, captions=captions)


def _image(record: object, where: str) -> str:
    if not isinstance(record, dict):
        raise Refusal(Reason.WRONG_TYPE, f"{where}: {type(record).__name__}; expected an object")
    image = next((record[key] for key in IMAGE_KEYS if key in record), None)
    if image is None:
        raise Refusal(Reason.MISSING_METADATA, f"{where}: no key {' or '.join(IMAGE_KEYS)}")
    if not isinstance(image, str):
        raise Refusal(Reason.WRONG_TYPE, f"{where}: image {image!r}; expected a string")
    return image


def _texts(caption: object, where: str) -> list[str]:
    texts = caption if isinstance(caption, list) else [caption]
    if not all(isinstance(text, str) for text in texts):
        raise Refusal(
            Reason.WRONG_TYPE, f"{where}: caption {caption!r:.60}; expected a string or a list"
        )
    # JSON can hold half letters (lone surrogates), which no file can
    return [str(text).encode("utf-8", "replace").decode("utf-8") for text in texts]
