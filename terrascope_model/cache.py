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
        # of a layer: keys and values, (B, H, S, D): read in order where a step attends to them
        self._kept: list[list[Tensor]] = []
        self._rows_R = torch.arange(num_rows, device=device)
        self._positions_RP = torch.zeros(0, 0, dtype=torch.int64, device=device)
        self._num_slots = 0

    def take(self, rows: Sequence[int], counts: Sequence[int], longest: int) -> tuple[Tensor, ...]:
        """Say what is fed next: `counts` tokens to `rows`, each filled up to `longest`.

        Returns:
            Positions, (R, P), and what a position does not see, (R, 1, P, S) bool.
        """
        lengths_R = torch.tensor([self.lengths[row] for row in rows], device=self._device)
        steps_P = torch.arange(longest, device=self._device)
        self._rows_R = torch.tensor(rows, device=self._device)
        self._positions_RP = lengths_R[:, None] + steps_P
        self._num_slots = max(self.lengths[row] for row in rows) + longest
        for row, count in zip(rows, counts, strict=True):
            self.lengths[row] += count
        slots_S = torch.arange(self._num_slots, device=self._device)
        return self._positions_RP, slots_S > self._positions_RP[:, None, :, None]

    def keep(self, rows: Sequence[int]) -> None:
        """Forget all rows but these, which are counted anew in their order."""
        self.lengths = [self.lengths[row] for row in rows]
        kept_R = torch.tensor(rows, dtype=torch.int64, device=self._device)
        for kept in self._kept:
            kept[:] = [states.index_select(0, kept_R) for states in kept]

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Keep a layer's new states, (R, H, P, D); return those that can be seen, (R, H, S, D)."""
        if layer_idx == len(self._kept):
            self._kept.append([self._room(states) for states in (key_states, value_states)])
        kept = self._kept[layer_idx]
        found = []
        for number, states in enumerate((key_states, value_states)):
            if kept[number].shape[2] < self._num_slots:
                more = self._room(states, kept[number].shape[2])
                kept[number] = torch.cat([kept[number], more], dim=2)
            heads_H = torch.arange(states.shape[1], device=self._device)
            rows_R11, positions_R1P = self._rows_R[:, None, None], self._positions_RP[:, None]
            kept[number][rows_R11, heads_H[:, None], positions_R1P] = states
            seen = kept[number][:, :, : self._num_slots]
            found.append(seen if len(self._rows_R) == len(self.lengths) else seen[self._rows_R])
        return found[0], found[1]

    def _room(self, states: Tensor, taken: int = 0) -> Tensor:
        slots = max(self._num_slots - taken, taken, CHUNK)
        # zeros: what is not seen is still multiplied, by 0
        return states.new_zeros(len(self.lengths), states.shape[1], slots, states.shape[3])
