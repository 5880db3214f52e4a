"""TerraScope-Bench: six kinds of questions, all with options, under the published thresholds.

What is asked and how it is proved is L1's; the thresholds are those of the paper's benchmark. They
are checked again where the words are made, so that a question that breaks one cannot be proved.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from random import Random
from typing import Any

from masks.measured import MeasuredLayer
from schemas.program import (
    Area,
    ArgMax,
    Border,
    ClassMask,
    Count,
    Distance,
    Div,
    Instances,
    NamedNumber,
    Share,
    Valid,
)
from schemas.tier import Tier
from schemas.trace import Fact
from schemas.value import Name, Quantity, Truth, Value
from templates.area import AREA, COVERAGE
from templates.asked import AskedScene, class_at, valid_at
from templates.boundary import BORDER
from templates.damaged import DESTROYED
from templates.distance import DISTANCE
from templates.draft import Draft, Foreign, QuestionTemplate, StepDraft, Words
from templates.options import NUM_OPTIONS
from templates.several import check_one_layer, listed, marked
from templates.states import STATE_COUNT, STATE_SHARE
from templates.told import Told, land, valid_px, whole
from templates.view import View

LEAST_COVERAGE_PERCENT = 5  # of the labelled pixels; coverage and ranking
LEAST_BOUNDARY_PERCENT = 3
MOST_AREAS = 5  # 8-connected, of whatever size, that a class at a boundary may fall into
LEAST_DIFFERENCE_PERCENT = 10  # of the larger of two ranked areas, to be exceeded
LEAST_BUILDINGS, LEAST_DESTROYED = 10, 3
MOST_A_LAYER = 4  # questions of a kind; options need the answers of many scenes
NUM_NAMES = 2  # options of a choice between two classes, or of a yes or no


def _covers(px: int, whole_px: int, percent: int) -> bool:
    return 100 * px >= percent * whole_px


def _named(layer: MeasuredLayer, percent: int) -> list[str]:
    """Return the classes that cover so much of a layer's labelled pixels."""
    return [
        name
        for name in layer.info.classes
        if layer.class_px(name) and _covers(layer.class_px(name), layer.valid_px, percent)
    ]


def _drawn(names: list[Any], rng: Random) -> list[Any]:
    return rng.sample(names, min(MOST_A_LAYER, len(names)))


def _check_covers(told: Told, mask: Any, percent: int) -> None:
    if not _covers(told.px(mask), valid_px(told, mask), percent):
        raise Foreign(f"{mask.label} covers under {percent} % of what is labelled")


def propose_coverage(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the share that a class covers, of 5 % and more."""
    for layer in scene.plain_layers:
        for name in _drawn(_named(layer, LEAST_COVERAGE_PERCENT), rng):
            program = Share(of=class_at(layer, name), within=valid_at(layer))
            value = scene.tried(template.task, program)
            if isinstance(value, Quantity):
                yield template.draft(scene, rng, program, value, pool=name)


def coverage_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Say what L1 says of a share."""
    words = COVERAGE.words(program, value, told, view)
    _check_covers(told, program.of, LEAST_COVERAGE_PERCENT)
    return words


def propose_area(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the area of a class that is there; only where the pixel size is known."""
    if scene.pixel_size_m is None:
        return
    for layer in scene.plain_layers:
        for name in _drawn(_named(layer, 0), rng):
            program = Area(of=class_at(layer, name))
            value = scene.tried(template.task, program)
            if isinstance(value, Quantity):
                yield template.draft(scene, rng, program, value, pool=name)


def area_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Say what L1 says of an area."""
    words = AREA.words(program, value, told, view)
    if not told.px(program.of):
        raise Foreign(f"{program.of.label} has no area")
    return words


def propose_ranking(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on which of two classes is larger; both are large, and clearly unlike."""
    for pairs in scene.pairs:
        layer = pairs.layer
        names = [
            name
            for name in _named(layer, LEAST_COVERAGE_PERCENT)
            if not scene.land(layer, name).countable
        ]
        for pair in _drawn(list(combinations(names, 2)), rng):
            if not _differ(*map(layer.class_px, pair)):
                scene.leave_out(template.task, "areas_alike")
                continue
            named = tuple(
                NamedNumber(
                    name=scene.land(layer, name).phrase,
                    value=Share(of=class_at(layer, name), within=valid_at(layer)),
                )
                for name in rng.sample(pair, 2)
            )
            program = ArgMax(of=named)
            value = scene.tried(template.task, program)
            if isinstance(value, Name):
                yield template.draft(scene, rng, program, value, balance=" / ".join(sorted(pair)))


def ranking_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark and count both classes, and say which is larger."""
    match program, value:
        case (
            ArgMax(
                of=(
                    NamedNumber(value=Share(of=ClassMask() as a, within=Valid() as whole_a)),
                    NamedNumber(value=Share(of=ClassMask() as b, within=Valid() as whole_b)),
                )
            ),
            Name(),
        ) if whole_a == whole_b == Valid(layer=a.layer, date=a.date):
            pass
        case _:
            raise Foreign("comparative_ranking asks for the larger of two classes' shares")
    check_one_layer((a, b))
    phrases = (land(told, a).phrase, land(told, b).phrase)
    if phrases != tuple(named.name for named in program.of):
        raise Foreign(f"comparative_ranking names the classes {phrases}")
    for mask in (a, b):
        _check_covers(told, mask, LEAST_COVERAGE_PERCENT)
    if not _differ(told.px(a), told.px(b)):
        raise Foreign("the two areas differ by no more than a tenth of the larger")
    larger = StepDraft(line=("The larger area is that of ", Fact(value.value), "."))
    return Words(
        classes=(a.label, b.label),
        slots={"named": listed(phrases, "or"), "place": whole(told, a, view)},
        steps=(marked(a, told, view), marked(b, told, view), larger),
        choices=phrases,
    )


def _differ(a_px: int, b_px: int) -> bool:
    return 100 * abs(a_px - b_px) > LEAST_DIFFERENCE_PERCENT * max(a_px, b_px)


def propose_boundary(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on whether two classes border one another, as many that do as do not."""
    for pairs in scene.pairs:
        whole_names = [
            name
            for name in _named(pairs.layer, LEAST_BOUNDARY_PERCENT)
            if scene.num_areas(class_at(pairs.layer, name)) <= MOST_AREAS
        ]
        for names in (pairs.touching, pairs.apart):
            fitting = tuple(pair for pair in names if set(pair) <= set(whole_names))
            for pair in pairs.drawn(fitting, rng, MOST_A_LAYER // 2):
                program = Border(a=pair.a, b=pair.b)
                value = scene.tried(template.task, program)
                if isinstance(value, Truth):
                    yield template.draft(scene, rng, program, value, balance=pair.name)


def boundary_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Say what L1 says of a border."""
    words = BORDER.words(program, value, told, view)
    for mask in (program.a, program.b):
        _check_covers(told, mask, LEAST_BOUNDARY_PERCENT)
        if told.num_areas(mask) > MOST_AREAS:
            raise Foreign(f"{mask.label} falls into more than {MOST_AREAS} areas")
    return words


def propose_distance(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on two classes more than 10 pixels apart; only with a pixel size."""
    if scene.pixel_size_m is None:
        return
    for pairs in scene.pairs:
        for pair in pairs.drawn(pairs.apart, rng, MOST_A_LAYER):
            program = Distance(a=pair.a, b=pair.b)
            value = scene.tried(template.task, program)
            if isinstance(value, Quantity):
                yield template.draft(scene, rng, program, value, pool=pair.name)


def propose_damage(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on how many buildings, and what share of them, were destroyed."""
    for layer in scene.measured.layers:
        if layer.info.date_index == 0 or DESTROYED not in scene.states(layer):
            continue
        destroyed = Instances(
            layer=layer.info.layer,
            label=layer.instances[0].label,
            date=layer.info.date_index,
            attribute=DESTROYED,
        )
        before = _before(destroyed)
        total = scene.num_objects(before)
        if total != scene.num_objects(destroyed.model_copy(update={"attribute": None})):
            scene.leave_out(template.task, "objects_differ_by_date")
        elif not _enough(total, scene.num_objects(destroyed)):
            scene.leave_out(template.task, "few_buildings")
        else:
            for program in (Count(of=destroyed), Div(a=Count(of=destroyed), b=Count(of=before))):
                value = scene.tried(template.task, program)
                if isinstance(value, Quantity):
                    yield template.draft(scene, rng, program, value, pool=value.unit)


def damage_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark all buildings before and the destroyed ones after, count both, and divide if asked."""
    match program:
        case Count(of=Instances(attribute="destroyed") as destroyed):
            words, asked = STATE_COUNT.words(program, value, told, view), "how many {all}"
        case Div(a=Count(of=Instances(attribute="destroyed") as destroyed)):
            words = STATE_SHARE.words(program, value, told, view)
            asked = "what percentage of the {all}"
        case _:
            raise Foreign("building_change_estimation asks of destroyed buildings")
    if not _enough(told.num_objects(_before(destroyed)), told.num_objects(destroyed)):
        raise Foreign(f"under {LEAST_BUILDINGS} buildings, or under {LEAST_DESTROYED} destroyed")
    asked = asked.format(all=words.slots["all"])
    return replace(words, slots={**words.slots, "asked": f"{asked} were destroyed"})


def _before(destroyed: Instances) -> Instances:
    return Instances(layer=destroyed.layer, label=destroyed.label, date=0)


def _enough(total: int, destroyed: int) -> bool:
    return total >= LEAST_BUILDINGS and destroyed >= LEAST_DESTROYED


COVERAGE_PERCENTAGE = QuestionTemplate(
    task="coverage_percentage",
    version=1,
    tier=Tier.BENCH,
    options_due=NUM_OPTIONS,
    wordings=COVERAGE.wordings,
    propose=propose_coverage,
    words=coverage_words,
)
ABSOLUTE_AREA = QuestionTemplate(
    task="absolute_area",
    version=1,
    tier=Tier.BENCH,
    options_due=NUM_OPTIONS,
    wordings=AREA.wordings,
    propose=propose_area,
    words=area_words,
)
COMPARATIVE_RANKING = QuestionTemplate(
    task="comparative_ranking",
    version=1,
    tier=Tier.BENCH,
    options_due=NUM_NAMES,
    wordings=(
        "which covers more of {place}: {named}?",
        "which takes up the larger area in {place}: {named}?",
        "in {place}, which is larger in area: {named}?",
        "comparing areas in {place}, which is larger: {named}?",
    ),
    propose=propose_ranking,
    words=ranking_words,
)
BOUNDARY_RELATIONSHIP = QuestionTemplate(
    task="boundary_relationship",
    version=1,
    tier=Tier.BENCH,
    options_due=NUM_NAMES,
    wordings=BORDER.wordings,
    propose=propose_boundary,
    words=boundary_words,
)
DISTANCE_MEASUREMENT = QuestionTemplate(
    task="distance_measurement",
    version=1,
    tier=Tier.BENCH,
    options_due=NUM_OPTIONS,
    wordings=DISTANCE.wordings,
    propose=propose_distance,
    words=DISTANCE.words,
)
BUILDING_CHANGE_ESTIMATION = QuestionTemplate(
    task="building_change_estimation",
    version=1,
    tier=Tier.BENCH,
    options_due=NUM_OPTIONS,
    wordings=(
        "{asked} between {before} and {after}?",
        "comparing {before} with {after}, {asked}?",
        "{asked} by the event between {before} and {after}?",
        "going by {before} and {after}, {asked}?",
    ),
    propose=propose_damage,
    words=damage_words,
    min_dates=2,
)

BENCH_QUESTIONS = (
    COVERAGE_PERCENTAGE,
    ABSOLUTE_AREA,
    COMPARATIVE_RANKING,
    BOUNDARY_RELATIONSHIP,
    DISTANCE_MEASUREMENT,
    BUILDING_CHANGE_ESTIMATION,
)
