"""What is told of a gate that does not hold: the number, where, and the ways out."""

from tasks.manifest import GateResult
from tasks.publication.shown import gate_line


def gate(setting: str) -> GateResult:
    return GateResult(
        gate="leakage",
        subject="overlapping scenes in two splits",
        found=12,
        limit=0,
        setting=setting,
        examples=("xbd a (test) and xbd b (train)",),
    )


def test_of_overlaps_both_ways_out_are_told() -> None:
    assert gate_line(gate("overlapping_footprints"), by_place=False) == (
        "leakage: overlapping scenes in two splits: 12, limit 0 (xbd a (test) and xbd b (train)); "
        "mend the data, split by place (split: place), or allow so many with "
        "gates.overlapping_footprints, which the manifest and the card then tell"
    )


def test_who_splits_by_place_already_is_not_told_to() -> None:
    assert "split: place" not in gate_line(gate("overlapping_footprints"), by_place=True)


def test_of_an_image_in_two_splits_the_setting_is_told() -> None:
    line = gate_line(gate("shared_images"), by_place=False)
    assert line.endswith("); mend the data, or set gates.shared_images")
