"""docs/rulebook.md, made from the rule book: `python -m tasks.rulebook_page > docs/rulebook.md`."""

import sys
from collections.abc import Iterator, Sequence
from textwrap import fill

from templates.phrases import capital
from templates.rule import Condition, Premise, Rule
from templates.rulebook import RULES

OURS = "ours: "
WIDTH = 100
RELATIONS = {">": "over", "<": "under"}
SLOTS = {"place": "the image", "before": "image 1", "after": "image 2"}
_HEAD = """\
# The rule book

A question of judgement ("is the area suitable for farming?") has no answer in a mask. It has one by
a rule that somebody published: some shares or areas, and the bounds that decide. This book holds
those rules. A verdict is a program over premises that are measured on the masks, and a question is
asked only where every bound that decides lies outside the margin of what is measured; a sample
names its rule with its version, and every premise with its program and its value. `terrascope
verify` measures the premises again with the plain reference evaluator, runs the program of the
verdict on them, and writes the question and every step again from what comes out: a verdict that
does not follow from the masks, or words that do not follow from the verdict, are named.

What a verdict claims is no more than this: by this rule, on these masks, it is so. Shares are of
labelled pixels; "the land" is all of these but water. A bound marked **ours** is not in the source.
The page is made from `templates/rulebook.py`; to write it again:
`python -m tasks.rulebook_page > docs/rulebook.md`.
"""


def rulebook_page() -> str:
    """Return the page: what the book is for, a list of the rules, then each rule."""
    contents = "".join(f"* {_link(rule)} `{rule.name}`\n" for rule in RULES)
    return "\n".join([_HEAD, contents, *(_section(rule) for rule in RULES)])


def _section(rule: Rule) -> str:
    parts = [f"## {rule.title}\n", f"`{rule.name}`\n", _questions(rule)]
    if rule.applies:
        first = [[_bound(condition, rule), _basis(condition)] for condition in rule.applies]
        parts.append(_table(("asked only where", "the bound is from"), first))
    premises = [[f"`{p.name}`", _measured(p)] for p in rule.premises]
    parts += [
        _table(("premise", "what is measured"), premises),
        _table(("verdict", "where", "the bound is from"), list(_verdicts(rule))),
    ]
    source = f"Source: {rule.source.text}. <{rule.source.url}> Checked: {rule.source.checked}."
    parts += [_wrapped(source), _wrapped(f"Caveat: {rule.caveat}")]
    return "\n".join(parts)


def _questions(rule: Rule) -> str:
    asked = (capital(question.format(**SLOTS)) for question in rule.questions)
    return "".join(_wrapped(f"* {question}", indent="  ") for question in asked)


def _measured(premise: Premise) -> str:
    return f"{premise.marked}: {premise.says.format(v='…')}"


def _verdicts(rule: Rule) -> Iterator[list[str]]:
    """Yield a row a bound; a verdict stands in the first row of its own."""
    for level in rule.levels:
        for number, condition in enumerate(level.conditions):
            name = level.name if number == 0 else ""
            lead = "" if number == 0 else "and "
            yield [name, lead + _bound(condition, rule), _basis(condition)]
    if rule.is_yes_no:
        several = len(rule.levels[0].conditions) > 1
        yield ["No", f"{'one of these' if several else 'that'} certainly fails", ""]


def _bound(condition: Condition, rule: Rule) -> str:
    unit = rule.premise(condition.premise).unit
    bound = _number(condition.bound, unit)
    return f"`{condition.premise}` is {RELATIONS[condition.relation]} {bound}"


def _number(value: float, unit: str) -> str:
    """Return a bound in full: a page rounds nothing."""
    match unit:
        case "share":
            return f"{100 * value:.6g} %"
        case "m2":
            return f"{value:,.6g} m²"
    return f"{value:.6g}"


def _basis(condition: Condition) -> str:
    text = condition.basis
    return f"**ours**: {text.removeprefix(OURS)}" if text.startswith(OURS) else text


def _link(rule: Rule) -> str:
    kept = (c for c in rule.title.lower() if c.isalnum() or c in " -")
    return f"[{rule.title}](#{''.join(kept).replace(' ', '-')})"


def _wrapped(text: str, indent: str = "") -> str:
    return (
        fill(
            text,
            WIDTH,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        + "\n"
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose columns stand under each other in plain text as well."""
    lines = [columns, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    padded = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([padded[0], rule, *padded[1:]]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(rulebook_page())
