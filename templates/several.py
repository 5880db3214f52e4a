"""What questions on several classes of one layer share: which are asked, how each is marked."""

from collections.abc import Sequence

from schemas.program import ClassMask
from schemas.trace import SEG, Fact, pixels_text
from templates.asked import Pairs
from templates.draft import Foreign, StepDraft
from templates.phrases import capital, cover, it
from templates.told import Told, land
from templates.view import View


def seen_classes(pairs: Pairs) -> list[str]:
    """Return the classes of a layer that are large enough to be seen, in the layer's order."""
    names = {name for pair in (*pairs.touching, *pairs.apart) for name in pair}
    return [name for name in pairs.layer.info.classes if name in names]


def check_one_layer(masks: Sequence[ClassMask]) -> None:
    """Raise `Foreign` unless all masks are of one layer at one date."""
    if len({(mask.layer, mask.date) for mask in masks}) > 1:
        raise Foreign("a question on several classes asks of one layer at one date")


def marked(mask: ClassMask, told: Told, view: View) -> StepDraft:
    """Return the step that marks a class and counts its pixels."""
    kind = land(told, mask)
    return StepDraft(
        line=(
            f"{view.lead(mask.date)}I mark {kind.phrase} {SEG}. {capital(it(kind))} {cover(kind)} ",
            Fact(pixels_text(told.px(mask))),
            " pixels.",
        ),
        mask=mask,
        label=mask.label,
        date_index=mask.date,
    )


def listed(phrases: Sequence[str], joint: str) -> str:
    """Return "a or b", "a, b or c"; "a or b, or c" where a phrase is a list itself."""
    *most, last = phrases
    comma = "," if any(" or " in phrase or ", " in phrase for phrase in phrases) else ""
    return f"{', '.join(most)}{comma} {joint} {last}" if most else last
