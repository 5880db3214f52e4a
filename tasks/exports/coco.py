"""COCO instances: masks as annotations of images, `segmentation` being the exact RLE.

`scenes_SPLIT.json` holds every class and object of a scene on every image of its date;
`steps_SPLIT.json` the mask of every reasoning step. A category is a source's class (`name`) with
its source (`supercategory`). COCO's polygons know no holes: `polygons` and `holes` stand beside the
exact code, see `polygons.py`.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masks.rle import decode
from schemas.mask import MaskKind
from tasks.exports.json_list import JsonLists
from tasks.exports.pictures import add_picture
from tasks.exports.polygons import bounding_box, outline
from tasks.exports.rle import rle
from tasks.exports.target import Export, split_name
from tasks.rows import Row

Json = dict[str, Any]


def write_coco(export: Export) -> None:
    """Write all masks of the chosen samples' scenes and steps; words and answers are left out."""
    with ExitStack() as stack:
        files: dict[str, _Instances] = {}
        for rows in export.granules():
            drawn: set[tuple[str, str]] = set()  # scenes' images that are annotated already
            for row in rows:
                split = split_name(row.split)
                for kind in ("scenes", "steps"):
                    name = f"{kind}_{split}.json"
                    if name not in files:
                        files[name] = stack.enter_context(_Instances(export.folder / name))
                names = [add_picture(export, image.bytes) for image in row.images]
                _add_scene(export, row, names, files[f"scenes_{split}.json"], drawn)
                _add_steps(export, row, names, files[f"steps_{split}.json"])
                export.samples += 1
            for instances in files.values():
                instances.forget_images()


class _Instances:
    """One file in the layout of COCO, its images and annotations written one by one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parts = path.with_suffix(".parts")
        self._lists = JsonLists(self._parts)
        self._ids = {"images": 0, "annotations": 0}
        self._images: dict[tuple[str, str], int] = {}
        self._categories: dict[tuple[str, str], int] = {}

    def __enter__(self) -> "_Instances":
        self._lists.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._lists.__exit__(*error)
        if error[0] is None:
            self._join()

    def forget_images(self) -> None:
        """Forget which images are listed: those of other scenes follow."""
        self._images.clear()

    def image(self, row: Row, number: int, name: str) -> int:
        """Return the id of an image of a row, listed when it is first asked for."""
        key = (row.scene_id, name)
        if key not in self._images:
            info = row.image_info[number]
            self._images[key] = self._add(
                "images",
                {
                    "file_name": name,
                    "height": row.grid.height,
                    "width": row.grid.width,
                    "date_captured": info.date,
                    "scene_id": row.scene_id,
                    "modality": info.modality,
                    "licence": row.licence,
                },
            )
        return self._images[key]

    def annotate(
        self, image_id: int, category: tuple[str, str], mask_HW: NDArray[np.bool_], told: Json
    ) -> None:
        """Add a mask that is not empty; `category` is its source and class."""
        rings, holes = outline(mask_HW)
        self._add(
            "annotations",
            {
                "image_id": image_id,
                "category_id": self._categories.setdefault(category, len(self._categories) + 1),
                "area": int(mask_HW.sum()),
                "bbox": list(bounding_box(mask_HW)),
                "iscrowd": 0,
                **told,
                "polygons": rings,
                "holes": holes,
            },
        )

    def _add(self, part: str, entry: Json) -> int:
        self._ids[part] += 1
        self._lists.add(part, {"id": self._ids[part], **entry})
        return self._ids[part]

    def _join(self) -> None:
        """Write the parts as one JSON object, and remove them."""
        categories = [
            {"id": number, "name": name, "supercategory": source}
            for (source, name), number in self._categories.items()
        ]
        with self._path.open("w", encoding="utf-8", newline="\n") as file:
            file.write('{"info":{"description":"images lie in images/"},\n')
            for part in ("images", "annotations"):
                file.write(f'"{part}":')
                file.writelines(self._lines(part))
                file.write(",\n")
            file.write(f'"categories":{json.dumps(categories, ensure_ascii=False)}}}\n')
        if self._parts.exists():
            self._parts.rmdir()

    def _lines(self, part: str) -> Iterator[str]:
        path = self._parts / part
        if not self._ids[part]:
            yield "[]"
            return
        with path.open(encoding="utf-8") as lines:
            yield from lines
        path.unlink()


def _add_scene(
    export: Export, row: Row, names: list[str], file: _Instances, drawn: set[tuple[str, str]]
) -> None:
    for number, name in enumerate(names):
        if (row.scene_id, name) in drawn:
            continue
        drawn.add((row.scene_id, name))
        image_id = file.image(row, number, name)
        for mask in row.evidence.masks:
            if mask.date_index != row.image_info[number].date_index:
                continue
            if mask.kind is MaskKind.VALID:
                export.leave("masks of valid pixels")
                continue
            pixels_HW = decode(mask.counts, row.evidence.size_HW)
            if not pixels_HW.any():
                export.leave("scene masks without a pixel")
                continue
            told = {
                "segmentation": rle(row.evidence.size_HW, mask.counts.decode("ascii")),
                "origin": mask.origin.value,
                "layer": mask.layer,
                "instance_id": mask.instance_id,
                "attribute": mask.attribute,
            }
            file.annotate(image_id, (row.source, mask.label), pixels_HW, told)
            export.made["annotations of scenes"] += 1


def _add_steps(export: Export, row: Row, names: list[str], file: _Instances) -> None:
    for place, mask in enumerate(row.masks):
        pixels_HW = decode(mask.counts.encode("ascii"), mask.size)
        if not pixels_HW.any():
            export.leave("step masks without a pixel")
            continue
        image_id = file.image(row, mask.image_index, names[mask.image_index])
        told = {
            "segmentation": rle(mask.size, mask.counts),
            "origin": mask.origin.value,
            "sample_id": row.sample_id,
            "mask_index": place,
        }
        file.annotate(image_id, (row.source, mask.label), pixels_HW, told)
        export.made["annotations of steps"] += 1
