"""What makes an annotator another one, so that it is trained again."""

from pathlib import Path

from tasks.annotation.folds import fold_key
from tasks.config import MODEL_WEIGHTS, BuildConfig
from tasks.ledger import Ledger


def test_an_annotator_that_goes_on_from_other_weights_is_another(tmp_path: Path) -> None:
    start = tmp_path / "start"
    start.mkdir()
    settings = {"kind": "train", "training": {"start": str(start)}}
    config = BuildConfig.model_validate(
        {"sources": {"xbd": str(tmp_path)}, "out": str(tmp_path / "out"), "annotator": settings}
    )
    keys = []
    for weights in (b"some", b"some", b"other"):
        (start / MODEL_WEIGHTS).write_bytes(weights)
        keys.append(fold_key(config, Ledger(config.out), []))
    assert keys[0] == keys[1] != keys[2]
