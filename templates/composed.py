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
from schemas.program import ClassMask, Instances, Valid, dump_program
from schemas.rejection import Reason
from schemas.tier import Tier
from schemas.trace import SEG, value_text
from schemas.value import Name, Quantity, Truth, Undefined, Value
from schemas.verdict import Verdict
from templates.agreement import choices_of, question_faults
from templates.answers import agrees
from templates.caption import PlacedClaim, measured_spans
from templates.claim.classes import classes_of
from templates.claims import Checked, check_text
from templates.draft import MeasuredPremise
from templates.ground import Ground
from templates.judging import applies, bound_rules, deciding, premises_of, verdict_of
from templates.named import labels_of, mentions, named_classes, nodes
from templates.options import has_safe_margin
from templates.proposal import Proposal, ProposedStep
from templates.regions import MIN_SHARE
from templates.replies import Fault
from templates.rule import YES_NO, BoundRule, Rule
from templates.rulebook import RULES
from templates.sentences import split_sentences
from templates.told import valid_px

VERSION = 1  # raised by hand whenever a reply comes out otherwise
_NAMED_NUMBERS = re.compile(r"[Ii]mages? \d+")


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
    faults = faults or tuple(_step_faults(proposal, measured, ground))
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
    return value


def _answer_faults(proposal: Proposal, value: Value, ground: Ground) -> Iterator[Fault]:
    if not agrees(proposal.answer, value, ground.north_up):
        due = value_text(value, ground.north_up)
        detail = f"the answer {proposal.answer!r} is not what the program comes to, {due!r}"
        yield Fault(reason=Reason.WRONG_ANSWER, detail=detail)


def _premise_faults(proposal: Proposal, premises: Sequence[MeasuredPremise]) -> Iterator[Fault]:
    due = {premise.name: premise.text for premise in premises}
    for name in due.keys() - proposal.premises.keys():
        yield Fault(reason=Reason.BAD_PREMISE, detail=f"the premise {name} is not given")
    for name in proposal.premises.keys() - due.keys():
        yield Fault(reason=Reason.BAD_PREMISE, detail=f"the rule has no premise {name} here")
    for name, text in proposal.premises.items():
        if name in due and text.replace(" ", "") != due[name].replace(" ", ""):
            detail = f"the premise {name} is {due[name]!r}, not {text!r}"
            yield Fault(reason=Reason.BAD_PREMISE, detail=detail)


def _step_faults(proposal: Proposal, measured: Sequence[Any], ground: Ground) -> Iterator[Fault]:
    """Yield what is wrong with the marks; all that `measured` programs measure must be marked."""
    marked: set[str] = set()
    for step in proposal.steps:
        yield from _mark_faults(step, ground)
        if step.mask is not None:
            marked |= labels_of(step.mask)
    if not any(step.mask is not None for step in proposal.steps):
        yield _mark("no step marks anything")
    there = [leaf for program in measured for leaf in leaves(program) if _is_seen(leaf, ground)]
    due = {label for leaf in there for label in labels_of(leaf)}
    for label in sorted(due - marked):
        yield _mark(f"the program measures {label!r}, and no step marks it")


def _is_seen(leaf: Any, ground: Ground) -> bool:
    """Return whether a leaf is large enough to be seen; of objects, whether there are any."""
    if isinstance(leaf, Instances):
        return ground.num_objects(leaf) > 0
    return ground.px(leaf) > MIN_SHARE * valid_px(ground, leaf)


def _mark_faults(step: ProposedStep, ground: Ground) -> Iterator[Fault]:
    """Yield where a step's mark and its mask do not belong together."""
    if step.text.count(SEG) != (step.mask is not None):
        yield _mark(f"one {SEG} and one mask belong together: {step.text!r}")
        return
    if re.search(r"[<>\x00-\x1f\x7f]|\[(?!SEG\])", step.text):
        yield _mark(f"a step is plain words and at most one {SEG}: {step.text!r}")
        return
    if step.mask is None:
        return
    dates = {leaf.date for leaf in leaves(step.mask)}
    if not dates <= set(ground.view.date_indices):
        yield _mark(f"the mask of {step.text!r} is of a date that no image shows")
        return
    for leaf in leaves(step.mask):
        known = ground.words.get(leaf.layer, {})
        if not isinstance(leaf, Valid) and leaf.label not in known:
            yield _mark(f"the mask of {step.text!r} names {leaf.label!r}, which is not there")
            return
    try:
        px = ground.px(step.mask)
    except Undefined as outcome:
        yield _mark(f"the mask of {step.text!r} cannot be made: {outcome}")
        return
    if px == 0:
        yield _mark(f"the mask of {step.text!r} is empty")
    named = named_classes(step.text.split(SEG)[0], classes_of(ground.words))
    for label in sorted(labels_of(step.mask) - named):
        yield _mark(f"the mask of {step.text!r} is of {label!r}, which its words do not name")
    lead = ground.view.lead(max(dates))
    if not step.text.startswith(lead):
        yield _mark(f"the step {step.text!r} must begin with {lead.strip()!r}")


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
    if faults:
        return tuple(faults)
    rule = bound.rule if bound else None
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
    return all(any(number in text for text in proved) for number in numbers)


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


def _mark(detail: str) -> Fault:
    return Fault(reason=Reason.BAD_MARK, detail=detail)
