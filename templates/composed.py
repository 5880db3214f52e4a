"""A question that a model composed, run, checked and put together; or what is wrong with it.

The program is run: its value is the answer, and the writer's own must agree. Question and program
must speak of the same, every mark must stand for its mask, and no sentence of the steps may be
false. `verify` calls the same function on what a row holds, measured by the plain reference.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from masks.regions import leaves
from schemas.program import dump_program
from schemas.rejection import Reason
from schemas.tier import Tier
from schemas.trace import SEG, value_text
from schemas.value import Name, Truth, Value
from schemas.verdict import Verdict
from templates.agreement import choices_of, question_faults
from templates.answers import agrees
from templates.caption import PlacedClaim, measured_spans
from templates.claims import Checked, check_text
from templates.draft import MeasuredPremise
from templates.ground import Ground
from templates.judging import applies, bound_rules, deciding, premises_of, verdict_of
from templates.marks import step_faults
from templates.named import labels_of
from templates.proposal import Proposal, ProposedStep
from templates.replies import Fault
from templates.rule import YES_NO, BoundRule, Rule
from templates.rulebook import RULES
from templates.run_program import run_program
from templates.sentences import split_sentences

VERSION = 1  # raised by hand whenever a reply comes out otherwise


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
    evened out in. `claims` stand by their places in the steps, joined by single spaces. `cut`
    counts the sentences that were left out.
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
    cut: int = 0


def compose(proposal: Proposal, ground: Ground) -> Composed | tuple[Fault, ...]:
    """Return a proposed question with its proved answer, or every fault of the first gate."""
    bound: BoundRule | None = None
    if proposal.category == "semantic":
        found = rule_on(proposal.rule, ground)
        if isinstance(found, Fault):
            return (found,)
        bound = found
    program = proposal.program if bound is None else bound.program
    value = run_program(program, ground, of_rule=bound is not None)
    if isinstance(value, Fault):
        return (value,)
    faults = (
        *question_faults(proposal.question, program, value, ground, ground.view, bound),
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
    """Check every sentence of the steps, and put the question together.

    A sentence that neither marks anything nor is proved is cut: it may say anything. The last step,
    the answer, is ours.
    """
    proposed, num_cut = proposal.steps, 0
    while True:
        read = [split_sentences(step.text) for step in proposed]
        checked = check_text([s for sentences in read for s in sentences], ground)
        said = list(zip((s for sentences in read for s in sentences), checked, strict=True))
        faults = [fault for sentence, found in said for fault in _false(sentence, found)]
        if faults:
            return tuple(faults)
        left = [s for s, found in said if SEG in s or found.verdict is Verdict.PROVED]
        if len(left) == len(said):
            break
        num_cut += len(said) - len(left)
        proposed = _without_others(proposed, read, said)
        # what "it" refers to may have changed: checked again
    verdicts = [_verdict(checked, read, number) for number in range(len(proposed))]
    claims = tuple(_placed(said))
    answer = conclusion(value_text(value, ground.north_up))
    steps = [
        ComposedStep(text=step.text, mask=step.mask, image=image, verdict=verdict)
        for step, image, verdict in zip(proposed, _images(proposed, ground), verdicts, strict=True)
    ]
    last = steps[-1].image
    steps.append(ComposedStep(text=answer, mask=None, image=last, verdict=Verdict.PROVED))
    rule = bound.rule if bound else None
    return Composed(
        tier=Tier.L2_SEMANTIC if rule else Tier.L2_SPATIAL,
        task=rule.id if rule else f"composed_{program.op}",
        question=proposal.question,
        classes=tuple(sorted(labels_of(program))),
        program=program,
        value=value,
        rule=rule.name if rule else "",
        premises=premises_of(bound, ground) if bound else (),
        steps=tuple(steps),
        claims=claims,
        fact_spans=measured_spans(" ".join(step.text for step in steps), claims),
        choices=_choices(program, value, rule),
        num_options=min(4, len(rule.choices)) if rule else 4,
        pool=rule.id if rule else dump_program(program),
        balance=_balance(program, value, rule),
        cut=num_cut,
    )


def conclusion(answer: str) -> str:
    """Return the last step of a composed question."""
    return f"So the answer is: {answer}."


def _verdict(checked: Sequence[Checked], read: Sequence[Sequence[str]], number: int) -> Verdict:
    """Return the worst verdict on a step's sentences."""
    first = sum(len(sentences) for sentences in read[:number])
    own = checked[first : first + len(read[number])]
    return max((c.verdict for c in own), key=_ORDER.index, default=Verdict.PROVED)


def _placed(said: Sequence[tuple[str, Checked]]) -> Iterator[PlacedClaim]:
    """Yield all claims by their places in the sentences, joined by single spaces."""
    at = 0
    for sentence, checked in said:
        for claim in checked.claims:
            yield PlacedClaim(
                start=at + claim.start,
                end=at + claim.end,
                kind=claim.kind,
                verdict=claim.verdict,
                detail=claim.detail,
            )
        at += len(sentence) + 1


def _images(steps: Sequence[ProposedStep], ground: Ground) -> Iterator[int]:
    """Yield the image that each step is about: its mask's, or that of the step before."""
    image = 0
    for step in steps:
        if step.mask is not None:
            image = ground.view.image_of_date(max(leaf.date for leaf in leaves(step.mask)))
        yield image


_ORDER = (Verdict.PROVED, Verdict.UNPROVED, Verdict.FALSE)


def _without_others(
    steps: Sequence[ProposedStep],
    read: Sequence[Sequence[str]],
    said: Sequence[tuple[str, Checked]],
) -> tuple[ProposedStep, ...]:
    """Return steps without the sentences that neither mark anything nor are proved."""
    verdicts = iter(found.verdict for _, found in said)
    left: list[ProposedStep] = []
    for step, sentences in zip(steps, read, strict=True):
        pairs = [(sentence, next(verdicts)) for sentence in sentences]
        kept = [s for s, verdict in pairs if SEG in s or verdict is Verdict.PROVED]
        if kept:
            left.append(ProposedStep(text=" ".join(kept), mask=step.mask))
    return tuple(left)


def _false(sentence: str, checked: Checked) -> Iterator[Fault]:
    for claim in checked.claims:
        if claim.verdict is Verdict.FALSE:
            detail = f"false: {claim.text!r} in {sentence!r}: {claim.detail}"
            yield Fault(reason=Reason.FALSE_CLAIM, detail=detail)


def _choices(program: Any, value: Value, rule: Rule | None) -> tuple[str, ...]:
    if isinstance(value, Truth):
        return YES_NO
    if rule is not None or not isinstance(value, Name):
        return ()
    return choices_of(program)


def _balance(program: Any, value: Value, rule: Rule | None) -> str:
    if rule is not None:
        return rule.id
    if isinstance(value, Truth):
        return f"composed {program.op}"
    return " / ".join(sorted(choices_of(program)))
