"""Buildings before and after an event, as a rule on damage sees them."""

from dataclasses import dataclass

from schemas.program import Instances
from templates.regions import states_of
from templates.told import Told
from templates.view import View

DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """All objects at the first date, and those that were destroyed by a later one."""

    before: Instances
    destroyed: Instances


def damaged(told: Told, view: View) -> Damaged | None:
    """Return a scene's buildings before and after; None where it has no two dates of them.

    None as well where an object's state is not known, or the dates show different objects.
    """
    shown = set(view.date_indices)
    at_first = {info.layer for info in told.layers if info.date_index == 0}
    for info in told.layers:
        if info.date_index == 0 or not {0, info.date_index} <= shown or info.layer not in at_first:
            continue
        for label in info.classes:
            after = Instances(layer=info.layer, label=label, date=info.date_index)
            before = Instances(layer=info.layer, label=label, date=0)
            number = told.num_objects(after)
            if not number or number != told.num_objects(before):
                continue
            if states_of(told, after):
                destroyed = after.model_copy(update={"attribute": DESTROYED})
                return Damaged(before=before, destroyed=destroyed)
    return None
