"""The card of a trained model: what it learnt from, with what settings, to what end."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from terrascope_model.settings import TrainSettings

_HEAD = """\
---
library_name: transformers
tags: [earth-observation, segmentation, visual-question-answering]
---
# {name}

A vision-language model that marks what it reasons about with masks. Preset `{preset}`, trained on
the dataset `{dataset}`, {digest} (SHA-256 over its shards).

```
terrascope ask IMAGE "Please segment the water." --model {name}
```
"""
_LIMITS = """\
## Limits

- It knows the sensors, places and classes of its dataset; elsewhere its masks mean nothing.
- What it says of a mask is of its own mask at best, which may be wrong.
- The held-out figures are of the same archives, and where a dataset is small of the same regions.
- No person has checked its answers."""
_TINY = """
- `tiny` is trained from nothing in minutes, to show the way; it is no model for use."""


def write_card(out: Path, report: Mapping[str, Any], settings: TrainSettings) -> None:
    """Write `README.md` beside a model; `report` is what `training.json` holds."""
    (out / "README.md").write_text(card(out.resolve().name, report, settings), encoding="utf-8")


def card(name: str, report: Mapping[str, Any], settings: TrainSettings) -> str:
    """Return a model's card in Markdown."""
    head = _HEAD.format(
        name=name,
        preset=settings.preset,
        dataset=report["dataset"]["name"],
        digest=report["dataset"]["digest"],
    )
    losses = _table(("loss", "last"), ((n, f"{v:.4f}") for n, v in report["losses"].items()))
    iou = [(g["name"], g["classes"], f"{g['mean_iou']:.3f}") for g in report["iou"]]
    long = [
        f"{kept['samples']} samples of {stage} were too long and left out, "
        f"{', '.join(kept['first'])} among them."
        for stage, kept in report["too_long"].items()
    ]
    given = settings.model_dump(mode="json", exclude_defaults=True)
    parts = [
        head,
        "## Losses",
        losses,
        f"## Named classes of the split `{settings.eval_split}`",
        _table(("pictures", "classes asked for", "mean IoU"), iou) if iou else "Not evaluated.",
        "## Settings",
        "Those that differ from the defaults of `terrascope_model/settings.py`; all are in "
        "`settings.json`.",
        _table(("setting", "value"), given.items()),
        *long,
        _LIMITS + (_TINY if settings.preset == "tiny" else ""),
    ]
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [" | ".join(map(str, row)) for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(f"| {line} |" for line in lines)
