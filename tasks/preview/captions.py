"""A page of a few scenes before money is spent: prompt, picture, reply, and what came of it."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.verdict import Verdict
from tasks.captions.rule_writer import RuleWriter
from tasks.captions.scene import Outcome, Turned, caption_scene
from tasks.config import BuildConfig
from tasks.preview.page import PAGES, data_uri, first_scenes
from tasks.scene_table import scenes_to_table
from tasks.shown import write_page
from tasks.writers.opened import Served, opened, serving
from templates.caption import judge
from templates.claims import Checked
from templates.replies import Fault, parse_reply


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceView:
    """One sentence of a reply, and what the masks say of it."""

    part: str  # "think" or "caption"
    text: str
    checked: Checked

    @property
    def proved(self) -> list[str]:
        """What of it is proved, a line each, and no line twice."""
        lines = (
            f"{claim.kind} “{claim.text}”; {claim.detail}"
            for claim in self.checked.claims
            if claim.verdict is Verdict.PROVED
        )
        return list(dict.fromkeys(lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyView:
    """One turn: what was asked, what came back, how it was read, what was wrong with it."""

    asked: str
    prompt: str
    raw: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    stored: bool
    sentences: tuple[SentenceView, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneView:
    """One scene: the pictures that were sent, every turn, and what became of it."""

    scene_id: str
    source: str
    pictures: tuple[str, ...]  # data URIs
    replies: tuple[ReplyView, ...]
    title: str
    fate: str
    kept: bool


def preview(config: BuildConfig, number: int, page: Path) -> list[SceneView]:
    """Caption a few scenes, taken from all sources in turn, and write the page.

    No dataset is made; finished calls are kept where the build looks for them.

    Raises:
        UserError: the captioner cannot be had.
        OSError: the page cannot be written.
    """
    scenes, refused = first_scenes(config, number)
    rows = scenes_to_table(scenes).to_pylist()
    with serving(config.captioner, config.out / ".work" / "preview") as served:
        outcomes = asyncio.run(_captioned(config, rows, served))
    views = [_scene_view(row, outcome) for row, outcome in zip(rows, outcomes, strict=True)]
    template = PAGES / "captions.html"
    write_page(page, template, scenes=views, refused=refused, writer=config.captioner.kind)
    return views


async def _captioned(
    config: BuildConfig, rows: Sequence[dict[str, Any]], served: Served | None
) -> list[Outcome]:
    store = config.out / ".work" / "calls.sqlite"
    async with opened(config.captioner, store, served, RuleWriter()) as completer:
        return await asyncio.gather(
            *(
                caption_scene(
                    row,
                    completer,
                    config.captioner,
                    config.sar_rendering,
                    config.seed,
                    pictures=True,
                )
                for row in rows
            )
        )


def _scene_view(row: dict[str, Any], outcome: Outcome) -> SceneView:
    pictures: tuple[str, ...] = ()
    if outcome.prepared is not None:
        pictures = tuple(data_uri(p) for p in outcome.prepared.call.turns[-1].images)
    return SceneView(
        scene_id=row["scene_id"],
        source=row["source"],
        pictures=pictures,
        replies=tuple(_reply_view(outcome, turned) for turned in outcome.turns),
        title=outcome.row["title"] if outcome.row else "",
        fate=_fate(outcome),
        kept=outcome.row is not None,
    )


def _reply_view(outcome: Outcome, turned: Turned) -> ReplyView:
    return ReplyView(
        asked="\n\n".join(f"{turn.role}: {turn.text}" for turn in turned.call.turns),
        prompt=turned.call.prompt,
        raw=turned.reply.text,
        finish_reason=turned.reply.finish_reason,
        prompt_tokens=turned.reply.prompt_tokens,
        completion_tokens=turned.reply.completion_tokens,
        stored=turned.reply.stored,
        sentences=tuple(_sentences(outcome, turned)),
        faults=turned.made if isinstance(turned.made, tuple) else (),
    )


def _sentences(outcome: Outcome, turned: Turned) -> Iterator[SentenceView]:
    """Yield the sentences of a reply of the right form, also of one that is refused."""
    prepared = outcome.prepared
    assert prepared is not None, "a reply is that of a prepared scene"
    regions = [measured.region for measured in prepared.seen.facts.regions]
    parsed = parse_reply(
        turned.reply.text, turned.reply.finish_reason, regions, prepared.seen.ground.view
    )
    if isinstance(parsed, tuple):
        return
    judged = judge(
        [thought.text for thought in parsed.thoughts], parsed.caption, prepared.seen.ground
    )
    for thought, checked in zip(parsed.thoughts, judged.thoughts, strict=True):
        yield SentenceView(part="think", text=thought.text, checked=checked)
    for sentence, checked in zip(parsed.caption, judged.caption, strict=True):
        yield SentenceView(part="caption", text=sentence, checked=checked)


def _fate(outcome: Outcome) -> str:
    if outcome.left_out:
        return f"left out: {outcome.left_out}"
    if outcome.rejected is not None:
        return f"refused: {outcome.rejected.reason.value}: {outcome.rejected.detail}"
    cut = outcome.tallies["sentences cut"]
    return f"kept, {cut} false sentences cut" if cut else "kept"
