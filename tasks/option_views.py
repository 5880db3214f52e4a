"""The options of a question as a page shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionView:
    """One option; `true` marks the answer."""

    letter: str
    text: str
    true: bool


def option_views(options: Sequence[str], letter: str) -> tuple[OptionView, ...]:
    """Return options of which that of a letter is the answer, none of an open question."""
    return tuple(
        OptionView(letter=other, text=text, true=other == letter)
        for other, text in zip(ascii_uppercase, options, strict=False)
    )
