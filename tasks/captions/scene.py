"""One scene's caption: asked for, read, checked, mended once, and kept or refused."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from schemas.rejection import Reason, Rejected
from schemas.verdict import Verdict
from tasks.captions.call import ShortFields, caption_call, read_short, repair_call, short_call
from tasks.captions.row import caption_row
from tasks.captions.settings import CaptionerSettings
from tasks.completer import Call, CallFailed, Completer, FailedBecause, Reply
from tasks.seen_scene import SeenScene, pictures_of, see
from tasks.stage_names import CAP_COT as STAGE
from tasks.writers.due import UNANSWERED
from templates.caption import Caption, OnFalse, make_caption
from templates.claims import check_sentence
from templates.prompts import CAP_COT
from templates.replies import Fault, parse_reply

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A scene with all that its caption is asked and made from."""

    seen: SeenScene
    call: Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """One reply, and what came of it."""

    call: Call
    reply: Reply
    made: Caption | tuple[Fault, ...]


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of a scene: a row, a refusal, or the rule by which it was left out.

    `turns` are the replies in order, for whoever wants to read them; `tallies` count what happened.
    """

    row: dict[str, Any] | None = None
    rejected: Rejected | None = None
    left_out: str = ""
    prepared: Prepared | None = None
    turns: list[Turned] = field(default_factory=list)
    tallies: Counter[str] = field(default_factory=Counter)

    def without_pictures(self) -> "Outcome":
        """Return what a granule keeps until its last scene is done: not the scene itself."""
        return replace(self, prepared=None, turns=[])


def prepare(
    row: Mapping[str, Any],
    settings: CaptionerSettings,
    sar_rendering: str,
    seed: int,
    *,
    pictures: bool,
) -> Prepared | str:
    """Return a scene row ready to be captioned, or the rule by which it is left out.

    `pictures` says whether they are drawn; the row must hold the images then.
    """
    name = f"{seed}:{row['scene_id']}:{CAP_COT.name}"
    seen = see(row, sar_rendering, name)
    if isinstance(seen, str):
        return seen
    drawn = pictures_of(row, seen) if pictures else []
    call = caption_call(seen.facts, seen.ground, seen.source, drawn, settings.sampling(seed), name)
    return Prepared(seen=seen, call=call)


async def caption_scene(
    row: Mapping[str, Any],
    completer: Completer,
    settings: CaptionerSettings,
    sar_rendering: str,
    seed: int,
    *,
    pictures: bool,
) -> Outcome:
    """Return what becomes of a scene; a writer that fails on it refuses it, and no other."""
    prepared = await asyncio.to_thread(
        prepare, row, settings, sar_rendering, seed, pictures=pictures
    )
    if isinstance(prepared, str):
        return Outcome(left_out=prepared)
    outcome = Outcome(prepared=prepared)
    try:
        await _write(prepared, completer, settings, outcome)
    except CallFailed as failure:
        if failure.because is not FailedBecause.REFUSED:  # another time it may be answered
            outcome.tallies[UNANSWERED] += 1
        outcome.rejected = _rejected(prepared, Reason.CALL_FAILED, str(failure))
    return outcome


async def _write(
    prepared: Prepared, completer: Completer, settings: CaptionerSettings, outcome: Outcome
) -> None:
    turned = await _turn(prepared, prepared.call, completer, settings.first_on_false, outcome)
    if isinstance(turned.made, tuple) and settings.repairs:
        outcome.tallies["repair turns"] += 1
        outcome.tallies.update(
            f"first reply: {reason}" for reason in {f.reason for f in turned.made}
        )
        again = repair_call(prepared.call, turned.reply.text, turned.made)
        first, turned = turned, await _turn(prepared, again, completer, settings.on_false, outcome)
        if isinstance(turned.made, tuple) and settings.on_false == "cut":
            # what the repair spoilt may have been whole but for a sentence
            cut = await asyncio.to_thread(_read, prepared, first.reply, "cut")
            turned = turned if isinstance(cut, tuple) else replace(first, made=cut)
    if isinstance(turned.made, tuple):
        outcome.rejected = _refused(prepared, turned.made)
        return
    title = ""
    if settings.asks_fields:
        short = await _short(prepared, turned, completer, outcome)
        if isinstance(short, Fault):  # a caption that holds needs no title
            outcome.tallies[f"no title: {short.reason}"] += 1
        else:
            title = short.title
    outcome.row = await asyncio.to_thread(
        caption_row, prepared.seen.scene_id, prepared.seen.ground, turned.made, title, turned.call,
        completer.identity,
    )  # fmt: skip
    outcome.tallies["sentences cut"] += turned.made.cut
    outcome.tallies.update(f"steps {step.verdict}" for step in turned.made.steps)
    outcome.tallies.update(f"claims {claim.verdict}" for claim in turned.made.claims)


async def _turn(
    prepared: Prepared, call: Call, completer: Completer, on_false: OnFalse, outcome: Outcome
) -> Turned:
    reply = await _ask(call, completer, outcome)
    made = await asyncio.to_thread(_read, prepared, reply, on_false)
    turned = Turned(call=call, reply=reply, made=made)
    outcome.turns.append(turned)
    return turned


def _read(prepared: Prepared, reply: Reply, on_false: OnFalse) -> Caption | tuple[Fault, ...]:
    ground = prepared.seen.ground
    regions = [measured.region for measured in prepared.seen.facts.regions]
    parsed = parse_reply(reply.text, reply.finish_reason, regions, ground.view)
    return parsed if isinstance(parsed, tuple) else make_caption(parsed, ground, on_false)


async def _short(
    prepared: Prepared, turned: Turned, completer: Completer, outcome: Outcome
) -> ShortFields | Fault:
    call = short_call(turned.call, turned.reply.text, prepared.seen.facts)
    reply = await _ask(call, completer, outcome)
    fields = read_short(reply.text, prepared.seen.facts)
    if isinstance(fields, ShortFields):
        checked = check_sentence(fields.title, prepared.seen.ground)
        if checked.verdict is Verdict.FALSE:
            false = next(c for c in checked.claims if c.verdict is Verdict.FALSE)
            detail = f"false: {false.text!r} in the title {fields.title!r}: {false.detail}"
            return Fault(reason=Reason.FALSE_CLAIM, detail=detail)
    return fields


async def _ask(call: Call, completer: Completer, outcome: Outcome) -> Reply:
    reply = await completer.complete(call)
    outcome.tallies["replies"] += 1
    outcome.tallies["prompt tokens"] += reply.prompt_tokens
    outcome.tallies["completion tokens"] += reply.completion_tokens
    return reply


def _refused(prepared: Prepared, faults: tuple[Fault, ...]) -> Rejected:
    detail = "; ".join(fault.detail for fault in faults)
    return _rejected(prepared, faults[0].reason, detail)


def _rejected(prepared: Prepared, reason: Reason, detail: str) -> Rejected:
    return Rejected(
        sample_id=prepared.seen.scene_id,
        source=prepared.seen.source,
        stage=STAGE,
        reason=reason,
        detail=f"{prepared.seen.scene_id}: {detail}",
    )
