"""The formats that a dataset can be exported to: an explicit table, one entry a module."""

from collections.abc import Callable

from tasks.exports.coco import write_coco
from tasks.exports.geoparquet import write_geoparquet
from tasks.exports.hf import write_hf
from tasks.exports.llava import write_llava
from tasks.exports.lmms_eval import write_lmms_eval
from tasks.exports.target import Export
from tasks.exports.terracot import write_terracot
from tasks.exports.vlmevalkit import write_vlmevalkit
from tasks.exports.webdataset import write_webdataset

FORMATS: dict[str, Callable[[Export], None]] = {
    "coco": write_coco,
    "geoparquet": write_geoparquet,
    "hf": write_hf,
    "llava": write_llava,
    "lmms-eval": write_lmms_eval,
    "terracot": write_terracot,
    "vlmevalkit": write_vlmevalkit,
    "webdataset": write_webdataset,
}
