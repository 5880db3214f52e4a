"""What decides each stage's output but its input: templates, prompts, models, settings, code."""

import json
from typing import Any

from tasks.annotation.folds import VERSION as ANNOTATOR_VERSION
from tasks.annotation.mark import decides as mark_decides
from tasks.annotation.run import decides as annotate_decides
from tasks.ask import decides as l1_decides
from tasks.assemble import VERSION as SHARDS_VERSION
from tasks.bench_making.ask import decides as bench_ask_decides
from tasks.bench_making.items import decides as bench_decides
from tasks.bench_making.rephrase import decides as words_decides
from tasks.captions.cap_cot import decides as cap_cot_decides
from tasks.compose import decides as l2_decides
from tasks.config import BuildConfig
from tasks.ingest import VERSION as INGEST_VERSION
from tasks.refine import REFINED_TIERS
from tasks.refine import decides as refine_decides
from tasks.selection import decides as select_decides
from tasks.sources.registry import SOURCES
from tasks.stage_names import (
    ANNOTATE,
    ANNOTATOR,
    BENCH,
    BENCH_ASK,
    BENCH_WORDS,
    CAP_COT,
    INGEST,
    L1,
    L2,
    MARK,
    SELECT,
    SHARDS,
    refined_stage,
)

Decided = dict[str, dict[str, Any]]  # stage -> name -> JSON value
_MAKING = {CAP_COT: cap_cot_decides, L1: l1_decides, L2: l2_decides, BENCH: bench_decides}


def decided_by(config: BuildConfig) -> Decided:
    """Return it for every stage of a build, in the order in which they run, as JSON has it."""
    making = [stage for stage in _MAKING if stage in config.stages]
    found: Decided = {
        INGEST: {
            "stage": INGEST_VERSION,
            "readers": {name: SOURCES[name].version for name in sorted(config.sources)},
            "pixel_size": config.pixel_size,
            "limit": config.limit,
            **config.split_content(),
        },
        **({BENCH_ASK: bench_ask_decides(config)} if BENCH in making else {}),
        **{stage: _MAKING[stage](config) for stage in making},
    }
    if config.annotates:
        annotator = config.annotator.content()
        found[ANNOTATOR] = {"stage": ANNOTATOR_VERSION, "annotator": annotator}
        if config.annotator.unlabelled:
            found[MARK] = mark_decides(config)
        found[ANNOTATE] = annotate_decides(config)
        refined = [refined_stage(stage) for stage in making if stage in REFINED_TIERS]
        found |= {stage: refine_decides(config) for stage in refined}
    found[SELECT] = select_decides(config)
    if config.rephrases:
        found[BENCH_WORDS] = words_decides(config)
    found[SHARDS] = {"stage": SHARDS_VERSION}
    return dict(json.loads(json.dumps(found)))
