"""A question that a model composed, run, checked and put together; or what is wrong with it.

The program is run: its value is the answer, and the writer's own must agree. Question and program
must speak of the same, every mark must stand for its mask, and no sentence of the steps may be
false. `verify` calls the same function on what a row holds, measured by the plain reference.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from masks.regions import leaves
from schemas.program import ClassMask, Count, Instances, Valid, dump_program
from schemas.rejection import Reason
from schemas.tier import Tier
from schemas.trace import value_text
from schemas.value import Name, Quantity, Truth, Undefined, Value
from schemas.verdict import Verdict
from templates.agreement import choices_of, question_faults
from templates.answers import agrees
from templates.caption import PlacedClaim, measured_spans
from templates.claims import Checked, check_text
from templates.counting import MIN_COMPONENT_PX
from templates.draft import MeasuredPremise
from templates.ground import Ground
from templates.judging import applies, bound_rules, deciding, premises_of, verdict_of
from templates.marks import step_faults
from templates.named import labels_of, nodes
from templates.options import has_safe_margin
from templates.proposal import Proposal
from templates.replies import Fault
from templates.rule import YES_NO, BoundRule, Rule
from templates.rulebook import RULES
from templates.sentences import split_sentences

VERSION = 2  # raised by hand whenever a reply comes out otherwise
_NAMED_NUMBERS = re.compile(r"[Ii]mages? \d+")
_CONCLUDED = re.compile(
    r"\b(?:is|so|answer|hence|thus|therefore)[:,]? \"?(yes|no)\b(?! \w)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedStep:
    """One step: its text, the mask expression that it marks, the image, and its verdict."""

    text: str
    mask: Any | None
    image: int
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A question with its proved answer.

    `choices` is the closed set of its answers, () where there is none; `pool` names the kind of
    question whose other answers may be its options, `balance` the group that its answers are
    evened out in. `claims` stand by their places in the steps, joined by single spaces.
    """

    tier: Tier
    task: str
    question: str
    classes: tuple[str, ...]
    program: Any
    value: Value
    rule: str
    premises: tuple[MeasuredPremise, ...]
    steps: tuple[ComposedStep, ...]
    claims: tuple[PlacedClaim, ...]
    fact_spans: tuple[tuple[int, int], ...]
    choices: tuple[str, ...]
    num_options: int
    pool: str
    balance: str


def compose(proposal: Proposal, ground: Ground) -> Composed | tuple[Fault, ...]:
    """Return a proposed question with its proved answer, or every fault of the first gate."""
    bound: BoundRule | None = None
    if proposal.category == "semantic":
        found = rule_on(proposal.rule, ground)
        if isinstance(found, Fault):
            return (found,)
        bound = found
    program = proposal.program if bound is None else bound.program
    value = _run(program, ground)
    if isinstance(value, Fault):
        return (value,)
    rule = bound.rule if bound else None
    faults = (
        *question_faults(proposal.question, program, value, ground, ground.view, rule),
        *_answer_faults(proposal, value, ground),
        *(_premise_faults(proposal, premises_of(bound, ground)) if bound else ()),
    )
    measured = [program]
    if bound is not None:
        decide = deciding(bound, verdict_of(bound.rule, value), ground)
        measured = [bound.programs[condition.premise] for condition in decide]
    faults = faults or tuple(step_faults(proposal, measured, ground))
    if faults:
        return faults
    return _judged(proposal, program, value, bound, ground)


def rule_on(name: str, ground: Ground) -> BoundRule | Fault:
    """Return a rule, given by id or by id and version, on the last date that it can be put to."""
    rule = next((rule for rule in RULES if name in (rule.id, rule.name)), None)
    if rule is None:
        known = ", ".join(rule.id for rule in RULES)
        return Fault(
            reason=Reason.BAD_RULE, detail=f"no rule is called {name!r}; there are {known}"
        )
    bound = bound_rules(rule, ground, ground.view)
    if not bound or not applies(bound[-1], ground):
        return Fault(
            reason=Reason.BAD_RULE, detail=f"the rule {rule.id} does not apply to the scene"
        )
    return bound[-1]


def _run(program: Any, ground: Ground) -> Value | Fault:
    """Return the value of a program on what is shown, or why there is none."""
    found = leaves(program)
    if not any(not isinstance(leaf, Valid) for leaf in found):
        return Fault(reason=Reason.BAD_PROGRAM, detail="the program measures no class")
    shown = set(ground.view.date_indices)
    hidden = sorted({leaf.date for leaf in found} - shown)
    if hidden:
        detail = f"the program looks at date {hidden[0]}, which no image shows"
        return Fault(reason=Reason.BAD_PROGRAM, detail=detail)
    for leaf in found:
        if isinstance(leaf, ClassMask | Instances) and leaf.label not in ground.words.get(
            leaf.layer, {}
        ):
            detail = f"there is no {leaf.label!r} in a layer {leaf.layer!r}"
            return Fault(reason=Reason.BAD_PROGRAM, detail=detail)
    for detail in _language_faults(program, ground):
        return Fault(reason=Reason.BAD_PROGRAM, detail=detail)
    try:
        value = ground.value(program)
    except Undefined as outcome:
        detail = f"the program has no safe value here: {outcome}"
        return Fault(reason=Reason.UNDEFINED_ANSWER, detail=detail)
    if not has_safe_margin(value):
        return Fault(
            reason=Reason.UNDEFINED_ANSWER, detail="the value's margin is too wide: wide_margin"
        )
    if isinstance(value, Quantity) and value.unit == "":
        return Fault(reason=Reason.BAD_PROGRAM, detail="the value is a number without a unit")
    if isinstance(value, Quantity) and value.value < 0:
        detail = "the program comes to a number below zero: take the smaller from the larger"
        return Fault(reason=Reason.BAD_PROGRAM, detail=detail)
    return value


def _language_faults(program: Any, ground: Ground) -> Iterator[str]:
    """Yield what the language allows, and what no question can mean."""
    for leaf in leaves(program):
        if isinstance(leaf, Instances) and not _has_objects(leaf, ground):
            yield f"there are no single objects {leaf.label!r} at date {leaf.date}: take its mask"
    for node in nodes(program):
        if not isinstance(node, Count):
            continue
        if node.min_component_px != MIN_COMPONENT_PX:
            yield f"leave out min_component_px: areas of {MIN_COMPONENT_PX} pixels and more count"
        for leaf in leaves(node):
            if isinstance(leaf, ClassMask) and ground.words[leaf.layer][leaf.label].countable:
                yield f"count the objects of {leaf.label!r} by instances: areas may hold several"


def _has_objects(leaf: Instances, ground: Ground) -> bool:
    return ground.num_objects(leaf.model_copy(update={"attribute": None})) > 0


def _answer_faults(proposal: Proposal, value: Value, ground: Ground) -> Iterator[Fault]:
    if not agrees(proposal.answer, value, ground.north_up):
        due = value_text(value, ground.north_up)
        detail = f"the answer {proposal.answer!r} is not what the program comes to, {due!r}"
        yield Fault(reason=Reason.WRONG_ANSWER, detail=detail)


def _premise_faults(proposal: Proposal, premises: Sequence[MeasuredPremise]) -> Iterator[Fault]:
    due = {premise.name: premise.text for premise in premises}
    for name in sorted(due.keys() - proposal.premises.keys()):
        yield Fault(reason=Reason.BAD_PREMISE, detail=f"the premise {name} is not given")
    for name in sorted(proposal.premises.keys() - due.keys()):
        yield Fault(reason=Reason.BAD_PREMISE, detail=f"the rule has no premise {name} here")
    for name, text in sorted(proposal.premises.items()):
        if name in due and text.replace(" ", "") != due[name].replace(" ", ""):
            detail = f"the premise {name} is {due[name]!r}, not {text!r}"
            yield Fault(reason=Reason.BAD_PREMISE, detail=detail)


def _judged(
    proposal: Proposal, program: Any, value: Value, bound: BoundRule | None, ground: Ground
) -> Composed | tuple[Fault, ...]:
    """Check every sentence of the steps, and put the question together."""
    by_step = [split_sentences(step.text) for step in proposal.steps]
    checked = check_text([s for sentences in by_step for s in sentences], ground)
    faults: list[Fault] = []
    steps: list[ComposedStep] = []
    claims: list[PlacedClaim] = []
    constants = _constants(program, bound)
    at, of_sentence, image = 0, iter(checked), 0
    for step, sentences in zip(proposal.steps, by_step, strict=True):
        verdict = Verdict.PROVED
        for sentence in sentences:
            found = next(of_sentence)
            faults += _sentence_faults(sentence, found, constants)
            verdict = max(verdict, found.verdict, key=_ORDER.index)
            claims += [
                PlacedClaim(
                    start=at + claim.start,
                    end=at + claim.end,
                    kind=claim.kind,
                    verdict=claim.verdict,
                    detail=claim.detail,
                )
                for claim in found.claims
            ]
            at += len(sentence) + 1
        if step.mask is not None:
            image = ground.view.image_of_date(max(leaf.date for leaf in leaves(step.mask)))
        steps.append(ComposedStep(text=step.text, mask=step.mask, image=image, verdict=verdict))
    rule = bound.rule if bound else None
    faults += _conclusion_faults(proposal, program, value, rule, ground)
    if faults:
        return tuple(faults)
    text = " ".join(step.text for step in proposal.steps)
    classes = dict.fromkeys(sorted(labels_of(program)))
    return Composed(
        tier=Tier.L2_SEMANTIC if rule else Tier.L2_SPATIAL,
        task=rule.id if rule else f"composed_{program.op}",
        question=proposal.question,
        classes=tuple(classes),
        program=program,
        value=value,
        rule=rule.name if rule else "",
        premises=premises_of(bound, ground) if bound else (),
        steps=tuple(steps),
        claims=tuple(claims),
        fact_spans=measured_spans(text, claims),
        choices=_choices(program, value, rule),
        num_options=min(4, len(rule.choices)) if rule else 4,
        pool=rule.id if rule else dump_program(program),
        balance=_balance(program, value, rule),
    )


def _conclusion_faults(
    proposal: Proposal, program: Any, value: Value, rule: Rule | None, ground: Ground
) -> Iterator[Fault]:
    """Yield a last step that draws another conclusion than the answer."""
    last, answer = proposal.steps[-1].text, value_text(value, ground.north_up)
    said = {found.capitalize() for found in _CONCLUDED.findall(last)}
    if isinstance(value, Name):
        said = {c for c in choices_of(program, rule) if _stands_in(c, last)}
    if said and answer not in said:
        detail = f"the last step concludes {', '.join(sorted(said))}, and the answer is {answer!r}"
        yield Fault(reason=Reason.FALSE_CLAIM, detail=detail)


def _stands_in(words: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text, re.IGNORECASE) is not None


_ORDER = (Verdict.PROVED, Verdict.UNPROVED, Verdict.FALSE)  # the worst sentence says what a step is


def _sentence_faults(sentence: str, checked: Checked, constants: set[str]) -> Iterator[Fault]:
    for claim in checked.claims:
        if claim.verdict is Verdict.FALSE:
            detail = f"false: {claim.text!r} in {sentence!r}: {claim.detail}"
            yield Fault(reason=Reason.FALSE_CLAIM, detail=detail)
    if checked.verdict is Verdict.UNPROVED:
        numbers = re.findall(r"\d[\d,]*(?:\.\d+)?", _NAMED_NUMBERS.sub("", sentence))
        strange = [n for n in numbers if n.replace(",", "") not in constants]
        if strange and not _all_proved(checked, sentence, strange):
            detail = f"the number {strange[0]} in {sentence!r} is not measured"
            yield Fault(reason=Reason.UNPROVED_NUMBER, detail=detail)


def _all_proved(checked: Checked, sentence: str, numbers: Sequence[str]) -> bool:
    """Return whether each number stands in a claim that is proved."""
    proved = [claim.text for claim in checked.claims if claim.verdict is Verdict.PROVED]
    return all(
        any(re.search(rf"(?<![\d.,]){re.escape(number)}(?![\d]|[.,]\d)", text) for text in proved)
        for number in numbers
    )


def _constants(program: Any, bound: BoundRule | None) -> set[str]:
    """Return the numbers that a program holds, as they may be written."""
    found: set[str] = set()
    for node in nodes(program):
        for name in ("distance_m", "value"):
            number = getattr(node, name, None)
            if isinstance(number, float | int):
                found |= {f"{number:g}", f"{100 * number:g}"}
    for level in bound.rule.levels if bound else ():
        found |= {f"{100 * c.bound:g}" for c in level.conditions}
    return found


def _choices(program: Any, value: Value, rule: Rule | None) -> tuple[str, ...]:
    if isinstance(value, Truth):
        return YES_NO
    if rule is not None or not isinstance(value, Name):
        return ()
    return choices_of(program, None)


def _balance(program: Any, value: Value, rule: Rule | None) -> str:
    if rule is not None:
        return rule.id
    if isinstance(value, Truth):
        return f"composed {program.op}"
    return " / ".join(sorted(choices_of(program, None)))
