"""Hand-made benches of tiny masks, and the finished dataset of tests/dataset."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from masks.rle import encode
from tasks.scoring.bench import Bench
from tasks.scoring.item import BenchItem, TrueMask
from tests.dataset.conftest import (  # noqa: F401 - fixtures
    build,
    dataset,
    finished,
    granules,
    rejects,
)


def mask(text: str) -> NDArray[np.bool_]:
    """Return "##.. ...." as a mask, a word a row."""
    return np.array([[sign == "#" for sign in line] for line in text.split()])


def counts(text: str) -> str:
    return encode(mask(text)).decode()


def true(text: str, label: str = "water", image: int = 0) -> TrueMask:
    return TrueMask(label=label, image_index=image, counts=encode(mask(text)))


def predicted(text: str, **told: Any) -> dict[str, Any]:
    """Return a mask as a line of predictions has it."""
    return {"size": list(mask(text).shape), "counts": counts(text), **told}


def item(item_id: str = "a", **changed: Any) -> BenchItem:
    fields: dict[str, Any] = {
        "item_id": item_id,
        "scene_id": f"scene of {item_id}",
        "source": "hand",
        "task": "coverage_percentage",
        "question": "How much is water?",
        "options": ("10 %", "20 %", "30 %", "40 %"),
        "letter": "B",
        "answer": "20 %",
        "size_HW": (2, 4),
    }
    return BenchItem(**{**fields, **changed})


def bench_of(*items: BenchItem, **changed: Any) -> Bench:
    def look(wanted: Any) -> Iterator[Any]:
        raise AssertionError("no picture is looked at")

    return Bench(**{"name": "hand", "digest": "d" * 64, "items": items, "look": look, **changed})


@pytest.fixture
def make_item() -> Callable[..., BenchItem]:
    return item
