"""An annotator that cannot work stops a build before anything is read."""

from pathlib import Path
from typing import Any

import pytest

from tasks.config import load_config
from tasks.errors import ConfigError


def loaded(tmp_path: Path, **given: Any) -> None:
    (tmp_path / "archive").mkdir(exist_ok=True)
    sources = {"bigearthnet": tmp_path / "archive"}
    load_config(None, {"sources": sources, "out": tmp_path / "out", **given})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"annotator": {"kind": "folder"}}, "goes with kind: folder"),
        ({"annotator": {"model": "somewhere"}}, "goes with kind: folder"),
        (
            {"annotator": {"kind": "folder", "model": "nowhere"}},
            "nowhere holds no model.safetensors",
        ),
        (
            {"annotator": {"kind": "train", "training": {"start": "nowhere"}}},
            r"annotator.training.start nowhere holds no model.safetensors",
        ),
        ({"annotator": {"kind": "train"}, "stages": ("l1",)}, "add cap_cot to the stages"),
        ({"annotator": {"kind": "train"}, "stages": ("cap_cot",)}, "add l1 or l2"),
        ({"annotator": {"kind": "train", "folds": 1}}, "greater than or equal to 2"),
        ({"annotator": {"unlabelled": True}}, "are marked by an annotator"),
        ({"refine": {"policy": "any"}}, "'checked', 'regions' or 'paper'"),
    ],
)
def test_a_wrong_annotator_is_told_before_any_work(
    tmp_path: Path, given: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        loaded(tmp_path, **given)


def test_a_missing_torch_is_told_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded(tmp_path, annotator={"kind": "train"})
    monkeypatch.setattr("tasks.config.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="an annotator needs torch"):
        loaded(tmp_path, annotator={"kind": "train"})
