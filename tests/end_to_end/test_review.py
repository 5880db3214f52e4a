"""A bench that three people review through its page, and what is published of it then."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pyarrow.parquet as pq
import pytest

from flows.local import build
from schemas.tier import Tier
from tasks.assemble import shards_of
from tasks.config import BuildConfig
from tasks.granules import read_catalogue
from tasks.manifest import read_manifest
from tasks.planning.foresight import foresee
from tasks.reviewing.items import items_of
from tasks.stage_names import SELECT, SHARDS
from tasks.verify import verify

pytestmark = pytest.mark.full
ROOT = Path(__file__).resolve().parents[2]
REVIEWERS = ("ann", "bo", "cy")
REJECTED = {"verdict": "reject", "reason": "unclear question"}
# what the three say of seven items; the others are left for another day
SAID = (
    ("accept", "accept", "accept"),
    ("accept", "accept", "reject"),
    ("reject", "reject", "accept"),
    ("correct", "correct", "accept"),
    ("accept", "reject", "correct"),
    ("accept, but mask 0", "accept, but mask 0", "accept"),
    ("accept", "accept", "accept, but mask 0"),
)
OUTCOMES = ("", "", "rejected", "corrected", "disputed", "rejected", "")


@pytest.fixture(scope="module")
def config(larger_planet, tmp_path_factory) -> BuildConfig:
    """Return what built a bench of two archives."""
    config = BuildConfig.model_validate(
        {
            "sources": {name: larger_planet / name for name in ("bigearthnet", "xbd")},
            "out": tmp_path_factory.mktemp("reviewed") / "bench",
            "stages": ["bench"],
            "bench": {"options_from": "every_split"},
            "balance": False,
            "control": {"blind": False, "near_duplicates": False},
            "gates": {"verify": "all"},
            "workers": 1,
        }
    )
    build(config)
    return config


@contextmanager
def page_of(bench: object, reviewer: str) -> Iterator[httpx2.Client]:
    """Open the page of a reviewer by the real command."""
    command = [sys.executable, "-m", "cli", "review", str(bench), "--reviewer", reviewer]
    with subprocess.Popen(
        [*command, "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as page:
        told = page.stdout.readline() + page.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", told)[0]
        try:
            with httpx2.Client(base_url=address, follow_redirects=True, timeout=600) as client:
                yield client
        finally:
            page.terminate()  # else a test that fails waits for it for good


def judge(page: httpx2.Client, item: str, said: str) -> None:
    """Say of an item what a person would by the page."""
    told = told_of(page, f"/item/{item}")
    verdict, _, mask = said.partition(", but mask ")
    body: dict[str, Any] = {"item": item, "verdict": verdict}
    body |= REJECTED if verdict == "reject" else {}
    body |= {"wrong_masks": [int(mask)]} if mask else {}
    if verdict == "correct":
        body["letter"] = next(one for one in told["letters"] if one != told["right"])
    headers = {"origin": str(page.base_url).rstrip("/"), "x-review-token": told["token"]}
    assert page.post("/verdict", json=body, headers=headers).status_code == 204


def told_of(page: httpx2.Client, address: str) -> dict[str, Any]:
    return json.loads(re.search(r'id="told">(.*?)</script>', page.get(address).text)[1])


def ids_in(bench: Path) -> set[str]:
    files = [bench / file.path for file in read_manifest(bench).files]
    return {id_ for file in files for id_ in pq.read_table(file)["sample_id"].to_pylist()}


def test_only_what_reviewers_accept_is_published_and_it_is_proved(config) -> None:
    bench, reviews = config.out, config.out.with_name("bench-reviews")
    items = sorted(items_of(bench))
    judged, others = items[: len(SAID)], items[len(SAID) :]
    assert others
    for reviewer, *said in zip(REVIEWERS, *SAID, strict=True):
        with page_of(bench, reviewer) as page:
            for item, words in zip(judged, said, strict=True):
                judge(page, item, words)
            assert told_of(page, "/")["item"] in others  # what is left for each
    settings = config.bench.model_copy(update={"reviews": reviews})
    reviewed = config.model_copy(update={"bench": settings})
    published = build(reviewed)
    assert published.changed
    assert ids_in(bench) == {id_ for id_, why in zip(judged, OUTCOMES, strict=True) if not why}
    report = verify(bench)
    assert report.ok, report.failures[:3]
    manifest = read_manifest(bench)
    shards = next(one for one in manifest.counts if one.stage == SHARDS and one.unit == "sample")
    left: Counter[str] = Counter()
    for reason, number in shards.reasons.items():
        left[reason.partition(": review: ")[2]] += number
    assert left == {"rejected": 2, "corrected": 1, "disputed": 1, "open": len(others)}
    assert (manifest.reviewed.items, manifest.reviewed.verdicts) == (7, 21)
    assert "21 verdicts, of 3 reviewers" in " ".join((bench / "README.md").read_text().split())
    _new_verdicts_make_selection_and_shards_anew(reviewed, items)


def _new_verdicts_make_selection_and_shards_anew(config: BuildConfig, items: list[str]) -> None:
    with page_of(f"{config.out}@1", "cy") as page:  # version 1 has what is left out now
        judge(page, items[3], "correct")
        judge(page, items[4], "accept")
    plan = foresee(config, read_catalogue(config))
    assert {one.stage for one in plan.stages if not one.idle} == {SELECT, shards_of(Tier.BENCH)}
    build(config)
    assert ids_in(config.out) == {items[0], items[1], items[4], items[6]}
    assert verify(config.out).ok
