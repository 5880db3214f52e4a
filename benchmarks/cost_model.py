"""Reckon what a dataset costs: benchmarks/cost_model.py --samples 1e6 --samples 1e8.

Nothing is measured here. Figures that were measured (RESULTS.md) stand under MEASURED, and what is
assumed under ASSUMED; options change machines and prices. Scenes are independent, so time is taken
to fall with cores and GPUs, but for what one process does alone. What comes out is reckoned.
"""

import argparse
from dataclasses import dataclass

# MEASURED, by the headings of RESULTS.md
STAGES_MS = {  # "What a stage costs": processor milliseconds a scene, spread over cores
    "ingest": 72.1,
    "captions": 43.0,
    "L1": 19.0,
    "L2": 18.8,
    "fingerprints": 39.5,
    "shards": 34.7,
    "gates": 61.4,
}
ALONE_MS = {"index": 1.9, "selection": 4.4, "publishing": 39.8}  # in one process
SAMPLES_A_SCENE = 12.0
KB_A_SAMPLE = 188.6
READ_A_SCENE = {"captions": 1_395 + 2_555, "questions": 1_984 + 1_493}  # "Captions": tokens
WRITTEN_A_SCENE = {"captions": 149, "questions": 455}
PROMPTS_MS = 2 * (38 + 15)  # "Captions": to draw, write and check, twice
TRAINED_TOKENS_S = 11_573  # "The model": 8B on one H200, layers kept, compiled
TOKENS_A_ROW = 2_048
MASKS_S = 5.81 * 3  # "The model": rows decoded a second, 8B on one H200, three masks each

# ASSUMED
READ_TOKENS_S, WRITTEN_TOKENS_S = 20_000, 3_000  # of an 8B captioner on a GPU: `captioner.expected`
CLASSES_A_SCENE = 6  # "The circle", ChatEarthNet: what an annotator is asked for
LEARNT_ROWS = 200_000  # rows that a full model of the paper's size learns; not more with more data
ANNOTATOR_ROWS = 20_000  # of each fold
FOLDS = 2
PREFECT_SHARE = 0.0134  # "Prefect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """What works, and what it costs."""

    cores: int
    gpus: int
    network_gb_s: float
    core_hour: float
    gpu_hour: float
    tb_month: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the work: hours of cores or GPUs, and hours on the clock."""

    name: str
    core_hours: float = 0.0
    gpu_hours: float = 0.0
    hours: float


def parts_of(samples: float, machines: Machines, writer: str, *, circle: bool) -> list[Part]:
    """Return what is to be done for so many samples, part by part; parts follow each other."""
    scenes = samples / SAMPLES_A_SCENE
    by_model = writer == "model"

    def spread(name: str, ms_a_scene: float) -> Part:
        core_hours = scenes * ms_a_scene * (1 + PREFECT_SHARE) / 3.6e6
        return Part(name=name, core_hours=core_hours, hours=core_hours / machines.cores)

    def on_gpus(name: str, gpu_hours: float, at_once: int | None = None) -> Part:
        return Part(name=name, gpu_hours=gpu_hours, hours=gpu_hours / (at_once or machines.gpus))

    parts = [
        spread(stage, ms)
        for stage, ms in STAGES_MS.items()
        if not (by_model and stage in ("captions", "L2"))
    ]
    for stage, ms in ALONE_MS.items():
        hours = scenes * ms / 3.6e6
        parts.append(Part(name=f"{stage}, one process", core_hours=hours, hours=hours))
    if by_model:
        for what, read in READ_A_SCENE.items():
            seconds = read / READ_TOKENS_S + WRITTEN_A_SCENE[what] / WRITTEN_TOKENS_S
            parts.append(on_gpus(f"{what} by a model", scenes * seconds / 3600))
        core_hours = scenes * PROMPTS_MS / 3.6e6
        name = "prompts and replies, one process"
        parts.append(Part(name=name, core_hours=core_hours, hours=core_hours))
    if circle:
        row_s = TOKENS_A_ROW / TRAINED_TOKENS_S
        parts.append(on_gpus("annotators", FOLDS * ANNOTATOR_ROWS * row_s / 3600))
        annotated = scenes * CLASSES_A_SCENE / MASKS_S / 3600
        parts.append(on_gpus("annotating, one GPU", annotated, at_once=1))
        parts.append(on_gpus("full model", LEARNT_ROWS * row_s / 3600))
    upload = samples * KB_A_SAMPLE * 1e3 * 8 / (machines.network_gb_s * 1e9) / 3600
    parts.append(Part(name="upload", hours=upload))
    return parts


def report(samples: float, machines: Machines, writer: str, *, circle: bool) -> None:
    """Print the parts, their sum, and which takes longest."""
    parts = parts_of(samples, machines, writer, circle=circle)
    core_hours = sum(part.core_hours for part in parts)
    gpu_hours = sum(part.gpu_hours for part in parts)
    terabytes = samples * KB_A_SAMPLE / 1e9
    money = core_hours * machines.core_hour + gpu_hours * machines.gpu_hour
    longest = max(parts, key=lambda part: part.hours)
    print(
        f"{samples:,.0f} samples, {samples / SAMPLES_A_SCENE:,.0f} scenes, written by {writer}"
        f"{', with the circle' * circle}: {machines.cores} cores, {machines.gpus} GPUs"
    )
    for part in parts:
        print(
            f"  {part.name:<38}{part.core_hours:>10,.1f} core h{part.gpu_hours:>10,.1f} GPU h"
            f"{part.hours:>9,.1f} h"
        )
    print(
        f"  {'in all':<38}{core_hours:>10,.1f} core h{gpu_hours:>10,.1f} GPU h"
        f"{sum(part.hours for part in parts):>9,.1f} h"
    )
    print(
        f"  ${money:,.2f} of work, {terabytes:,.2f} TB (${terabytes * machines.tb_month:,.0f} a "
        f"month), longest: {longest.name}\n"
    )


def main() -> None:
    """Print the tables of docs/scale.md, or of other sizes and machines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=float, action="append", default=None)
    parser.add_argument("--cores", type=int, default=None, help="32 a million, 512 above.")
    parser.add_argument("--gpus", type=int, default=None, help="1 a million, 32 above.")
    parser.add_argument("--network-gb-s", type=float, default=10.0, help="To storage, gigabits.")
    parser.add_argument("--core-hour", type=float, default=0.05, help="Dollars.")
    parser.add_argument("--gpu-hour", type=float, default=3.0, help="Dollars.")
    parser.add_argument("--tb-month", type=float, default=23.0, help="Dollars.")
    given = parser.parse_args()
    for samples in given.samples or [1e6, 1e8]:
        large = samples > 1e7
        machines = Machines(
            cores=given.cores or (512 if large else 32),
            gpus=given.gpus or (32 if large else 1),
            network_gb_s=given.network_gb_s,
            core_hour=given.core_hour,
            gpu_hour=given.gpu_hour,
            tb_month=given.tb_month,
        )
        report(samples, machines, "rules", circle=False)
        report(samples, machines, "model", circle=False)
        report(samples, machines, "model", circle=True)


if __name__ == "__main__":
    main()
