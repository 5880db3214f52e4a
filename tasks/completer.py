"""How a text is asked for, whoever writes it: a model behind HTTP, a program, or the store.

A `Call` holds all that decides the text; `fields` are what its prompt was filled with, so that a
writer without a model can work from the same facts. `identity` tells in provenance who wrote.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of a conversation; `images` are encoded PNG or JPEG files, shown before the text."""

    role: Literal["system", "user", "assistant"]
    text: str
    images: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a model draws its words; `max_tokens` bounds the reply."""

    temperature: float = 0.2
    top_p: float = 0.95
    max_tokens: int = 1024
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request for a text.

    Attributes:
        turns: The conversation so far, ending with a user's turn.
        prompt: Id and version of the prompt, such as "cap_cot@1".
        source: Archive that the scene is from; failures are counted by it.
        sampling: How the words are drawn.
        json_schema: Schema of a short structured reply; None for free text.
        fields: What the prompt was filled with; never sent, and no part of `key`.
    """

    turns: tuple[Turn, ...]
    prompt: str
    source: str
    sampling: Sampling
    json_schema: Mapping[str, Any] | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back. `stored` is true where it was kept from an earlier run and cost nothing."""

    text: str
    finish_reason: str  # "stop" or "length"
    prompt_tokens: int
    completion_tokens: int
    stored: bool = False


class FailedBecause(StrEnum):
    """Why no reply came, in a closed list."""

    REFUSED = "refused"  # the server will not take this request, however often it is sent
    EXHAUSTED = "exhausted"  # every retry failed
    NOT_STORED = "not_stored"  # a replay found no such call


class CallFailed(Exception):
    """A call that brought no reply; its scene is refused and the run goes on."""

    def __init__(self, because: FailedBecause, detail: str) -> None:
        self.because = because
        self.detail = detail
        super().__init__(because, detail)

    def __str__(self) -> str:
        return f"{self.because.value}: {self.detail}"


class Completer(Protocol):
    """Anything that writes a text when it is called."""

    @property
    def identity(self) -> Mapping[str, str]:
        """Who writes: kind, and where there is a model its name, version and digest.

        The same identity and the same call mean that a stored reply may be used again.
        """

    async def complete(self, call: Call) -> Reply:
        """Return the reply; CallFailed where none comes."""
