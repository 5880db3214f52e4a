"""report/lineage.html: a version's way from sources to shards, and what changed and why."""

from dataclasses import dataclass
from pathlib import Path

import yaml
from markupsafe import Markup

from tasks.counts_table import CountsTable
from tasks.digest import digest_of
from tasks.inspect_dataset import size_text
from tasks.lineage.drawn import svg_of
from tasks.lineage.graph import changes, lineage_of, shards_of
from tasks.manifest import LINEAGE_NAME, Manifest
from tasks.shown import PAGES, write_page


@dataclass(frozen=True, slots=True, kw_only=True)
class StageView:
    """What decided one stage, as text; `digest` names all of it."""

    stage: str
    digest: str
    decided: str


def write_lineage(dataset: Path, manifest: Manifest, before: Manifest | None) -> Path:
    """Write the page; it names no time and no run, so the same version is the same page.

    `before` is the version before, None of the first and where it is not kept any more. OSError
    if the page cannot be written.
    """
    path = dataset / LINEAGE_NAME
    write_page(
        path,
        PAGES / "lineage.html",
        manifest=manifest,
        digest=manifest.digest,
        before=before,
        samples=sum(file.rows for file in manifest.files),
        size=size_text(sum(file.bytes for file in manifest.files)),
        picture=Markup(svg_of(lineage_of(manifest, before))),
        tables=_tables(manifest, before),
        stages=[
            StageView(stage=stage, digest=digest_of(decided), decided=_text(decided))
            for stage, decided in manifest.decided_by.items()
        ],
        config=_text(manifest.config),
    )
    return path


def _tables(manifest: Manifest, before: Manifest | None) -> list[CountsTable]:
    if before is None:
        return []
    return [
        CountsTable(
            title="What decides a stage",
            columns=("stage", "what", "change"),
            rows=tuple(
                (stage, one.kind.value, str(one))
                for stage, found in changes(manifest, before).items()
                for one in found
            ),
        ),
        CountsTable(
            title="Shards",
            columns=("tier", "samples", "shards", "added", "removed", "replaced"),
            rows=tuple(
                (one.tier, one.samples, one.shards, one.added, one.removed, one.replaced)
                for one in shards_of(manifest, before)
            ),
        ),
        CountsTable(
            title="What stages took and gave otherwise",
            columns=("stage", "unit", "in", "in before", "out", "out before"),
            rows=tuple(_counts(manifest, before)),
        ),
    ]


def _counts(manifest: Manifest, before: Manifest) -> list[tuple[str | int, ...]]:
    then = {(count.stage, count.unit): (count.taken, count.out) for count in before.counts}
    now = {(count.stage, count.unit): (count.taken, count.out) for count in manifest.counts}
    rows: list[tuple[str | int, ...]] = []
    for key in dict.fromkeys((*now, *then)):
        taken, out = now.get(key, (0, 0))
        taken_before, out_before = then.get(key, (0, 0))
        if (taken, out) != (taken_before, out_before):
            rows.append((*key, taken, taken_before, out, out_before))
    return rows


def _text(tree: object) -> str:
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=110)
