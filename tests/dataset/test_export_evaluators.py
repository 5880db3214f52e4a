"""VLMEvalKit and lmms-eval themselves run an export, with a model that says "A" of everything.

They live in an environment of their own (`make test-exports`); TERRASCOPE_EXPORTS_PYTHON names its
Python where it lies elsewhere.
"""

import json
import os
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from tasks.exports.choice import Choice
from tasks.exports.export import export
from tasks.manifest import read_manifest
from tasks.rows import open_shard, row_groups

pytestmark = pytest.mark.exports

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(__file__).with_name("evaluators")
PYTHON = Path(os.environ.get("TERRASCOPE_EXPORTS_PYTHON", ROOT / ".venv-exports/bin/python"))


@pytest.fixture(scope="session")
def rows(finished):
    return [
        group.read(at)
        for file in read_manifest(finished).files
        for group in row_groups(open_shard(finished / file.path))
        for at in range(len(group))
    ]


def evaluate(script, *arguments):
    if not PYTHON.exists():
        pytest.skip(f"{PYTHON} is not there: `make test-exports` installs the evaluators")
    done = subprocess.run(
        [PYTHON, "-W", "ignore", SCRIPTS / script, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def share_of_a(rows):
    """Return the share of questions to which "A" is the answer."""
    return sum(row.answer.letter == "A" for row in rows) / len(rows)


def test_vlmevalkit_shows_asks_and_scores_every_choice(finished, rows, tmp_path):
    out, work = tmp_path / "out", tmp_path / "work"
    export(finished, "vlmevalkit", out, Choice())
    evaluate("run_vlmevalkit.py", out, "small", work)
    (scores,) = work.rglob("always_a_small*_acc.csv")
    choices = [row for row in rows if row.options]
    score = pd.read_csv(scores).iloc[0]
    assert score["split"] == "train"
    assert score["Overall"] == pytest.approx(share_of_a(choices))
    for task in {row.task for row in choices}:
        due = share_of_a([row for row in choices if row.task == task])
        assert score[task] == pytest.approx(due)


def test_lmms_eval_shows_asks_and_scores_every_question(finished, rows, tmp_path):
    out, work = tmp_path / "out", tmp_path / "work"
    export(finished, "lmms-eval", out, Choice())
    evaluate("run_lmms_eval.py", out, "small_train", work)
    (results,) = work.rglob("*results.json")
    found = json.loads(results.read_text())["results"]["small_train"]
    assert found["accuracy,none"] == pytest.approx(share_of_a(rows))
    for task in {row.task for row in rows}:
        due = share_of_a([row for row in rows if row.task == task])
        assert found[f"{task},none"] == pytest.approx(due)
