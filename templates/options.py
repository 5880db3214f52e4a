"""Options of a multiple-choice question that give nothing away.

Distractors made from the answer (half of it, twice it) leak: the answer sits in the middle, or fits
its class. Here every option is a true answer to the same kind of question. The answer and a few
answers of other scenes are shuffled; options are picked from the front, each clearly apart from
those already picked, blind to which of them is true. If the answer is not among those picked, the
question is asked openly. So, given the options, each of them is as likely to be the true one:
position, rank, size and class say nothing (exchangeability; measured in benchmarks/leaks.py).
"""

from collections.abc import Sequence
from random import Random

from schemas.trace import round_significant, value_text
from schemas.value import Quantity, Value

NUM_OPTIONS = 4
NUM_DRAWN = 6  # answers of other scenes that are shuffled in
NUM_GROUPED = 24  # answers of other scenes that are grouped with one, where options are due
MIN_RATIO = 1.3  # two numbers closer than this are not clearly apart
MIN_COUNT_STEP = 0.15  # two counts must differ by this share of the larger one
MAX_HALF_WIDTH = 0.15  # of a number's value: a wider margin is not asked at all


def has_safe_margin(value: Value) -> bool:
    """Return whether a number's margin is narrow enough to be asked; other values carry theirs."""
    if not isinstance(value, Quantity):
        return True
    return (value.high - value.low) / 2 <= MAX_HALF_WIDTH * abs(value.value)


def fixed_options(choices: Sequence[str], rng: Random) -> tuple[str, ...]:
    """Return a closed set of options in an order drawn by seed."""
    return tuple(rng.sample(choices, len(choices)))


def pick_options(
    answer: Value,
    others: Sequence[Value],
    north_up: bool,
    rng: Random,
    num_options: int = NUM_OPTIONS,
) -> tuple[str, ...] | None:
    """Pick options among the answer and other scenes' answers; None if the answer drops out.

    `others` are answers of other scenes to the same kind of question.
    """
    drawn = rng.sample(others, min(NUM_DRAWN, len(others)))
    shuffled = rng.sample([answer, *drawn], len(drawn) + 1)
    picked: list[Value] = []
    shown: list[float | str] = []
    for value in shuffled:
        this = displayed(value)
        if all(_clearly_apart(this, other, value) for other in shown):
            picked.append(value)
            shown.append(this)
            if len(picked) == num_options:
                break
    if len(picked) < num_options or not any(value is answer for value in picked):
        return None
    # of all alike, the true one or not: else what is left would tell which it is
    if not all(_holds_apart(value, picked) for value in picked):
        return None
    return tuple(value_text(value, north_up) for value in picked)


def group_options(
    answer: Value, others: Sequence[Value], north_up: bool, rng: Random, num_options: int
) -> tuple[str, ...] | None:
    """Return the options of the group that an answer falls into; None if it is not full.

    The answer and others are shuffled, and one after the other joins the first group with a place
    left whose members all lie clearly apart from it. No step knows which is the answer, so each
    member of a full group is as likely to be it; and nearly all groups are full, where picking from
    the front leaves out half of the answers. It is for questions that may not be open.
    """
    drawn = rng.sample(others, min(NUM_GROUPED, len(others)))
    groups: list[list[Value]] = []
    for value in rng.sample([answer, *drawn], len(drawn) + 1):
        fitting = (g for g in groups if len(g) < num_options and _all_apart(value, g))
        group = next(fitting, None)
        if group is None:
            groups.append([value])
        else:
            group.append(value)
    own = next(group for group in groups if any(value is answer for value in group))
    if len(own) < num_options:
        return None
    return tuple(value_text(value, north_up) for value in rng.sample(own, num_options))


def _all_apart(value: Value, group: Sequence[Value]) -> bool:
    shown = displayed(value)
    return all(
        _clearly_apart(shown, displayed(other), value)
        and _holds_apart(value, [other])
        and _holds_apart(other, [value])
        for other in group
    )


def displayed(value: Value) -> float | str:
    """Return a number as its answer text shows it, and the name of any other value."""
    if isinstance(value, Quantity):
        return value.value if value.unit == "count" else round_significant(value.value)
    return f"{value.value}"


def _clearly_apart(a: float | str, b: float | str, kind: Value) -> bool:
    """Return whether two answers, as displayed, differ clearly; `kind` is one of their kind."""
    if isinstance(a, str) or isinstance(b, str):
        return a != b
    small, large = (a, b) if a < b else (b, a)
    if isinstance(kind, Quantity) and kind.unit == "count":
        return large - small >= max(1.0, MIN_COUNT_STEP * large)
    return small > 0 and large >= MIN_RATIO * small


def _holds_apart(value: Value, picked: Sequence[Value]) -> bool:
    """Return whether a number's margin holds no midpoint between it and another option."""
    if not isinstance(value, Quantity):
        return True
    shown = float(displayed(value))
    numbers = [float(displayed(other)) for other in picked if other is not value]
    return not any(value.low <= (shown + number) / 2 <= value.high for number in numbers)
