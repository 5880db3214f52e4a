"""What a rule is: premises that are measured, and the verdict that follows from them.

The rules themselves stand in `templates.rulebook`; here is what they are made of, how one is put
on a scene, and the program that its verdict is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from schemas.program import All, Compare, First, NamedTest, Number

Relation = Literal[">", "<"]
YES_NO = ("Yes", "No")


class RuleError(ValueError):
    """A rule that does not hang together, or that names no source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a rule is from: what a person can look up, and how far it was checked."""

    text: str
    url: str
    checked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Premise:
    """One thing that is measured.

    Attributes:
        name: Its key in a sample.
        marked: What its step marks, beginning with "the", such as "the cropland".
        says: What is said of that, with {v} for the value: "it makes up {v} of the land".
        mask: The mask expression of the step; where it is empty the value is zero.
        program: The number that is measured; None where the scene's classes do not allow it.
        unit: "share", "m2" or "count".
    """

    name: str
    marked: str
    says: str
    mask: Callable[[Any], Any | None]
    program: Callable[[Any], Any | None]
    unit: Literal["share", "m2", "count"] = "share"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A bound on a premise; `basis` says where the number is from.

    `met` and `unmet` say what follows; "" where the level's own words do.
    """

    premise: str
    relation: Relation
    bound: float
    basis: str
    met: str = ""
    unmet: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One verdict and the conditions that all must hold for it; `because` says so."""

    name: str
    conditions: tuple[Condition, ...]
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A judgement that follows from measured premises.

    Attributes:
        id: Its name; with `version`, raised by hand with every change, what a sample holds.
        title: What it judges, in a few words.
        questions: Wordings, with {place} left open; of one date, or with {before} and {after}.
        premises: What is measured.
        levels: The verdicts in the order in which they are tried. A rule of yes and no has the one
            level "Yes": where one of its conditions fails, the verdict is no.
        applies: What must hold for the rule to be asked at all.
        verdict: What is concluded, with {level} for the verdict; of yes and no two texts.
        source: Where it is from.
        caveat: What it leaves out, for whoever reads the rule book.
        about: "land", "change" (land at two dates) or "damage" (buildings after an event).
    """

    id: str
    version: int
    title: str
    questions: tuple[str, ...]
    premises: tuple[Premise, ...]
    levels: tuple[Level, ...]
    verdict: tuple[str, ...]
    source: Source
    caveat: str
    applies: tuple[Condition, ...] = ()
    about: Literal["land", "change", "damage"] = "land"

    def __post_init__(self) -> None:
        if not (self.source.text.strip() and self.source.url.strip()):
            raise RuleError(f"rule {self.id} names no source; a rule without one is not kept")
        names = [premise.name for premise in self.premises]
        bounds = (*self.applies, *(c for v in self.levels for c in v.conditions))
        used = {condition.premise for condition in bounds}
        if used - set(names) or len(set(names)) != len(names):
            raise RuleError(f"rule {self.id} has the premises {names}, but uses {sorted(used)}")
        if len(self.verdict) != (2 if self.is_yes_no else 1):
            raise RuleError(f"rule {self.id} needs two verdicts for yes and no, else one")
        if any(not condition.basis.strip() for condition in bounds):
            raise RuleError(f"rule {self.id} has a bound that does not say where it is from")

    @property
    def name(self) -> str:
        """Id and version."""
        return f"{self.id}@{self.version}"

    @property
    def is_yes_no(self) -> bool:
        """Whether its verdict is yes or no."""
        return [level.name for level in self.levels] == ["Yes"]

    @property
    def choices(self) -> tuple[str, ...]:
        """All its verdicts."""
        return YES_NO if self.is_yes_no else tuple(level.name for level in self.levels)

    def premise(self, name: str) -> Premise:
        """Return a premise by name."""
        return next(premise for premise in self.premises if premise.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundRule:
    """A rule on one scene.

    `programs` and `masks` are those of its premises by name, `dates` the date indices that it
    speaks of, `program` the whole verdict.
    """

    rule: Rule
    programs: Mapping[str, Any]
    masks: Mapping[str, Any]
    dates: tuple[int, ...]
    program: All | First

    def holds(self, conditions: Sequence[Condition]) -> All:
        """Return the program that says whether all of some conditions hold."""
        return All(of=tuple(self._tests(conditions)))

    def _tests(self, conditions: Sequence[Condition]) -> Iterator[Compare]:
        for condition in conditions:
            yield compared(condition, self.rule, self.programs)


def bind(rule: Rule, at: Any, dates: tuple[int, ...]) -> BoundRule | None:
    """Put a rule on what of a scene its premises are made from; None where they cannot be."""
    programs = {premise.name: premise.program(at) for premise in rule.premises}
    masks = {premise.name: premise.mask(at) for premise in rule.premises}
    if None in programs.values() or None in masks.values():
        return None
    tests = [
        (level.name, All(of=tuple(compared(c, rule, programs) for c in level.conditions)))
        for level in rule.levels
    ]
    program: All | First = (
        tests[0][1]
        if rule.is_yes_no
        else First(of=tuple(NamedTest(name=name, test=test) for name, test in tests))
    )
    return BoundRule(rule=rule, programs=programs, masks=masks, dates=dates, program=program)


def compared(condition: Condition, rule: Rule, programs: Mapping[str, Any]) -> Compare:
    """Return the test that a condition is."""
    unit = rule.premise(condition.premise).unit
    return Compare(
        a=programs[condition.premise],
        relation=condition.relation,
        b=Number(value=condition.bound, unit=unit),
    )
