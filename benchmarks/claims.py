"""The claim checker on one core: sentences a second, and how often it is right.

Usage: python benchmarks/claims.py [--scenes 64] [--repeats 5]

Speed is measured on scenes of 256 x 256 with the 11 classes of ChatEarthNet, from the planet's
world. Each is checked against ten sentences of the corpora in tests/claims, in turn. "New" includes
decoding and measuring every scene; "warm" checks the same sentences once more. The process is bound
to one core; printed are medians.

How often it is right is measured on the corpora, whose authors labelled every sentence by
docs/claims.md alone. The checker has been mended on them since it first met them; what it scored
then stands in RESULTS.md.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

from label_scenes import land_scenes

from masks.measured import Measured
from schemas.mask import Evidence
from schemas.verdict import Verdict
from tasks.scene_table import asked_scenes, scenes_to_table
from templates.asked import AskedScene
from templates.captioned import CaptionedScene
from templates.claims import check_sentence, check_text
from templates.metadata import metadata_of

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.claims.corpus import CORPORA, grounds_of, labelled, scenes

SENTENCES_A_SCENE = 10
SOURCE = "chatearthnet"


def asked(number: int) -> list[AskedScene]:
    """Return scenes as the question stage reads them."""
    drawn = list(land_scenes(SOURCE, number, seed=4))
    return list(asked_scenes(scenes_to_table(drawn), "vv_vh"))


def new_ground(scene: AskedScene) -> CaptionedScene:
    """Return a scene of which nothing has been measured yet."""
    evidence: Evidence = scene.measured.evidence
    view = scene.view(Random(0))
    return CaptionedScene(
        measured=Measured(evidence),
        words=scene.words,
        view=view,
        metadata=metadata_of(SOURCE, "", view, ["2020-06-12"] * len(scene.images), None),
    )


def checked_s(grounds: Sequence[CaptionedScene], texts: Sequence[list[str]]) -> float:
    """Check every scene's text; return the seconds it took."""
    start = perf_counter()
    for ground, text in zip(grounds, texts, strict=True):
        check_text(text, ground)
    return perf_counter() - start


def new_s(found: Sequence[AskedScene], texts: Sequence[list[str]]) -> float:
    """Decode, measure and check every scene; return the seconds it took."""
    start = perf_counter()
    for scene, text in zip(found, texts, strict=True):
        check_text(text, new_ground(scene))
    return perf_counter() - start


def print_speed(number: int, repeats: int) -> None:
    """Print sentences a second, with and without measuring the scenes."""
    found = asked(number)
    sentences = cycle([row.sentence for corpus in CORPORA for row in labelled(corpus)])
    texts = [list(islice(sentences, SENTENCES_A_SCENE)) for _ in found]
    grounds = [new_ground(scene) for scene in found]
    checked_s(grounds, texts)  # compiles kernels and lexicons
    total = number * SENTENCES_A_SCENE
    new = median(new_s(found, texts) for _ in range(repeats))
    warm = median(checked_s(grounds, texts) for _ in range(repeats))
    print(f"{len(found)} scenes of 256 x 256, {SENTENCES_A_SCENE} sentences each, one core")
    print(f"new       {total / new:7.0f} sentences/s   (with decoding and measuring)")
    print(f"warm      {total / warm:7.0f} sentences/s")
    print(f"load      {os.getloadavg()[0]:7.1f}")


def print_rightness(corpus: str) -> None:
    """Print precision and recall of "false", and every verdict against its label."""
    grounds = {name: grounds_of(drawn).captioned for name, drawn in scenes(corpus).items()}
    confusion: Counter[tuple[Verdict, Verdict]] = Counter()
    silent = 0
    rows = labelled(corpus)
    for row in rows:
        checked = check_sentence(row.sentence, grounds[row.scene])
        confusion[row.verdict, checked.verdict] += 1
        silent += not checked.claims
    hits = confusion[Verdict.FALSE, Verdict.FALSE]
    called = sum(confusion[label, Verdict.FALSE] for label in Verdict)
    due = sum(confusion[Verdict.FALSE, found] for found in Verdict)
    print(f"\n{corpus}: {len(rows)} sentences on {len(grounds)} scenes")
    print(f"precision of false  {hits / called:.4f}   ({hits} of {called})")
    print(f"recall of false     {hits / due:.4f}   ({hits} of {due})")
    print(f"without a claim     {silent / len(rows):.4f}")
    print(f"label \\ verdict   {'  '.join(f'{found:>8}' for found in Verdict)}")
    for label in Verdict:
        print(f"{label:16}   {'  '.join(f'{confusion[label, found]:8}' for found in Verdict)}")


def bind_to_one_core() -> None:
    """Keep this process on one core, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def main() -> None:
    """Print speed, then rightness by corpus."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    bind_to_one_core()
    print_speed(arguments.scenes, arguments.repeats)
    for corpus in CORPORA:
        print_rightness(corpus)


if __name__ == "__main__":
    main()
