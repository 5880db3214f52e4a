"""lmms-eval: a folder of tasks, one a split: YAML, the functions it names, and Parquet."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from shutil import copyfile
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from schemas.parquet import IMAGE, ROW_GROUP_ROWS, with_hugging_face_features
from schemas.tier import Tier
from tasks.exports.target import Export, split_name
from tasks.rows import Row
from tasks.shards import DICTIONARY_PAGE_BYTES

DATA = "data"
_CODE = Path(__file__).with_name("lmms_eval_task.py")
_SCHEMA = with_hugging_face_features(
    pa.schema(
        [
            ("sample_id", pa.string()),
            ("tier", pa.string()),
            ("task", pa.string()),
            ("source", pa.string()),
            ("question", pa.string()),
            ("options", pa.list_(pa.string())),
            ("letter", pa.string()),  # "" of an open question
            ("answer", pa.string()),
            ("value", pa.float64()),
            ("unit", pa.string()),
            ("low", pa.float64()),
            ("high", pa.float64()),
            ("images", pa.list_(IMAGE)),
        ]
    )
)
_TASK = """\
task: {name}
dataset_path: parquet
dataset_kwargs:
  data_files:
    test: {data}
test_split: test
output_type: generate_until
doc_to_visual: !function utils.doc_to_visual
doc_to_text: !function utils.doc_to_text
doc_to_target: !function utils.doc_to_target
process_results: !function utils.process_results
generation_kwargs:
  max_new_tokens: 1024
  temperature: 0
  do_sample: false
lmms_eval_specific_kwargs:
  default:
    choice_prompt: "Answer with the letter of the option."
    open_prompt: "Answer with a number and its unit, or in a few words."
{metrics}metadata:
  - version: 1.0
"""


def write_lmms_eval(export: Export) -> None:
    """Write the questions, each task with its own accuracy; captions and masks are left out."""
    with ExitStack() as stack:
        splits: dict[str, _Split] = {}
        for row in export.rows():
            if row.tier == Tier.CAP:
                export.leave("captions")
                continue
            split = split_name(row.split)
            if split not in splits:
                path = export.folder / DATA / f"{split}.parquet"
                splits[split] = stack.enter_context(_Split(path))
            splits[split].add(row)
            export.samples += 1
            export.leave("step masks", len(row.masks))
    for split, written in splits.items():
        _write_task(export, split, sorted(written.tasks))
    copyfile(_CODE, export.folder / "utils.py")


def _write_task(export: Export, split: str, tasks: list[str]) -> None:
    metrics = [
        {"metric": metric, "aggregation": "mean", "higher_is_better": True}
        for metric in ("accuracy", *tasks)
    ]
    name = f"{export.name}_{split}"
    text = _TASK.format(
        name=name,
        # lmms-eval goes by where it is started, so the path is a whole one
        data=yaml.safe_dump(str(export.out.resolve() / DATA / f"{split}.parquet"), width=9999)
        .removesuffix("...\n")
        .strip(),
        metrics=yaml.safe_dump({"metric_list": metrics}, sort_keys=False),
    )
    (export.folder / f"{name}.yaml").write_text(text, encoding="utf-8", newline="\n")
    export.made["tasks of lmms-eval"] += 1


class _Split:
    """The Parquet file of one split; an image is stored once a row group."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(
            path, _SCHEMA, dictionary_pagesize_limit=DICTIONARY_PAGE_BYTES, write_statistics=False
        )
        self._held: list[dict[str, Any]] = []
        self.tasks: set[str] = set()

    def __enter__(self) -> "_Split":
        return self

    def __exit__(self, *error: Any) -> None:
        self._flush()
        self._writer.close()

    def add(self, row: Row) -> None:
        """Append a question."""
        self.tasks.add(row.task)
        self._held.append(dict(_entry(row)))
        if len(self._held) == ROW_GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._held:
            self._writer.write_table(pa.Table.from_pylist(self._held, schema=_SCHEMA))
            self._held.clear()


def _entry(row: Row) -> Iterator[tuple[str, Any]]:
    for name in ("sample_id", "tier", "task", "source", "question"):
        yield name, getattr(row, name)
    yield "options", list(row.options)
    yield "answer", row.answer.text
    for name in ("letter", "value", "unit", "low", "high"):
        yield name, getattr(row.answer, name)
    yield "images", [image.model_dump() for image in row.images]
