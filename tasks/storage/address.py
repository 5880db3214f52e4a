"""Where a dataset is on S3-compatible storage: s3://BUCKET/PREFIX/NAME, or NAME@2 of it."""

import re
from dataclasses import dataclass

from tasks.errors import ConfigError

SCHEME = "s3://"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PART = re.compile(r"[\w.+=,-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A bucket, and a path in it that may be empty."""

    bucket: str
    path: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.path}".rstrip("/")

    def below(self, name: str) -> "Address":
        """Return the address of what is called `name` there."""
        return Address(bucket=self.bucket, path=f"{self.path}/{name}".lstrip("/"))


def address_of(url: str) -> Address:
    """Read s3://BUCKET/PATH; ConfigError for what is none, or holds more than that.

    Keys and endpoints come from the environment or AWS's own files, so that none is in a manifest,
    a log or the history of a shell.
    """
    bucket, _, path = url.removeprefix(SCHEME).strip("/").partition("/")
    parts = [part for part in path.split("/") if path]
    plain = all(_PART.fullmatch(part) and part.strip(".") for part in parts)
    if not url.startswith(SCHEME) or not _BUCKET.fullmatch(bucket) or not plain:
        raise ConfigError(
            "storage is named as s3://BUCKET/PREFIX, of letters, digits and . _ - + = ,; keys, "
            "region and endpoint come from the environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL) "
            "or ~/.aws, never from the address"
        )
    return Address(bucket=bucket, path=path)


def version_asked(url: str) -> tuple[Address, int | None]:
    """Return the address of a dataset and, of NAME@2, the number of its version."""
    name, at, number = url.rpartition("@")
    if at and number.isdigit():
        return address_of(name), int(number)
    return address_of(url), None
