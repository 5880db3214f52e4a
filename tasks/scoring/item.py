"""What is scored: one question of a bench, its true answer and true masks, without its pictures."""

from dataclasses import dataclass
from string import ascii_uppercase

PLEASE_SEGMENT = "please segment"  # how a referring question begins


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueMask:
    """The true mask of one reasoning step: compressed COCO counts of (H, W)."""

    label: str
    image_index: int
    counts: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchItem:
    """One question.

    Attributes:
        item_id: What a prediction names it by.
        scene_id: Its place; items of one scene are drawn together by the bootstrap.
        options: To choose from, none of an open question.
        letter: The true option's; "" of an open question.
        answer: The true answer in words, without a letter.
        size_HW: Of its masks; None where the file tells of none.
        seen_on: For each picture the one that its masks lie on: of a radar picture the optical one
            of its date.
        masks: In the order of the steps; none where the bench has no masks.
        reasoning: What the bench itself says on the way to the answer, "" if nothing.
    """

    item_id: str
    scene_id: str
    source: str
    task: str
    question: str
    options: tuple[str, ...]
    letter: str
    answer: str
    size_HW: tuple[int, int] | None = None
    seen_on: tuple[int, ...] = (0,)
    masks: tuple[TrueMask, ...] = ()
    reasoning: str = ""

    @property
    def due(self) -> int | None:
        """The place of the true option, None of an open question."""
        return ascii_uppercase.index(self.letter) if self.options else None

    @property
    def refers(self) -> bool:
        """Whether it asks for a mask and nothing else, as in referring segmentation."""
        return self.question.lower().startswith(PLEASE_SEGMENT)

    @property
    def wants_answer(self) -> bool:
        """Whether it has an answer to be right about, and not a mask alone."""
        return bool(self.options or self.answer)
