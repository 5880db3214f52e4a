"""One golden record a kind of question: if it changes, raise the template's version with it.

Write the records anew with TERRASCOPE_WRITE_GOLDEN=1 in the environment, and read the difference.
"""

import json
import os
from pathlib import Path

from schemas.value import Quantity
from templates.item import finish, propose
from templates.questions import L1_QUESTIONS

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "l1.json"


def test_every_kind_of_question_is_asked_as_recorded(asked, granule) -> None:
    askings = [a for scene in asked(*granule) for a in propose(scene, L1_QUESTIONS, 0)]
    found = {}
    for item in finish(askings, 0):
        form = "choice" if item.options else "open"
        found.setdefault(f"{item.asking.template.task} {form}", record(item))
    if os.environ.get("TERRASCOPE_WRITE_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    assert found == json.loads(GOLDEN.read_text())


def record(item):
    value = item.asking.draft.value
    return {
        "version": item.asking.template.version,
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
