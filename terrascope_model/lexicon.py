"""Vectors that ask for a mask by name, until [SEG] has learnt to ask.

A model that starts from nothing is in a circle: masks are learnt only from prompts that say which
class is meant, and [SEG] learns to say it only from masks that its prompt changes. (One that starts
from published weights is not: its ground model answers prompts, and its language model's hidden
states tell words apart.) So in the first stage every name has a vector of its own. Masks are
decoded from these first, and more and more from [SEG]'s prompts, which meanwhile learn to be them;
that takes fewer steps than the masks do, so that at first text is read in every second step only.
The vectors end with the stage.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

HELD = 0.6  # of the stage's steps, in which every mask is asked for by its name
HANDED_OVER = 0.8  # of the steps, after which every mask is asked for by [SEG]
PROMPT_WEIGHT = 10.0  # of how far [SEG]'s prompts are from the names', beside the words' loss
READ_EVERY = 2  # steps, while every mask is asked for by its name
_SPREAD = (5**0.5 - 1) / 2  # its multiples lie evenly between whole numbers


class Lexicon(nn.Module):
    """A prompt for each name.

    Which names ask for themselves is known from the step, so that it is the same in all processes.

    Attributes:
        alone: Whether names are all that asks in this step, and no text is read.
        by_name: Share of the names that ask for masks themselves.
        step: Of training; another step, other names.
    """

    def __init__(self, names: Sequence[str], prompt_width: int) -> None:
        super().__init__()
        self.prompts = nn.Embedding(len(names), prompt_width)
        self.alone, self.by_name, self.step = False, 1.0, 0
        self._numbers = {name: number for number, name in enumerate(names)}

    def at(self, step: int, num_steps: int) -> None:
        """Go to a step of a stage."""
        self.step, self.by_name = step, share_by_name(step / num_steps)
        self.alone = self.by_name == 1 and step % READ_EVERY != 0

    def forward(self, prompts_MP: Tensor, names_M: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Return the prompts to decode from, and how far [SEG]'s are from the names' (a loss).

        KeyError for a name that the lexicon does not have.
        """
        numbers_M = self._numbers_of(names_M)
        named_MP = self.named(names_M).to(prompts_MP.dtype)
        distance = functional.mse_loss(prompts_MP, named_MP.detach())
        turn_M = (_SPREAD * (numbers_M + self.step)) % 1
        by_name_M1 = (turn_M < self.by_name)[:, None].to(prompts_MP.device)
        return torch.where(by_name_M1, named_MP, prompts_MP), distance

    def named(self, names_M: Sequence[str]) -> Tensor:
        """Return the names' own prompts, (M, P); KeyError as above."""
        return self.prompts(self._numbers_of(names_M).to(self.prompts.weight.device))

    def _numbers_of(self, names_M: Sequence[str]) -> Tensor:
        return torch.tensor([self._numbers[name] for name in names_M])


def share_by_name(done: float) -> float:
    """Return the share of masks to ask for by name where a part `done` of a stage is done."""
    return min(1.0, max(0.0, (HANDED_OVER - done) / (HANDED_OVER - HELD)))
