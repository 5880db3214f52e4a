"""What differs between a scene as its archive gives it now and as a row of a dataset holds it.

Masks are compared pixel by pixel, with the reference decoder. Layers that a model marked are no
archive's, and are left out.
"""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from masks.reference_morphology import MaskHW
from masks.reference_scene import decode_rle
from schemas.mask import MaskKind, Origin, SceneMask
from schemas.scene import INVALID_ID, Instance, LabelLayer, Scene
from tasks.finding import Finding
from tasks.rows import Row

# which mask it is: kind, layer, date, label, object, attribute, origin
Key = tuple[str, str, int, str, str, str, str]


def differences(scene: Scene, row: Row) -> Iterator[Finding]:
    """Yield a finding for everything in which a row is not as the archive gives its scene.

    `expected` is what the archive gives.
    """
    yield from _of_files(scene, row)
    pairs = (
        ("source_split", scene.ref.split, row.split),
        ("source_licence", scene.licence, row.licence),
        ("source_size", (scene.grid.height, scene.grid.width), row.evidence.size_HW),
        ("source_pixel_size", scene.grid.pixel_size_m, row.evidence.pixel_size_m),
        ("source_north_up", scene.grid.north_up, row.evidence.north_up),
        ("source_layers", _layers(scene), _stored_layers(row)),
    )
    for rule, expected, found in pairs:
        if expected != found:
            yield Finding(rule=rule, expected=str(expected), found=str(found))
    if row.evidence.size_HW == (scene.grid.height, scene.grid.width):
        yield from _of_masks(scene, row)


def _of_files(scene: Scene, row: Row) -> Iterator[Finding]:
    """Compare the files' digests; a name with "#" is one record inside a JSON file."""
    now = {file.path: file.sha256 for file in scene.files}
    then = {file.path: file.sha256 for file in row.provenance.files}
    for path in sorted(now.keys() | then.keys()):
        expected, found = now.get(path, "no such file"), then.get(path, "no such file")
        if expected != found:
            yield Finding(rule="source_digest", expected=f"{path} {expected}", found=found)


def _layers(scene: Scene) -> list[tuple[object, ...]]:
    return [
        (layer.layer, layer.date_index, layer.product, layer.invalid.value, layer.classes)
        for layer in scene.layers
        if layer.origin is not Origin.PREDICTED
    ]


def _stored_layers(row: Row) -> list[tuple[object, ...]]:
    return [
        (layer.layer, layer.date_index, layer.product, layer.invalid.value, layer.classes)
        for layer in row.evidence.layers
        if (layer.layer, layer.date_index) not in row.evidence.marked_layers
    ]


def _of_masks(scene: Scene, row: Row) -> Iterator[Finding]:
    of_archive = [mask for mask in row.evidence.masks if mask.origin is not Origin.PREDICTED]
    stored = {_key(mask): mask for mask in of_archive}
    twice = Counter(map(_key, of_archive)) - Counter(stored.keys())
    for key in twice:
        yield Finding(rule="source_mask", expected=f"{_words(key)} once", found="twice")
    for key, due_HW in _due(scene):
        mask = stored.pop(key, None)
        if mask is None:
            found = "no such mask"
        else:
            found = _compared(due_HW, mask)
        if found:
            due_px = int(np.count_nonzero(due_HW))
            yield Finding(rule="source_mask", expected=f"{_words(key)}, {due_px} px", found=found)
    for key in stored:
        yield Finding(rule="source_mask", expected=f"no {_words(key)}", found="such a mask")


def _compared(due_HW: MaskHW, mask: SceneMask) -> str:
    """Return in what a stored mask differs, "" where it does not."""
    try:
        found_HW = decode_rle(mask.counts, (due_HW.shape[0], due_HW.shape[1]))
    except ValueError as error:
        return str(error)
    differing_px = int(np.count_nonzero(found_HW != due_HW))
    if not differing_px:
        return ""
    return f"{int(np.count_nonzero(found_HW))} px, of which {differing_px} px differ"


def _due(scene: Scene) -> Iterator[tuple[Key, MaskHW]]:
    """Yield every mask of a scene, cut from its label maps by plain comparison."""
    for layer in scene.layers:
        if layer.origin is Origin.PREDICTED:
            continue
        valid = (MaskKind.VALID.value, layer.layer, layer.date_index, layer.layer, "", "")
        yield (*valid, "annotated"), layer.ids_HW != INVALID_ID
        for class_id, name in enumerate(layer.classes):
            mask_HW = layer.ids_HW == class_id
            if mask_HW.any():
                yield _class_key(layer, name), mask_HW
    size_HW = (scene.grid.height, scene.grid.width)
    for instance in scene.instances:
        yield _instance_key(instance), decode_rle(instance.counts, size_HW)


def _key(mask: SceneMask) -> Key:
    place = (mask.kind.value, mask.layer, mask.date_index, mask.label)
    return (*place, mask.instance_id, mask.attribute, mask.origin.value)


def _class_key(layer: LabelLayer, name: str) -> Key:
    place = (MaskKind.CLASS.value, layer.layer, layer.date_index, name)
    return (*place, "", "", layer.origin.value)


def _instance_key(instance: Instance) -> Key:
    place = (MaskKind.INSTANCE.value, instance.layer, instance.date_index, instance.label)
    return (*place, instance.instance_id, instance.attribute, instance.origin.value)


def _words(key: Key) -> str:
    kind, layer, date_index, label, instance_id, attribute, origin = key
    parts = (kind, repr(label), instance_id, attribute, f"of {layer} at date {date_index}", origin)
    return " ".join(part for part in parts if part)
