"""The one door to an archive's files: names stay inside its folder, every file read is digested."""

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.io import DatasetReader

from schemas.rejection import Reason, Refusal
from schemas.scene import SourceFile
from tasks.sources.image_files import MAX_SIDE_PX, png_grey, png_rgb, rgb
from tasks.sources.json_fields import has_half_letters
from tasks.sources.rasters import Raster, band_of, npy_array, open_tiff

MAX_FILE_BYTES = 256 * 2**20  # one image or label file; larger is a trap or a wrong file
MAX_JSON_BYTES = 64 * 2**20  # one label file; callers with larger lists say so
IN_MEMORY_BYTES = 32 * 2**20  # rasters above this are opened by path and read by window
_CHUNK_BYTES = 2**20
_HEAD_BYTES = 4096  # enough to tell a file by
_DRIVE = re.compile(r"[A-Za-z]:/")  # absolute for Windows


class Archive:
    """An archive folder, opened for one scene: what is read through it ends up in `files`.

    Names are relative to the root and "/"-separated. All methods raise `Refusal`: UNSAFE_PATH for a
    name that leaves the root (also through a link), MISSING_FILE, UNREADABLE_FILE for anything that
    is not a plain whole file, TOO_LARGE.
    """

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.realpath(root))
        self._sha256: dict[str, str] = {}

    @property
    def files(self) -> tuple[SourceFile, ...]:
        """Every file read so far, by name."""
        return tuple(
            SourceFile(path=name, sha256=digest) for name, digest in sorted(self._sha256.items())
        )

    def resolve(self, name: str) -> Path:
        """Return the real path of a plain file inside the archive."""
        path = safe_path(self._root, name)
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Refusal(Reason.MISSING_FILE, f"{name}: no such file in the archive") from error
        except OSError as error:
            raise Refusal(Reason.UNREADABLE_FILE, f"{name}: {error.strerror}") from error
        if not stat.S_ISREG(mode):  # opening a pipe or device would hang
            raise Refusal(Reason.UNREADABLE_FILE, f"{name}: expected a plain file")
        return path

    def has(self, name: str) -> bool:
        """Return whether a file of that name is there; all but MISSING_FILE still raises."""
        try:
            self.resolve(name)
        except Refusal as refusal:
            if refusal.reason is Reason.MISSING_FILE:
                return False
            raise
        return True

    def read_bytes(self, name: str, max_bytes: int = MAX_FILE_BYTES) -> bytes:
        """Return a file's bytes and note its digest."""
        path = self.resolve(name)
        try:
            with path.open("rb") as file:
                _refuse_bytes(os.fstat(file.fileno()).st_size, name, max_bytes)
                content = file.read(max_bytes + 1)
        except OSError as error:
            raise Refusal(Reason.UNREADABLE_FILE, f"{name}: {error.strerror}") from error
        self._sha256[name] = hashlib.sha256(content).hexdigest()
        return content

    def read_png_rgb(self, name: str) -> tuple[NDArray[np.uint8], bytes]:
        """Return the (H, W, 3) pixels of an 8-bit RGB PNG and its original bytes.

        Raises also TOO_SMALL, WRONG_PIXEL_FORMAT, BLANK_IMAGE, EXTERNAL_REFERENCE.
        """
        content = self.read_bytes(name)
        return png_rgb(content, name), content

    def read_rgb(self, name: str) -> tuple[NDArray[np.uint8], bytes]:
        """As `read_png_rgb`, for a PNG or JPEG, told apart by their first bytes."""
        content = self.read_bytes(name)
        return rgb(content, name), content

    def read_png_grey(self, name: str) -> NDArray[np.uint8]:
        """Return the (H, W) pixels of an 8-bit grey PNG.

        Raises also TOO_SMALL, WRONG_PIXEL_FORMAT, EXTERNAL_REFERENCE.
        """
        return png_grey(self.read_bytes(name), name)

    def read_json(self, name: str, max_bytes: int = MAX_JSON_BYTES) -> Any:
        """Return a JSON file's value; its types are the caller's to check."""
        content = self.read_bytes(name, max_bytes)
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise Refusal(Reason.UNREADABLE_FILE, f"{name}: not JSON: {error}") from error

    def read_npy(self, name: str) -> NDArray[Any]:
        """Return the numeric array of a .npy file; raises also WRONG_PIXEL_FORMAT."""
        return npy_array(self.read_bytes(name), name)

    def read_band(self, name: str, index: int = 1, max_side: int = MAX_SIDE_PX) -> Raster:
        """Return one whole band (from 1) of a GeoTIFF with its grid.

        Raises also EXTERNAL_REFERENCE, WRONG_PIXEL_FORMAT.
        """
        with self.open_raster(name, max_side) as dataset:
            return band_of(dataset, index, name)

    def resolve_large(self, name: str, max_bytes: int | None = None) -> tuple[Path, bytes]:
        """Return the path of a file that a library opens itself, and its first bytes.

        Its digest is noted, and made once for the many scenes that such a file may serve. Raises as
        `read_bytes` does, TOO_LARGE only where `max_bytes` says so.
        """
        path = self.resolve(name)
        try:
            status = path.stat()
            if max_bytes is not None:
                _refuse_bytes(status.st_size, name, max_bytes)
            self._sha256[name] = _large_file_sha256(path, status.st_size, status.st_mtime_ns)
            with path.open("rb") as file:
                return path, file.read(_HEAD_BYTES)
        except OSError as error:
            raise Refusal(Reason.UNREADABLE_FILE, f"{name}: {error.strerror}") from error

    @contextmanager
    def open_raster(self, name: str, max_side: int = MAX_SIDE_PX) -> Iterator[DatasetReader]:
        """Open a GeoTIFF for windowed reads; its header is checked before any pixel.

        Raises also EXTERNAL_REFERENCE; GDAL's errors under `with` become UNREADABLE_FILE.
        """
        with open_tiff(self._bytes_or_path(name), name, max_side) as dataset:
            yield dataset

    def _bytes_or_path(self, name: str) -> bytes | Path:
        """Return a raster's bytes, or its path where it is too large to hold; note its digest."""
        path = self.resolve(name)
        try:
            status = path.stat()
            if status.st_size > IN_MEMORY_BYTES:
                digest = _large_file_sha256(path, status.st_size, status.st_mtime_ns)
                self._sha256[name] = digest
                return path
        except OSError as error:
            raise Refusal(Reason.UNREADABLE_FILE, f"{name}: {error.strerror}") from error
        return self.read_bytes(name)


def safe_path(root: Path, name: str) -> Path:
    """Return the real path of `name` under `root`, which must be a real path; need not exist.

    Raises:
        Refusal: UNSAFE_PATH for an empty or absolute name, "..", or a link that leads out.
    """
    refuse_unsafe_name(name)
    try:
        path = os.path.realpath(root / name)
    except OSError as error:
        raise Refusal(Reason.UNSAFE_PATH, f"{name!r}: {error.strerror}") from error
    if not Path(path).is_relative_to(root):
        raise Refusal(Reason.UNSAFE_PATH, f"{name!r}: a link leads out of the archive")
    return Path(path)


def list_folder(folder: Path, name: str) -> list[os.DirEntry[str]]:
    """Return a folder's entries in the order of their names.

    Raises:
        Refusal: UNREADABLE_FILE where it cannot be listed, naming it as `name`.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise Refusal(Reason.UNREADABLE_FILE, f"{name}: {error.strerror}") from error


def is_there(path: Path) -> bool:
    """Return whether there is something under a path, also where nobody may look at it."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def refuse_unsafe_name(name: str) -> None:
    """Raise UNSAFE_PATH for a name that `is_unsafe_name` names so."""
    if is_unsafe_name(name):
        raise Refusal(
            Reason.UNSAFE_PATH, f"{name!r}: expected a relative name without '..' or backslash"
        )


def is_unsafe_name(name: str) -> bool:
    """Return whether a name is empty, absolute, no name for a file, or holds ".."."""
    return (
        not name
        or "\0" in name
        or "\\" in name
        or name.startswith("/")
        or _DRIVE.match(name) is not None
        or ".." in name.split("/")
        or has_half_letters(name)
    )


def _refuse_bytes(size: int, name: str, max_bytes: int) -> None:
    if size > max_bytes:
        raise Refusal(
            Reason.TOO_LARGE, f"{name}: {size} bytes; at most {max_bytes} are read of such a file"
        )


@lru_cache(maxsize=4096)
def _large_file_sha256(path: Path, size: int, mtime_ns: int) -> str:
    # a WorldCover tile serves thousands of scenes: hashed once a process while it is unchanged
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
