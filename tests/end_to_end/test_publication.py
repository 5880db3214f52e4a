"""What is published, and what stays unpublished and says why."""

import shutil
from pathlib import Path

import pytest

from flows.local import build
from tasks.config import BuildConfig
from tasks.finding import Finding
from tasks.manifest import read_manifest
from tasks.publication.settings import GateSettings
from tasks.publication.unpublished import UNPUBLISHED_NAME, Unpublished
from tasks.shard_counts import count_shard
from tasks.verify import verify
from tasks.versions import versions_of


@pytest.fixture
def archive(planet, tmp_path) -> Path:
    """Return an archive that may be changed."""
    shutil.copytree(planet / "xbd", tmp_path / "xbd")
    return tmp_path / "xbd"


@pytest.fixture
def config(archive, tmp_path) -> BuildConfig:
    return BuildConfig(
        sources={"xbd": archive}, out=tmp_path / "dataset", workers=1, stages=("l1",)
    )


def leak(archive: Path) -> Path:
    """Show a picture of training in place of one of the test split; return that one's path."""
    learnt = sorted((archive / "train" / "images").glob("*_pre_disaster.png"))[0]
    held_out = sorted((archive / "test" / "images").glob("*_pre_disaster.png"))[0]
    shutil.copy(learnt, held_out)
    return held_out


def changed(config: BuildConfig, **changes: object) -> BuildConfig:
    return config.model_copy(update=changes)


def test_a_version_with_a_leak_is_not_published_and_the_old_one_stays_readable(
    config, archive, planet
) -> None:
    build(config)
    old = read_manifest(config.out)
    leaked = leak(archive)
    with pytest.raises(Unpublished) as refused:
        build(config)
    line, why = str(refused.value).splitlines()
    assert line.startswith("not published: 1 of ")
    assert why.startswith("leakage: images of the same bytes in two splits: 1, limit 0 (xbd ")
    assert why.endswith("mend the data, or set gates.shared_images")
    page = (config.out / UNPUBLISHED_NAME).read_text()
    assert why.split(" (")[0] in page
    assert read_manifest(config.out) == old
    assert verify(config.out).ok
    assert [version.number for version in versions_of(config.out)] == [1]

    raised = build(changed(config, gates=GateSettings(shared_images=1)))
    assert raised.changed
    assert not (config.out / UNPUBLISHED_NAME).exists()
    assert [version.number for version in versions_of(config.out)] == [1, 2]
    new = read_manifest(config.out)
    assert new.parents == (old.digest,)
    assert next(g.found for g in new.publication if g.setting == "shared_images") == 1
    assert verify(config.out).ok

    shutil.copy(planet / "xbd" / leaked.relative_to(archive), leaked)
    assert build(config).changed
    assert read_manifest(config.out).digest == old.digest


def test_data_that_is_mended_is_as_it_was_published(config, archive, planet) -> None:
    build(config)
    leaked = leak(archive)
    with pytest.raises(Unpublished):
        build(config)
    shutil.copy(planet / "xbd" / leaked.relative_to(archive), leaked)
    assert not build(config).changed
    assert not (config.out / UNPUBLISHED_NAME).exists()


def test_the_gates_are_no_part_of_what_a_version_is(config) -> None:
    build(config)
    assert not build(changed(config, gates=GateSettings(shared_images=7))).changed


def test_a_sample_that_does_not_hold_keeps_a_version_from_being_published(
    config, monkeypatch
) -> None:
    finding = Finding(rule="value", expected="1 ha", found="2 ha")
    with monkeypatch.context() as patched:
        patched.setattr("tasks.verify.prove", lambda row, scene: [finding])
        with pytest.raises(Unpublished, match="proof: samples that do not hold, of") as refused:
            build(config)
    assert "value: expected 1 ha, found 2 ha" in str(refused.value)
    assert not (config.out / "manifest.json").exists()
    assert build(config).changed  # what is mended is proved again


def test_only_shards_that_are_new_are_proved_and_counted(config, monkeypatch) -> None:
    build(changed(config, stages=("cap_cot",)))
    proved, counted = [], []
    monkeypatch.setattr("tasks.verify.prove", lambda row, scene: proved.append(row.tier) or [])
    monkeypatch.setattr(
        "tasks.publication.tallies.count_shard",
        lambda path, tier: counted.append(path) or count_shard(path, tier),
    )
    assert build(changed(config, stages=("cap_cot", "l1"))).changed
    assert set(proved) == {"l1"}  # captions are those of the version before
    manifest = read_manifest(config.out)
    assert len(counted) == len(manifest.files)  # a granule's are counted together
    assert not build(changed(config, stages=("cap_cot", "l1"))).changed
    assert len(counted) == len(manifest.files)


def test_what_a_model_is_measured_on_may_not_be_learnt_from(config, tmp_path) -> None:
    few = changed(config, stages=("cap_cot",), limit=3)
    bench = changed(few, out=tmp_path / "bench")
    build(bench)
    with pytest.raises(Unpublished) as refused:
        build(changed(few, gates=GateSettings(benches=(bench.out,))))
    why = str(refused.value)
    assert "leakage: images of the same bytes in train and the bench bench: " in why
    assert "leakage: overlapping scenes in train and the bench bench: " in why
    assert why.endswith("mend the data, or leave the bench out of gates.benches")
    assert build(few).changed


def test_fewer_samples_or_none_are_proved_where_the_configuration_says_so(
    config, monkeypatch
) -> None:
    proved = []
    monkeypatch.setattr("tasks.verify.prove", lambda row, scene: proved.append(row) or [])
    build(changed(config, gates=GateSettings(verify=1)))
    assert len(proved) == len(read_manifest(config.out).files)
    build(changed(config, seed=2, gates=GateSettings(verify="off")))
    assert len(proved) == len(read_manifest(versions_of(config.out)[0].folder).files)


def test_a_damaged_shard_of_the_dataset_is_put_in_place_again(config) -> None:
    build(config)
    path = config.out / read_manifest(config.out).files[0].path
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)  # in place: every name of the file is damaged
    assert build(config).changed
    assert verify(config.out).ok
    assert [version.number for version in versions_of(config.out)] == [1]
    assert verify(versions_of(config.out)[0].folder).ok


def test_too_many_refused_scenes_keep_a_version_from_being_published(config, archive) -> None:
    sorted((archive / "train" / "images").glob("*_pre_disaster.png"))[0].write_bytes(b"no picture")
    strict = GateSettings(least=1, scenes_refused=0.0)
    with pytest.raises(Unpublished, match=r"refusals: share refused of the \d+ scenes of xbd"):
        build(changed(config, gates=strict))
    assert build(config).changed
    (gate,) = (g for g in read_manifest(config.out).publication if g.setting == "scenes_refused")
    assert 0 < gate.found < 0.5


def test_a_failed_gate_ends_the_command_with_a_line_each(terrascope, config, archive) -> None:
    leak(archive)
    command = ("build", f"--source=xbd={archive}", "--out", config.out, "--stage=l1")
    done = terrascope(*command, "--engine=local", "--workers=1")
    assert done.returncode == 2
    told = [line for line in done.stderr.splitlines() if "granules" not in line]
    assert told[0].startswith("terrascope: not published: 1 of ")
    assert told[1].startswith("leakage: images of the same bytes in two splits")
    assert not (config.out / "manifest.json").exists()
