"""Decode reasoning with masks: 16 questions at once against one after the other.

Usage: python benchmarks/generation.py [--shape tiny|middle] [--model DIR] [--rows 16] [--rounds 3]
           [--feedback tokens] [--device cpu] [--threads 1]

Each row writes a given trace of two to four [SEG]: what is to be written next gets the highest
score, whatever the model thinks, and all else (images, masks, regions, scores) is computed. So a
model of random weights takes as long as one that has learnt. `middle` is `tiny` made larger (30
million weights in the language model, images of 256 pixels): as in a real one, a step reads more
weights than it reads of a row's past. Compared in turn, in every round:

  batched        all rows at once
  one by one     the same code, a row at a time
  features anew  a row at a time, and the ground model looks at the image again at every [SEG], as
                 the released code does
  all anew       a row at a time; at every [SEG] both encoders look at the images again, and the
                 whole text is read again, as a loop without interleaving would do it

Printed are medians of the rounds, of the ratios too, and how many pixels of all masks differ from
those of the batch: rounding, in float32. Aims on a CPU: 4 times one by one, 6 times features anew.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import get_args

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

import numpy as np  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from transformers import DynamicCache  # noqa: E402

from schemas.trace import SEG, build_trace  # noqa: E402
from terrascope_model.answer import Answerer  # noqa: E402
from terrascope_model.batch import Seen, Segment  # noqa: E402
from terrascope_model.configuration import TerraScopeConfig  # noqa: E402
from terrascope_model.fed_tokens import fed_tokens  # noqa: E402
from terrascope_model.feedback import Feedback, last_facts_text, puts_facts  # noqa: E402
from terrascope_model.generate import Decoding, generate  # noqa: E402
from terrascope_model.model import TerraScopeModel  # noqa: E402
from terrascope_model.presets import tiny, tiny_config, tiny_processor  # noqa: E402
from terrascope_model.processor import TerraScopeProcessor  # noqa: E402
from terrascope_model.sample import Picture, Sample, StepMask  # noqa: E402
from terrascope_model.tokens import IMAGE, REGION, TURN_CLOSE  # noqa: E402

SIDE_PX = 256
LAND = ("cropland", "broad-leaved forest", "inland waters", "pastures", "built-up land")
Masks = list[Tensor]  # of a row


def middle(texts: Sequence[str]) -> tuple[TerraScopeModel, TerraScopeProcessor]:
    """Return a model whose parts are some ten times those of `tiny`, and its processor."""
    processor = tiny_processor(texts)
    processor.ground_px, processor.mask_px = 256, 64
    vocabulary = processor.tokenizer.get_vocab()
    config = tiny_config(
        vocab_size=len(vocabulary),
        image_token_id=vocabulary[IMAGE],
        seg_token_id=vocabulary[SEG],
        region_token_id=vocabulary[REGION],
        max_region_tokens=processor.max_region_tokens,
    )
    parts = config.to_dict()
    parts["vlm_config"]["text_config"] |= {
        "hidden_size": 512,
        "intermediate_size": 2048,
        "num_hidden_layers": 8,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
        "layer_types": ["full_attention"] * 8,
    }
    parts["vlm_config"]["vision_config"] |= {
        "hidden_size": 256,
        "intermediate_size": 1024,
        "num_hidden_layers": 6,
    }
    vision = parts["ground_config"]["vision_config"]
    vision["backbone_config"] |= {
        "hidden_size": 48,
        "image_size": [256, 256],
        "blocks_per_stage": [1, 2, 4, 1],
        "embed_dim_per_stage": [48, 96, 192, 384],
        "global_attention_blocks": [5],
    }
    vision |= {
        "backbone_channel_list": [384, 192, 96, 48],
        "backbone_feature_sizes": [[64, 64], [32, 32], [16, 16]],
    }
    parts["ground_config"]["prompt_encoder_config"]["image_size"] = 256
    return TerraScopeModel(TerraScopeConfig.from_dict(parts)), processor


def traced(row: int) -> str:
    """Return a trace of two to four [SEG], worded as a dataset words it."""
    lines = [
        (f"I mark {name} {SEG}. It covers {1000 * (row + at) + 7:,} of 65,536 labelled pixels.",)
        for at, name in enumerate(islice(cycle(LAND), row, row + 2 + row % 3))
    ]
    found = ("The first covers more than the others, as their masks show.",)
    return build_trace([*lines, found], f"A. {LAND[row % len(LAND)]}").text


def pictured(row: int) -> tuple[Picture, ...]:
    """Return an image, or every fourth time an optical and a radar one."""
    drawn = np.random.default_rng(row).integers(0, 256, (2, 8, 8, 3), np.uint8)
    images = [Image.fromarray(pixels).resize((SIDE_PX, SIDE_PX)) for pixels in drawn]
    optical = Picture(image=images[0], pixel_size_m=(10.0, 10.0))
    return (optical, Picture(image=images[1], modality="sar")) if row % 4 == 3 else (optical,)


class Scripted(nn.Module):
    """A head that scores as another does, and what is to be written next above all."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head
        self.script: Iterator[list[int]] = iter(())

    def write(self, texts: Sequence[list[int]]) -> None:
        """Begin anew with a text a row; after its end a row is no more asked for."""
        longest = max(map(len, texts))
        steps = [[text[at] for text in texts if at < len(text)] for at in range(longest)]
        self.script = iter(steps)

    def forward(self, hidden_BD: Tensor) -> Tensor:
        """Return the scores of a step, (B, V)."""
        scores_BV = self.head(hidden_BD)
        ids = next(self.script)
        scores_BV[range(len(ids)), ids] = scores_BV.max() + 1
        return scores_BV


class Bench:
    """Rows of given traces, and the ways to write them."""

    def __init__(
        self, model: TerraScopeModel, processor: TerraScopeProcessor, rows: int, device: str
    ) -> None:
        self.model, self.processor = model.eval().to(device), processor
        self.head = model.vlm.lm_head = Scripted(model.vlm.lm_head)
        self.texts = [processor.text_ids(traced(row) + TURN_CLOSE) for row in range(rows)]
        self.samples = [
            Sample(sample_id=str(row), pictures=pictured(row), question="Which covers more?")
            for row in range(rows)
        ]
        self.device = device
        self.eos = processor.tokenizer.eos_token_id

    def batch(self, rows: Sequence[int]) -> tuple[Tensor, Tensor, Seen]:
        """Return rows as the model reads them; pictures are prepared once."""
        encoded = [self.processor.encode(self.samples[row]) for row in rows]
        batch = self.processor.collate(encoded, left=True)
        ids_BT, attention_BT = (
            batch["ids_BT"].to(self.device),
            batch["attention_BT"].to(self.device),
        )
        return ids_BT, attention_BT, batch["seen"].to(self.device)

    def facts(self, rows: Sequence[int], masks: Sequence[tuple[int, Tensor]], at: int) -> list[int]:
        """Return the ids of the facts of a row's last mask."""
        marked = [StepMask(picture=n, mask_HW=mask.cpu().numpy()) for n, mask in masks]
        return self.processor.text_ids(last_facts_text(marked, self.samples[rows[at]].pictures))

    def write(self, rows: Sequence[int]) -> list[Masks]:
        """Write rows at once, with our own decoding."""
        self.head.write([self.texts[row] for row in rows])
        decoding = Decoding(
            eos_token_id=self.eos,
            max_new_tokens=4096,
            facts=lambda at, masks: self.facts(rows, masks, at),
        )
        written = generate(self.model, *self.batch(rows), decoding)
        assert all(row.ended for row in written), "a row did not write its trace to the end"
        return [[segmented.mask_HW for segmented in row.segmented] for row in written]

    def batched(self) -> list[Masks]:
        """Write all rows at once."""
        return self.write(range(len(self.samples)))

    def one_by_one(self) -> list[Masks]:
        """Write a row at a time."""
        return [self.write([row])[0] for row in range(len(self.samples))]

    def features_anew(self) -> list[Masks]:
        """Write a row at a time; at every [SEG] the ground model looks again."""
        kept = self.model.masks_of
        found = []
        for row in range(len(self.samples)):
            ground_I3GG = self.batch([row])[2].ground_I3GG
            self.model.masks_of = lambda hidden, images, _, ground_I3GG=ground_I3GG: kept(
                hidden, images, self.model.ground.encode(ground_I3GG)
            )
            found += self.write([row])
        self.model.masks_of = kept
        return found

    def all_anew(self) -> list[Masks]:
        """Write a row at a time; at every [SEG] all is looked at and read again."""
        return [self.read_anew(row) for row in range(len(self.samples))]

    @torch.no_grad()
    def read_anew(self, row: int) -> Masks:
        """Write one row with transformers' own cache, begun anew after every [SEG]."""
        model, config = self.model, self.model.config
        ids_1T, _, seen = self.batch([row])
        ids, segments, masks = ids_1T[0].tolist(), list[Segment](), list[tuple[int, Tensor]]()
        self.head.write([self.texts[row]])
        while True:
            cache = DynamicCache(config=config.vlm_config.text_config)
            sight = model.look(seen)
            embedded = model.embed(torch.tensor([ids], device=self.device), seen, segments, sight)
            token = -1
            while token not in (config.seg_token_id, self.eos):
                hidden_1TD = model.vlm.model.language_model(
                    inputs_embeds=embedded, past_key_values=cache, use_cache=True
                ).last_hidden_state
                token = int(model.vlm.lm_head(hidden_1TD[:, -1]).argmax(-1))
                ids.append(token)
                embedded = model.get_input_embeddings()(torch.tensor([[token]], device=self.device))
            if token == self.eos:
                return [mask for _, mask in masks]
            hidden_1TD = model.vlm.model.language_model(
                inputs_embeds=embedded, past_key_values=cache, use_cache=True
            ).last_hidden_state
            image = seen.images[0]
            features = model.ground.encode(seen.ground_I3GG)
            (logits_hw,) = model.masks_of(hidden_1TD[:, -1], [image], features)
            mask_HW = nn.functional.interpolate(
                logits_hw[None, None].float(), image.size_HW, mode="bilinear", align_corners=False
            )[0, 0].gt(0)
            masks.append((0, mask_HW))
            tokens_K = fed_tokens(
                mask_HW,
                image.layout,
                config.feedback,
                config.max_region_tokens,
                more_than=config.more_than,
            )
            segments.append(Segment(row=0, image=0, tokens_K=tokens_K))
            ids += [config.region_token_id] * len(tokens_K)
            if puts_facts(config.feedback):
                ids += self.facts([row], masks, 0)


def differing(found: list[Masks], due: list[Masks]) -> int:
    """Return the pixels in which masks differ."""
    pairs = zip(found, due, strict=True)
    return sum(int((a != b).sum()) for ours, its in pairs for a, b in zip(ours, its, strict=True))


def main() -> None:
    """Time the four ways in turn, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=("tiny", "middle"), default="tiny")
    parser.add_argument("--model", type=Path, help="folder of a saved model, in place of a shape")
    parser.add_argument("--rows", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--feedback", choices=get_args(Feedback))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.model:
        answerer = Answerer.from_pretrained(given.model)
        model, processor = answerer.model, answerer.processor
    else:
        texts = [traced(row) for row in range(given.rows)]
        model, processor = tiny(texts, seed=0) if given.shape == "tiny" else middle(texts)
    if given.feedback:
        model.config.feedback = processor.feedback = given.feedback
    bench = Bench(model, processor, given.rows, given.device)
    ways: dict[str, Callable[[], list[Masks]]] = {
        "batched": bench.batched,
        "one by one": bench.one_by_one,
        "features anew": bench.features_anew,
        "all anew": bench.all_anew,
    }
    due = bench.batched()  # warms up, too
    pixels = sum(mask.numel() for masks in due for mask in masks)
    other = {name: differing(way(), due) / pixels for name, way in ways.items()}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(given.rounds):
        for name, way in ways.items():
            start = perf_counter()
            way()
            if given.device != "cpu":
                torch.cuda.synchronize()
            seconds[name].append(perf_counter() - start)
    written = sum(map(len, bench.texts))
    masks = sum(len(found) for found in due)
    print(
        f"{given.model or given.shape}, feedback {model.config.feedback}, {given.device}; "
        f"{given.rows} rows, {written} tokens, {masks} masks; {torch.get_num_threads()} threads, "
        f"load {os.getloadavg()[0]:.1f}, median of {given.rounds}"
    )
    print(f"{'':<15}{'s':>8}{'samples/s':>11}{'ratio':>8}{'least':>8}{'other pixels':>14}")
    for name, taken in seconds.items():
        ratios = [a / b for a, b in zip(taken, seconds["batched"], strict=True)]
        print(
            f"{name:<15}{median(taken):8.2f}{given.rows / median(taken):11.2f}"
            f"{median(ratios):8.2f}{min(ratios):8.2f}{other[name]:14.5%}"
        )


if __name__ == "__main__":
    main()
