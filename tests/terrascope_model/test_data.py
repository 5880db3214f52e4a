"""Shards become samples: each row once an epoch, in an order that seed and epoch alone decide."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from schemas.sensors import segmented_picture
from terrascope_model.batches import Batches
from terrascope_model.data import Mixture, Referring, Traces
from terrascope_model.files import DataError
from terrascope_model.naming import listed
from terrascope_model.presets import tiny
from terrascope_model.processor import TerraScopeProcessor
from terrascope_model.recipe import texts_of
from terrascope_model.sample import STRAIGHT
from terrascope_model.together import Together


@pytest.fixture(scope="session")
def processor(dataset: Path) -> TerraScopeProcessor:
    return tiny(texts_of(dataset), seed=0)[1]


@pytest.fixture(scope="session")
def traces(dataset: Path, processor: TerraScopeProcessor) -> Traces:
    return Traces(dataset, processor)


def rows_of(dataset: Path, split: str = "train") -> list[dict[str, object]]:
    columns = ["sample_id", "scene_id", "split", "tier", "question", "trace", "masks"]
    return [
        row
        for path in sorted((dataset / "data").glob("*/*.parquet"))
        for row in pq.read_table(path, columns=columns).to_pylist()
        if row["split"] == split
    ]


def test_every_row_of_the_split_is_a_sample(traces: Traces, dataset: Path) -> None:
    rows = {row["sample_id"]: row for row in rows_of(dataset)}
    samples = [traces.sample(number) for number in range(len(traces))]
    assert {sample.sample_id for sample in samples} == rows.keys()
    for sample in samples:
        row = rows[sample.sample_id]
        assert (sample.question, sample.trace) == (row["question"], row["trace"])
        assert len(sample.masks) == len(row["masks"])


def test_every_row_can_be_encoded(traces: Traces) -> None:
    for number in range(len(traces)):
        encoded = traces[number]
        assert len(encoded.tokens) == len(encoded.masks_Mhw)


def test_rows_of_a_scene_share_their_pictures(traces: Traces) -> None:
    pictures = [p for n in range(len(traces)) for p in traces.sample(n).pictures]
    assert len({id(picture) for picture in pictures}) < len(pictures) / 2


def test_an_epoch_has_every_sample_once(traces: Traces) -> None:
    drawn = [number for batch in Batches(traces, 7, num_batches=1).epoch(0) for number in batch]
    assert sorted(drawn) == list(range(len(traces)))


def test_the_order_is_that_of_seed_and_epoch(traces: Traces) -> None:
    def order(seed: int, epoch: int) -> list[int]:
        batches = Batches(traces, 7, num_batches=1, seed=seed).epoch(epoch)
        return [number % len(traces) for batch in batches for number in batch]

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(1, 0)
    assert order(0, 0) != order(0, 1)
    assert sorted(order(0, 0)) == sorted(order(0, 1))


def test_samples_of_a_batch_are_of_like_length(traces: Traces) -> None:
    """Less than half of what batches drawn at random would pad."""

    def padded(batches: list[list[int]]) -> int:
        lengths = [[traces.lengths[n % len(traces)] for n in batch] for batch in batches]
        return sum(max(batch) * len(batch) - sum(batch) for batch in lengths)

    shuffled = np.random.default_rng(0).permutation(len(traces)).tolist()
    at_random = [shuffled[at : at + 8] for at in range(0, len(shuffled), 8)]
    assert padded(Batches(traces, 8, num_batches=1).epoch(0)) < padded(at_random) / 2


def test_weights_say_how_often_a_sample_comes(
    dataset: Path, processor: TerraScopeProcessor
) -> None:
    mixture = Mixture(tier={"l1": 2.0, "cap": 0.0}, source={"xbd": 0.5})
    weighted = Traces(dataset, processor, mixture=mixture)
    drawn: Counter[int] = Counter()
    batches = Batches(weighted, 16, num_batches=1)
    for epoch in range(40):
        drawn.update(at % len(weighted) for batch in batches.epoch(epoch) for at in batch)
    for number, weight in enumerate(weighted.weights):
        if weight in (0, 1, 2):
            assert drawn[number] == 40 * weight
        else:
            assert weight == 0.5
            assert 8 <= drawn[number] <= 32


def test_a_star_weighs_all_that_are_not_named() -> None:
    mixture = Mixture(tier={"l1": 1, "*": 0}, task={"border": 3, "*": 0.5}, modality={"*": 0.25})
    row = {"tier": "l1", "source": "xbd", "task": "border"}
    assert mixture.weight(row) == 3
    assert mixture.weight({**row, "task": "area"}) == 0.5
    assert mixture.weight({**row, "tier": "cap"}) == 0
    assert mixture.weight_of_picture("xbd", "sar") == 0.25


def test_an_item_that_comes_twice_in_an_epoch_is_drawn_anew(
    dataset: Path, processor: TerraScopeProcessor
) -> None:
    named = Referring(dataset, processor, mixture=Mixture(modality={"sar": 6.0}))
    batches = Batches(named, 8, num_batches=1)
    visits: dict[int, list[int]] = {}
    numbers = [number for epoch in range(2) for batch in batches.epoch(epoch) for number in batch]
    assert len(set(numbers)) == len(numbers)
    for number in numbers:
        visits.setdefault(number % len(named), []).append(number)
    often = max(visits.values(), key=len)
    assert len(often) > 4
    assert len({named[number].ground_I3GG.sum(dim=0).numpy().tobytes() for number in often}) > 1


def test_row_groups_of_which_nothing_comes_are_passed_over(
    dataset: Path, processor: TerraScopeProcessor
) -> None:
    rare = Traces(dataset, processor, mixture=Mixture(tier={"l1": 0.001, "cap": 0.001}))
    assert len(list(Batches(rare, 4, num_batches=3))) == 3


def test_batches_go_on_from_epoch_to_epoch(traces: Traces) -> None:
    whole = Batches(traces, 7, num_batches=1)
    first, second = whole.epoch(0), whole.epoch(1)
    wanted = len(first) + 2
    drawn = list(Batches(traces, 7, num_batches=wanted))
    assert drawn == [*first, *second[:2]]
    assert {number // len(traces) for number in drawn[-1]} == {1}


def test_weights_that_leave_nothing_are_refused(
    dataset: Path, processor: TerraScopeProcessor
) -> None:
    nothing = Mixture(source={"bigearthnet": 0.0, "xbd": 0.0})
    with pytest.raises(DataError, match=r"between 0\.0 and 0\.0"):
        Batches(Traces(dataset, processor, mixture=nothing), 4, num_batches=1)


def test_referring_asks_for_classes_of_each_picture(
    dataset: Path, processor: TerraScopeProcessor
) -> None:
    asked = Referring(dataset, processor, at_once=2, turned=False)
    pictures = Counter(asked.sample(number).sample_id for number in range(len(asked)))
    scenes = {row["scene_id"] for row in rows_of(dataset)}
    assert pictures.keys() <= scenes
    assert max(pictures.values()) == 2  # optical and SAR, or two dates
    for number in range(len(asked)):
        sample = asked.sample(number)
        assert sample.question.startswith("Please segment the ")
        assert 1 <= len(sample.masks) == sample.trace.count("[SEG]") <= 2


def test_classes_that_cover_little_of_a_picture_are_not_asked_for(
    dataset: Path, processor: TerraScopeProcessor
) -> None:
    every = Referring(dataset, processor, turned=False)
    large = Referring(dataset, processor, turned=False, least_share=0.05)
    asked_for = {
        (sample.sample_id, mask.name): float(mask.mask_HW.mean())
        for number in range(len(every))
        for sample in [every.ask(every.shown[number], every.shown[number].classes)]
        for mask in sample.masks
    }
    left = {
        (large.sample(number).sample_id, phrase)
        for number in range(len(large))
        for _, phrase in large.shown[number].classes
    }
    assert left == {key for key, share in asked_for.items() if share >= 0.05}
    assert 0 < len(left) < len(asked_for)
    assert large.names == tuple(sorted({name for _, name in left}))


def test_pictures_come_as_often_as_their_sensor_weighs_and_they_have_classes(
    dataset: Path, processor: TerraScopeProcessor
) -> None:
    mixture = Mixture(modality={"sar": 0.25}, source={"xbd": 0.5})
    asked = Referring(dataset, processor, mixture=mixture)
    mean = np.mean([len(shown.classes) for shown in asked.shown])
    of_kind = {
        ("bigearthnet", "optical"): 1.0,
        ("bigearthnet", "sar"): 0.25,
        ("xbd", "optical"): 0.5,
    }
    assert {(shown.source, shown.modality) for shown in asked.shown} == of_kind.keys()
    for shown, weight in zip(asked.shown, asked.weights, strict=True):
        due = of_kind[shown.source, shown.modality] * len(shown.classes) / mean
        assert weight == pytest.approx(due)


def test_pictures_are_turned_anew_in_each_epoch(
    dataset: Path, processor: TerraScopeProcessor
) -> None:
    asked = Referring(dataset, processor)
    turns = {asked.turn(number, epoch) for number in range(8) for epoch in range(8)}
    assert len(turns) == 8
    assert asked.turn(3, 1) == asked.turn(3, 1)
    other = Referring(dataset, processor, seed=1)
    numbers = range(len(asked))
    assert [asked.turn(n, 0) for n in numbers] != [other.turn(n, 0) for n in numbers]
    straight = Referring(dataset, processor, turned=False)
    assert straight.turn(3, 1) == STRAIGHT


def test_a_mask_on_a_radar_picture_is_learnt_on_the_optical_one_of_its_date() -> None:
    shown = [("sar", 0), ("optical", 0), ("sar", 1), ("optical", 2)]
    infos = [{"modality": modality, "date_index": date} for modality, date in shown]
    assert [segmented_picture(infos, at) for at in range(4)] == [1, 1, 2, 3]


def test_phrases_are_listed() -> None:
    assert listed(["water"]) == "water"
    assert listed(["water", "trees"]) == "water and trees"
    assert listed(["water", "trees", "crops"]) == "water, trees and crops"


def test_a_folder_without_shards_is_refused(processor: TerraScopeProcessor, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no rows of the split 'train'.*terrascope build"):
        Traces(tmp_path, processor)


def test_a_file_that_is_no_shard_is_named(processor: TerraScopeProcessor, tmp_path: Path) -> None:
    path = tmp_path / "data" / "l1" / "broken.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match=r"broken\.parquet cannot be read as Parquet"):
        Traces(tmp_path, processor)


def test_a_mask_that_cannot_be_decoded_names_file_and_sample(
    traces: Traces, dataset: Path, processor: TerraScopeProcessor, tmp_path: Path
) -> None:
    source = next((dataset / "data" / "l1").glob("*train*.parquet"))
    rows = pq.read_table(source)
    broken = rows.to_pylist()
    broken[0]["masks"][0]["counts"] = "not a code"
    path = tmp_path / "data" / "l1" / source.name
    path.parent.mkdir(parents=True)
    pq.write_table(rows.from_pylist(broken, schema=rows.schema), path)
    with pytest.raises(DataError, match=f"{source.name}: {broken[0]['sample_id']} cannot be read"):
        Traces(tmp_path, processor).sample(0)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_two_kinds_come_together_in_their_shares(
    dataset: Path, processor: TerraScopeProcessor, traces: Traces, share: float
) -> None:
    named = Referring(dataset, processor)
    both = Together(traces, named, share)
    assert len(both) == len(traces) + len(named)
    drawn = [
        number % len(both)
        for epoch in range(30)
        for batch in Batches(both, 8, num_batches=1).epoch(epoch)
        for number in batch
    ]
    of_second = sum(number >= len(traces) for number in drawn) / len(drawn)
    assert of_second == pytest.approx(share, abs=0.05)
    kinds = (both.weights[: len(traces)], both.weights[len(traces) :])
    whole = [
        sum(found) == pytest.approx(sum(alone.weights))
        for found, alone in zip(kinds, (traces, named), strict=True)
    ]
    assert sum(whole) == 1, "one kind comes as often as by itself"
    assert all(
        sum(found) <= sum(alone.weights) * (1 + 1e-9)
        for found, alone in zip(kinds, (traces, named), strict=True)
    )


def test_a_kind_that_weighs_nothing_is_refused(
    dataset: Path, processor: TerraScopeProcessor, traces: Traces
) -> None:
    nothing = Referring(dataset, processor, mixture=Mixture(source={"bigearthnet": 0, "xbd": 0}))
    with pytest.raises(DataError, match="rehearsed"):
        Together(traces, nothing, 0.5)


def test_an_item_of_two_kinds_together_is_that_of_its_kind(
    dataset: Path, processor: TerraScopeProcessor, traces: Traces
) -> None:
    named = Referring(dataset, processor)
    both = Together(traces, named, 0.5)
    epoch = 3
    for at, own in ((2, traces[2]), (len(traces) + 1, named[epoch * len(named) + 1])):
        found = both[epoch * len(both) + at]
        assert found.sample_id == own.sample_id
        assert found.ids_T.tolist() == own.ids_T.tolist()
        assert found.ground_I3GG.equal(own.ground_I3GG)
