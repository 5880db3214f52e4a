"""What a run did of each stage: kept granules count for no speed."""

from tasks.granules import GranuleId
from tasks.manifest import StageCount
from tasks.progress import Bar, watched
from tasks.stages import Done
from tasks.throughput import costs, speeds


def done(stage: str, *, granules: int, reused: int, anew: int) -> Done:
    batch = tuple(GranuleId("xbd", "train", str(number)) for number in range(granules))
    return Done(
        stage=stage, batch=batch, taken=50, out=50, rejected=0, left_out=0, reused=reused, anew=anew
    )


def test_batches_of_a_stage_are_one_row_and_only_what_is_new_has_a_speed() -> None:
    batches = [
        done("ingest", granules=3, reused=1, anew=20),
        done("ingest", granules=2, reused=2, anew=0),
        done("l1", granules=2, reused=2, anew=0),
    ]
    assert list(speeds(batches, {"ingest": 4.0, "l1": 0.0})) == [
        ("ingest", 5, 3, 20, 4.0, 5.0),
        ("l1", 2, 2, 0, 0.0, 0.0),
    ]


def test_only_stages_that_asked_a_model_cost_anything() -> None:
    def count(stage: str, **tallies: int) -> StageCount:
        told = {name.replace("_", " "): number for name, number in tallies.items()}
        return StageCount(
            stage=stage, unit="s", taken=0, out=0, rejected=0, left_out=0, tallies=told
        )

    asked = count("l2", prompt_tokens=900, completion_tokens=80)
    asked = asked.model_copy(update={"tallies": {**asked.tallies, "cost, hundredths": 125}})
    assert list(costs([count("cap_cot", replies=3), asked])) == [("l2", 900, 80, 1.25)]


def test_a_watcher_is_told_of_each_bar_while_it_watches_and_not_later() -> None:
    seen = []
    bar = Bar("l1", 2)
    with watched(lambda bar: seen.append((bar.stage, bar.done, bar.total))), bar.shown():
        bar.advance()
    bar.advance()
    assert seen == [("l1", 0, 2), ("l1", 1, 2)]
