"""Programs evaluated a second on one core, as a stage of composed questions asks them.

Usage: python benchmarks/programs.py [--scenes 48] [--repeats 5]

Twelve programs a scene: what share of a class lies within 100 m of another, which of three classes
is nearest, which covers most of a third of the image, ratios of areas, lengths of borders, and
verdicts (`all`, `first`) over several shares. The four largest classes of a scene take part.

Cold is a scene's first time: its evidence is decoded and measured on the way. Warm asks the same
programs again. The baseline is the reference evaluator of `terrascope verify`, plain NumPy and
SciPy, which keeps decoded masks and their margins too. Values and rules of both are compared before
anything is timed. The process is bound to one core, both sides run in turn; printed are medians.
"""

import argparse
import math
import os
from collections.abc import Callable, Iterable
from functools import partial, reduce
from statistics import median
from time import perf_counter
from typing import Any

from l1_stage import bind_to_one_core
from label_scenes import land_scenes

from masks.evaluate import evaluate
from masks.measured import Measured
from masks.reference import evaluate as evaluate_plainly
from masks.reference_scene import ReferenceScene
from masks.rle import area_px
from schemas.mask import Evidence, MaskKind
from schemas.program import (
    All,
    Area,
    BorderLength,
    ClassMask,
    Compare,
    Div,
    First,
    Majority,
    MaskExpr,
    NamedMask,
    NamedTest,
    Near,
    Nearest,
    Number,
    Or,
    Part,
    Share,
    Valid,
)
from schemas.value import Quantity, Undefined, Value
from tasks.scene_table import evidence_of, scenes_to_table

SIDES_PX = {"chatearthnet": 256, "bigearthnet": 120}
NUM_CLASSES = 4  # that take part in a scene's programs
NEAR_M = 100.0
LEFT, RIGHT, UPPER = (0, 3, 6), (2, 5, 8), (0, 1, 2)  # cells of a third of the image
Asked = tuple[Evidence, list[Any]]


def read_scenes(source: str, number: int) -> list[Asked]:
    """Return scenes that hold enough classes, each with its programs."""
    table = scenes_to_table(list(land_scenes(source, number, seed=5)))
    scenes = [evidence_of(row) for row in table.to_pylist()]
    named = [(evidence, largest_classes(evidence)) for evidence in scenes]
    return [(e, programs(*classes)) for e, classes in named if len(classes) == NUM_CLASSES]


def largest_classes(evidence: Evidence) -> list[ClassMask]:
    """Return the classes with most pixels, largest first."""
    masks = [mask for mask in evidence.masks if mask.kind is MaskKind.CLASS]
    masks.sort(key=lambda mask: -area_px(mask.counts))
    return [ClassMask(layer=m.layer, label=m.label, date=0) for m in masks[:NUM_CLASSES]]


def programs(a: ClassMask, b: ClassMask, c: ClassMask, d: ClassMask) -> list[Any]:
    """Return twelve programs about four classes."""
    everywhere = Valid(layer=a.layer, date=0)
    left, right, upper = (third(everywhere, cells) for cells in (LEFT, RIGHT, UPPER))
    return [
        near_share(a, b),
        near_share(b, a),
        near_share(c, Or(a=b, b=d)),
        Nearest(to=a, of=named(b, c, d)),
        Nearest(to=d, of=named(a, b, c)),
        Majority(of=named(a, b, c, d), within=left),
        Majority(of=named(a, b, c, d), within=upper),
        Div(a=Area(of=c), b=Area(of=b)),
        Compare(a=Div(a=Area(of=a), b=Area(of=b)), relation=">", b=Number(value=2.0, unit="share")),
        BorderLength(a=a, b=b),
        All(
            of=tuple(
                more_than(share, 0.1) for share in (near_share(a, b), Share(of=a, within=left))
            )
        ),
        First(
            of=(
                NamedTest(name="left", test=more_than(Share(of=a, within=left), 0.5)),
                NamedTest(name="right", test=more_than(Share(of=a, within=right), 0.5)),
                NamedTest(name="neither", test=more_than(Share(of=b, within=everywhere), 0.1)),
            )
        ),
    ]


def near_share(of: MaskExpr, to: MaskExpr) -> Share:
    """Return what share of a mask lies near another."""
    return Share(of=Near(of=of, to=to, distance_m=NEAR_M), within=of)


def more_than(share: Share, least: float) -> Compare:
    """Return whether a share is above a number."""
    return Compare(a=share, relation=">", b=Number(value=least, unit="share"))


def third(of: MaskExpr, cells: tuple[int, ...]) -> MaskExpr:
    """Return the pixels of a mask in three cells of the grid."""
    parts: list[MaskExpr] = [Part(of=of, cell=cell) for cell in cells]
    return reduce(lambda a, b: Or(a=a, b=b), parts)


def named(*classes: ClassMask) -> tuple[NamedMask, ...]:
    """Return classes under their own names."""
    return tuple(NamedMask(name=leaf.label, mask=leaf) for leaf in classes)


def outcome(evaluate: Callable[[Any, Any], Value], program: Any, scene: Any) -> Value | str:
    """Return the value, or the rule by which there is none."""
    try:
        return evaluate(program, scene)
    except Undefined as undefined:
        return undefined.rule


def ask(evaluate: Callable[[Any, Any], Value], scenes: Iterable[tuple[Any, list[Any]]]) -> None:
    """Evaluate all programs of all scenes."""
    for scene, of_scene in scenes:
        for program in of_scene:
            outcome(evaluate, program, scene)


def seconds(job: Callable[[], None]) -> float:
    """Return how long a job takes."""
    start = perf_counter()
    job()
    return perf_counter() - start


def times_s(asked: list[Asked]) -> tuple[float, float, float, float]:
    """Return the seconds of both evaluators, cold and warm: ours, ours, theirs, theirs."""
    cold = ((Measured(evidence), of_scene) for evidence, of_scene in asked)
    ours_s = seconds(partial(ask, evaluate, cold))
    kept = [(Measured(evidence), of_scene) for evidence, of_scene in asked]
    ask(evaluate, kept)
    ours_warm_s = seconds(partial(ask, evaluate, kept))
    plain = [(ReferenceScene(evidence), of_scene) for evidence, of_scene in asked]
    theirs_s = seconds(partial(ask, evaluate_plainly, plain))
    return ours_s, ours_warm_s, theirs_s, seconds(partial(ask, evaluate_plainly, plain))


def check_same(asked: list[Asked]) -> int:
    """Compare the outcomes of both sides; return how many are values, not rules."""
    num_values = 0
    for evidence, of_scene in asked:
        measured, plain = Measured(evidence), ReferenceScene(evidence)
        for program in of_scene:
            ours = outcome(evaluate, program, measured)
            theirs = outcome(evaluate_plainly, program, plain)
            if not agree(ours, theirs):
                raise ValueError(f"{program!r} is {ours}, by the reference {theirs}")
            num_values += not isinstance(ours, str)
    return num_values


def agree(ours: Value | str, theirs: Value | str) -> bool:
    """Return whether two outcomes are one; numbers to nine digits."""
    if not (isinstance(ours, Quantity) and isinstance(theirs, Quantity)):
        return ours == theirs
    numbers = zip(
        (ours.value, ours.low, ours.high), (theirs.value, theirs.low, theirs.high), strict=True
    )
    return all(math.isclose(a, b, rel_tol=1e-9) for a, b in numbers)


def main() -> None:
    """Print medians of programs a second, and their ratio, for each size of scene."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=48, help="of each size")
    parser.add_argument("--repeats", type=int, default=5, help="of each side, in turn")
    arguments = parser.parse_args()
    bind_to_one_core()
    for source, side_px in SIDES_PX.items():
        asked = read_scenes(source, arguments.scenes)
        num_values = check_same(asked)  # and compiles the kernels
        measured = [times_s(asked) for _ in range(arguments.repeats)]
        num_programs = sum(len(of_scene) for _, of_scene in asked)
        rates = [num_programs / median(side) for side in zip(*measured, strict=True)]
        print(
            f"{len(asked)} scenes of {side_px} x {side_px}, {num_programs} programs, "
            f"{num_values} with a value"
        )
        for name, ours, theirs in zip(("cold", "warm"), rates[:2], rates[2:], strict=True):
            print(
                f"  {name}: ours {ours:8.0f} programs/s, "
                f"reference {theirs:6.0f} programs/s, ratio {ours / theirs:6.1f}"
            )
    print(f"load  {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
