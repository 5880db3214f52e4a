"""TerraCoT: the training JSON of the TerraScope release, in its three layouts of keys.

`SPLIT/single_image.json` (image, conversations, labels, masks, seg_info), `SPLIT/bitemporal.json`
(pre_image, post_image, conversations, masks) and `SPLIT/sar_rgb.json` (image, conversations,
masks). Masks are COCO RLE as {size, counts}. With one date each `[SEG]` has a list of one mask.
With two, `masks` is flat: every `[SEG]`'s mask before, then every one's after, null where the step
does not mark that date, so that both halves go by the order of `[SEG]`.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from PIL import Image

from tasks.exports.conversation import conversation
from tasks.exports.json_list import JsonLists
from tasks.exports.pictures import (
    IMAGES,
    add_file,
    add_link,
    add_picture,
    digest_of,
    suffix_of,
)
from tasks.exports.rle import rle
from tasks.exports.target import Export, split_name
from tasks.rows import Row

SAR_RGB = f"{IMAGES}-sar-rgb"  # with folders rgb, sar, vh and vv of files of the same names
_POLARISATIONS = {"vv_vh": ("vv", "vh"), "vh_vv_mean": ("vh", "vv")}  # SarRendering -> channels


def write_terracot(export: Export) -> None:
    """Write the samples of one image, of two dates, and of an optical and a radar image."""
    with JsonLists(export.folder) as lists:
        for row in export.rows():
            layout = _layout(row)
            match layout:
                case "single_image":
                    entry = _single(export, row)
                case "bitemporal":
                    entry = _bitemporal(export, row)
                case "sar_rgb":
                    entry = _sar_rgb(export, row)
                case _:
                    export.leave(layout)
                    continue
            lists.add(f"{split_name(row.split)}/{layout}.json", entry)
            export.samples += 1


def _layout(row: Row) -> str:
    """Return the layout that holds a row, or else what such rows are called."""
    if len(row.images) == 1:
        return "single_image"
    if len(row.images) > 2:
        return "samples of more than two images"
    dates = {info.date_index for info in row.image_info}
    modalities = {info.modality for info in row.image_info}
    if len(dates) == 2 and modalities == {"optical"}:
        return "bitemporal"
    if len(dates) == 1 and modalities == {"optical", "sar"}:
        return "sar_rgb"
    return "samples of two images that are neither two dates nor optical and radar"


def _single(export: Export, row: Row) -> dict[str, Any]:
    return {
        "id": row.sample_id,
        "image": add_picture(export, row.images[0].bytes),
        "conversations": conversation(row, row.trace),
        "labels": [mask.label for mask in row.masks],
        "masks": [[rle(mask.size, mask.counts)] for mask in row.masks],
        "seg_info": [{"label": mask.label, "origin": mask.origin.value} for mask in row.masks],
    }


def _bitemporal(export: Export, row: Row) -> dict[str, Any]:
    order = sorted((0, 1), key=lambda number: row.image_info[number].date_index)
    pre, post = (add_picture(export, row.images[number].bytes) for number in order)
    masks = [
        rle(mask.size, mask.counts) if mask.image_index == number else None
        for number in order
        for mask in row.masks
    ]
    return {
        "id": row.sample_id,
        "pre_image": pre,
        "post_image": post,
        "conversations": conversation(row, row.trace),
        "masks": masks,
    }


def _sar_rgb(export: Export, row: Row) -> dict[str, Any]:
    numbers = {info.modality: number for number, info in enumerate(row.image_info)}
    optical, sar = (row.images[numbers[name]].bytes for name in ("optical", "sar"))
    name = digest_of(optical, sar)
    folder = export.folder / SAR_RGB
    for part, encoded in (("rgb", optical), ("sar", sar)):
        add_link(export, add_picture(export, encoded), folder / part / (name + suffix_of(encoded)))
    rendering = row.image_info[numbers["sar"]].rendering
    for polarisation, encoded in _polarisations(sar, rendering):
        add_file(folder / polarisation / f"{name}.png", encoded)
    return {
        "id": row.sample_id,
        "image": name + suffix_of(optical),
        "conversations": conversation(row, row.trace),
        "masks": [[rle(mask.size, mask.counts)] for mask in row.masks],
    }


def _polarisations(sar: bytes, rendering: str) -> Iterator[tuple[str, bytes]]:
    """Yield VV and VH as grey PNGs, cut out of a rendering; none of one that is not known."""
    names = next((_POLARISATIONS[n] for n in _POLARISATIONS if rendering.startswith(n)), ())
    with Image.open(BytesIO(sar)) as image:
        channels = image.convert("RGB").split()
    for polarisation, channel in zip(names, channels, strict=False):
        file = BytesIO()
        channel.save(file, "PNG")
        yield polarisation, file.getvalue()
