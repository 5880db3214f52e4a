"""One golden record a kind of question and version: output that changes needs a new version.

With TERRASCOPE_WRITE_GOLDEN=1 in the environment, records of new versions are added and those of
old ones dropped; a record that stands is never overwritten. Read the difference.
"""

import json
import os
from pathlib import Path

from schemas.value import Quantity
from templates.bench import BENCH_QUESTIONS
from templates.item import finish, propose
from templates.questions import L1_QUESTIONS

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "l1.json"
GOLDEN_BENCH = GOLDEN.with_name("bench.json")


def test_every_kind_of_question_is_asked_as_recorded(asked, granule) -> None:
    askings = [a for scene in asked(*granule) for a in propose(scene, L1_QUESTIONS, 0)]
    found = {}
    for item in finish(askings, 0):
        template, form = item.asking.template, "choice" if item.options else "open"
        found.setdefault(f"{template.task} v{template.version} {form}", record(item))
    compare(found, GOLDEN)


def compare(found, path) -> None:
    golden = json.loads(path.read_text()) if path.is_file() else {}
    changed = [key for key in found if key in golden and golden[key] != found[key]]
    assert not changed, f"raise the version of the templates of {changed}"
    if os.environ.get("TERRASCOPE_WRITE_GOLDEN"):
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
        golden = found
    assert found.keys() == golden.keys()


def record(item):
    value = item.asking.draft.value
    return {
        "scene": item.asking.scene_id,
        "question": item.asking.draft.question,
        "options": list(item.options),
        "letter": item.letter,
        "answer": item.text,
        "interval": [value.low, value.high] if isinstance(value, Quantity) else None,
        "trace": item.trace.text,
        "program": json.loads(item.program_json),
        "sample_id": item.sample_id,
    }


def test_every_task_of_the_bench_is_asked_as_recorded(asked, granule) -> None:
    askings = [a for scene in asked(*granule) for a in propose(scene, BENCH_QUESTIONS, 0)]
    found = {}
    for item in finish(askings, 0):
        template = item.asking.template
        found.setdefault(f"{template.task} v{template.version}", record(item))
    compare(found, GOLDEN_BENCH)
