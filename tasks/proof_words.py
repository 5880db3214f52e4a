"""Whether the words of a templated sample are those that its template says of program and masks.

The question, every step, the classes, the marked facts and the id are made again, from what the
plain reference measures. Only which wording was drawn is taken from the row; a model's words for it
are checked again as they were when they were written.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import ndimage

from masks.reference import evaluate
from masks.reference_scene import ReferenceScene
from schemas.mask import LayerInfo
from schemas.program import Instances, dump_program
from schemas.scene import Modality
from schemas.taxonomy import LandClass
from schemas.tier import BENCH_SPLIT, Tier
from schemas.trace import Trace, build_trace
from schemas.value import Undefined, Value
from schemas.verdict import Verdict
from tasks.bench_making.rephrase_call import Reworded, read_reworded
from tasks.finding import Finding
from tasks.proof_masks import mask_of
from tasks.rows import Row
from tasks.scene_table import read_words
from templates.bench import BENCH_QUESTIONS
from templates.composition import L2_QUESTIONS
from templates.draft import Foreign, QuestionTemplate, StepDraft, Words
from templates.item import sample_id_of
from templates.prompts import REPHRASE
from templates.questions import L1_QUESTIONS
from templates.rewording import VERSION as REWORDING
from templates.rewording import all_names, misworded, names_of
from templates.rulebook import BY_NAME
from templates.view import ImageInfo, View

TEMPLATES = {
    template.task: template
    for template in (
        *L1_QUESTIONS,
        *(kind for kinds in L2_QUESTIONS.values() for kind in kinds),
        *BENCH_QUESTIONS,
    )
}


@dataclass(frozen=True)
class ReferenceTold:
    """A scene as told by the plain reference; a `templates.told.Told`."""

    scene: ReferenceScene
    words_json: str

    @cached_property
    def words(self) -> Mapping[str, Mapping[str, LandClass]]:
        """Layer -> class name -> its words."""
        return read_words(self.words_json)

    @property
    def layers(self) -> Sequence[LayerInfo]:
        """All label layers, each at one date."""
        return self.scene.evidence.layers

    @property
    def north_up(self) -> bool:
        """Whether compass words may be used."""
        return self.scene.evidence.north_up

    @property
    def size_HW(self) -> tuple[int, int]:
        """Height and width of all masks."""
        return self.scene.evidence.size_HW

    @property
    def pixel_size_m(self) -> tuple[float, float] | None:
        """Metres per pixel along x and y, None where unknown."""
        return self.scene.evidence.pixel_size_m

    def px(self, expr: Any) -> int:
        """Return the pixels of a mask expression."""
        return int(np.count_nonzero(mask_of(expr, self.scene)))

    def num_objects(self, objects: Instances) -> int:
        """Return the number of objects that a leaf names."""
        return len(self.scene.stored(objects))

    def num_areas(self, expr: Any) -> int:
        """Return the number of 8-connected areas of a mask expression, of whatever size."""
        _, number = ndimage.label(mask_of(expr, self.scene), structure=np.ones((3, 3)))
        return int(number)

    def value(self, program: Any) -> Value:
        """Return a program's value; Undefined where it has no safe one."""
        return evaluate(program, self.scene)


def check_words(row: Row, program: Any, value: Value, scene: ReferenceScene) -> Iterator[Finding]:
    """Yield every word of a templated row that does not follow from its program.

    `value` is what the reference makes of the row's program on `scene`, its decoded evidence.
    """
    template = TEMPLATES.get(row.provenance.template)
    if template is None or (row.task, row.tier) != (template.task, template.tier):
        found = f"template {row.provenance.template!r} for the task {row.task!r} of {row.tier!r}"
        yield Finding(rule="template", expected="a template of the row's task", found=found)
        return
    if row.tier == Tier.BENCH and row.split != BENCH_SPLIT:
        yield Finding(rule="split", expected=f"an item of {BENCH_SPLIT}", found=row.split)
    if template.options_due and len(row.options) != template.options_due:
        expected = f"{template.options_due} options"
        yield Finding(rule="options", expected=expected, found=f"{row.options}")
    if row.provenance.template_version != template.version:
        yield Finding(
            rule="template_version",
            expected=f"version {template.version}; an older dataset is verified by the program of "
            "the commit that its manifest names",
            found=f"{row.provenance.template_version}",
        )
        return
    told = ReferenceTold(scene, row.words)
    try:
        view = view_of(row)
        reworded = read_reworded(row.provenance.writer)
        words = template.words(program, value, told, view)
    except (Foreign, KeyError, ValueError, TypeError, Undefined) as error:
        yield Finding(rule="words", expected=f"what {template.task} can say", found=f"{error!r}")
        return
    asked = row.question if reworded is None else reworded.asked
    if reworded is not None:
        yield from _check_rewording(row, reworded, names_of(program, told.words), told)
    yield from _check_question(row, asked, template, words)
    yield from _check_premises(row, words)
    yield from _check_steps(row, words.steps, view)
    due_id = sample_id_of(
        row.scene_id, template, dump_program(program), asked, view, row.provenance.seed
    )
    if row.sample_id != due_id:
        yield Finding(rule="sample_id", expected=due_id, found=row.sample_id)


def view_of(row: Row) -> View:
    """Return the images that a row carries, as its words call them."""
    return View(
        images=tuple(
            ImageInfo(
                index=place,
                role=info.role,
                modality=Modality(info.modality),
                rendering=info.rendering,
                date_index=info.date_index,
                cloudy=info.cloudy,
            )
            for place, info in enumerate(row.image_info)
        )
    )


def _check_premises(row: Row, words: Words) -> Iterator[Finding]:
    """Compare the rule and its premises with what they are on the scene, measured again."""
    due = [(p.name, dump_program(p.program), p.text) for p in words.premises]
    found = [(p.name, p.program, p.value) for p in row.premises]
    if (row.rule, found) != (words.rule, due):
        expected = f"{words.rule!r} with {due}"
        yield Finding(rule="premises", expected=expected, found=f"{row.rule!r} with {found}")


def _check_rewording(
    row: Row, reworded: Reworded, names: Sequence[str], told: ReferenceTold
) -> Iterator[Finding]:
    """Yield what is wrong with a model's words for the question that the template asked."""
    if row.tier != Tier.BENCH:
        yield Finding(rule="wording", expected=f"a template's words in {row.tier}", found="a model")
        return
    if not reworded.is_of_today:
        yield Finding(
            rule="template_version",
            expected=f"{REPHRASE.name}, rewording {REWORDING}; an older dataset is verified by the "
            "program of the commit that its manifest names",
            found=f"{reworded.prompt}, rewording {reworded.rewording}",
        )
        return
    known = all_names(told.words)
    wrong = misworded(row.task, reworded.asked, row.question, names, known, row.options)
    if wrong is not None:
        expected = f"what asks the same as {reworded.asked!r}; {wrong.why.value}: {wrong.detail}"
        yield Finding(rule="wording", expected=expected, found=row.question)


def _check_question(
    row: Row, asked: str, template: QuestionTemplate, words: Words
) -> Iterator[Finding]:
    """Compare with the template what it asked, and what it says of classes and options."""
    phrasings = template.phrasings(words)
    if asked not in phrasings:
        expected = " | ".join(sorted(phrasings))
        yield Finding(rule="question", expected=expected, found=asked)
    if row.classes != words.classes:
        yield Finding(rule="classes", expected=f"{words.classes}", found=f"{row.classes}")
    if row.options and words.choices and set(row.options) != set(words.choices):
        yield Finding(rule="options", expected=f"{words.choices}", found=f"{row.options}")
    yield from check_verdicts(row)
    if row.claims or row.title:
        expected = "neither claims nor a title of a templated question"
        yield Finding(rule="claims", expected=expected, found=f"{row.claims} {row.title!r}")


def check_verdicts(row: Row) -> Iterator[Finding]:
    """Yield options that are no verdicts of the row's rule."""
    rule = BY_NAME.get(row.rule)
    if rule is not None and not set(row.options) <= set(rule.choices):
        yield Finding(rule="options", expected=f"of {rule.choices}", found=f"{row.options}")


def _check_steps(row: Row, steps: tuple[StepDraft, ...], view: View) -> Iterator[Finding]:
    said = f"{row.answer.letter}. {row.answer.text}" if row.answer.letter else row.answer.text
    trace = build_trace([step.line for step in steps], said)
    if len(row.steps) != len(steps):
        yield Finding(rule="steps", expected=f"{len(steps)} steps", found=f"{len(row.steps)}")
        return
    num_masks = 0
    for number, (step, text) in enumerate(zip(steps, trace.steps, strict=True)):
        found = row.steps[number]
        if found.text != text:
            yield Finding(rule="step_text", expected=text, found=found.text)
        if found.verdict is not Verdict.PROVED:
            yield Finding(rule="step_verdict", expected="proved", found=found.verdict.value)
        if step.mask is not None:
            yield from _check_mask(row, num_masks, step, view)
        due = (num_masks if step.mask is not None else -1, view.image_of_date(step.date_index))
        if (found.mask_index, found.image_index) != due:
            yield Finding(
                rule="step_place",
                expected=f"step {number} with mask {due[0]} on image {due[1]}",
                found=f"mask {found.mask_index} on image {found.image_index}",
            )
        num_masks += step.mask is not None
    yield from _check_spans(row, trace)


def _check_mask(row: Row, number: int, step: StepDraft, view: View) -> Iterator[Finding]:
    assert step.mask is not None
    if number >= len(row.masks):
        yield Finding(rule="masks", expected=f"a mask {number}", found=f"{len(row.masks)} masks")
        return
    mask = row.masks[number]
    due = (step.label, view.image_of_date(step.date_index), dump_program(step.mask))
    if (mask.label, mask.image_index, mask.program) != due:
        yield Finding(
            rule="mask_words",
            expected=f"mask {number}: {due}",
            found=f"{(mask.label, mask.image_index, mask.program)}",
        )


def _check_spans(row: Row, trace: Trace) -> Iterator[Finding]:
    found = tuple((span.start, span.end) for span in row.fact_spans)
    if found != trace.fact_spans:
        yield Finding(rule="fact_spans", expected=f"{trace.fact_spans}", found=f"{found}")
