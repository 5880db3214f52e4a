"""JSON arrays written entry by entry, so that none is held whole."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO


class JsonLists:
    """Files of a folder, each a JSON array of objects, one a line; made when first added to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, TextIO] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._files.values():
            file.write("\n]\n")
            file.close()

    def add(self, name: str, entry: Mapping[str, Any]) -> None:
        """Append an entry to the array of the file `name`."""
        started = self._files.get(name)
        if started is None:
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            started = self._files[name] = path.open("w", encoding="utf-8", newline="\n")
            started.write("[\n")
        else:
            started.write(",\n")
        started.write(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))
