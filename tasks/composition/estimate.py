"""What L2 questions of some scenes would cost: how many, and a model's calls, tokens and hours."""

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

from tasks.asked_rows import asked_table
from tasks.captions.estimate import WrittenEstimate, prompt_tokens, text_tokens
from tasks.composition.call import compose_call
from tasks.composition.settings import ComposerSettings
from tasks.scene_table import asked_scene
from tasks.seen_scene import pictures_of, see
from templates.composition import compose
from templates.prompts import COMPOSE

# characters of a question as JSON with its program, measured on the test server's replies
QUESTION_CHARACTERS = 900
QUESTIONS_A_REPLY = 3


def estimate_questions(
    rows: Sequence[Mapping[str, Any]],
    scenes: int,
    settings: ComposerSettings,
    sar_rendering: str,
    seed: int,
) -> WrittenEstimate:
    """Compose questions for a few scene rows by rules, and say what `scenes` would come to.

    A model's hours follow from `settings.expected`; by rules they are measured here. Repair turns,
    a judge and a blind guesser are not foreseen: they ask once more for a question each.
    """
    factor = scenes / max(1, len(rows))
    asked = [asked_scene(row, sar_rendering) for row in rows]
    start = perf_counter()
    table, _ = asked_table(asked, lambda scene: compose(scene, seed), seed)
    seconds = perf_counter() - start
    if not settings.is_model:
        return WrittenEstimate(
            texts=round(factor * table.num_rows),
            calls=0,
            prompt_tokens=0,
            completion_tokens=0,
            hours=factor * seconds / 3600,
        )
    prompt = calls = 0
    for row in rows:
        seen = see(row, sar_rendering, f"{seed}:{row['scene_id']}:{COMPOSE.name}")
        if isinstance(seen, str):
            continue
        call = compose_call(seen, "", pictures_of(row, seen), settings.sampling(seed))
        prompt += prompt_tokens(call)
        calls += 1
    reply = calls * QUESTIONS_A_REPLY * text_tokens(QUESTION_CHARACTERS)
    expected = settings.expected
    seconds = prompt / expected.prompt_tokens_s + reply / expected.completion_tokens_s
    return WrittenEstimate(
        texts=round(factor * calls * QUESTIONS_A_REPLY),
        calls=round(factor * calls),
        prompt_tokens=round(factor * prompt),
        completion_tokens=round(factor * reply),
        hours=factor * seconds / 3600,
    )
