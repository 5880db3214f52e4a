"""All kinds of L1 questions, in the order in which they are proposed."""

from templates.area import AREA, COVERAGE
from templates.boundary import BORDER, BORDER_LENGTH
from templates.change import CHANGE_AMOUNT, CHANGE_WHICH
from templates.counting import AREA_COUNT, OBJECT_COUNT
from templates.distance import DISTANCE
from templates.existence import EXISTENCE
from templates.location import LOCATION
from templates.sequences import FIRST_SEEN, LARGEST_WHEN, TREND
from templates.states import STATE_COUNT, STATE_EXISTS, STATE_SHARE

L1_QUESTIONS = (
    EXISTENCE,
    AREA_COUNT,
    OBJECT_COUNT,
    LOCATION,
    AREA,
    COVERAGE,
    BORDER,
    BORDER_LENGTH,
    DISTANCE,
    CHANGE_AMOUNT,
    CHANGE_WHICH,
    STATE_EXISTS,
    STATE_COUNT,
    STATE_SHARE,
    FIRST_SEEN,
    LARGEST_WHEN,
    TREND,
)
