"""Two versions of a real build, compared: what is told is what was done between them."""

import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from flows.local import build
from tasks.comparing.compare import Comparison, Fate, compare, comparison_lines
from tasks.comparing.page import write_comparison
from tasks.config import BuildConfig
from tasks.lineage.differences import Kind
from tasks.publication.settings import GateSettings
from tasks.versions import dataset_at, versions_of
from templates.questions import L1_QUESTIONS


def ids(dataset: Path) -> set[str]:
    return {
        sample_id
        for shard in (dataset / "data").rglob("*.parquet")
        for sample_id in pq.read_table(shard, columns=["sample_id"]).column(0).to_pylist()
    }


@pytest.fixture(scope="module")
def config(planet, tmp_path_factory) -> BuildConfig:
    """Return what built three versions: as it was, without a scene, with a template changed."""
    folder = tmp_path_factory.mktemp("compared")
    shutil.copytree(planet / "xbd", folder / "xbd")
    unproved = GateSettings(verify="off")  # a template is changed here that no proof knows
    sources = {"xbd": folder / "xbd"}
    config = BuildConfig(sources=sources, out=folder / "dataset", workers=1, gates=unproved)
    build(config)
    scene = sorted((folder / "xbd").glob("*/labels/*_post_disaster.json"))[0].name
    for path in sorted((folder / "xbd").rglob(scene.replace("post_disaster.json", "*"))):
        path.unlink()
    build(config)
    templates = [
        replace(one, version=one.version + 1) if one.task == "count_objects" else one
        for one in L1_QUESTIONS
    ]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tasks.ask.L1_QUESTIONS", tuple(templates))
        build(config)
    return config


@pytest.fixture(scope="module")
def versions(config) -> list[Path]:
    return [version.folder for version in versions_of(config.out)]


def of_fate(found: Comparison, fate: Fate) -> set[str]:
    return {change.sample.sample_id for change in found.changes if change.fate is fate}


def test_added_and_removed_are_what_the_ids_say(versions) -> None:
    for then, now in ((versions[0], versions[1]), (versions[2], versions[0])):
        found = compare(then, now)
        assert of_fate(found, Fate.ADDED) == ids(now) - ids(then)
        assert of_fate(found, Fate.REMOVED) == ids(then) - ids(now)
        assert of_fate(found, Fate.CHANGED) <= ids(then) & ids(now)
        assert found.same == len(ids(then) & ids(now)) - len(of_fate(found, Fate.CHANGED))


def test_a_withdrawn_scene_is_named_and_is_the_cause_of_its_samples(versions) -> None:
    found = compare(versions[0], versions[1])
    (scene,) = found.withdrawn
    own = [change for change in found.changes if change.sample.scene_id == scene]
    assert own
    assert {change.cause.words for change in own} == {"scene withdrawn"}
    others = Counter(c.cause.kind for c in found.changes if c.sample.scene_id != scene)
    assert set(others) <= {Kind.SELECTION, Kind.OTHER_SCENES}
    assert f"withdrawn scenes: 1 ({scene})" in list(comparison_lines(found))


def test_backwards_the_scene_is_new(versions) -> None:
    found = compare(versions[1], versions[0])
    (scene,) = found.new
    assert {c.cause.words for c in found.changes if c.sample.scene_id == scene} == {"new scene"}


def test_a_changed_template_is_the_cause_of_its_own_samples_alone(versions) -> None:
    found = compare(versions[1], versions[2])
    by_template = [change for change in found.changes if change.cause.kind is Kind.TEMPLATE]
    assert by_template
    assert {change.sample.task for change in by_template} == {"count_objects"}
    assert all("count_objects" in change.cause.words for change in by_template)
    assert {c.cause.kind for c in found.changes} <= {Kind.TEMPLATE, Kind.SELECTION}


def test_a_version_has_no_difference_from_itself(versions, config) -> None:
    found = compare(versions[2], config.out)
    assert found.changes == ()
    assert found.renamed == 0


def test_the_page_shows_samples_and_needs_nothing_else(versions, tmp_path) -> None:
    then, now = versions[:2]
    write_comparison(tmp_path / "diff.html", compare(then, now), then, now)
    page = (tmp_path / "diff.html").read_text()
    assert "scene withdrawn" in page
    assert page.count('<article class="sample">') >= 1
    assert set(re.findall(r'src="(.{10})', page)) == {"data:image"}


def test_the_command_takes_versions_by_number(terrascope, config, tmp_path) -> None:
    page = tmp_path / "diff.html"
    done = terrascope("diff", f"{config.out}@1", f"{config.out}@2", "--page", page)
    assert done.returncode == 0, done.stderr
    assert "scene withdrawn" in done.stdout
    assert page.is_file()
    assert dataset_at(f"{config.out}@1") == versions_of(config.out)[0].folder
    done = terrascope("diff", f"{config.out}@9", config.out)
    assert done.returncode == 2
    assert "keeps no version 9; it has 1, 2, 3" in done.stderr
