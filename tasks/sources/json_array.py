"""A large JSON array, read record by record: memory holds one piece of the file, not all of it."""

import json
from collections.abc import Iterator
from typing import TextIO

from schemas.rejection import Reason, Refusal

CHUNK_CHARS = 1 << 22
MAX_RECORD_CHARS = 1 << 24  # far above any record; an unclosed one must not eat the whole file


def iterate_array(file: TextIO, name: str) -> Iterator[object]:
    """Yield the elements of a JSON array, in order.

    Args:
        file: open for reading text.
        name: its path, named in refusals.

    Raises:
        Refusal: WRONG_TYPE if it is not an array, UNREADABLE_FILE where its syntax ends or breaks.
    """
    text = _Text(file, name)
    if text.next_sign() != "[":
        raise Refusal(Reason.WRONG_TYPE, f"{name}: expected a JSON list of records")
    text.skip()
    while text.next_sign() != "]":
        yield text.element()
        if text.next_sign() == ",":
            text.skip()
        elif text.next_sign() != "]":
            raise text.broken("expected ',' or ']' after a record")
    text.skip()
    if text.next_sign():
        raise text.broken("text after the list")


class _Text:
    """The unread part of a file, with a decoder that asks for more where a value is cut."""

    def __init__(self, file: TextIO, name: str) -> None:
        self._file, self._name = file, name
        self._buffer, self._position, self._done = "", 0, False
        self._decoder = json.JSONDecoder()

    def next_sign(self) -> str:
        """Return the next character that is no space, "" at the end; it stays unread."""
        while True:
            while self._buffer[self._position : self._position + 1].isspace():
                self._position += 1
            if self._position < len(self._buffer) or not self._fill():
                return self._buffer[self._position : self._position + 1]

    def skip(self) -> None:
        """Step over one character."""
        self._position += 1

    def element(self) -> object:
        """Return the next JSON value and step over it."""
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._position)
            except (ValueError, RecursionError) as error:
                too_long = len(self._buffer) - self._position > MAX_RECORD_CHARS
                if too_long or not self._fill():
                    raise self.broken(str(error)) from error
                continue
            if end < len(self._buffer) or not self._fill():  # a number may go on in the next piece
                self._position = end
                return value

    def broken(self, message: str) -> Refusal:
        """Return the refusal of the whole file."""
        return Refusal(Reason.UNREADABLE_FILE, f"{self._name}: {message}")

    def _fill(self) -> bool:
        """Read one piece more; return whether there was one."""
        try:
            more = self._file.read(CHUNK_CHARS)
        except (OSError, UnicodeDecodeError) as error:
            raise self.broken(str(error)) from error
        self._buffer, self._position = self._buffer[self._position :] + more, 0
        return bool(more)
