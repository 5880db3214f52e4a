"""A page of the questions of a few scenes: as rules compose them, or a model, reply by reply."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.asked_rows import asked_table
from tasks.composition.row import finished, written
from tasks.composition.scene import Outcome, Turned, compose_scene
from tasks.config import BuildConfig
from tasks.preview.page import PAGES, data_uri, first_scenes
from tasks.readable import program_text
from tasks.scene_table import asked_scene, scenes_to_table
from tasks.seen_scene import pictures_of, see
from tasks.shown import write_page
from tasks.writers.opened import Served, opened, serving
from templates.composed import Composed
from templates.composition import compose
from templates.prompts import COMPOSE
from templates.replies import Fault

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedView:
    """One proposed question, and what is wrong with it; nothing where it holds."""

    question: str
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyView:
    """One turn of a model: what was asked, what came back, what came of its questions."""

    asked: str
    prompt: str
    raw: str
    tokens: str
    tried: tuple[TriedView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionView:
    """One question that holds: a row of candidates, its program in words."""

    row: dict[str, Any]
    program: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneView:
    """One scene: the pictures, every turn of a model, and the questions that hold."""

    scene_id: str
    source: str
    pictures: tuple[str, ...]  # data URIs
    replies: tuple[ReplyView, ...]
    questions: tuple[QuestionView, ...]
    fate: str


def preview(config: BuildConfig, number: int, page: Path) -> list[SceneView]:
    """Compose questions for a few scenes, taken from all sources in turn, and write the page.

    No dataset is made; finished calls are kept where the build looks for them. Captions are not
    made for it: a model composes from the measured table.

    Raises:
        UserError: the composer cannot be had.
        OSError: the page cannot be written.
    """
    scenes, refused = first_scenes(config, number)
    rows = scenes_to_table(scenes).to_pylist()
    if config.composer.is_model:
        with serving(config.composer, config.out / ".work" / "preview") as served:
            views = asyncio.run(_by_model(config, rows, served))
    else:
        views = _by_rules(config, rows)
    template = PAGES / "questions.html"
    write_page(page, template, scenes=views, refused=refused, writer=config.composer.kind)
    return views


def _by_rules(config: BuildConfig, rows: Rows) -> list[SceneView]:
    scenes = [asked_scene(row, config.sar_rendering) for row in rows]
    table, _ = asked_table(scenes, lambda scene: compose(scene, config.seed), config.seed)
    return [_scene_view(config, row, table.to_pylist(), ()) for row in rows]


async def _by_model(config: BuildConfig, rows: Rows, served: Served | None) -> list[SceneView]:
    store = config.out / ".work" / "calls.sqlite"
    async with opened(config.composer, store, served) as completer:
        outcomes: Sequence[Outcome] = await asyncio.gather(
            *(
                compose_scene(
                    row, "", completer, config.composer, config.sar_rendering, config.seed
                )
                for row in rows
            )
        )
        kept = [
            written(outcome.seen, composed, call, completer.identity)
            for outcome in outcomes
            if outcome.seen is not None
            for composed, call in outcome.kept
        ]
    made = finished(kept)
    return [
        _scene_view(config, row, made, outcome.turns, outcome.left_out)
        for row, outcome in zip(rows, outcomes, strict=True)
    ]


def _scene_view(
    config: BuildConfig, row: dict[str, Any], made: Rows, turns: Sequence[Turned], left: str = ""
) -> SceneView:
    name = f"{config.seed}:{row['scene_id']}:{COMPOSE.name}"
    seen = see(row, config.sar_rendering, name)
    own = [question for question in made if question["scene_id"] == row["scene_id"]]
    north_up = row["grid"]["north_up"]
    return SceneView(
        scene_id=row["scene_id"],
        source=row["source"],
        pictures=() if isinstance(seen, str) else tuple(map(data_uri, pictures_of(row, seen))),
        replies=tuple(map(_reply_view, turns)),
        questions=tuple(
            QuestionView(row=q, program=program_text(q["program"], north_up)) for q in own
        ),
        fate=f"left out: {left}" if left else f"{len(own)} questions hold",
    )


def _reply_view(turned: Turned) -> ReplyView:
    reply = turned.reply
    return ReplyView(
        asked="\n\n".join(f"{turn.role}: {turn.text}" for turn in turned.call.turns),
        prompt=turned.call.prompt,
        raw=reply.text,
        tokens=f"{reply.finish_reason} · {reply.prompt_tokens} + {reply.completion_tokens} tokens"
        + (" · from the store" if reply.stored else ""),
        tried=tuple(
            TriedView(
                question=tried.question,
                faults=() if isinstance(tried.made, Composed) else tried.made,
            )
            for tried in turned.tried
        ),
    )
