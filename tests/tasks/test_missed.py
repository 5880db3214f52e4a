import json
from pathlib import Path

import pytest

from tasks.errors import ConfigError
from tasks.missed import PastRun, decide, model_folder

DIGEST = "0123456789ab" + "c" * 52
OLD_S = 10_000.0


def runs(*states: str) -> list[PastRun]:
    return [PastRun(name=f"run-{i}", state=state) for i, state in enumerate(states)]


def test_the_model_of_a_version_is_named_after_dataset_and_digest(tmp_path) -> None:
    folder = model_folder(Path("models"), tmp_path / "forests", DIGEST)
    assert folder == Path("models/forests-0123456789ab")


@pytest.mark.parametrize("digest", ["", "abc", "../" + "a" * 61, "G" * 64])
def test_what_is_no_digest_names_no_folder(digest) -> None:
    with pytest.raises(ConfigError, match="no SHA-256 in hex"):
        model_folder(Path("models"), Path("forests"), digest)


def test_a_version_without_model_and_run_is_started(tmp_path) -> None:
    assert decide(tmp_path, [], OLD_S, 300).start


def test_a_model_that_is_only_begun_is_none(tmp_path) -> None:
    (tmp_path / "settings.json").write_text("{}")
    assert decide(tmp_path, [], OLD_S, 300).start


def test_a_finished_model_is_not_trained_again(tmp_path) -> None:
    (tmp_path / "training.json").write_text(json.dumps({}))
    decision = decide(tmp_path, runs("FAILED"), OLD_S, 300)
    assert (decision.start, decision.why) == (False, f"trained: {tmp_path}")


@pytest.mark.parametrize("state", ["SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING"])
def test_a_run_that_is_due_or_at_work_is_enough_whatever_came_after_it(state, tmp_path) -> None:
    decision = decide(tmp_path, runs("CRASHED", state), OLD_S, 300)
    assert (decision.start, decision.why) == (False, f"run run-1 is {state.lower()}")


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_what_failed_or_was_ended_is_left_to_a_person(state, tmp_path) -> None:
    decision = decide(tmp_path, runs(state, "CRASHED"), OLD_S, 300)
    assert (decision.start, decision.why) == (False, f"run run-0 {state.lower()}: see there")


def test_training_that_crashes_is_tried_three_times(tmp_path) -> None:
    assert decide(tmp_path, runs("CRASHED", "CRASHED"), OLD_S, 300).start
    decision = decide(tmp_path, runs("CRASHED", "CRASHED", "CRASHED"), OLD_S, 300)
    assert (decision.start, decision.why) == (False, "given up after 3 runs: see run-0")


@pytest.mark.parametrize(("age_s", "starts"), [(0, False), (299, False), (300, True), (-60, True)])
def test_a_fresh_version_is_left_to_its_event_and_one_of_the_future_is_not(
    age_s, starts, tmp_path
) -> None:
    assert decide(tmp_path, [], age_s, 300).start is starts
