"""Images on their way to a model: scaled down, then as base64 or as a file that the server reads.

Nothing is encoded before `messages` is entered, and nothing of it is kept after it is left.
"""

import asyncio
import base64
import hashlib
import os
import secrets
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from tasks.completer import Call, CallFailed, FailedBecause, Turn
from tasks.errors import UserError

MAGIC = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}
SCALED_MODES = ("L", "LA", "RGB", "RGBA")  # what LANCZOS smooths and PNG holds as they are


class SentImages:
    """Writes the messages of a call for one server; its files are gone after `close`.

    Files lie in a folder of their own below `folder`; a killed run leaves those of the calls
    that were in flight.
    """

    def __init__(self, *, max_px: int | None, folder: Path | None) -> None:
        self._max_px = max_px
        own = f"images-{os.getpid()}-{secrets.token_hex(4)}"
        self._folder = folder.resolve() / own if folder else None
        self._users: Counter[Path] = Counter()

    @asynccontextmanager
    async def messages(self, call: Call) -> AsyncIterator[list[dict[str, Any]]]:
        """Yield the messages of a call, images before the text of their turn.

        Raises:
            CallFailed: an image is neither PNG nor JPEG, or cannot be read.
        """
        files = [self._path(image) for turn in call.turns for image in turn.images]
        self._users.update(file for file in files if file)
        try:
            yield [{"role": turn.role, "content": await self._content(turn)} for turn in call.turns]
        finally:
            self._drop(file for file in files if file)

    def close(self) -> None:
        """Remove what is left of the files."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _content(self, turn: Turn) -> str | list[dict[str, Any]]:
        if not turn.images:
            return turn.text
        urls = [await self._url(image) for image in turn.images]
        images = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
        return [*images, {"type": "text", "text": turn.text}]

    async def _url(self, image: bytes) -> str:
        """Return the URL that stands for an image; only what takes long is left to a thread."""
        kind = _kind(image)
        path = self._path(image)
        if path is not None:
            if not path.exists():
                await asyncio.to_thread(self._save, path, image, kind)
            return path.as_uri()
        if self._max_px is not None:
            image, kind = await asyncio.to_thread(self._scaled, image, kind)
        return f"data:image/{kind};base64,{base64.b64encode(image).decode('ascii')}"

    def _save(self, path: Path, image: bytes, kind: str) -> None:
        _write(path, self._scaled(image, kind)[0])

    def _path(self, image: bytes) -> Path | None:
        """Return where an image lies for the server; the kind of file is told by its bytes."""
        if self._folder is None:
            return None
        return self._folder / hashlib.sha256(image).hexdigest()

    def _drop(self, files: Iterable[Path]) -> None:
        for file in files:
            self._users[file] -= 1
            if not self._users[file]:
                del self._users[file]
                file.unlink(missing_ok=True)

    def _scaled(self, image: bytes, kind: str) -> tuple[bytes, str]:
        """Return an image with its longer side at most `max_px`, and its kind."""
        if self._max_px is None:
            return image, kind
        try:
            with Image.open(BytesIO(image)) as picture:
                longer = max(picture.size)
                if longer <= self._max_px:
                    return image, kind
                picture.load()
                size = [max(1, round(side * self._max_px / longer)) for side in picture.size]
                plain = picture if picture.mode in SCALED_MODES else picture.convert("RGB")
                small = plain.resize((size[0], size[1]), Image.Resampling.LANCZOS)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise CallFailed(FailedBecause.REFUSED, f"an image cannot be read: {error}") from error
        encoded = BytesIO()
        small.save(encoded, "PNG", compress_level=1)
        return encoded.getvalue(), "png"


def _write(path: Path, image: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{secrets.token_hex(8)}")
        temporary.write_bytes(image)
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"cannot write images for the server: {error}") from error


def _kind(image: bytes) -> str:
    for magic, kind in MAGIC.items():
        if image.startswith(magic):
            return kind
    raise CallFailed(
        FailedBecause.REFUSED, f"an image is neither PNG nor JPEG: it starts with {image[:8]!r}"
    )
