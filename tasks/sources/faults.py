"""The net under the readers: what they fail on unforeseen costs one scene and never the build."""

from collections.abc import Iterator
from contextlib import contextmanager

from rasterio.errors import RasterioError
from shapely.errors import ShapelyError

from schemas.rejection import Reason, Refusal

# RasterioError and ShapelyError have no common ancestor with the others
READER_FAULTS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RasterioError,
    RuntimeError,
    ShapelyError,
    SyntaxError,
    TypeError,
    ValueError,
)


@contextmanager
def refusing_faults(where: str) -> Iterator[None]:
    """Turn what a reader fails on under `with` into a refusal; only reading belongs there.

    Args:
        where: Scene or record that is being read, named in the refusal.

    Raises:
        Refusal: READER_FAILED with the type and message of the error; any other as it is.
    """
    try:
        yield
    except READER_FAULTS as error:
        detail = f"{where}: {type(error).__name__}: {error}"
        raise Refusal(Reason.READER_FAILED, detail) from error
