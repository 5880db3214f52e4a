"""How a question on two classes of one layer is said."""

from schemas.program import ClassMask
from schemas.trace import SEG, Line
from templates.draft import Foreign, StepDraft, Words
from templates.phrases import do
from templates.told import Told, land, whole
from templates.view import View


def pair_words(
    a: ClassMask, b: ClassMask, told: Told, view: View, found: Line, choices: tuple[str, ...] = ()
) -> Words:
    """Mark A, mark B, then say what was found."""
    if (a.layer, a.date) != (b.layer, b.date):
        raise Foreign("a question on two classes asks of one layer at one date")
    kinds, lead = (land(told, a), land(told, b)), view.lead(a.date)
    lines: tuple[Line, Line] = (
        (f"{lead}I mark {kinds[0].phrase} {SEG}.",),
        (f"{lead}I mark {kinds[1].phrase} {SEG}. ", *found),
    )
    return Words(
        classes=(a.label, b.label),
        slots={
            "do": do(kinds[0]),
            "a": kinds[0].phrase,
            "b": kinds[1].phrase,
            "place": whole(told, a, view),
        },
        steps=tuple(
            StepDraft(line=line, mask=mask, label=mask.label, date_index=mask.date)
            for line, mask in zip(lines, (a, b), strict=True)
        ),
        choices=choices,
    )
