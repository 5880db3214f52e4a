"""Tiny models and prompts whose ids are plain numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from flows.local import build
from tasks.config import BuildConfig
from tasks.planet.planet import write_planet
from terrascope_model.batch import PlacedImage, Seen
from terrascope_model.model import TerraScopeModel
from terrascope_model.presets import (
    TINY_IMAGE_PX,
    TINY_SIDE,
    start_from_scratch,
    tiny_config,
)
from terrascope_model.regions import TileLayout

PAD, IMAGE, SEG, REGION, EOS, FIRST, VOCABULARY = 0, 1, 2, 3, 4, 8, 64
ONE_TILE = TileLayout(rows=1, cols=1, side=TINY_SIDE)


@dataclass(frozen=True, kw_only=True)
class Carried:
    """An image of a row: its tiles, whether it is segmented, and which of the row is its SAR."""

    layout: TileLayout = ONE_TILE
    size_HW: tuple[int, int] = (100, 120)
    segmented: bool = True
    sar: int | None = None


torch.set_num_threads(1)  # tests run on all cores already


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("learnt")
    write_planet(folder / "planet", scenes=24, seed=7)
    sources = {name: folder / "planet" / name for name in ("bigearthnet", "xbd")}
    build(BuildConfig(sources=sources, out=folder / "dataset"))
    return folder / "dataset"


@pytest.fixture(scope="session")
def make_model() -> Callable[..., TerraScopeModel]:
    def make(seed: int = 0, **joined: Any) -> TerraScopeModel:
        torch.manual_seed(seed)
        config = tiny_config(
            vocab_size=VOCABULARY,
            image_token_id=IMAGE,
            seg_token_id=SEG,
            region_token_id=REGION,
            **joined,
        )
        model = TerraScopeModel(config)
        start_from_scratch(model)
        return untied(model)

    return make


def untied(model: TerraScopeModel) -> TerraScopeModel:
    """Give the head weights of its own, as InternVL3-8B has them."""
    model.vlm.lm_head.weight = nn.Parameter(model.vlm.lm_head.weight.detach().clone())
    for config in (model.vlm.config, model.vlm.config.text_config, model.config.vlm_config):
        config.tie_word_embeddings = False
    return model


def made_eager(model: TerraScopeModel) -> TerraScopeModel:
    """Let a model write [SEG] now and then: by one number of its hidden state."""
    untied(model)
    with torch.no_grad():
        nn.init.normal_(model.get_input_embeddings().weight)  # or it would write one word for ever
        nn.init.normal_(model.vlm.lm_head.weight, std=0.2)
        model.vlm.lm_head.weight[EOS] = 0
        model.vlm.lm_head.weight[SEG] = 0
        model.vlm.lm_head.weight[SEG, 0] = 8
    return model


@pytest.fixture(scope="session")
def model(make_model: Callable[..., TerraScopeModel]) -> TerraScopeModel:
    return make_model(max_region_tokens=6).eval()


def picture(*seed: int) -> Tensor:
    drawn = torch.Generator().manual_seed(hash(seed) % 2**31)
    coarse = torch.randn(1, 3, 8, 8, generator=drawn)
    return torch.nn.functional.interpolate(coarse, TINY_IMAGE_PX, mode="bilinear")[0]


def see(rows: Sequence[Sequence[Carried]], first: int = 0) -> Seen:
    """Return images of their own for each row; `first` is the number of the first row."""
    tiles, ground, images = [], [], []
    for row, carried in enumerate(rows):
        begin = len(images)
        for number, image in enumerate(carried):
            tiles += [picture(first + row, number, t) for t in range(image.layout.num_tiles)]
            if image.segmented:
                ground.append(picture(first + row, number, 99))
            images.append(
                PlacedImage(
                    row=row,
                    layout=image.layout,
                    size_HW=image.size_HW,
                    ground=len(ground) - 1 if image.segmented else None,
                    sar=None if image.sar is None else begin + image.sar,
                )
            )
    questions = [torch.tensor([FIRST + 1 + first + row, FIRST]) for row in range(len(rows))]
    return Seen(
        tiles_N3SS=torch.stack(tiles),
        ground_I3GG=torch.stack(ground),
        images=images,
        questions=questions,
    )


def prompt(carried: Sequence[Carried], number: int) -> list[int]:
    """Return the ids of a prompt: its images, and words of its own, as many as its number has."""
    images = sum(image.layout.num_tokens for image in carried)
    return [FIRST, *[IMAGE] * images, *range(FIRST + 1, FIRST + 3 + number)]


def left_padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    length = max(map(len, rows))
    ids = torch.tensor([[PAD] * (length - len(row)) + list(row) for row in rows])
    attention = torch.tensor([[0] * (length - len(row)) + [1] * len(row) for row in rows])
    return ids, attention
