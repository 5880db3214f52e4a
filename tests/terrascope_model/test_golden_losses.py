"""What twenty steps come to stays as it was, until someone means to change it."""

import json

import pytest

from terrascope_model.trainer import LOSSES
from tests.terrascope_model.golden import GOLDEN, losses

# float32 of other processors and of other versions of torch adds up differently, more so each step
TOLERANCE = 0.002


def test_losses_of_twenty_steps_are_those_stored() -> None:
    stored, found = json.loads(GOLDEN.read_text()), losses()
    assert [entry["step"] for entry in found] == list(range(1, 21))
    for due, entry in zip(stored, found, strict=True):
        for name in LOSSES:
            assert entry[name] == pytest.approx(due[name], rel=TOLERANCE, abs=TOLERANCE / 10), (
                f"step {due['step']}: {name}; `python -m tests.terrascope_model.golden` writes "
                "them anew"
            )
