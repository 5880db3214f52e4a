"""Train and decode with 8B sizes on one GPU, and say tokens a second, utilisation and memory.

`shape-8b`, random weights in bf16: steps of stage 2 (LoRA, projector, mask decoder) at 2,048 tokens
and 3 masks a sample, with layers computed again for their gradients; then rows decoded at once that
write 3 [SEG] each, beside a row at a time that looks at the image again at every [SEG]; then steps
with compiled layers, computed again and kept. What is to be written is given, so that weights that
know nothing write it. Beside what was measured stands what `on_paper.py` counts of layers computed
again. Sizes are lowered where memory is short, and that is said.

Needs torch (2.11), transformers (5.17), peft, accelerate and pyarrow, looks for them first, and
ends by itself within --seconds. Without CUDA it says so; `--tiny --device cpu` goes the same way
with small sizes, to show that all of it runs.

    python benchmarks/gpu.py [--seconds 480] [--tiny --device cpu]
"""

import argparse
import gc
import importlib
import importlib.metadata
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

NEEDED = ("torch", "transformers", "peft", "accelerate", "pyarrow")
for needed in NEEDED:
    try:
        importlib.import_module(needed)
    except ImportError as error:
        sys.exit(f"{needed} cannot be imported ({error}); needed are {', '.join(NEEDED)}")
print("  ".join(f"{needed} {importlib.metadata.version(needed)}" for needed in NEEDED), flush=True)

import torch  # noqa: E402
from on_paper import GIB, LORA, PEAK_FLOPS, Shape, memory, step_flops  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from transformers import InternVLConfig  # noqa: E402

from terrascope_model.batch import IGNORED, PlacedImage, Seen, Segment  # noqa: E402
from terrascope_model.configuration import TerraScopeConfig  # noqa: E402
from terrascope_model.generate import Decoding, generate  # noqa: E402
from terrascope_model.model import TerraScopeModel  # noqa: E402
from terrascope_model.presets import tiny_config  # noqa: E402
from terrascope_model.regions import TileLayout  # noqa: E402
from terrascope_model.sizes import shape_config  # noqa: E402
from terrascope_model.trained_parts import (  # noqa: E402
    Lora,
    checkpoint_layers,
    compile_layers,
    keep_layers,
    merge,
    set_trained,
)

IMAGE, SEG, REGION, EOS, WORD = 10, 11, 12, 13, 20  # ids; all others are words
NUM_MASKS = 3
WARM_STEPS, STEPS = 2, 7
DECODED_ROWS, WORDS_BETWEEN = 16, 20
Work = Callable[[], object]


class Clock:
    """How much of the time is left."""

    def __init__(self, seconds: float) -> None:
        self._end, self._seconds = monotonic() + seconds, seconds

    def left(self) -> float:
        """Return the seconds that are left."""
        return self._end - monotonic()

    def share_left(self) -> float:
        """Return the part of the time that is left."""
        return self.left() / self._seconds


class Scripted(nn.Module):
    """A head that scores as another does, and what is to be written next above all."""

    def __init__(self, head: nn.Module, script: list[int]) -> None:
        super().__init__()
        self.head, self._script, self._at = head, script, 0

    def begin(self) -> None:
        """Begin the text anew."""
        self._at = 0

    def forward(self, hidden_BD: Tensor) -> Tensor:
        """Return the scores of a step, (B, V)."""
        scores_BV = self.head(hidden_BD)
        scores_BV[:, self._script[self._at]] = scores_BV.max() + 1
        self._at += 1
        return scores_BV


def main() -> None:
    """Train, decode, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=480)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--device", default="cuda")
    given = parser.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        sys.exit("there is no CUDA here: --tiny --device cpu shows that the script runs")
    clock = Clock(given.seconds)
    device = torch.device(given.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    config = small() if given.tiny else shape_config(
        image_token_id=IMAGE, seg_token_id=SEG, region_token_id=REGION, max_region_tokens=128
    )  # fmt: skip
    length = 256 if given.tiny else 2048
    begun = perf_counter()
    torch.set_default_dtype(torch.bfloat16)
    with device:
        model = TerraScopeModel(config)
    torch.set_default_dtype(torch.float32)
    print(f"{name}; made in {perf_counter() - begun:.0f} s", flush=True)
    rows = [2, 1] if given.tiny else [16, 8, 4, 2]
    set_parts(model, tiny=given.tiny)
    checkpoint_layers(model)
    print(f"stage 2, LoRA, rows of {length} tokens with {NUM_MASKS} masks each")
    fitting(rows, lambda n: train(model, n, length, device, clock, "computed again", until=0.75))
    merge(model)
    model.to(torch.bfloat16)  # type: ignore[arg-type]
    decode(model, device, clock)
    set_parts(model, tiny=given.tiny)
    compile_layers(model)
    fitting(rows, lambda n: train(model, n, length, device, clock, "compiled, again", until=0.3))
    keep_layers(model)
    rows = [1] if given.tiny else [5, 4, 2, 1]
    fitting(rows, lambda n: train(model, n, length, device, clock, "compiled, kept", until=0.0))
    print(f"done with {clock.left():.0f} s left")


def set_parts(model: TerraScopeModel, *, tiny: bool) -> None:
    """Make the parts of stage 2 trainable."""
    lora = Lora(rank=4, alpha=8, dropout=0.05) if tiny else LORA
    set_trained(model, "stage2", lora, new_ids=[SEG, REGION], computed=torch.bfloat16)


def small() -> TerraScopeConfig:
    """Return sizes for a CPU, with the ids of here."""
    return tiny_config(
        vocab_size=64, image_token_id=IMAGE, seg_token_id=SEG, region_token_id=REGION
    )


def fitting(sizes: list[int], work: Callable[[int], None]) -> None:
    """Do work of the largest size for which there is memory, and say which there is none for."""
    for size in sizes:
        if fits(size, work):
            return
        print(f"batch {size}: out of memory", flush=True)
        gc.collect()  # what was begun is free only now that its error is gone
        torch.cuda.empty_cache()
    sys.exit("no batch fits")


def fits(size: int, work: Callable[[int], None]) -> bool:
    """Do work of a size; return whether there was memory for it."""
    try:
        work(size)
    except torch.OutOfMemoryError:
        return False
    return True


def train(
    model: TerraScopeModel,
    rows: int,
    length: int,
    device: torch.device,
    clock: Clock,
    layers: str,
    *,
    until: float,
) -> None:
    """Time steps of stage 2, and print what they come to."""
    torch._dynamo.reset()  # a size is compiled for itself, as if it were the first
    batch, shape = batch_of(model, rows, length, device)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, 4e-5, fused=device.type == "cuda")
    model.zero_grad()
    model.train()

    def step() -> None:
        with torch.autocast(device.type, torch.bfloat16):
            loss = model(**batch).loss
        assert loss is not None
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()

    reset_peak(device)
    times = timed(step, device, clock, until=until)
    seconds, operations = median(times), step_flops(model, shape)
    spent = memory(model, shape)
    print(f"layers {layers}, batch {rows}: {1000 * seconds:.0f} ms a step "
          f"(median of {len(times)}), {shape.tokens / seconds:,.0f} tokens/s")  # fmt: skip
    print(f"  {operations / 1e12:.1f} TFLOP a step: {operations / seconds / 1e12:.0f} TFLOP/s, "
          f"MFU {operations / seconds / PEAK_FLOPS:.1%} of {PEAK_FLOPS / 1e12:.0f}")  # fmt: skip
    print(f"  peak memory {peak(device):.1f} GiB; on paper {spent.total / GIB:.1f}", flush=True)


def batch_of(
    model: TerraScopeModel, rows: int, length: int, device: torch.device
) -> tuple[dict[str, object], Shape]:
    """Return rows of so many tokens: an image, words, and masks with their regions."""
    config = model.config
    vlm = config.vlm_config
    assert isinstance(vlm, InternVLConfig)
    side = int(vlm.image_seq_length**0.5)
    layout = TileLayout(rows=2, cols=2, side=side) if length > 1024 else TileLayout(
        rows=1, cols=1, side=side
    )  # fmt: skip
    region = min(config.max_region_tokens, (length - layout.num_tokens) // (2 * NUM_MASKS))
    words = (length - layout.num_tokens - NUM_MASKS * (region + 1) - 1) // (NUM_MASKS + 1)
    text = [IMAGE] * layout.num_tokens + [WORD] * words
    for _ in range(NUM_MASKS):
        text += [WORD + 1] * words + [SEG] + [REGION] * region
    text += [WORD + 2] * (length - len(text) - 1) + [EOS]
    ids_BT = torch.tensor([text] * rows, device=device)
    learnt = (ids_BT >= SEG) & (ids_BT != REGION)
    side_px = model.ground.image_size // 4
    masks_Mhw = torch.zeros(rows * NUM_MASKS, side_px, side_px, device=device)
    masks_Mhw[:, side_px // 4 : side_px // 2] = 1
    tokens_K = torch.arange(region, device=device)
    segments = [
        Segment(row=row, image=row, tokens_K=tokens_K)
        for row in range(rows)
        for _ in range(NUM_MASKS)
    ]
    batch: dict[str, object] = {
        "ids_BT": ids_BT,
        "attention_BT": torch.ones_like(ids_BT),
        "seen": seen_of(model, [layout] * rows, device),
        "segments": segments,
        "labels_BT": ids_BT.where(learnt, IGNORED),
        "masks_Mhw": masks_Mhw,
    }
    return batch, Shape(rows=rows, length=length, tiles=rows * layout.num_tiles, images=rows)


def seen_of(model: TerraScopeModel, layouts: list[TileLayout], device: torch.device) -> Seen:
    """Return an image of noise a row."""
    vlm = model.config.vlm_config
    assert isinstance(vlm, InternVLConfig)
    tile_px = vlm.vision_config.image_size[0]  # type: ignore[union-attr]
    ground_px = model.ground.image_size
    images = [
        PlacedImage(row=row, layout=layout, size_HW=(256, 256), ground=row)
        for row, layout in enumerate(layouts)
    ]
    num_tiles = sum(layout.num_tiles for layout in layouts)
    options = {"device": device, "dtype": torch.bfloat16}
    return Seen(
        tiles_N3SS=torch.randn(num_tiles, 3, tile_px, tile_px, **options),  # type: ignore[call-overload]
        ground_I3GG=torch.randn(len(layouts), 3, ground_px, ground_px, **options),  # type: ignore[call-overload]
        images=images,
        questions=[torch.tensor([WORD], device=device) for _ in layouts],
    )


def decode(model: TerraScopeModel, device: torch.device, clock: Clock) -> None:
    """Time rows at once beside a row at a time that looks again, and print the figures."""
    model.eval()
    script = ([WORD] * WORDS_BETWEEN + [SEG]) * NUM_MASKS + [WORD] * WORDS_BETWEEN + [EOS]
    head = model.vlm.lm_head = Scripted(model.vlm.lm_head, script)
    vlm = model.config.vlm_config
    assert isinstance(vlm, InternVLConfig)
    layout = TileLayout(rows=1, cols=1, side=int(vlm.image_seq_length**0.5))
    looked = model.masks_of

    def write(rows: int, *, again: bool) -> None:
        seen = seen_of(model, [layout] * rows, device)
        ids_BT = torch.tensor([[IMAGE] * layout.num_tokens + [WORD] * 40] * rows, device=device)
        if again:
            model.masks_of = lambda hidden_MD, images, features: looked(  # type: ignore[method-assign]
                hidden_MD, images, model.look(seen).features
            )
        else:
            model.masks_of = looked  # type: ignore[method-assign]
        head.begin()
        decoding = Decoding(eos_token_id=EOS, max_new_tokens=len(script))
        written = generate(model, ids_BT, torch.ones_like(ids_BT), seen, decoding)
        assert all(len(row.segmented) == NUM_MASKS and row.ended for row in written)

    reset_peak(device)
    together = median(
        timed(lambda: write(DECODED_ROWS, again=False), device, clock, until=0.7, most=5)
    )
    own = median(timed(lambda: write(1, again=False), device, clock, until=0.65, most=5))
    alone = median(timed(lambda: write(1, again=True), device, clock, until=0.6, most=5))
    rate = DECODED_ROWS / together
    print(
        f"decoding {len(script)} tokens with {NUM_MASKS} masks: {rate:.2f} rows/s at "
        f"{DECODED_ROWS} at once, {1 / own:.2f} a row at a time ({rate * own:.1f} times), "
        f"{1 / alone:.2f} looking again ({rate * alone:.1f} times)"
    )
    print(f"  peak memory {peak(device):.1f} GiB", flush=True)
    model.vlm.lm_head, model.masks_of = head.head, looked  # type: ignore[method-assign]


def timed(
    work: Work, device: torch.device, clock: Clock, *, until: float, most: int = STEPS
) -> list[float]:
    """Return the seconds of each repeat after the first ones, while so much of the time is left."""
    times: list[float] = []
    warm = WARM_STEPS if most == STEPS else 1
    while len(times) < warm + most and (len(times) <= warm or clock.share_left() > until):
        begun = perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(perf_counter() - begun)
    return times[warm:]


def reset_peak(device: torch.device) -> None:
    """Let the peak of memory begin anew."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak(device: torch.device) -> float:
    """Return the most memory that tensors took, in GiB; 0 on a CPU."""
    return torch.cuda.max_memory_allocated(device) / GIB if device.type == "cuda" else 0.0


if __name__ == "__main__":
    main()
