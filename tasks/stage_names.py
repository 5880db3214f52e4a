"""What stages are called, on disk, in a manifest and to people: to know it loads no stage."""

from collections.abc import Mapping

from schemas.tier import Tier

INGEST = "ingest"
CAP_COT = "cap_cot"
L1 = "l1"
L2 = "l2"
BENCH_ASK = "bench-ask"
BENCH = "bench"
BENCH_WORDS = "bench-words"
ANNOTATOR = "annotator"
MARK = "mark"
ANNOTATE = "annotate"
FINGERPRINT = "fingerprint"
SELECT = "select"
SHARDS = "shards"
FOOTPRINT = "footprint"
TALLY = "tally"
MADE_BY: Mapping[Tier, str] = {  # the stage that makes each tier
    Tier.CAP: CAP_COT,
    Tier.L1: L1,
    Tier.L2_SPATIAL: L2,
    Tier.L2_SEMANTIC: L2,
    Tier.BENCH: BENCH,
}


def refined_stage(stage: str) -> str:
    """Return the name of the stage that refines what another one made."""
    return f"refine-{stage}"
