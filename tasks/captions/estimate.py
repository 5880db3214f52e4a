"""What captions of some scenes would cost: calls, tokens and hours, from a few of them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from time import perf_counter
from typing import Any

from PIL import Image

from tasks.captions.rule_writer import RuleWriter
from tasks.captions.scene import Outcome, caption_scene
from tasks.captions.settings import CaptionerSettings
from tasks.completer import Call
from templates.prompts import SHORT_FIELDS

CHARACTERS_A_TOKEN = 3.5  # of prompts and captions, by Mistral's Tekken: benchmarks/tokens.py
PIXELS_A_TOKEN = 28 * 28  # of a picture: the patch of Qwen-VL; InternVL's 448 px tile is 256 tokens
LONGER = 1.5  # a model's reply beside the rule-based one on the same facts
FIELDS_TOKENS = 40  # of the reply that holds the short fields


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenEstimate:
    """What captions, or composed questions, would come to; tokens are 0 where no model writes."""

    texts: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    hours: float


def estimate_captions(
    rows: Sequence[Mapping[str, Any]],
    scenes: int,
    settings: CaptionerSettings,
    sar_rendering: str,
    seed: int,
) -> WrittenEstimate:
    """Caption a few scene rows by rules, and say what `scenes` of them would come to.

    A model's hours follow from `settings.expected`; by rules they are measured here. A repair turn
    is not foreseen: its share is known only once the model has been tried (`terrascope preview`).
    """
    start = perf_counter()
    outcomes = asyncio.run(_tried(rows, settings, sar_rendering, seed))
    seconds = perf_counter() - start
    written = [outcome for outcome in outcomes if outcome.row is not None]
    factor = scenes / max(1, len(rows))
    captions = round(factor * len(written))
    if not settings.is_model:
        hours = factor * seconds / 3600
        return WrittenEstimate(
            texts=captions, calls=0, prompt_tokens=0, completion_tokens=0, hours=hours
        )
    prompt = sum(map(_prompt_tokens, written), 0)
    reply = round(sum(map(_reply_tokens, written), 0) * LONGER)
    calls = len(written)
    if settings.asks_fields:
        again = text_tokens(len(SHORT_FIELDS.text)) * len(written)
        prompt, calls = 2 * prompt + reply + again, 2 * calls
        reply += FIELDS_TOKENS * len(written)
    expected = settings.expected
    seconds = prompt / expected.prompt_tokens_s + reply / expected.completion_tokens_s
    return WrittenEstimate(
        texts=captions,
        calls=round(factor * calls),
        prompt_tokens=round(factor * prompt),
        completion_tokens=round(factor * reply),
        hours=factor * seconds / 3600,
    )


async def _tried(
    rows: Sequence[Mapping[str, Any]], settings: CaptionerSettings, sar_rendering: str, seed: int
) -> list[Outcome]:
    by_rules = CaptionerSettings(on_false=settings.on_false)
    return [
        await caption_scene(
            row, RuleWriter(), by_rules, sar_rendering, seed, pictures=settings.sees_pictures
        )
        for row in rows
    ]


def text_tokens(num_characters: float) -> int:
    """Return about how many tokens a text of so many characters has."""
    return round(num_characters / CHARACTERS_A_TOKEN)


def prompt_tokens(call: Call) -> int:
    """Return about how many tokens a call's prompt has, pictures and all."""
    words = text_tokens(sum(len(turn.text) for turn in call.turns))
    return words + sum(_picture_tokens(image) for turn in call.turns for image in turn.images)


def _prompt_tokens(outcome: Outcome) -> int:
    assert outcome.prepared is not None, "a row comes of a prepared scene"
    return prompt_tokens(outcome.prepared.call)


def _picture_tokens(encoded: bytes) -> int:
    with Image.open(BytesIO(encoded)) as image:
        return image.width * image.height // PIXELS_A_TOKEN


def _reply_tokens(outcome: Outcome) -> int:
    return text_tokens(len(outcome.turns[-1].reply.text))
