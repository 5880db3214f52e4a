"""The archives that can be read: an explicit table, one entry a module."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.rejection import Rejected
from schemas.scene import Scene, SceneRef
from tasks.sources.bigearthnet import VERSION as BIGEARTHNET_VERSION
from tasks.sources.bigearthnet import index as index_bigearthnet
from tasks.sources.bigearthnet import read as read_bigearthnet
from tasks.sources.chatearthnet import VERSION as CHATEARTHNET_VERSION
from tasks.sources.chatearthnet import index as index_chatearthnet
from tasks.sources.chatearthnet import read as read_chatearthnet
from tasks.sources.own import VERSION as OWN_VERSION
from tasks.sources.own import index as index_own
from tasks.sources.own import read as read_own
from tasks.sources.teochatlas import VERSION as TEOCHATLAS_VERSION
from tasks.sources.teochatlas import index as index_teochatlas
from tasks.sources.teochatlas import read as read_teochatlas
from tasks.sources.xbd import VERSION as XBD_VERSION
from tasks.sources.xbd import index as index_xbd
from tasks.sources.xbd import read as read_xbd


@dataclass(frozen=True, slots=True)
class Source:
    """One archive: its reader's version, how it is listed, and how one scene is read."""

    version: int
    index: Callable[[Path], Iterator[SceneRef | Rejected]]
    read: Callable[[Path, SceneRef], Scene]


SOURCES = {
    "bigearthnet": Source(BIGEARTHNET_VERSION, index_bigearthnet, read_bigearthnet),
    "chatearthnet": Source(CHATEARTHNET_VERSION, index_chatearthnet, read_chatearthnet),
    "own": Source(OWN_VERSION, index_own, read_own),
    "teochatlas": Source(TEOCHATLAS_VERSION, index_teochatlas, read_teochatlas),
    "xbd": Source(XBD_VERSION, index_xbd, read_xbd),
}
