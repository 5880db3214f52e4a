"""A plan says what a build would do and why, writes nothing, and the build does what it says."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from flows.local import build
from tasks.config import BuildConfig
from tasks.granules import read_catalogue
from tasks.planning.foresight import foresee
from tasks.planning.plan import BuildPlan, Fate, StagePlan, plan_lines
from tasks.publication.settings import GateSettings
from tasks.stages import ingest_batch, list_sources
from templates.questions import L1_QUESTIONS
from tests.end_to_end.conftest import ARCHIVES

MAKING = ("ingest", "cap_cot", "l1", "l2", "fingerprint")


@pytest.fixture(scope="module")
def built(planet, tmp_path_factory) -> BuildConfig:
    """Return what built a dataset of two archives that stands beside them."""
    folder = tmp_path_factory.mktemp("planned")
    for name in ARCHIVES[::3]:
        shutil.copytree(planet / name, folder / name)
    sources = {name: folder / name for name in ARCHIVES[::3]}
    unproved = GateSettings(verify="off")  # templates are changed here that no proof knows
    config = BuildConfig(sources=sources, out=folder / "dataset", workers=1, gates=unproved)
    build(config)
    return config


@pytest.fixture
def config(built, tmp_path) -> BuildConfig:
    """Return the same for a copy that a test may change, times of change included."""
    shutil.copytree(built.out.parent, tmp_path / "copy")
    marker = tmp_path / "copy" / "dataset" / ".work" / "dataset.json"
    marker.write_text(marker.read_text().replace(str(built.out.parent), str(tmp_path / "copy")))
    sources = {name: tmp_path / "copy" / name for name in built.sources}
    return built.model_copy(update={"sources": sources, "out": tmp_path / "copy" / "dataset"})


def plan_of(config: BuildConfig) -> BuildPlan:
    return foresee(config, read_catalogue(config))


def stages(plan: BuildPlan) -> dict[str, StagePlan]:
    return {stage.stage: stage for stage in plan.stages}


def tree(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}


def done_by(config: BuildConfig) -> dict[str, int]:
    """Build, and return how many granules each stage did anew."""

    def records() -> dict[Path, int]:
        found = (config.out / ".work").glob("*/*.json")
        return {path: path.stat().st_mtime_ns for path in found}

    before = records()
    build(config)
    anew = [path for path, time in records().items() if before.get(path) != time]
    return {stage: sum(path.parent.name == stage for path in anew) for stage in MAKING}


def assert_as_planned(config: BuildConfig) -> None:
    """A build does all that is due, and of what follows as much as has other inputs."""
    planned = stages(plan_of(config))
    done = done_by(config)
    for stage in MAKING:
        fates = planned[stage].fates
        assert fates[Fate.DUE] <= done[stage] <= fates[Fate.DUE] + fates[Fate.FOLLOWING], stage
    assert plan_of(config).idle


def withdraw(config: BuildConfig) -> str:
    """Take one image away from xBD with all that is told of it; return its scene."""
    name = sorted((config.sources["xbd"]).glob("*/labels/*_post_disaster.json"))[0].name
    scene = name.removesuffix("_post_disaster.json")
    for path in sorted(config.sources["xbd"].rglob(f"{scene}_*")):
        path.unlink()
    return scene


def test_nothing_changed_is_nothing_to_do(config) -> None:
    plan = plan_of(config)
    assert plan.idle
    assert list(plan_lines(plan))[-1] == "nothing to do: the dataset stays as it is"
    assert not build(config).changed


def test_a_plan_writes_nothing(config) -> None:
    withdraw(config)
    before = tree(config.out.parent)
    plan_of(config)
    plan_of(config.model_copy(update={"out": config.out.with_name("other")}))
    assert tree(config.out.parent) == before


def test_a_dataset_that_is_not_there_is_all_to_do(config) -> None:
    plan = plan_of(config.model_copy(update={"out": config.out.with_name("other")}))
    for stage in plan.stages:
        assert not stage.fates[Fate.KEPT]
        assert not stage.fates[Fate.FOLLOWING]
        assert set(stage.reasons) == {"never done"}
    assert all(len(source.new) == source.scenes for source in plan.sources)


def test_a_withdrawn_scene_is_named_and_the_build_drops_it(config) -> None:
    scene = withdraw(config)
    plan = plan_of(config)
    (source,) = [source for source in plan.sources if source.source == "xbd"]
    assert source.withdrawn == (scene,)
    assert all(scene in file for file in source.files_removed)
    assert source.files_removed
    assert f"1 withdrawn ({scene})" in "\n".join(plan_lines(plan))
    assert_as_planned(config)


def test_a_changed_file_names_its_scene_and_leaves_other_granules_alone(config) -> None:
    picture = sorted(config.sources["bigearthnet"].glob("BigEarthNet-S2/*/*/*_B04.tif"))[0]
    picture.touch()
    plan = plan_of(config)
    (source,) = [source for source in plan.sources if source.source == "bigearthnet"]
    assert [Path(file).name for file in source.files_changed] == [picture.name]
    assert source.changed == (picture.parent.name,)
    ingest = stages(plan)["ingest"]
    assert ingest.fates[Fate.DUE] == 1
    assert ingest.reasons == {"changed scenes": 1}
    assert stages(plan)["l1"].fates[Fate.FOLLOWING] == 1
    assert_as_planned(config)


def test_one_changed_template_is_one_stage_and_what_follows(config, monkeypatch) -> None:
    first, *others = L1_QUESTIONS
    changed = replace(first, version=first.version + 1)
    monkeypatch.setattr("tasks.ask.L1_QUESTIONS", (changed, *others))
    planned = stages(plan_of(config))
    assert not planned["l1"].fates[Fate.KEPT]
    (reason,) = planned["l1"].reasons
    assert reason == f"template {first.task} {first.version} -> {changed.version}"
    for stage in ("ingest", "cap_cot", "l2"):
        assert planned[stage].idle
    assert planned["select"].fates[Fate.FOLLOWING] == 1
    before = {path: path.stat().st_ino for path in (config.out / "data/cap").iterdir()}
    assert_as_planned(config)
    assert {path: path.stat().st_ino for path in before} == before


def test_another_seed_asks_anew_and_reads_nothing_again(config) -> None:
    other = config.model_copy(update={"seed": 5})
    planned = stages(plan_of(other))
    assert planned["ingest"].idle
    assert set(planned["l1"].reasons) == {"seed 0 -> 5"}
    assert_as_planned(other)


def test_another_wish_for_the_mixture_is_another_selection_alone(config) -> None:
    other = config.model_copy(
        update={"mixture": config.mixture.model_copy(update={"task": {"area": 0.0}})}
    )
    planned = stages(plan_of(other))
    assert all(planned[stage].idle for stage in MAKING)
    assert planned["select"].reasons == {"mixture task.area 0.0 is new": 1}
    assert_as_planned(other)


def test_what_is_gone_or_damaged_is_done_again(config) -> None:
    table, other = sorted((config.out / ".work/l1").glob("*.parquet"))[:2]
    table.unlink()
    other.write_bytes(b"PAR1")
    planned = stages(plan_of(config))
    assert planned["l1"].fates[Fate.DUE] == 2
    assert planned["l1"].reasons == {"what it left is gone or damaged": 2}
    assert_as_planned(config)


def test_calls_of_a_model_are_counted_by_scene(config) -> None:
    captioner = type(config.captioner)(kind="url", url="http://127.0.0.1:9/v1", model="any")
    other = config.model_copy(update={"captioner": captioner})
    planned = stages(plan_of(other))
    assert planned["cap_cot"].calls == sum(source.scenes for source in plan_of(other).sources)
    assert any("captioner kind rules -> url" in reason for reason in planned["cap_cot"].reasons)
    assert planned["l1"].calls == 0


def test_the_command_says_it_and_refuses_another_dataset(terrascope, planet, config) -> None:
    given = [f"--source={name}={folder}" for name, folder in config.sources.items()]
    done = terrascope("plan", *given, "--out", config.out)
    assert done.returncode == 0, done.stderr
    assert "nothing to do" in done.stdout
    done = terrascope("plan", f"--source=xbd={planet / 'xbd'}", "--out", config.out)
    assert done.returncode == 2
    assert "holds another dataset" in done.stderr


def test_what_the_plan_found_as_it_was_read_is_not_looked_at_again(config):
    said: list[str] = []
    plan = list_sources(config, said.append)
    (batch,) = plan.batches
    assert plan.as_read == {granule.name for granule in batch}
    for root in config.sources.values():
        shutil.rmtree(root)
    again = ingest_batch(config, batch, plan.as_read)
    assert again.reused == len(batch)
    assert again.out == plan.num_scenes


def test_a_granule_of_a_changed_file_is_read_again_beside_those_that_are_kept(config):
    next(config.sources["xbd"].rglob("*_pre_disaster.png")).touch()
    plan = list_sources(config, [].append)
    (batch,) = plan.batches
    assert len({granule.name for granule in batch} - plan.as_read) == 1
    assert ingest_batch(config, batch, plan.as_read).reused == len(batch) - 1
