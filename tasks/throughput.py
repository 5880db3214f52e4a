"""What a run did of each stage, how fast, and what a dataset's models were asked for."""

from collections.abc import Iterator, Mapping, Sequence

from tasks.manifest import StageCount
from tasks.stages import Done

SPEED_COLUMNS = ("stage", "granules", "kept", "taken anew", "seconds", "a second")
COST_COLUMNS = ("stage", "prompt tokens", "completion tokens", "cost")
COST = "cost, hundredths"  # as the manifest tallies it


def speeds(
    done: Sequence[Done], seconds: Mapping[str, float]
) -> Iterator[tuple[str, int, int, int, float, float]]:
    """Yield a row of `SPEED_COLUMNS` of each stage.

    Granules that were kept from an earlier run count for no speed. `seconds` are by stage, of all
    its batches side by side.
    """
    for stage in dict.fromkeys(one.stage for one in done):
        of_stage = [one for one in done if one.stage == stage]
        anew, took_s = sum(one.anew for one in of_stage), seconds.get(stage, 0.0)
        yield (
            stage,
            sum(len(one.batch) for one in of_stage),
            sum(one.reused for one in of_stage),
            anew,
            round(took_s, 1),
            round(anew / took_s, 1) if took_s else 0.0,
        )


def costs(counts: Sequence[StageCount]) -> Iterator[tuple[str, int, int, float]]:
    """Yield a row of `COST_COLUMNS` of each stage that asked a model, in the unit of its prices."""
    for count in counts:
        prompt, reply = (
            count.tallies.get(f"{kind} tokens", 0) for kind in ("prompt", "completion")
        )
        if prompt or reply:
            yield count.stage, prompt, reply, count.tallies.get(COST, 0) / 100
