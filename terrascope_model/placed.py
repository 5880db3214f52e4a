"""Files of a model's folder: notes, there whole or not at all, and what cannot be written."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError


def place_json(path: Path, tree: Any) -> None:
    """Write `tree` under a hidden name, and give it its own when all of it is on the disk.

    Its keys are sorted: what was read back from a checkpoint has them in another order.
    """
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(tree, indent=1, sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise OSError, with the file or folder and the room there, where weights cannot be written.

    What PyTorch and safetensors raise themselves is no OSError and names no file.
    """
    try:
        yield
    except (SafetensorError, RuntimeError, OSError) as error:
        told = str(error).strip().partition("\n")[0]
        free_mib = shutil.disk_usage(path.parent).free / 2**20
        raise OSError(
            f"cannot write {path}: {told} ({free_mib:.0f} MiB free in {path.parent})"
        ) from error
