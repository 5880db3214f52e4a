"""A question before its form is chosen: its words, program, value and steps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from schemas.trace import Line
from schemas.value import Value
from templates.asked import AskedScene, View
from templates.options import NUM_OPTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDraft:
    """One step of reasoning; a grounded one holds [SEG] in its line and a mask expression."""

    line: Line
    mask: Any | None = None
    label: str = ""
    date_index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One question with its proved value.

    `classes` are the class names it speaks of; `choices` the fixed set of option texts, or () where
    `num_options` are picked from other scenes' answers to the same kind of question (`pool`).
    `balance` names the group within which selection evens out the answers, "" where it does not.
    """

    question: str
    classes: tuple[str, ...]
    program: Any
    value: Value
    steps: tuple[StepDraft, ...]
    view: View
    choices: tuple[str, ...] = ()
    pool: str = ""
    num_options: int = NUM_OPTIONS
    balance: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionTemplate:
    """One kind of question; `version` is raised by hand whenever its output changes."""

    task: str
    version: int
    wordings: tuple[str, ...]
    propose: Callable[["QuestionTemplate", AskedScene, Random], Iterator[Draft]]

    def ask(self, rng: Random, **slots: str) -> str:
        """Fill one of the wordings, drawn by seed, and begin it with a capital letter."""
        text = rng.choice(self.wordings).format(**slots)
        return text[0].upper() + text[1:]
