"""Run lmms-eval's own entry on an export, with its model that says "A" of everything.

python run_lmms_eval.py EXPORT TASK WORK
"""

import os
import sys

from stand_ins import stand_in_for

export, task, work = sys.argv[1:]
os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", HF_HOME=f"{work}/hf")
stand_in_for("lmms_eval")

import lmms_eval.__main__ as entry  # noqa: E402 - after its stand-ins

entry.make_table = lambda results, *_: ""  # what draws the table at the end is not installed
sys.argv = [
    "lmms_eval", "--model", "dummy", "--model_args", "response=A", "--tasks", task,
    "--include_path", export, "--batch_size", "1", "--output_path", work,
]  # fmt: skip
entry.cli_evaluate()
