"""Rows of an embedding and of a head that are trained while all others stay as they are."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class NewRows(nn.Module):
    """Some rows of a weight in a parameter of their own, in their places at every use.

    N = tokens whose rows are trained, V = vocabulary, D = model width.
    """

    ids_N: Tensor

    def __init__(self, base: nn.Module, ids_N: Tensor, rows_ND: nn.Parameter | None = None) -> None:
        """Take the rows from `base`, or share those of a weight that is tied to it."""
        super().__init__()
        assert isinstance(base, nn.Embedding | nn.Linear)
        self.base = base
        self.register_buffer("ids_N", ids_N, persistent=False)
        if rows_ND is None:
            rows_ND = nn.Parameter(base.weight.detach()[ids_N].to(torch.float32).clone())
        self.rows_ND = rows_ND

    @property
    def weight(self) -> Tensor:
        """The weight as it was, (V, D)."""
        return self.base.weight

    def merge(self) -> nn.Module:
        """Return what was wrapped, with the trained rows in it."""
        with torch.no_grad():
            self.weight[self.ids_N] = self.rows_ND.to(self.weight.dtype)
        return self.base


class NewEmbeddings(NewRows):
    """Embeddings of token ids."""

    def forward(self, ids_BT: Tensor) -> Tensor:
        """Return (B, T, D)."""
        embedded_BTD = self.base(ids_BT)
        place_BT = torch.searchsorted(self.ids_N, ids_BT).clamp(max=len(self.ids_N) - 1)
        is_new_BT = self.ids_N[place_BT] == ids_BT
        own_BTD = functional.embedding(place_BT, self.rows_ND).to(embedded_BTD.dtype)
        return torch.where(is_new_BT[..., None], own_BTD, embedded_BTD)


class NewHead(NewRows):
    """Scores of token ids."""

    def forward(self, hidden_BTD: Tensor) -> Tensor:
        """Return (B, T, V)."""
        scores_BTV = self.base(hidden_BTD)
        own_BTN = functional.linear(hidden_BTD, self.rows_ND.to(hidden_BTD.dtype))
        return scores_BTV.index_copy(-1, self.ids_N, own_BTN.to(scores_BTV.dtype))
