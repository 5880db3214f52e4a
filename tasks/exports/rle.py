"""A mask as COCO's JSON has it."""

from typing import Any


def rle(size_HW: tuple[int, int], counts: str) -> dict[str, Any]:
    """Return compressed counts as {size: [H, W], counts}."""
    return {"size": list(size_HW), "counts": counts}
