"""Area and coverage: how large a class is, in square metres or hectares, and as a share."""

from collections.abc import Iterator
from random import Random

from masks.measured import MeasuredLayer
from schemas.program import Area, ClassMask, Share, Valid
from schemas.taxonomy import LandClass
from schemas.trace import SEG, Fact, Line, pixels_text, quantity_text
from schemas.value import Quantity
from templates.asked import AskedScene, View, class_at
from templates.draft import Draft, QuestionTemplate, StepDraft
from templates.phrases import cover, do, it

PER_LAYER = 2
MIN_SHARE = 0.01  # smaller classes are hardly seen
MAX_SHARE = 0.95  # larger ones leave nothing to measure


def propose_area(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the area of classes; only where the pixel size is known."""
    size_m = scene.measured.evidence.pixel_size_m
    if size_m is None:
        return
    for layer, name in _measurable(scene, rng):
        mask = class_at(layer, name)
        program = Area(of=mask)
        value = scene.value(template.task, program)
        if not isinstance(value, Quantity):
            continue
        land, view = scene.land(layer, name), scene.view(rng)
        line = (
            *_covers(layer, land, view, name),
            " pixels. A pixel is ",
            Fact(f"{size_m[0]:.4g} m × {size_m[1]:.4g} m"),
            ", so the area is ",
            Fact(f"{value.value:,.0f} m²"),
            ", about ",
            Fact(quantity_text(value.value, value.unit)),
            ".",
        )
        yield _draft(template, scene, rng, layer, mask, program, value, line, view)


def propose_coverage(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the share of the picture, or of its labelled part, that a class covers."""
    for layer, name in _measurable(scene, rng):
        date = layer.info.date_index
        mask = class_at(layer, name)
        program = Share(of=mask, within=Valid(layer=layer.info.layer, date=date))
        value = scene.value(template.task, program)
        if not isinstance(value, Quantity):
            continue
        land, view = scene.land(layer, name), scene.view(rng)
        line = (
            *_covers(layer, land, view, name),
            " of ",
            Fact(pixels_text(layer.valid_px)),
            " labelled pixels, which is ",
            Fact(quantity_text(value.value, value.unit)),
            ".",
        )
        yield _draft(template, scene, rng, layer, mask, program, value, line, view)


def _measurable(scene: AskedScene, rng: Random) -> Iterator[tuple[MeasuredLayer, str]]:
    for layer in scene.plain_layers():
        names = [
            name
            for name in layer.info.classes
            if MIN_SHARE <= layer.class_px(name) / layer.valid_px <= MAX_SHARE
        ]
        for name in rng.sample(names, min(PER_LAYER, len(names))):
            yield layer, name


def _covers(layer: MeasuredLayer, land: LandClass, view: View, name: str) -> Line:
    return (
        f"{view.lead(layer.info.date_index)}I mark {land.phrase} {SEG}. "
        f"{it(land).capitalize()} {cover(land)} ",
        Fact(pixels_text(layer.class_px(name))),
    )


def _draft(
    template: QuestionTemplate,
    scene: AskedScene,
    rng: Random,
    layer: MeasuredLayer,
    mask: ClassMask,
    program: Area | Share,
    value: Quantity,
    line: Line,
    view: View,
) -> Draft:
    land = scene.land(layer, mask.label)
    return Draft(
        question=template.ask(
            rng,
            a=land.phrase,
            do=do(land),
            whole=scene.whole(layer, view),
        ),
        classes=(mask.label,),
        program=program,
        value=value,
        steps=(StepDraft(line=line, mask=mask, label=mask.label, date_index=mask.date),),
        view=view,
        pool=mask.label,
    )


AREA = QuestionTemplate(
    task="area",
    version=1,
    wordings=(
        "what is the area of {a} in {whole}?",
        "how large is the area of {a} in {whole}?",
        "how much ground {do} {a} cover in {whole}?",
        "what area of {whole} is taken up by {a}?",
    ),
    propose=propose_area,
)
COVERAGE = QuestionTemplate(
    task="coverage",
    version=1,
    wordings=(
        "what percentage of {whole} is covered by {a}?",
        "what share of {whole} {do} {a} cover?",
        "in percent, how much of {whole} is covered by {a}?",
        "what fraction of {whole}, as a percentage, {do} {a} take up?",
    ),
    propose=propose_coverage,
)
