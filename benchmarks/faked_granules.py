"""A build whose work on granules is faked: each granule gets the files of one that was made.

`many_granules.py` starts it as a process of its own, which runs the flow and answers in JSON. The
one seam is `tasks.engine.run.run_granules`, which all work on granules goes through: in its place
the same engine runs `copied`. A copy is done as a stage is done: under the key that the real stage
would have, its record written last, nothing where the record stands. Tables are links to those of
the granule that was made; candidates are copies with ids of their own.

Usage: python benchmarks/faked_granules.py ARCHIVE OUT MADE STAGE,... WORKERS prefect|local
"""

import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from time import perf_counter
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import tasks.publication.judge
import tasks.stages
from tasks.ask import ask_granule
from tasks.assemble import shards_of, write_granule
from tasks.atomic import place_text, placing
from tasks.captions.cap_cot import caption_granule
from tasks.compose import compose_granule
from tasks.config import BuildConfig
from tasks.digest import digest_of
from tasks.engine.run import GranuleWork, run_granules
from tasks.granules import GranuleId, load_granule
from tasks.ingest import FILES, ingest_granule, key_parts
from tasks.ledger import Ledger, Output, Record, output_of
from tasks.publication.footprints import footprint_granule
from tasks.publication.proofs import proofs_of, prove_granule
from tasks.publication.tallies import tally_granule
from tasks.stage_names import CAP_COT, FOOTPRINT, INGEST, L1, L2, MADE_BY, TALLY

MAKING: dict[Any, str] = {caption_granule: CAP_COT, ask_granule: L1, compose_granule: L2}
BY_TIER: dict[Any, Callable[..., str]] = {
    write_granule: shards_of,
    prove_granule: proofs_of,
}
STAGES: dict[Any, str] = {
    ingest_granule: INGEST,
    **MAKING,
    footprint_granule: FOOTPRINT,
    tally_granule: TALLY,
}


def config_of(archive: Path, out: Path, stages: Sequence[str], workers: int) -> BuildConfig:
    """Return the build: what compares samples with each other has nothing to find in copies."""
    return BuildConfig.model_validate(
        {
            "sources": {"bigearthnet": archive},
            "out": out,
            "stages": stages,
            "workers": workers,
            "balance": False,
            "control": {"blind": False, "near_duplicates": False},
            "gates": {"commonest_answer": None},
        }
    )


def make_one(config: BuildConfig) -> None:
    """Really build the dataset whose only granule is copied."""
    from flows.local import build  # here, for workers import this file and not what it starts

    build(config)


def faked(made: Path) -> Callable[..., Iterator[Record]]:
    """Return what stands in for `run_granules`: the same engine, whose work is to copy `made`."""

    def run(
        work: GranuleWork, config: BuildConfig, granules: Sequence[GranuleId]
    ) -> Iterator[Record]:
        told = work.keywords if isinstance(work, partial) else {}
        function = work.func if isinstance(work, partial) else work
        named = BY_TIER[function](told["tier"]) if "tier" in told else STAGES[function]
        yield from run_granules(partial(copied, stage=named, made=made), config, granules)

    return run


def copied(config: BuildConfig, granule: GranuleId, stage: str, made: Path) -> Record:
    """Do a stage for a granule by copying what it left of the one that was made."""
    ledger, name = Ledger(config.out), granule.name
    model = _model(made, stage)
    parts, more = _parts(config, ledger, granule, stage, model)
    hashed = {**parts, **more}
    key = digest_of(hashed)
    done = ledger.done(stage, name, key)
    if done is not None:
        return replace(done, reused=True)
    outputs = tuple(_output(ledger, made, model, stage, name, output) for output in model.outputs)
    if stage == INGEST:
        place_text(ledger.path(stage, name, FILES), json.dumps(parts["files"]))
        parts = {**parts, "files": digest_of(parts["files"])}
    if "decisions" in more:
        parts = {**parts, "decisions": digest_of(more["decisions"])}
    record = replace(model, granule=name, key=key, parts=parts, outputs=outputs)
    ledger.store(record)
    return record


def _parts(
    config: BuildConfig, ledger: Ledger, granule: GranuleId, stage: str, model: Record
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a stage's key is the digest of, as the stage has it: parts, and what is hashed.

    All but the listing and the candidates are the very bytes of the granule that was made.
    """
    if stage == INGEST:
        return key_parts(config, load_granule(ledger, granule)), {}
    for tier, making in MADE_BY.items():
        if stage == shards_of(tier):
            inputs = [ledger.load(one, granule.name) for one in (INGEST, making)]
            parts = {**model.parts, "inputs": [one.outputs[0].sha256 for one in inputs if one]}
            return parts, {"decisions": [""] * model.taken}
    return model.parts, {}


def _output(
    ledger: Ledger, made: Path, model: Record, stage: str, name: str, output: Output
) -> Output:
    """Put in place a granule's own file of one that was made."""
    path = ledger.dataset / output.path.replace(model.granule, name)
    own = stage in MAKING.values() and output is model.outputs[0]
    with placing(path) as temporary:
        if own:
            pq.write_table(_renamed(made / output.path, name), temporary, compression="none")
        else:
            temporary.unlink(missing_ok=True)
            os.link(made / output.path, temporary)
    if own:
        return output_of(ledger.dataset, path, output.rows)
    return replace(output, path=path.relative_to(ledger.dataset).as_posix())


def _renamed(path: Path, name: str) -> pa.Table:
    """Return a table of candidates with sample ids that are a granule's own."""
    table = _candidates(path)
    at = table.schema.get_field_index("sample_id")
    ids = table.column(at).to_pylist()
    own = [hashlib.sha256(f"{one} {name}".encode()).hexdigest()[: len(one)] for one in ids]
    return table.set_column(at, "sample_id", pa.array(own, table.schema.field(at).type))


@lru_cache
def _candidates(path: Path) -> pa.Table:
    return pq.read_table(path)


@lru_cache
def _model(made: Path, stage: str) -> Record:
    """Return the record of the granule that was made; what was rewritten since has no old time."""
    ledger = Ledger(made)
    (path,) = ledger.path(INGEST, "any", "").parent.glob("*.json")
    record = ledger.load(stage, path.stem)
    assert record is not None, f"{stage} was not made"
    return record


def run_flow(config: BuildConfig) -> dict[str, Any]:
    """Run the real flow; return its seconds and the events that it emitted."""
    from prefect.events.worker import EventsWorker

    from flows.pipeline import pipeline

    emitted: Counter[str] = Counter()
    send = EventsWorker.send

    def counted(self: EventsWorker, event: Any) -> None:
        emitted[event.event] += 1
        send(self, event)

    EventsWorker.send = counted  # type: ignore[method-assign, assignment]
    start = perf_counter()
    published = pipeline(config)
    return {
        "seconds": perf_counter() - start,
        "changed": published.changed,
        "samples": published.counts[-1].out,
        "emitted": emitted,
    }


def main() -> None:
    """Build with faked work, as a flow or without Prefect."""
    archive, out, made, stages, workers, engine = sys.argv[1:]
    config = config_of(Path(archive), Path(out), stages.split(","), int(workers))
    run = faked(Path(made))
    tasks.stages.run_granules = run  # type: ignore[attr-defined]
    tasks.publication.judge.run_granules = run  # type: ignore[attr-defined]
    if engine == "prefect":
        sys.stdout.write(json.dumps(run_flow(config)) + "\n")
    else:
        from flows.local import build

        build(config)


if __name__ == "__main__":
    main()
