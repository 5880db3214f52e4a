"""One scene's questions by a model: asked for, read, run, checked, mended once, kept or refused."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.rejection import Reason, Rejected
from tasks.completer import Call, CallFailed, Completer, FailedBecause, Reply
from tasks.composition.call import compose_call, repair_call
from tasks.composition.settings import ComposerSettings
from tasks.seen_scene import SeenScene, pictures_of, see
from tasks.stage_names import L2
from tasks.writers.due import UNANSWERED
from templates.composed import Composed, compose
from templates.composition import QUESTIONS_A_SCENE
from templates.ground import Ground
from templates.prompts import COMPOSE
from templates.proposal import Proposal, read_proposals
from templates.replies import Fault

MOST_TOLD = 4  # faults of one question that a repair turn names


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One proposed question, and what came of it; `question` is "" where it could not be read."""

    question: str
    made: Composed | tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """One reply, and what came of its questions; a fault of the whole reply alone."""

    call: Call
    reply: Reply
    tried: tuple[Tried, ...]


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of a scene: its questions, refusals, or the rule by which it was left out.

    `twice` counts questions whose program another one of the scene has, `spare` those beyond the
    number that a scene is asked.
    """

    seen: SeenScene | None = None
    kept: list[tuple[Composed, Call]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    left_out: str = ""
    twice: int = 0
    spare: int = 0
    turns: list[Turned] = field(default_factory=list)
    tallies: Counter[str] = field(default_factory=Counter)


async def compose_scene(
    row: Mapping[str, Any],
    caption: str,
    completer: Completer,
    settings: ComposerSettings,
    sar_rendering: str,
    seed: int,
) -> Outcome:
    """Return what becomes of a scene; a writer that fails on it refuses it, and no other."""
    name = f"{seed}:{row['scene_id']}:{COMPOSE.name}"
    seen = await asyncio.to_thread(see, row, sar_rendering, name)
    if isinstance(seen, str):
        return Outcome(left_out=seen)
    outcome = Outcome(seen=seen)
    pictures = await asyncio.to_thread(pictures_of, row, seen)
    call = await asyncio.to_thread(compose_call, seen, caption, pictures, settings.sampling(seed))
    try:
        turned = await _turn(call, seen.ground, completer, outcome)
        failed = _keep(turned, outcome)
        if failed and settings.repairs:
            outcome.tallies["repair turns"] += 1
            told = [(tried.question, _faults(tried)[:MOST_TOLD]) for tried in failed]
            again = repair_call(call, turned.reply.text, told)
            _keep(await _turn(again, seen.ground, completer, outcome), outcome)
    except CallFailed as failure:
        if failure.because is not FailedBecause.REFUSED:  # another time it may be answered
            outcome.tallies[UNANSWERED] += 1
        if not outcome.turns:
            _reject(outcome, "", [Fault(reason=Reason.CALL_FAILED, detail=str(failure))])
    return outcome


async def _turn(call: Call, ground: Ground, completer: Completer, outcome: Outcome) -> Turned:
    reply = await completer.complete(call)
    outcome.tallies["replies"] += 1
    outcome.tallies["prompt tokens"] += reply.prompt_tokens
    outcome.tallies["completion tokens"] += reply.completion_tokens
    tried = await asyncio.to_thread(_tried, reply, ground)
    turned = Turned(call=call, reply=reply, tried=tuple(tried))
    outcome.turns.append(turned)
    return turned


def _tried(reply: Reply, ground: Ground) -> list[Tried]:
    found = read_proposals(reply.text, reply.finish_reason)
    if isinstance(found, Fault):
        return [Tried(question="", made=(found,))]
    return [
        Tried(question=read.question, made=compose(read, ground))
        if isinstance(read, Proposal)
        else Tried(question="", made=read)
        for read in found
    ]


def _keep(turned: Turned, outcome: Outcome) -> list[Tried]:
    """Keep what holds, each question once; refuse what does not, and return it.

    What is written again is a question of its own: nothing that was proposed goes uncounted.
    """
    failed: list[Tried] = []
    for tried in turned.tried:
        if not isinstance(tried.made, Composed):
            failed.append(tried)
            _reject(outcome, tried.question, tried.made)
        elif len(outcome.kept) == QUESTIONS_A_SCENE:
            outcome.spare += 1
        elif all(tried.made.program != kept.program for kept, _ in outcome.kept):
            outcome.kept.append((tried.made, turned.call))
            outcome.tallies["sentences cut"] += tried.made.cut
        else:
            outcome.twice += 1
    return failed


def _faults(tried: Tried) -> Sequence[Fault]:
    assert isinstance(tried.made, tuple), "what holds has no faults"
    return tried.made


def _reject(outcome: Outcome, question: str, faults: Sequence[Fault]) -> None:
    assert outcome.seen is not None, "a scene that is not seen is left out"
    detail = "; ".join(fault.detail for fault in faults)
    asked = f" {question!r}:" if question else ""
    outcome.rejected.append(
        Rejected(
            sample_id=f"{outcome.seen.scene_id}#{len(outcome.rejected)}",
            source=outcome.seen.source,
            stage=L2,
            reason=faults[0].reason,
            detail=f"{outcome.seen.scene_id}:{asked} {detail}",
        )
    )
