"""The questions of a bench, of one granule: proved answers, still without picked options."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from tasks.ask import VERSION as ASK_VERSION
from tasks.ask import asked_of, proposed
from tasks.config import BuildConfig
from tasks.granules import GranuleId
from tasks.ledger import Record
from tasks.stage_names import BENCH_ASK
from templates.asked import AskedScene
from templates.bench import BENCH_QUESTIONS
from templates.draft import QuestionTemplate


def ask_bench_granule(config: BuildConfig, granule: GranuleId) -> Record:
    """Write every question that a bench can ask of a granule's scenes, unless that is done."""
    return asked_of(config, granule, BENCH_ASK, decides(config), _templates(config))


def ask_bench_scenes(
    scenes: Iterable[AskedScene], config: BuildConfig
) -> tuple[pa.Table, Counter[str]]:
    """Return what a bench can ask of some scenes, and what was tried but not asked, by rule."""
    return proposed(scenes, _templates(config), config.seed)


def decides(config: BuildConfig) -> dict[str, Any]:
    """Return all that decides the questions but the scenes."""
    return {
        "stage": ASK_VERSION,
        "seed": config.seed,
        "sar_rendering": config.sar_rendering,
        "templates": [[t.task, t.version] for t in _templates(config)],
    }


def _templates(config: BuildConfig) -> list[QuestionTemplate]:
    return [template for template in BENCH_QUESTIONS if template.task in config.bench.tasks]
