"""Splits drawn by place: no tile or event in two of them, and none moves when others come."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.config import BuildConfig, load_config
from tasks.decided import decided_by
from tasks.errors import ConfigError
from tasks.granules import Catalogue, empty_splits, read_catalogue
from tasks.place_split import SPLITS, SplitShares, split_of
from tasks.planning.foresight import foresee
from tasks.planning.plan import plan_lines
from tasks.sources.teochatlas import locality_of
from tasks.sources.xbd import PARTS, ROLES

EVENTS = tuple(f"storm-{letter}" for letter in "abcdefgh")


def archive(root: Path, tiles: dict[str, list[str]]) -> Path:
    """Write the files of xBD's tiles, by folder; its index looks at names only."""
    for folder, names in tiles.items():
        for part, ending in PARTS.items():
            (root / folder / part).mkdir(parents=True, exist_ok=True)
            for name in names:
                for role in ROLES:
                    (root / folder / part / f"{name}_{role}_disaster{ending}").touch()
    return root


def config(root: Path, **more: object) -> BuildConfig:
    return BuildConfig(sources={"xbd": root}, out=root.parent / "out", split="place", **more)


def splits(catalogue: Catalogue) -> dict[str, str]:
    for granule in catalogue.granules:
        assert {ref.split for ref in granule.refs} == {granule.id.split}
    return {ref.scene_id: ref.split for granule in catalogue.granules for ref in granule.refs}


def test_an_event_that_the_archive_has_in_all_splits_is_in_one(tmp_path) -> None:
    tiles = {
        folder: [f"{event}_{number:08d}" for event in EVENTS]
        for number, folder in enumerate(("train", "test", "hold"))
    }
    root = archive(tmp_path / "xbd", tiles)
    found = splits(read_catalogue(config(root)))
    by_event = {event: {found[n] for n in found if n.startswith(event)} for event in EVENTS}
    assert all(len(of_event) == 1 for of_event in by_event.values())
    assert len(found) == 3 * len(EVENTS)
    own = splits(read_catalogue(config(root).model_copy(update={"split": "archive"})))
    assert {own[f"{event}_00000001"] for event in EVENTS} == {"test"}


def test_a_bench_reads_the_scenes_that_are_drawn_for_test(tmp_path) -> None:
    root = archive(tmp_path / "xbd", {"train": [f"event-{n}_{n:08d}" for n in range(60)]})
    whole = splits(read_catalogue(config(root)))
    bench = read_catalogue(config(root, stages=("bench",)))
    assert splits(bench) == {name: split for name, split in whole.items() if split == "test"}
    assert splits(bench)
    assert bench.num_other_splits == 60 - len(splits(bench))
    assert not [*empty_splits(config(root, stages=("bench",)), bench)]


@given(st.lists(st.sampled_from(EVENTS), min_size=1), st.text(min_size=1))
def test_what_else_there_is_moves_no_locality(names, another) -> None:
    shares = SplitShares()
    before = {name: split_of(name, shares) for name in names}
    split_of(another, shares)
    assert {name: split_of(name, shares) for name in reversed(names)} == before
    assert set(before.values()) <= set(SPLITS)


def test_a_scene_that_is_added_or_withdrawn_moves_no_other(tmp_path) -> None:
    few = archive(tmp_path / "few" / "xbd", {"tier3": [f"{event}_00000001" for event in EVENTS]})
    before = splits(read_catalogue(config(few)))
    more = {"tier3": [f"{e}_0000000{n}" for e in (*EVENTS, "flood-z") for n in (0, 1, 2)][1:]}
    after = splits(read_catalogue(config(archive(tmp_path / "more" / "xbd", more))))
    assert len(after) == 26
    assert {name: after[name] for name in before} == before


def test_the_seed_moves_no_scene(tmp_path) -> None:
    root = archive(tmp_path / "xbd", {"tier3": [f"{event}_00000001" for event in EVENTS]})
    assert splits(read_catalogue(config(root, seed=1))) == splits(read_catalogue(config(root)))


def test_of_many_localities_each_split_gets_its_share() -> None:
    shares = SplitShares(train=0.5, validation=0.3, test=0.2)
    drawn = [split_of(f"T33-{number}", shares) for number in range(4000)]
    for split in SPLITS:
        assert drawn.count(split) / 4000 == pytest.approx(getattr(shares, split), abs=0.03)


def test_a_split_without_a_share_gets_nothing() -> None:
    shares = SplitShares(train=0.6, validation=0, test=0.4)
    assert {split_of(str(number), shares) for number in range(200)} == {"train", "test"}


def test_shares_that_are_not_one_together_are_refused_with_their_sum(tmp_path) -> None:
    given_ = {
        "sources": {"xbd": tmp_path},
        "out": tmp_path / "out",
        "split": "place",
        "split_shares": {"train": 0.8, "validation": 0.3},
    }
    with pytest.raises(ConfigError, match=r"split_shares.*are 1\.2 together, expected 1"):
        load_config(None, given_)


def test_a_split_that_comes_out_empty_is_told_and_a_plan_says_so(tmp_path) -> None:
    settings = config(archive(tmp_path / "xbd", {"train": ["storm-a_00000001"]}))
    catalogue = read_catalogue(settings)
    (filled,) = {granule.id.split for granule in catalogue.granules}
    told = list(empty_splits(settings, catalogue))
    assert len(told) == 2
    assert all(line.startswith("no scene of xbd is in ") for line in told)
    assert not any(f"is in {filled}:" in line for line in told)
    assert set(told) <= set(plan_lines(foresee(settings, catalogue)))
    own = settings.model_copy(update={"split": "archive"})
    assert not list(empty_splits(own, read_catalogue(own)))


def test_two_archives_of_one_event_hold_it_out_together(tmp_path) -> None:
    root = archive(tmp_path / "xbd", {"train": ["hurricane-harvey_00000012"]})
    (granule,) = read_catalogue(config(root)).granules
    assert locality_of("xBD", "hurricane-harvey_00000300") == granule.refs[0].locality
    assert locality_of("QFabric", "12") == "QFabric-12"


def test_splits_count_for_what_a_dataset_is_only_where_they_are_drawn(tmp_path) -> None:
    own = BuildConfig(sources={"xbd": tmp_path}, out=tmp_path / "out")
    assert "split" not in own.content_of("l1")
    other = own.model_copy(update={"split_shares": SplitShares(train=1, validation=0, test=0)})
    assert other.content_digest == own.content_digest
    drawn = own.model_copy(update={"split": "place"})
    assert drawn.content_digest != own.content_digest
    assert decided_by(drawn)["ingest"]["split"] == "place"
    assert "split" not in decided_by(own)["ingest"]
