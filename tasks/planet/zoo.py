"""The zoo: broken records beside the good ones of a planet, one defect each, and their list.

`OUT/zoo.json` is a list of objects, the fields of `zoo_files.Exhibit`: `source` (archive), `scene`
(the record's name in the archive: a BigEarthNet patch_id, a ChatEarthNet or xBD image without date
and suffix; a TEOChatlas JSON and place, as "QFabric_RQA5_RTQA5#17", and so a ChatEarthNet record
that names no image of the archive), `defect`, `reasons` (any of them may be given for it), `file`
(the broken file, relative to OUT), `record` (the record's place in a JSON list, -1 where there is
none or the whole file is broken), and for TEOChatlas `images`. `OUT/outside/` holds what links and
climbing paths lead to; a reader must never open it. Every exhibit is a copy under a name of its
own, so no good record is touched.
"""

import json
from collections.abc import Callable
from pathlib import Path

from tasks.planet.zoo_bigearthnet import add_bigearthnet
from tasks.planet.zoo_chatearthnet import add_chatearthnet
from tasks.planet.zoo_files import Exhibit
from tasks.planet.zoo_teochatlas import add_teochatlas
from tasks.planet.zoo_xbd import add_xbd

KEEPERS: dict[str, Callable[[Path], list[Exhibit]]] = {
    "bigearthnet": add_bigearthnet,
    "chatearthnet": add_chatearthnet,
    "xbd": add_xbd,
    "teochatlas": add_teochatlas,
}


def add_zoo(out: Path, seed: int) -> tuple[Exhibit, ...]:
    """Add broken records to each archive in `out` that is there, and write `out`/zoo.json.

    `seed` is the planet's: what is broken and how does not depend on chance, so it changes only
    through the scenes that are copied.

    Raises:
        FileExistsError: if the planet has a zoo already.
        ValueError: if an archive has no scene that could be copied.
    """
    path = out / "zoo.json"
    if path.exists():
        raise FileExistsError(f"{out} has a zoo already: {path}")
    exhibits = [
        exhibit
        for name, keeper in KEEPERS.items()
        if (out / name).is_dir()
        for exhibit in keeper(out)
    ]
    path.write_text(json.dumps([exhibit.listed() for exhibit in exhibits], indent=1) + "\n")
    return tuple(exhibits)
