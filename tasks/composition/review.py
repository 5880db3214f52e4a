"""What other models make of L2 questions: marks of a judge, and guesses without the images."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from schemas.rejection import Reason, Rejected
from tasks.completer import Call, CallFailed, Completer, FailedBecause, Reply
from tasks.composition.call import Marks, blind_call, judge_call, read_guess, read_marks
from tasks.composition.settings import ComposerSettings, JudgeSettings
from tasks.stage_names import L2
from tasks.writers.due import UNANSWERED
from templates.replies import Fault


@dataclass(slots=True, kw_only=True)
class Reviewed:
    """The questions that pass, refusals, and what happened."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    tallies: Counter[str] = field(default_factory=Counter)


async def review(
    rows: list[dict[str, Any]],
    source: str,
    settings: ComposerSettings,
    judge: Completer | None,
    blind: Completer | None,
    seed: int,
) -> Reviewed:
    """Have questions marked and guessed; a call without a reply leaves its question as it was.

    A question with low marks is refused. One that is guessed is kept with that note: selection
    down-weights what is guessed better than by chance.
    """
    reviewed = Reviewed()
    if judge is not None and settings.judge is not None:
        marked = await asyncio.gather(
            *(_marks(row, source, judge, settings.judge, seed, reviewed.tallies) for row in rows)
        )
        kept = []
        for row, marks in zip(rows, marked, strict=True):
            if isinstance(marks, Marks):
                row = {**row, "judged": marks.model_dump()}
                if (why := _too_low(marks, settings.judge)) is not None:
                    reviewed.rejected.append(_rejected(row, source, why))
                    continue
            kept.append(row)
        rows = kept
    if blind is not None and settings.blind is not None:
        sampling = settings.blind.sampling(seed)
        guesses = await asyncio.gather(
            *(
                _ask(blind_call(row, source, sampling), blind, reviewed.tallies, "blind")
                for row in rows
                if row["options"]
            )
        )
        guessed = dict(
            zip((row["sample_id"] for row in rows if row["options"]), guesses, strict=True)
        )
        rows = [_with_guess(row, guessed.get(row["sample_id"]), reviewed.tallies) for row in rows]
    reviewed.rows = rows
    return reviewed


async def _marks(
    row: dict[str, Any],
    source: str,
    judge: Completer,
    settings: JudgeSettings,
    seed: int,
    tallies: Counter[str],
) -> Marks | None:
    reply = await _ask(judge_call(row, source, settings.sampling(seed)), judge, tallies, "judge")
    if reply is None:
        return None
    marks = read_marks(reply.text)
    if isinstance(marks, Fault):
        tallies["judge: replies that could not be read"] += 1
        return None
    tallies["judge: questions marked"] += 1
    return marks


def _too_low(marks: Marks, settings: JudgeSettings) -> str | None:
    if marks.naturalness < settings.least_naturalness:
        return f"naturalness {marks.naturalness}, under {settings.least_naturalness}"
    if marks.difficulty < settings.least_difficulty:
        return f"difficulty {marks.difficulty}, under {settings.least_difficulty}"
    if settings.needs_image and not marks.needs_image:
        return "it does not need the image"
    return None


def _with_guess(row: dict[str, Any], reply: Reply | None, tallies: Counter[str]) -> dict[str, Any]:
    if reply is None:
        return row
    right = read_guess(reply.text) == row["answer"]["letter"]
    tallies["blind: guessed" if right else "blind: not guessed"] += 1
    return {**row, "guessed": right}


async def _ask(call: Call, completer: Completer, tallies: Counter[str], who: str) -> Reply | None:
    try:
        reply = await completer.complete(call)
    except CallFailed as failure:
        refused = failure.because is FailedBecause.REFUSED  # it would be, another time as well
        tallies[f"{who}: calls refused" if refused else UNANSWERED] += 1
        return None
    tallies[f"{who}: prompt tokens"] += reply.prompt_tokens
    tallies[f"{who}: completion tokens"] += reply.completion_tokens
    return reply


def _rejected(row: dict[str, Any], source: str, why: str) -> Rejected:
    return Rejected(
        sample_id=row["sample_id"],
        source=source,
        stage=L2,
        reason=Reason.LOW_MARKS,
        detail=f"{row['scene_id']}: {row['question']!r}: {why}",
    )
