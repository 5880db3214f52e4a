"""A cache whose rows are each as long as their own text: no holes, whatever is put in, and where.

B = rows, R = those that are fed, P = tokens fed to each at most, S = slots, H = heads, D = width
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import Cache

CHUNK = 256  # slots that are added at a time, at least


class RowCache(Cache):
    """Keys and values by layer; a row's token at position p lies in slot p.

    What is fed beyond a row's own tokens lies in slots that the row has not reached: nothing of it
    sees them before they are written over.
    """

    def __init__(self, num_rows: int, device: torch.device) -> None:
        super().__init__(layers=[])
        self.lengths = [0] * num_rows
        self._device = device
        self._kept: list[list[Tensor]] = []  # of a layer: keys and values, (B, S, H, D)
        self._rows_R = torch.arange(num_rows, device=device)
        self._positions_RP = torch.zeros(0, 0, dtype=torch.int64, device=device)
        self._num_slots = 0

    def take(self, rows: Sequence[int], counts: Sequence[int], longest: int) -> tuple[Tensor, ...]:
        """Say what is fed next: `counts` tokens to `rows`, each filled up to `longest`.

        Returns:
            Positions, (R, P), and what sees what, (R, 1, P, S) bool.
        """
        lengths_R = torch.tensor([self.lengths[row] for row in rows], device=self._device)
        steps_P = torch.arange(longest, device=self._device)
        self._rows_R = torch.tensor(rows, device=self._device)
        self._positions_RP = lengths_R[:, None] + steps_P
        self._num_slots = max(self.lengths[row] for row in rows) + longest
        for row, count in zip(rows, counts, strict=True):
            self.lengths[row] += count
        slots_S = torch.arange(self._num_slots, device=self._device)
        return self._positions_RP, slots_S <= self._positions_RP[:, None, :, None]

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Keep a layer's new states, (R, H, P, D); return those that can be seen, (R, H, S, D)."""
        if layer_idx == len(self._kept):
            self._kept.append([self._room(states) for states in (key_states, value_states)])
        kept = self._kept[layer_idx]
        found = []
        for number, states in enumerate((key_states, value_states)):
            if kept[number].shape[1] < self._num_slots:
                more = self._room(states, kept[number].shape[1])
                kept[number] = torch.cat([kept[number], more], dim=1)
            kept[number][self._rows_R[:, None], self._positions_RP] = states.transpose(1, 2)
            seen = kept[number][:, : self._num_slots]
            if len(self._rows_R) < len(self.lengths):
                seen = seen[self._rows_R]
            found.append(seen.transpose(1, 2))
        return found[0], found[1]

    def _room(self, states: Tensor, taken: int = 0) -> Tensor:
        slots = max(self._num_slots - taken, taken, CHUNK)
        # zeros: what is not seen is still multiplied, by 0
        return states.new_zeros(len(self.lengths), slots, states.shape[1], states.shape[3])
