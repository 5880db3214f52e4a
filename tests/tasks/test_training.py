"""Settings as people give them, what is said while a model is trained, and its curves."""

from pathlib import Path

import pytest
from PIL import Image

from tasks import training
from tasks.curves import SIZE_PX, draw_curves
from tasks.errors import ConfigError
from tasks.training import Nodes, command, load_settings, nodes_of, num_gpus, share_done
from terrascope_model.settings import TrainSettings


def test_the_command_line_is_laid_over_the_file_and_the_file_over_the_preset(
    tmp_path: Path,
) -> None:
    file = tmp_path / "train.yaml"
    file.write_text("preset: shape-8b\nbatch_size: 3\nseed: 5\ntier_weights: {cap: 0.5}\n")
    options = {"seed": 6, "stage1_steps": None}
    settings = load_settings(file, options, ["sharded=true", "lora_rank=8"])
    assert (settings.seed, settings.batch_size, settings.sharded) == (6, 3, True)
    assert (settings.precision, settings.lora_rank) == ("bf16", 8)
    assert settings.tier_weights == {"cap": 0.5}


@pytest.mark.parametrize(
    ("more", "match"),
    [
        (["batch"], "--set takes NAME=VALUE, got 'batch'"),
        (["seed=[1"], r"--set seed: '\[1' is not YAML"),
        (["lr=1"], "unknown setting 'lr'; known are preset, "),
        (["batch_size=0"], "setting 'batch_size': .* greater than or equal to 1, got 0"),
        (["preset=large"], "setting 'preset': Input should be 'tiny'"),
        (["preset=internvl3-8b"], "^internvl3-8b needs weights_vlm$"),
    ],
)
def test_settings_that_are_none_are_named(more: list[str], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        load_settings(None, {}, more)


def test_lines_say_how_much_is_done() -> None:
    settings = TrainSettings(stage1_steps=30, stage2_steps=10)
    assert share_done("stage1 15/30  loss 3.000", settings) == 15 / 40
    assert share_done("stage2 10/10  loss 3.000", settings) == 1
    assert share_done("validation  all: IoU 0.5 of 3", settings) is None


def test_several_processes_are_started_by_torchrun() -> None:
    settings = TrainSettings()
    one, two = (command(Path("d"), Path("o"), settings, number) for number in (1, 2))
    assert "torch.distributed.run" not in one
    assert two[1:5] == ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    assert two[5:] == one[1:]
    assert TrainSettings.model_validate_json(one[-1]) == settings


def test_nodes_that_train_the_same_meet_and_others_do_not() -> None:
    settings = TrainSettings()
    nodes = nodes_of(2, "10.0.0.5:29500", "10.0.0.6")
    assert nodes == Nodes(number=2, rendezvous="10.0.0.5:29500", address="10.0.0.6")
    one = command(Path("d"), Path("o"), settings, 1, nodes)
    assert one[1:5] == ["-m", "torch.distributed.run", "--nnodes=2", "--rdzv-backend=c10d"]
    assert {"--rdzv-endpoint=10.0.0.5:29500", "--local-addr=10.0.0.6"} < {*one}
    assert "--nproc-per-node=1" in one
    other = settings.model_copy(update={"seed": 1})
    apart = command(Path("d"), Path("o"), other, 1, nodes)
    elsewhere = command(Path("cache/d"), Path("o"), settings, 1, nodes)
    meeting = [next(word for word in c if "rdzv-id" in word) for c in (one, apart, elsewhere)]
    assert meeting[0] != meeting[1]
    assert meeting[0] == meeting[2]


@pytest.mark.parametrize(
    ("number", "rendezvous"), [(2, None), (2, "host"), (2, ":29500"), (1, "host:29500")]
)
def test_nodes_without_a_place_to_meet_are_refused(number: int, rendezvous: str | None) -> None:
    with pytest.raises(ConfigError, match="--nodes N and --rendezvous HOST:PORT"):
        nodes_of(number, rendezvous, None)


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "NEEDED", ("torch", "no_such_module"))
    with pytest.raises(training.TrainingFailed, match=r"^no_such_module cannot be imported"):
        next(training.learn(tmp_path, tmp_path / "out", TrainSettings()))


def test_no_gpu_is_counted_without_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert num_gpus() == 0


def test_curves_of_both_stages_are_one_picture(tmp_path: Path) -> None:
    path = tmp_path / "losses.png"
    draw_curves({"stage1": [(20, 4.0), (40, 2.0)], "stage2": [(10, 1.0)]}, path)
    with Image.open(path) as image:
        assert image.size == SIZE_PX
        colours = {colour for _, colour in image.convert("RGB").getcolors(2**20)}
    assert {(0x1F, 0x5F, 0xA8), (0xB5, 0x47, 0x1B)} <= colours
