"""A question before its form is chosen: its program and value, its words, its steps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from schemas.tier import Tier
from schemas.trace import Line
from schemas.value import Value
from templates.asked import AskedScene
from templates.options import NUM_OPTIONS
from templates.phrases import capital
from templates.told import Told
from templates.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDraft:
    """One step of reasoning; a grounded one holds [SEG] in its line and a mask expression."""

    line: Line
    mask: Any | None = None
    label: str = ""
    date_index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredPremise:
    """What a verdict rests on: a premise's name, its program, and its value in words."""

    name: str
    program: Any
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a question says, but for the wording that is drawn: it follows from program and value.

    `classes` are the class names it speaks of, `slots` what its wordings leave open, `choices` its
    fixed set of option texts, () where there is none. `rule` and `premises` are those of a verdict.
    """

    classes: tuple[str, ...]
    slots: dict[str, str]
    steps: tuple[StepDraft, ...]
    choices: tuple[str, ...] = ()
    rule: str = ""
    premises: tuple[MeasuredPremise, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One question with its proved value and its words.

    Where `words.choices` is empty, `num_options` are picked from other scenes' answers to the same
    kind of question (`pool`). `balance` names the group within which selection evens out the
    answers, "" where it does not; it is passed over where options are picked (`templates.item`).
    """

    question: str
    program: Any
    value: Value
    words: Words
    view: View
    pool: str = ""
    num_options: int = NUM_OPTIONS
    balance: str = ""


class Foreign(ValueError):
    """A program that a kind of question never asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionTemplate:
    """One kind of question.

    `version` is raised by hand whenever its output changes. `propose` chooses what to ask of a
    scene; `words` says it, and raises `Foreign` for a program of another shape. `min_dates` is the
    number of dates under which it has nothing to ask; `tier` says what its questions count as.
    `options_due` is how many options each of its questions has, 0 where some are asked openly: a
    fixed set from the start, picked ones only once all scenes have been asked.
    """

    task: str
    version: int
    wordings: tuple[str, ...]
    propose: Callable[["QuestionTemplate", AskedScene, Random], Iterator[Draft]]
    words: Callable[[Any, Value, Told, View], Words]
    min_dates: int = 1
    tier: Tier = Tier.L1
    options_due: int = 0

    def draft(
        self,
        scene: AskedScene,
        rng: Random,
        program: Any,
        value: Value,
        *,
        view: View | None = None,
        pool: str = "",
        num_options: int = NUM_OPTIONS,
        balance: str = "",
    ) -> Draft:
        """Return a question on images and in a wording drawn by seed."""
        view = view or scene.view(rng)
        words = self.words(program, value, scene, view)
        return Draft(
            question=_filled(rng.choice(self.wordings), words),
            program=program,
            value=value,
            words=words,
            view=view,
            pool=pool,
            num_options=num_options,
            balance=balance,
        )

    def phrasings(self, words: Words) -> set[str]:
        """Return all questions that the same words can make."""
        return {_filled(wording, words) for wording in self.wordings}


def _filled(wording: str, words: Words) -> str:
    return capital(wording.format(**words.slots))
