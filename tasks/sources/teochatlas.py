"""TEOChatlas: questions and answers on sequences of 1 to 16 images, some with boxes or polygons.

| what | value |
| --- | --- |
| sensors | by dataset: xBD, S2Looking, QFabric (WorldView and others), fMoW, Sentinel-2; RGB |
| pixel size | unknown: images are crops and resized copies; no metres are ever asked |
| classes | building damage; QFabric's change types and stages; changed, built, demolished |
| splits | train/instruct.json -> train; eval/*.json -> test |
| licence | annotations Apache-2.0; images as their sources (xBD CC BY-NC-SA 4.0, ...) |

Layout (HF jirvin16/TEOChatlas, archives unpacked where they lie)::

    train/instruct.json   train/TEOChatlas_images/...   train/GeoChat_Instruct_images*/...
    eval/<file>.json      eval/TEOChatlas_images/...    eval/External_images/...

A record: `video` (image paths, also for one image), `timestamp` ("YYYY-MM-DD" each, or none),
`conversations` (turns of `from` human or gpt, and `value`), `task`, `dataset`, `polygon` (WKT in
pixels of a 256 x 256 image; one, a list, or empty: always empty in train).

A scene is all the records of a folder on one sequence of images, for QFabric asks of each site and
image in a record of its own, and xBD of where the buildings are and of each one's damage in two
files: only together do they say what became of a place. Most sequences are crops of a location,
whose name their images share: crops of one location have one place and one bucket. Scenes and
rejections do not add up to records: records without a mask are rejected one by one (NO_LABEL), and
so is each broken record, and its neighbours go on.

Traps, and what is done: turns without `from` (BAD_CONVERSATION); reversed boxes (sorted); boxes
outside 0 to 100 (UNKNOWN_VALUE); paths with a prefix "TEOChatlas/eval/" (cut off); region answers
that repeat the question's box (ignored); "Image N" counts images by date, not as listed; GeoChat's
single images carry rotated boxes in another form (not read). North is not known to be up.
"""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from schemas.rejection import Reason, Refusal, Rejected
from schemas.scene import Grid, Modality, Scene, SceneImage, SceneRef, SourceFile
from tasks.sources.faults import refusing_faults
from tasks.sources.json_array import iterate_array
from tasks.sources.json_fields import as_object
from tasks.sources.pictures import read_picture
from tasks.sources.safe_files import Archive, is_there, is_unsafe_name, list_folder
from tasks.sources.teochatlas_claims import claims_of
from tasks.sources.teochatlas_layers import draw_claims
from tasks.sources.teochatlas_record import Record, parse_record

NAME = "teochatlas"
LICENCE = "Apache-2.0; images under the licences of their sources (xBD: CC-BY-NC-SA-4.0)"
VERSION = 3

TRAIN_FILE = "train/instruct.json"
FOLDERS = ("train", "eval")
# xBD's pictures of 1024 x 1024 are cut in 4 x 4: 16 of them make 256 scenes
TILES_A_BUCKET = 16
# the places of a dataset without a rule of its own are hashed. The one with masks is S2Looking:
# 5,000 pairs, as large as xBD's pictures, are 80,000 crops at the most, 313 a bucket
BUCKETS_A_DATASET = 256
# of a dataset's name or a bucket's: both end up in names of files, which have 255 bytes at most
MAX_NAME_CHARS = 64
MAX_LOCATION_DIGITS = 8  # QFabric numbers 504 locations

_FIELDS = ("dataset", "task", "conversations", "polygon")
# what differs between the names of one place's images: .d2.12262015, _post_disaster, _2019-04-30
_OF_ONE_DATE = re.compile(
    r"\.d\d+\.\d{8}|[._-](?:pre|post)[._-]disaster|[._-]\d{4}-\d{2}-\d{2}|[._-](?:pre|post)$"
)
# where in its place a crop was cut, as those names end: _320_640; a piece of an image of DOTA's
_OF_ONE_CROP = re.compile(r"_\d+_\d+$|(?<=^P\d{4})_\d{4}$")
_XBD_TILE = re.compile(r"(.+)_(\d{8})")


def index(root: Path) -> Iterator[SceneRef | Rejected]:
    """List the archive's scenes, folder by folder, in the order of their first records.

    Everything but the images is checked here, record by record: what a record breaks is refused
    with its reason, what names no mask with NO_LABEL, the same record twice with DUPLICATE_ID. A
    JSON that ends or breaks half-way is refused whole, as one, and so is a folder that cannot be
    listed.

    Raises:
        ValueError: if the folder has neither train/instruct.json nor eval/*.json.
    """
    rejected: list[Rejected] = []
    names = {"train": [TRAIN_FILE] if is_there(root / TRAIN_FILE) else []}
    names["eval"] = _eval_files(root, rejected)
    if not any(names.values()) and not rejected:
        raise ValueError(f"{root} is no TEOChatlas: looked for {TRAIN_FILE} and eval/*.json")
    yield from rejected
    archive = Archive(root)
    for folder in FOLDERS:
        # a dict for its keys, which are in order and found at once
        scenes: dict[tuple[str, ...], dict[_Text, None]] = defaultdict(dict)
        for name in names[folder]:
            texts, rejected = _read_file(archive, name)
            yield from rejected
            for text in texts:
                if text in scenes[text.images]:
                    where = f"{text.file}: record {text.number}"
                    twice = Refusal(Reason.DUPLICATE_ID, f"{where}: stands earlier too")
                    yield _rejected(_sample_id(text.file, text.number), twice)
                else:
                    scenes[text.images][text] = None
        yield from (_ref(folder, images, list(texts)) for images, texts in scenes.items())


def read(root: Path, ref: SceneRef) -> Scene:
    """Read a scene's images and draw what its records say.

    Raises:
        Refusal: the reasons of the image readers; SIZE_MISMATCH, POLYGON_OUTSIDE; NO_LABEL where
            every layer is known over too little of the image.
    """
    archive = Archive(root)
    sequence = {"video": list(ref.files), "timestamp": ref.facts["dates"].split()}
    texts = json.loads(ref.facts["records"])
    records = [parse_record(text | sequence, ref.scene_id) for text in texts]
    images, size_HW = _read_images(archive, records[0], ref)
    claims = [claim for record in records for claim in claims_of(record, ref.scene_id)]
    layers, instances = draw_claims(
        claims, size_HW, f"{NAME}-{_safe(records[0].dataset)}", ref.scene_id
    )
    if not layers:
        raise Refusal(Reason.NO_LABEL, f"{ref.scene_id}: known over under half of the image")
    return Scene(
        ref=ref,
        licence=LICENCE,
        grid=Grid(
            height=size_HW[0],
            width=size_HW[1],
            pixel_size_m=None,
            bounds_lonlat=None,
            north_up=False,
        ),
        images=images,
        layers=layers,
        instances=instances,
        files=(
            *archive.files,
            SourceFile(path=f"{ref.facts['file']}#{ref.scene_id}", sha256=ref.facts["sha256"]),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Text:
    """A checked record as JSON, without its images, which all records of a scene share.

    Two are equal if images and text are; where they stand in the archive does not count.
    """

    images: tuple[str, ...]
    dates: tuple[str, ...] = field(compare=False)
    dataset: str
    json: str
    file: str = field(compare=False)
    number: int = field(compare=False)


def _eval_files(root: Path, rejected: list[Rejected]) -> list[str]:
    if not is_there(root / "eval"):
        return []
    try:
        entries = list_folder(root / "eval", "eval")
    except Refusal as refusal:
        rejected.append(_rejected("eval", refusal))
        return []
    return [f"eval/{entry.name}" for entry in entries if entry.name.endswith(".json")]


def _read_file(archive: Archive, name: str) -> tuple[list[_Text], list[Rejected]]:
    """Return a file's records with masks, and why the others, or the whole file, have none."""
    texts, rejected = [], []
    try:
        with _opened(archive, name) as file:
            for number, value in enumerate(iterate_array(file, name)):
                try:
                    with refusing_faults(f"{name}: record {number}"):
                        texts.append(_checked(value, name, number))
                except Refusal as refusal:
                    rejected.append(_rejected(_sample_id(name, number), refusal))
    except Refusal as refusal:
        return [], [_rejected(_stem(name), refusal)]
    return texts, rejected


def _opened(archive: Archive, name: str) -> TextIO:
    path = archive.resolve(name)
    try:
        return path.open(encoding="utf-8-sig")  # some tools write a byte order mark
    except OSError as error:
        raise Refusal(Reason.UNREADABLE_FILE, f"{name}: {error.strerror}") from error


def _checked(value: object, name: str, number: int) -> _Text:
    """Return a record of a file that can be read; raises `Refusal` for any other."""
    where = f"{name}: record {number}"
    folder = name.split("/", 1)[0]
    record = parse_record(value, where)
    for path in record.images:
        if is_unsafe_name(path):
            raise Refusal(Reason.UNSAFE_PATH, f"{where}: {path!r}, expected a path in the archive")
    if not claims_of(record, where):
        raise Refusal(Reason.NO_LABEL, f"{where}: task {record.task!r} names no mask")
    kept = {key: found for key, found in as_object(value, where).items() if key in _FIELDS}
    return _Text(
        images=tuple(_in_archive(path, folder) for path in record.images),
        dates=record.dates,
        dataset=_short(_safe(record.dataset)) or "unknown",
        json=json.dumps(kept, sort_keys=True, separators=(",", ":")),
        file=name,
        number=number,
    )


def _ref(folder: str, images: tuple[str, ...], texts: list[_Text]) -> SceneRef:
    records = f"[{','.join(text.json for text in texts)}]"
    dates = next((text.dates for text in texts if all(text.dates)), ())
    dataset = texts[0].dataset
    crop = _stem_of_crop(images[0])
    location = _OF_ONE_CROP.sub("", crop)
    sequence = hashlib.sha256("\n".join(images).encode()).hexdigest()[:10]
    return SceneRef(
        source=NAME,
        scene_id=f"{dataset}_{crop}-{sequence}",
        split="train" if folder == "train" else "test",
        place=f"{dataset}_{location}",
        bucket=_bucket(dataset, location),
        locality=locality_of(dataset, location),
        files=images,
        facts={
            "records": records,
            "dates": " ".join(dates),
            "file": texts[0].file,
            "sha256": hashlib.sha256(records.encode()).hexdigest(),
        },
    )


def _read_images(
    archive: Archive, record: Record, ref: SceneRef
) -> tuple[tuple[SceneImage, ...], tuple[int, int]]:
    """Return a sequence's images, dates counted in order, and the (H, W) that they share."""
    roles = {1: ("single",), 2: ("pre", "post")}.get(len(ref.files), ("sequence",) * len(ref.files))
    images: list[SceneImage] = []
    sizes: list[tuple[int, int]] = []
    for date_index, path in enumerate(ref.files):
        picture = read_picture(archive, path)
        sizes.append(picture.size_HW)
        if sizes[0] != picture.size_HW:
            raise Refusal(
                Reason.SIZE_MISMATCH,
                f"{path}: {picture.size_HW} (height, width), expected {sizes[0]} as {ref.files[0]}",
            )
        images.append(
            SceneImage(
                role=roles[date_index],
                modality=Modality.OPTICAL,
                rendering=picture.rendering,
                date=record.dates[date_index],
                date_index=date_index,
                encoded=picture.encoded,
                path=path,
            )
        )
    return tuple(images), sizes[0]


def _in_archive(path: str, folder: str) -> str:
    """Return a listed path relative to the root; most are relative to the folder of their JSON."""
    bare = path.removeprefix("./").removeprefix("TEOChatlas/")
    return bare if bare.split("/", 1)[0] in FOLDERS else f"{folder}/{bare}"


def _bucket(dataset: str, location: str) -> str:
    """Return the bucket of a location: by its number where names have one, else by its hash.

    QFabric's 504 locations hold about 450,000 annotated sites, some 900 each: of scenes with three
    or four sites a location is a bucket.
    """
    tile = _XBD_TILE.fullmatch(location)
    if dataset == "xBD" and tile:
        return f"{dataset}-{_short(tile[1])}-{int(tile[2]) // TILES_A_BUCKET:04d}"
    if dataset == "QFabric" and location.isdecimal() and len(location) <= MAX_LOCATION_DIGITS:
        return f"{dataset}-{int(location):04d}"
    hashed = int(hashlib.sha256(location.encode()).hexdigest()[:12], 16)
    return f"{dataset}-{hashed % BUCKETS_A_DATASET:03d}"


def locality_of(dataset: str, location: str) -> str:
    """Return the event of a tile of xBD, named as that archive's reader does, else the location."""
    tile = _XBD_TILE.fullmatch(location)
    return f"{dataset}-{tile[1] if dataset == 'xBD' and tile else location}"


def _stem_of_crop(path: str) -> str:
    """Return an image's file name without what changes from date to date."""
    stem = path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return _safe(_OF_ONE_DATE.sub("", stem)) or _safe(stem)


def _sample_id(name: str, number: int) -> str:
    return f"{_stem(name)}-{number:06d}"


def _stem(name: str) -> str:
    return _safe(name.rsplit("/", 1)[-1].removesuffix(".json"))


def _short(name: str) -> str:
    """Return a name, or as much of it as a file's name can hold with what tells it from others."""
    if len(name) <= MAX_NAME_CHARS:
        return name
    return f"{name[: MAX_NAME_CHARS - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)


def _rejected(sample_id: str, refusal: Refusal) -> Rejected:
    return Rejected(
        sample_id=sample_id,
        source=NAME,
        stage="index",
        reason=refusal.reason,
        detail=refusal.detail,
    )
