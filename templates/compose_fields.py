"""What a composer's prompt is filled with: the masks of a scene, and the rules that apply to it."""

from collections.abc import Iterator, Sequence

from schemas.program import Valid, dump_program
from schemas.value import Undefined
from templates.caption_facts import CaptionFacts
from templates.caption_fields import prompt_fields
from templates.composed import rule_on
from templates.ground import Ground
from templates.judging import premises_of, questions_of
from templates.prompts import COMPOSE_DATES_RULE
from templates.replies import Fault
from templates.rule import BoundRule
from templates.rulebook import RULES

NONE = "none"


def compose_fields(facts: CaptionFacts, ground: Ground, caption: str) -> dict[str, str]:
    """Return the fields of `templates.prompts.COMPOSE`; `caption` is "" where there is none."""
    told = prompt_fields(facts, ground)
    return {
        **{name: told[name] for name in ("images", "pixel_size", "up", "regions")},
        "caption": caption or NONE,
        "leaves": "\n".join(_leaf_lines(facts, ground)),
        "rules": "\n".join(_rule_line(bound, ground) for bound in applying(ground)) or NONE,
        "dates_rule": COMPOSE_DATES_RULE if ground.view.num_dates > 1 else "",
    }


def applying(ground: Ground) -> Sequence[BoundRule]:
    """Return the rules that have a safe verdict on a scene."""
    found = (rule_on(rule.id, ground) for rule in RULES)
    return [b for b in found if not isinstance(b, Fault) and _is_safe(b, ground)]


def _is_safe(bound: BoundRule, ground: Ground) -> bool:
    try:
        ground.value(bound.program)
    except Undefined:
        return False
    return True


def _leaf_lines(facts: CaptionFacts, ground: Ground) -> Iterator[str]:
    several = ground.view.num_dates > 1
    for measured in facts.regions:
        region = measured.region
        image = f" on image {ground.view.image_of_date(region.date_index) + 1}" if several else ""
        yield f"- {region.land.phrase}{image}: {dump_program(region.expr)}"
    leaves = [measured.region.expr for measured in facts.regions]
    for layer, date in dict.fromkeys((leaf.layer, leaf.date) for leaf in leaves):
        image = f" on image {ground.view.image_of_date(date) + 1}" if several else ""
        yield f"- all labelled pixels{image}: {dump_program(Valid(layer=layer, date=date))}"


def _rule_line(bound: BoundRule, ground: Ground) -> str:
    rule = bound.rule
    questions = " | ".join(sorted(questions_of(bound, ground.view)))
    premises = ", ".join(f'"{p.name}": "{p.text}"' for p in premises_of(bound, ground))
    conditions = "; ".join(
        f"{level.name} if "
        + " and ".join(f"{c.premise} {c.relation} {c.bound:g}" for c in level.conditions)
        for level in rule.levels
    )
    return (
        f'- rule "{rule.id}": {rule.title}. Questions: {questions} '
        f"Verdict: {conditions}. Premises: {{{premises}}}"
    )
