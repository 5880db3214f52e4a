"""Training: losses fall, a kill changes nothing, and what cannot be learnt from stops it."""

import json
import math
import os
import resource
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, TrainingArguments

from terrascope_model.files import DataError
from terrascope_model.model import TerraScopeModel
from terrascope_model.processor import TerraScopeProcessor
from terrascope_model.settings import TrainSettings
from terrascope_model.stage import arguments, last_checkpoint
from terrascope_model.train import claimed, train
from terrascope_model.trainer import LOSSES, WEIGHTS, StageTrainer, TrainingStopped

SHORT = TrainSettings(stage1_steps=3, stage2_steps=3, batch_size=4, save_steps=2, eval_split="none")


@pytest.fixture(scope="module")
def trained(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained")
    train(dataset, out, SHORT)
    return out


def test_a_trained_model_is_loaded_with_its_processor(trained: Path) -> None:
    model = AutoModel.from_pretrained(trained)
    processor = TerraScopeProcessor.from_pretrained(trained)
    assert isinstance(model, TerraScopeModel)
    assert model.config.vlm_config.text_config.vocab_size == len(processor.tokenizer)
    assert model.config.max_region_tokens == processor.max_region_tokens
    assert model.vlm.lm_head.weight is model.get_input_embeddings().weight


def test_names_end_with_the_first_stage(trained: Path) -> None:
    first, second = (last_checkpoint(trained / stage) for stage in ("stage1", "stage2"))
    assert first
    assert second
    assert "lexicon.prompts.weight" in load_file(first / WEIGHTS)
    for file in (second / WEIGHTS, trained / "model.safetensors"):
        assert not [name for name in load_file(file) if "lexicon" in name]


def test_every_loss_of_both_stages_is_noted(trained: Path) -> None:
    noted = json.loads((trained / "training.json").read_text())
    due = {f"{stage}/{name}" for stage in ("stage1", "stage2") for name in ("loss", *LOSSES)}
    assert noted["losses"].keys() == due


def test_training_goes_on_from_a_model_that_was_trained(
    dataset: Path, trained: Path, tmp_path: Path
) -> None:
    at_once = SHORT.model_copy(update={"stage1_steps": 1, "stage2_steps": 0, "learning_rate": 1e-9})
    train(dataset, tmp_path, at_once.model_copy(update={"start": str(trained)}))
    weights, before = (load_file(out / "model.safetensors") for out in (tmp_path, trained))
    for name, weight in weights.items():
        torch.testing.assert_close(weight, before[name], atol=1e-6, rtol=0)


def test_curves_are_written_for_tensorboard(trained: Path) -> None:
    assert list((trained / "stage1").rglob("events.out.tfevents*"))


def test_the_same_settings_give_the_same_weights(
    dataset: Path, trained: Path, tmp_path: Path
) -> None:
    train(dataset, tmp_path, SHORT)
    assert_same_weights(tmp_path, trained)


@pytest.mark.parametrize("killed_at", [("stage1", 2), ("stage2", 0)])
def test_training_that_was_cut_off_goes_on_to_the_same_weights(
    dataset: Path,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    killed_at: tuple[str, int],
) -> None:
    stage, step = killed_at
    whole = StageTrainer.compute_loss

    def cut_off(self: StageTrainer, *args: Any, **options: Any) -> Any:
        if Path(str(self.args.output_dir)).name == stage and self.state.global_step == step:
            raise KeyboardInterrupt
        return whole(self, *args, **options)

    monkeypatch.setattr(StageTrainer, "compute_loss", cut_off)
    with pytest.raises(KeyboardInterrupt):
        train(dataset, tmp_path, SHORT)
    monkeypatch.setattr(StageTrainer, "compute_loss", whole)
    train(dataset, tmp_path, SHORT)
    assert_same_weights(tmp_path, trained)


def test_a_folder_that_was_begun_with_other_settings_is_refused(
    dataset: Path, trained: Path
) -> None:
    other = SHORT.model_copy(update={"seed": 1, "batch_size": 5})
    with pytest.raises(TrainingStopped, match=r"other settings \(batch_size, seed\)"):
        train(dataset, trained, other)


def test_a_checkpoint_that_was_cut_off_while_it_was_written_is_passed_over(
    trained: Path, tmp_path: Path
) -> None:
    for name in ("checkpoint-2", "checkpoint-10"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "trainer_state.json").write_text("{}")
    (tmp_path / "checkpoint-12").mkdir()
    (tmp_path / "checkpoint-14").mkdir()
    (tmp_path / "checkpoint-14" / "trainer_state.json").write_text('{"global_step": 1')
    found = last_checkpoint(tmp_path)
    assert found is not None
    assert found.name == "checkpoint-10"
    assert last_checkpoint(tmp_path / "none") is None


@pytest.mark.parametrize("noted", ["settings.json", "training.json"])
def test_cut_off_while_it_notes_something_it_goes_on_to_the_same_end(
    dataset: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noted: str
) -> None:
    out = tmp_path / trained.name
    shutil.copytree(trained, out)
    (out / "training.json").unlink()
    (out / noted).unlink(missing_ok=True)
    put = os.replace

    def cut_off(source: Path, path: Path) -> None:
        if Path(path).name == noted:
            source.write_text(source.read_text()[:9])
            raise KeyboardInterrupt
        put(source, path)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", cut_off)
        with pytest.raises(KeyboardInterrupt):
            train(dataset, out, SHORT)
    assert not (out / noted).exists()
    train(dataset, out, SHORT)
    for name in ("settings.json", "training.json", "model.safetensors"):
        assert (out / name).read_bytes() == (trained / name).read_bytes()


@pytest.mark.parametrize("limit_kib", [64, 20_000])
def test_what_cannot_be_written_is_named_and_training_goes_on_when_there_is_room(
    dataset: Path, trained: Path, tmp_path: Path, limit_kib: int
) -> None:
    """A file may not grow beyond a limit, as on a full disk: the first weights, or the state."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_kib * 1024, hard))
    try:
        with pytest.raises(OSError, match=rf"cannot write {tmp_path}/\S+: .*MiB free in"):
            train(dataset, tmp_path, SHORT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "training.json").exists()
    train(dataset, tmp_path, SHORT)
    assert_same_weights(tmp_path, trained)


def test_checkpoints_are_kept_by_their_steps_though_the_clock_is_set_back(
    dataset: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By their times the latest one is the oldest: it would be removed, and another one used."""
    time_of = os.path.getmtime

    def set_back(path: str) -> float:
        step = str(path).rpartition("checkpoint-")[2]
        return -10.0 * int(step) if step.isdigit() else time_of(path)

    monkeypatch.setattr(os.path, "getmtime", set_back)
    train(dataset, tmp_path, SHORT.model_copy(update={"save_steps": 1}))
    assert sorted(path.name for path in (tmp_path / "stage1").glob("checkpoint-*")) == [
        "checkpoint-2",
        "checkpoint-3",
    ]
    assert_same_weights(tmp_path, trained)


def test_a_loss_that_is_no_number_stops_and_names_the_batch(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = TerraScopeModel.forward

    def broken(self: TerraScopeModel, *args: Any, **options: Any) -> Any:
        output = read(self, *args, **options)
        broken.calls += 1  # type: ignore[attr-defined]
        if broken.calls == 3:  # type: ignore[attr-defined]
            output["loss"] = output["loss"] * float("nan")
        return output

    broken.calls = 0  # type: ignore[attr-defined]
    monkeypatch.setattr(TerraScopeModel, "forward", broken)
    with pytest.raises(TrainingStopped, match=r"step 3: the loss is nan on .*learning_rate"):
        train(dataset, tmp_path, SHORT)
    kept = tmp_path / "stage1" / "checkpoint-2" / WEIGHTS
    assert all(bool(weights.isfinite().all()) for weights in load_file(kept).values())
    assert not (tmp_path / "model.safetensors").exists()


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nmore"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
    ],
)
def test_short_memory_stops_and_says_what_to_lower(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: RuntimeError
) -> None:
    def out_of_it(*given: Any, **options: Any) -> Any:
        raise error

    monkeypatch.setattr(TerraScopeModel, "forward", out_of_it)
    with pytest.raises(TrainingStopped, match=r"step 1: out of memory .*batch_size") as stopped:
        train(dataset, tmp_path, SHORT)
    assert "\n" not in str(stopped.value)


def test_a_folder_that_was_begun_on_another_dataset_is_refused(
    dataset: Path, trained: Path, tmp_path: Path
) -> None:
    shutil.copytree(dataset, tmp_path / "grown")
    shard = max((tmp_path / "grown" / "data" / "cap").glob("*.parquet"))
    shard.unlink()
    path = tmp_path / "grown" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"] = [
        f for f in manifest["files"] if Path(f["path"]) != shard.relative_to(tmp_path / "grown")
    ]
    path.write_text(json.dumps(manifest))
    with pytest.raises(
        TrainingStopped, match=r"was begun on another dataset: dataset [0-9a-f]{64}"
    ):
        train(tmp_path / "grown", trained, SHORT)


def test_a_second_training_in_a_folder_waits_for_the_first(dataset: Path, tmp_path: Path) -> None:
    with claimed(tmp_path), pytest.raises(TrainingStopped, match="another training is at work"):
        train(dataset, tmp_path, SHORT)


def test_what_is_trained_already_is_not_trained_again(
    dataset: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(TerraScopeModel, "forward")
    assert train(dataset, trained, SHORT) == json.loads((trained / "training.json").read_text())


def test_two_gpus_in_one_process_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TrainingArguments, "n_gpu", property(lambda self: 2))
    assert arguments("stage1", tmp_path, 1, SHORT)._n_gpu == 1


def test_samples_that_are_too_long_are_counted_and_named(dataset: Path, tmp_path: Path) -> None:
    settings = SHORT.model_copy(update={"stage1_steps": 1, "stage2_steps": 1, "max_length": 150})
    report = train(dataset, tmp_path, settings)
    left_out = report["too_long"]["stage2"]
    assert left_out["samples"] >= len(left_out["first"]) > 0
    assert left_out["first"][0] in (tmp_path / "README.md").read_text()
    with pytest.raises(DataError, match=r"none of the \d+ samples .* has at most 20 tokens"):
        train(dataset, tmp_path / "none", settings.model_copy(update={"max_length": 20}))


def test_a_folder_without_a_dataset_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no manifest\.json"):
        train(tmp_path / "none", tmp_path / "out", SHORT)
    assert not (tmp_path / "out").exists()


def test_losses_fall(dataset: Path, tmp_path: Path) -> None:
    """Twelve steps on the words of one form; of nothing learnt the loss is ln of the vocabulary."""
    settings = SHORT.model_copy(
        update={"stage1_steps": 12, "stage2_steps": 0, "learning_rate": 5e-3}
    )
    last = train(dataset, tmp_path, settings)["losses"]
    assert last["stage1/language_loss"] < 5 < math.log(500)


def assert_same_weights(one: Path, other: Path) -> None:
    mine, its = (load_file(out / "model.safetensors") for out in (one, other))
    assert mine.keys() == its.keys()
    for name, weights in mine.items():
        assert torch.equal(weights, its[name]), name
