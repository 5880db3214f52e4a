"""Objects on S3-compatible storage: written whole or not at all, read whole.

Who may do so is said by the environment (`AWS_ACCESS_KEY_ID`, `AWS_PROFILE`, …) or by ~/.aws;
another server than AWS by `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`.
"""

import os
from pathlib import PurePosixPath

from pyarrow.fs import AwsStandardS3RetryStrategy, FileSelector, FileType, S3FileSystem

from tasks.errors import UserError
from tasks.storage.address import Address

ATTEMPTS = 4  # of a request, with longer and longer pauses
CONNECT_S, REQUEST_S = 10.0, 60.0


class StorageError(UserError):
    """Storage that refuses or does not answer; the message says what was tried, and the answer."""


class Bucket:
    """The objects below an address."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._root = f"{address.bucket}/{address.path}".rstrip("/")
        try:
            self._files = S3FileSystem(
                endpoint_override=os.environ.get("AWS_ENDPOINT_URL_S3")
                or os.environ.get("AWS_ENDPOINT_URL"),
                allow_delayed_open=True,  # one request a small object
                connect_timeout=CONNECT_S,
                request_timeout=REQUEST_S,
                retry_strategy=AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
            )
        except OSError as error:
            raise self._failed("be reached", "", error) from error

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the bytes of all objects in a folder and below, by name relative to it."""
        root = f"{self._root}/{folder}"
        try:
            found = self._files.get_file_info(
                FileSelector(root, recursive=True, allow_not_found=True)
            )
        except OSError as error:
            raise self._failed("list", folder, error) from error
        return {
            str(PurePosixPath(one.path).relative_to(root)): one.size
            for one in found
            if one.type == FileType.File
        }

    def write(self, name: str, content: bytes) -> None:
        """Write an object; it is there whole or, as before, not at all."""
        try:
            with self._files.open_output_stream(f"{self._root}/{name}") as stream:
                stream.write(content)
        except OSError as error:
            raise self._failed("write", name, error) from error

    def read(self, name: str) -> bytes | None:
        """Return an object's content, None where there is none."""
        try:
            with self._files.open_input_stream(f"{self._root}/{name}") as stream:
                return bytes(stream.readall())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed("read", name, error) from error

    def _failed(self, what: str, name: str, error: OSError) -> StorageError:
        cause = " ".join(str(error).split())
        return StorageError(f"{self.address}: cannot {what} {name}: {cause}".replace(" :", ":"))
