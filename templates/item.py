"""From drafts to finished questions: form, options, letter, trace and identity."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from schemas.program import dump_program
from schemas.trace import Trace, build_trace, value_text
from schemas.value import Value
from templates.asked import AskedScene
from templates.draft import Draft, QuestionTemplate
from templates.options import fixed_options, has_safe_margin, pick_options
from templates.view import View, image_keys

LETTERS = "ABCDEFGH"
CHOICE_SHARE = 0.75  # of the questions for which options can be had


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A draft with its template, and what of its scene is needed to finish it."""

    scene_id: str
    north_up: bool
    template: QuestionTemplate
    draft: Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One finished question.

    `options` is () for an open question, else the option texts in letter order. `text` is the
    worded value; inside `<answer>` the letter stands before it where there is one. `group` and
    `answer_key` are what selection balances, "" where options were picked blind.
    """

    sample_id: str
    asking: Asking
    program_json: str
    options: tuple[str, ...]
    letter: str
    text: str
    trace: Trace
    group: str
    answer_key: str


def propose(scene: AskedScene, templates: Sequence[QuestionTemplate], seed: int) -> list[Asking]:
    """Return all questions that can safely be asked of a scene; each kind draws by its own seed."""
    askings: list[Asking] = []
    if not scene.can_be_seen:
        scene.leave_out("any", "no_image_at_a_labelled_date")
        return askings
    for template in templates:
        if scene.num_dates < template.min_dates:
            continue
        rng = Random(f"{seed}:{scene.scene_id}:{template.task}:{template.version}")
        for draft in template.propose(template, scene, rng):
            if has_safe_margin(draft.value):
                askings.append(
                    Asking(
                        scene_id=scene.scene_id,
                        north_up=scene.north_up,
                        template=template,
                        draft=draft,
                    )
                )
            else:
                scene.leave_out(template.task, "wide_margin")
    return askings


def finish(askings: Sequence[Asking], seed: int) -> Iterator[Item]:
    """Give each question its form; options come from other scenes of the same granule."""
    pools: Mapping[str, list[tuple[str, Value]]] = defaultdict(list)
    for asking in askings:
        if asking.draft.pool:
            pools[_pool(asking)].append((asking.scene_id, asking.draft.value))
    for asking in askings:
        yield _finish(asking, pools[_pool(asking)] if asking.draft.pool else [], seed)


def _pool(asking: Asking) -> str:
    return f"{asking.template.task}|{asking.draft.pool}"


def _finish(asking: Asking, pool: Sequence[tuple[str, Value]], seed: int) -> Item:
    draft, task = asking.draft, asking.template.task
    program_json = dump_program(draft.program)
    sample_id = sample_id_of(
        asking.scene_id, asking.template, program_json, draft.question, draft.view, seed
    )
    rng = Random(sample_id)
    text = value_text(draft.value, asking.north_up)
    options = form_options(
        draft.value,
        draft.words.choices,
        [value for scene_id, value in pool if scene_id != asking.scene_id],
        asking.north_up,
        rng,
        draft.num_options,
        _choice_share(asking),
    )
    letter = LETTERS[options.index(text)] if options else ""
    # thinning out frequent answers would tell which of picked options is true: the rarer one
    balance = draft.balance if draft.words.choices or not options else ""
    lines = [step.line for step in draft.words.steps]
    return Item(
        sample_id=sample_id,
        asking=asking,
        program_json=program_json,
        options=options,
        letter=letter,
        text=text,
        trace=build_trace(lines, f"{letter}. {text}" if letter else text),
        group=f"{task}|{balance}" if balance else "",
        answer_key=answer_key(text, draft.words.choices) if balance else "",
    )


def _choice_share(asking: Asking) -> float:
    """Return how many of such questions get options; where some are due, picked ones come later."""
    if not asking.template.options_due:
        return CHOICE_SHARE
    return 1.0 if asking.draft.words.choices else 0.0


def form_options(
    value: Value,
    choices: Sequence[str],
    others: Sequence[Value],
    north_up: bool,
    rng: Random,
    num_options: int,
    choice_share: float = CHOICE_SHARE,
) -> tuple[str, ...]:
    """Draw whether a question has options, and which; () where it is open, or none can be had."""
    if rng.random() >= choice_share:
        return ()
    if choices:
        return fixed_options(choices, rng)
    return pick_options(value, others, north_up, rng, num_options) or ()


def answer_key(text: str, choices: Sequence[str]) -> str:
    """Return what balancing counts: an answer, or the place of a name among its question's own."""
    named = choices and set(choices) != {"Yes", "No"}
    return f"choice {sorted(choices).index(text) + 1}" if named else text


def sample_id_of(
    scene_id: str,
    template: QuestionTemplate,
    program_json: str,
    question: str,
    view: View,
    seed: int,
) -> str:
    """Return the id of a sample: a hash, in hex, of all that tells it from every other."""
    key = "\n".join(
        [
            scene_id,
            template.task,
            str(template.version),
            program_json,
            question,
            image_keys(view.images),
            str(seed),
        ]
    )
    return hashlib.sha256(key.encode()).hexdigest()[:24]
