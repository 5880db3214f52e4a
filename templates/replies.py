"""A writer's reply, read: sentences with the regions that they mark, or what is wrong with it.

A reply is `<think>…</think><caption>…</caption>` and nothing else. In the first part `[SEG n]`
marks region n, once each; whatever else looks like a mark of the training string is a fault.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schemas.rejection import Reason
from schemas.trace import (
    CAPTION_CLOSE,
    CAPTION_OPEN,
    SEG,
    THINK_CLOSE,
    THINK_OPEN,
)
from templates.regions import Region
from templates.sentences import normal_space, split_sentences
from templates.view import View

MOST_CHARACTERS = 12_000  # of a reply: three times what a model of 1,024 tokens can write
MOST_REPEATS = 2  # of one sentence in a reply
LONGEST_LOOP, LOOPS, MIN_LOOP = 40, 3, 12  # words of a loop, its turns after the first, in all
MIN_ENGLISH = 0.15  # share of function words; English prose has 30 % to 50 %
MIN_WORDS = 8  # of a caption and its reasoning together

_REPLY = re.compile(
    rf"\s*{THINK_OPEN}(?P<think>.*?){THINK_CLOSE}\s*{CAPTION_OPEN}(?P<caption>.*?){CAPTION_CLOSE}\s*",
    re.DOTALL,
)
_MARK = re.compile(r"\[SEG (\d{1,3})\]")
# tags of the training string or of a chat template, and signs that nobody sees
_FOREIGN = re.compile(
    r"<[/|A-Za-z][^>\s]*>?|[^\S\n\t ]|[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u2028-\u202e]"
)
_WORD = re.compile(r"[^\W\d_]+")
_AFTER_MARK = re.compile(rf"(?<={re.escape(SEG)})([.,;:!?)]*)\s+")
_FUNCTION_WORDS = frozenset(
    "a an and are as at be between by for from i in into is it its lies near no of on or over some "
    "the there these this to was were which while with".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with a reply: under which gate it counts, and in what words."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought:
    """One sentence of the reasoning: [SEG] without numbers, and the regions that they mark."""

    text: str
    regions: tuple[Region, ...]

    def steps(self) -> list[str]:
        """Return the sentence cut into steps of at most one mark each; joined they give it."""
        if len(self.regions) < 2:
            return [self.text]
        cut = _AFTER_MARK.sub(lambda end: f"{end[1]}\0", self.text)
        *most, last = cut.split("\0")
        return [*most, last] if SEG in last else [*most[:-1], f"{most[-1]} {last}"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedReply:
    """A reply of the right form: its reasoning and its caption, sentence by sentence."""

    thoughts: tuple[Thought, ...]
    caption: tuple[str, ...]


def parse_reply(
    text: str, finish_reason: str, regions: Sequence[Region], view: View
) -> ParsedReply | tuple[Fault, ...]:
    """Return what a reply says, or every fault of the first gate that it does not pass."""
    whole = _whole_fault(text, finish_reason)
    if whole is not None:
        return (whole,)
    match = _REPLY.fullmatch(text)
    assert match is not None, "_whole_fault lets no other reply through"
    think, caption = normal_space(match["think"]), normal_space(match["caption"])
    faults = tuple(_mark_faults(think, caption, regions, view))
    if faults:
        return faults
    numbered = {region.number: region for region in regions}
    thoughts = tuple(_thought(sentence, numbered) for sentence in split_sentences(think))
    run_on = [t for t in thoughts if len(t.steps()) != max(1, len(t.regions))]
    if run_on:
        return tuple(
            _mark_fault(f"the marks in {t.text!r} run into one another: one mark a sentence")
            for t in run_on
        )
    return ParsedReply(thoughts=thoughts, caption=tuple(split_sentences(caption)))


def _thought(sentence: str, numbered: dict[int, Region]) -> Thought:
    marked = tuple(numbered[int(number)] for number in _MARK.findall(sentence))
    return Thought(text=_MARK.sub(SEG, sentence), regions=marked)


def _whole_fault(text: str, finish_reason: str) -> Fault | None:
    """Return what is wrong with a reply as a whole, the most telling fault first."""
    if not text.strip():
        return Fault(reason=Reason.EMPTY_REPLY, detail="the reply is empty")
    repeated = _repeated(text)
    if repeated:
        return Fault(reason=Reason.REPEATED_TEXT, detail=f"the reply repeats {repeated!r}")
    if finish_reason == "length" or len(text) > MOST_CHARACTERS:
        detail = f"the reply is not finished after {len(text):,} characters; write less"
        return Fault(reason=Reason.CUT_REPLY, detail=detail)
    words = [word.lower() for word in _WORD.findall(text)]
    english = sum(word in _FUNCTION_WORDS for word in words)
    if len(words) >= MIN_WORDS and english < MIN_ENGLISH * len(words):
        return Fault(reason=Reason.WRONG_LANGUAGE, detail="the reply is not in English prose")
    match = _REPLY.fullmatch(text)
    form = f"{THINK_OPEN}…{THINK_CLOSE}{CAPTION_OPEN}…{CAPTION_CLOSE}"
    if match is None:
        detail = f"the reply is not {form} with nothing before, between and after"
        return Fault(reason=Reason.BAD_REPLY, detail=detail)
    for part in ("think", "caption"):
        if not match[part].strip():
            return Fault(reason=Reason.BAD_REPLY, detail=f"<{part}> is empty")
        foreign = _FOREIGN.search(match[part])
        if foreign is not None:
            detail = f"<{part}> holds {foreign[0]!r}, which has no place there"
            return Fault(reason=Reason.BAD_REPLY, detail=detail)
    if len(words) < MIN_WORDS:
        return Fault(reason=Reason.BAD_REPLY, detail=f"the reply has only {len(words)} words")
    return None


def _repeated(text: str) -> str:
    """Return a sentence that stands there too often, or the words in a loop of which it ends."""
    sentences = Counter(split_sentences(normal_space(text)))
    sentence, times = sentences.most_common(1)[0]
    if times > MOST_REPEATS:
        return sentence[:80]
    words = text.split()
    for period in range(1, LONGEST_LOOP + 1):
        looped = 0
        for word, before in zip(reversed(words), reversed(words[:-period]), strict=False):
            if word != before:
                break
            looped += 1
        if looped >= max(LOOPS * period, MIN_LOOP):
            return " ".join(words[-period:])
    return ""


def _mark_faults(
    think: str, caption: str, regions: Sequence[Region], view: View
) -> Iterator[Fault]:
    for found in re.findall(r"\[\s*/?SEG[^\]]*\]?", f"{think} {caption}", re.IGNORECASE):
        if not _MARK.fullmatch(found):
            yield _mark_fault(f"{found!r} is no mark: write [SEG n], n being a region's number")
    if "[SEG" in caption:
        yield _mark_fault("<caption> must hold no marks")
    numbered = {region.number: region for region in regions}
    marked = Counter(int(number) for number in _MARK.findall(think))
    for number, times in sorted(marked.items()):
        if number not in numbered:
            yield _mark_fault(f"[SEG {number}]: there is no region {number}")
        elif times > 1:
            yield _mark_fault(f"[SEG {number}] stands there {times} times; use each mark once")
    for number, region in numbered.items():
        if number not in marked:
            yield _mark_fault(f"region {number} ({region.land.phrase}) has no mark [SEG {number}]")
    yield from _lead_faults(think, numbered, view)


def _lead_faults(think: str, numbered: dict[int, Region], view: View) -> Iterator[Fault]:
    """Where there are several dates, a sentence with a mark says first on which image it is."""
    if view.num_dates < 2:
        return
    for sentence in split_sentences(think):
        for number in map(int, _MARK.findall(sentence)):
            if number not in numbered:
                continue
            lead = view.lead(numbered[number].date_index)
            if not sentence.startswith(lead):
                detail = f"the sentence with [SEG {number}] must begin with {lead.strip()!r}"
                yield _mark_fault(detail)


def _mark_fault(detail: str) -> Fault:
    return Fault(reason=Reason.BAD_MARK, detail=detail)
