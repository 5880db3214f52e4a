"""Twenty steps on sixteen painted pictures, and what losses they came to.

`python -m tests.terrascope_model.golden` writes `tests/golden/losses.json` anew, which is due when
the model, its losses or its numbers are meant to change. Nothing here comes from a dataset, so that
a change of those changes nothing.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image

from schemas.trace import SEG
from terrascope_model.data import Samples
from terrascope_model.presets import tiny_model, tiny_processor
from terrascope_model.processor import TerraScopeProcessor
from terrascope_model.sample import Picture, Sample, StepMask
from terrascope_model.settings import TrainSettings
from terrascope_model.shards import Place, Rows
from terrascope_model.stage import run_stage
from terrascope_model.trainer import LOSSES

GOLDEN = Path(__file__).parents[1] / "golden" / "losses.json"
NUM_SAMPLES, SIDE_PX = 16, 128
SETTINGS = TrainSettings(
    stage1_steps=20, stage2_steps=0, batch_size=4, save_steps=1, learning_rate=1e-3
)
NAMES = ("water", "trees")


class Painted(Samples):
    """A blue or green square on a grey picture, the same for the same number."""

    def __init__(self, processor: TerraScopeProcessor) -> None:
        super().__init__(Rows(Path("none"), ()), processor, 0)
        for _ in range(NUM_SAMPLES):
            self._add(Place(0, 0, 0), 1, 1.0)

    def sample(self, number: int, epoch: int = 0) -> Sample:
        """Return a picture whose square is to be segmented."""
        drawn = np.random.default_rng(number)
        mask_HW = np.zeros((SIDE_PX, SIDE_PX), dtype=np.bool_)
        top, left = drawn.integers(0, SIDE_PX // 2, 2).tolist()
        mask_HW[top : top + 48, left : left + 48] = True
        pixels = drawn.integers(90, 130, (SIDE_PX, SIDE_PX, 3)).astype(np.uint8)
        pixels[mask_HW, 2 - number % 2] = 220
        name = NAMES[number % 2]
        return Sample(
            sample_id=f"painted-{number}",
            pictures=(Picture(image=Image.fromarray(pixels)),),
            question=f"Please segment the {name}.",
            trace=f"I mark {name} {SEG}.",
            masks=(StepMask(picture=0, mask_HW=mask_HW),),
        )


def losses() -> list[dict[str, float]]:
    """Return the losses of each step, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    processor = tiny_processor([f"Please segment the {n}. I mark {n}." for n in NAMES])
    model = tiny_model(processor, seed=0)
    with TemporaryDirectory() as folder:
        logged = run_stage(
            "stage1", model, processor, Painted(processor), Path(folder), 20, SETTINGS
        )
    torch.set_num_threads(threads)
    return [{name: entry[name] for name in ("step", *LOSSES)} for entry in logged]


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(losses(), indent=1) + "\n")
    sys.stdout.write(f"{GOLDEN}\n")
