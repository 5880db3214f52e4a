"""L2-semantic: questions that end in a judgement by a rule of the rule book."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from schemas.program import Compare
from schemas.tier import Tier
from schemas.trace import SEG, Fact, Line, quantity_text
from schemas.value import Name, Quantity, Truth, Undefined, Value
from templates.asked import AskedScene
from templates.damaged import damaged
from templates.draft import Draft, Foreign, MeasuredPremise, QuestionTemplate, StepDraft, Words
from templates.land_groups import land_layers
from templates.phrases import capital
from templates.rule import YES_NO, BoundRule, Condition, Premise, Rule, bind, compared
from templates.rulebook import RULES
from templates.told import Told
from templates.view import View

MOST_OPTIONS = 4


def bound_rules(rule: Rule, told: Told, view: View) -> list[BoundRule]:
    """Return a rule on each date, or pair of dates, of a scene to which it can be put."""
    layers = land_layers(told, view)
    found: list[BoundRule | None] = []
    match rule.about:
        case "land":
            found = [bind(rule, layer, (layer.date,)) for layer in layers if layer.is_sure]
        case "change":
            first, last = (layers[0], layers[-1]) if layers else (None, None)
            if first and last and first.date != last.date and first.info.layer == last.info.layer:
                if first.is_sure and last.is_sure:
                    found = [bind(rule, (first, last), (first.date, last.date))]
        case "damage":
            if (objects := damaged(told, view)) is not None:
                found = [bind(rule, objects, (objects.before.date, objects.destroyed.date))]
    return [bound for bound in found if bound is not None]


def propose(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield at most one question: the rule on a date, or pair of dates, drawn by seed."""
    rule = _rule(template.task)
    view = scene.view(rng)
    for bound in rng.sample(found := bound_rules(rule, scene, view), len(found)):
        if not applies(bound, scene):
            scene.leave_out(template.task, "does_not_apply")
            continue
        value = scene.tried(template.task, bound.program)
        if value is None:
            continue
        fixed = rule.is_yes_no
        yield template.draft(
            scene,
            rng,
            bound.program,
            value,
            view=view,
            pool="" if fixed else rule.id,
            num_options=min(MOST_OPTIONS, len(rule.choices)),
            balance=rule.id,
        )
        return


def applies(bound: BoundRule, told: Told) -> bool:
    """Return whether a rule may be asked of a scene: all that it asks for first holds."""
    if not bound.rule.applies:
        return True
    try:
        return told.value(bound.holds(bound.rule.applies)) == Truth(True)
    except Undefined:
        return False


def words(rule: Rule, program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark and measure what must hold first and what decides, say what follows, and the verdict."""
    bound = next((b for b in bound_rules(rule, told, view) if b.program == program), None)
    if bound is None:
        raise Foreign(f"{rule.name} is asked with the program that it is on the scene")
    if not applies(bound, told):
        raise Foreign(f"{rule.name} does not apply to the scene")
    steps = list(_steps(bound, verdict_of(rule, value), told, view))
    classes = dict.fromkeys(label for step in steps for label in _labels(step.mask))
    slots = _slots(bound, view)
    return Words(
        classes=tuple(classes),
        slots=slots,
        steps=tuple(steps),
        choices=YES_NO if rule.is_yes_no else (),
        rule=rule.name,
        premises=premises_of(bound, told),
    )


def premises_of(bound: BoundRule, told: Told) -> tuple[MeasuredPremise, ...]:
    """Return the premises of a rule on a scene, measured; not those that have no safe value.

    The verdict does not hang on these: the others decide it.
    """
    found: list[MeasuredPremise] = []
    for premise in bound.rule.premises:
        try:
            text = _text(premise, premise_value(bound, premise.name, told))
        except Undefined:
            continue
        program = bound.programs[premise.name]
        found.append(MeasuredPremise(name=premise.name, program=program, text=text))
    return tuple(found)


def questions_of(bound: BoundRule, view: View) -> set[str]:
    """Return all questions that a rule can be asked in."""
    return {capital(question.format(**_slots(bound, view))) for question in bound.rule.questions}


def _slots(bound: BoundRule, view: View) -> dict[str, str]:
    if len(bound.dates) > 1:
        return {"before": view.place(bound.dates[0]), "after": view.place(bound.dates[-1])}
    return {"place": view.place(bound.dates[0])}


def verdict_of(rule: Rule, value: Value) -> str:
    """Return the verdict that a value of the rule's program is; Foreign for any other value."""
    match value:
        case Truth() if rule.is_yes_no:
            return "Yes" if value.value else "No"
        case Name() if value.value in rule.choices:
            return value.value
    raise Foreign(f"{value} is no verdict of {rule.name}")


def premise_value(bound: BoundRule, name: str, told: Told) -> Quantity:
    """Return a premise's measured value."""
    value = told.value(bound.programs[name])
    assert isinstance(value, Quantity), "a premise is a number"
    return value


def deciding(bound: BoundRule, verdict: str, told: Told) -> tuple[Condition, ...]:
    """Return the conditions from which a verdict follows: all of its level, or those that fail."""
    level = next((v for v in bound.rule.levels if v.name == verdict), None)
    if level is not None:
        return level.conditions
    return tuple(c for c in bound.rule.levels[0].conditions if not _holds(bound, c, told))


def _holds(bound: BoundRule, condition: Condition, told: Told) -> bool:
    """Return whether a condition holds, or may: one that certainly fails does not."""
    test: Compare = compared(condition, bound.rule, bound.programs)
    try:
        return told.value(test) != Truth(False)
    except Undefined:
        return True


def _steps(bound: BoundRule, verdict: str, told: Told, view: View) -> Iterator[StepDraft]:
    rule = bound.rule
    level = next((v for v in rule.levels if v.name == verdict), None)
    conditions = (*rule.applies, *deciding(bound, verdict, told))
    marked: list[Any] = []
    for name in dict.fromkeys(condition.premise for condition in conditions):
        own = [c for c in conditions if c.premise == name]
        said = [c.met if level else c.unmet for c in own]
        follows = "".join(f" {text}" for text in said if text)
        line = (*_measured(bound, name, told), follows) if follows else _measured(bound, name, told)
        mask, premise, lead = bound.masks[name], rule.premise(name), view.lead(bound.dates[-1])
        bare = premise.marked.removeprefix("the ")
        if mask in marked:
            yield StepDraft(line=(f"{lead}{capital(str(line[0]))}", *line[1:]))
        elif told.px(mask) == 0:
            yield StepDraft(line=(f"{lead}I look for {bare} and find none.{follows}",))
        else:
            yield StepDraft(
                line=(f"{lead}I mark {premise.marked} {SEG}; ", *line),
                mask=mask,
                label=bare,
                date_index=bound.dates[-1],
            )
            marked.append(mask)
    if level is not None and level.because:
        yield StepDraft(line=(level.because,))
    conclusion = rule.verdict[0 if level is not None else -1]
    yield StepDraft(line=(conclusion.format(level=verdict),))


def _measured(bound: BoundRule, name: str, told: Told) -> Line:
    """Return what is said of a premise and its value."""
    premise = bound.rule.premise(name)
    before, after = premise.says.split("{v}")
    value = premise_value(bound, name, told)
    return (before, Fact(_text(premise, value)), f"{after}.")


def _text(premise: Premise, value: Quantity) -> str:
    return quantity_text(value.value, premise.unit)


def _labels(mask: Any) -> Sequence[str]:
    """Return the class names of a mask expression, in order."""
    if mask is None:
        return ()
    label = getattr(mask, "label", None)
    if label is not None:
        return (f"{getattr(mask, 'attribute', None) or label}",)
    children = (getattr(mask, name, None) for name in ("of", "to", "a", "b"))
    return tuple(label for child in children for label in _labels(child))


def _rule(task: str) -> Rule:
    return next(rule for rule in RULES if rule.id == task)


def template_of(rule: Rule) -> QuestionTemplate:
    """Return a rule as a kind of question."""

    def rule_words(program: Any, value: Value, told: Told, view: View) -> Words:
        return words(rule, program, value, told, view)

    return QuestionTemplate(
        task=rule.id,
        version=rule.version,
        tier=Tier.L2_SEMANTIC,
        wordings=tuple(capital(question) for question in rule.questions),
        propose=propose,
        words=rule_words,
        min_dates=1 if rule.about == "land" else 2,
    )


SEMANTIC_QUESTIONS = tuple(map(template_of, RULES))
