"""The gates on shares, by hand."""

from collections import Counter

from tasks.manifest import StageCount
from tasks.publication.settings import GateSettings
from tasks.publication.shares import (
    commonest_answers,
    commonest_classes,
    refused_samples,
    refused_scenes,
)

LIMITS = GateSettings(least=10, scenes_refused=0.5, samples_refused=0.5, commonest_answer=0.75)


def count(unit: str, taken: int, rejected: int) -> StageCount:
    return StageCount(
        stage="l2", unit=unit, taken=taken, out=taken - rejected, rejected=rejected, left_out=0
    )


def test_half_of_a_source_may_be_refused_and_no_more() -> None:
    listed = {"bigearthnet": 10, "xbd": 10}
    held, failed = refused_scenes(LIMITS, listed, {"bigearthnet": 5, "xbd": 6})
    assert (held.found, held.holds) == (0.5, True)
    assert (failed.found, failed.holds, failed.setting) == (0.6, False, "scenes_refused")
    assert failed.subject == "share refused of the 10 scenes of xbd"


def test_what_is_too_little_for_a_share_is_reported_and_holds() -> None:
    (gate,) = refused_scenes(LIMITS, {"xbd": 9}, {"xbd": 9})
    assert (gate.found, gate.limit, gate.holds) == (1.0, None, True)


def test_a_source_that_refused_nothing_is_told_too() -> None:
    (gate,) = refused_scenes(LIMITS, {"xbd": 20}, {})
    assert (gate.found, gate.holds) == (0.0, True)


def test_refused_samples_count_by_stage_and_scenes_are_none() -> None:
    gates = list(refused_samples(LIMITS, [count("scene", 20, 20), count("question", 20, 11)]))
    assert [(gate.found, gate.holds) for gate in gates] == [(0.55, False)]


def test_the_commonest_answer_of_a_task_has_its_limit() -> None:
    answers = {"exists": Counter(Yes=8, No=2), "compare": Counter(Yes=5, No=5)}
    compare, exists = commonest_answers(LIMITS, answers)
    assert (compare.found, compare.holds) == (0.5, True)
    assert (exists.found, exists.holds) == (0.8, False)
    assert exists.subject == "share of 'Yes' among the 10 answers of exists"


def test_classes_are_reported_unless_a_limit_is_set() -> None:
    classes = {"xbd": Counter(building=30)}
    (reported,) = commonest_classes(LIMITS, classes)
    assert (reported.found, reported.holds) == (1.0, True)
    (judged,) = commonest_classes(LIMITS.model_copy(update={"commonest_class": 0.9}), classes)
    assert not judged.holds
