"""Write, segment, look at what was segmented, write on: decoding with one cache, batched.

A step writes a token in every unfinished row. Rows that wrote [SEG] get a mask from its hidden
state, and the visual tokens of the mask's region are put in after it as one more piece of the
cache; in rows that need fewer, the piece is filled up with positions that nothing sees. Images are
looked at once. In float32 all of it equals reading the whole text anew, and a row that writes the
likeliest tokens equals itself alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional
from transformers import DynamicCache

from terrascope_model.batch import Seen
from terrascope_model.model import Sight, TerraScopeModel
from terrascope_model.regions import region_tokens

MAX_MASKS = 20  # of a row; after these no [SEG] can be written (the released code's number)

ChooseImage = Callable[[int, Sequence[int]], int]  # row, ids written so far -> image of the row
Feedback = Callable[[int, Sequence[Tensor]], Sequence[int]]  # row, its masks so far -> forced ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a token is drawn: the likeliest at temperature 0, else within `top_p` of probability."""

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrote:
    """A row wrote a token, with the scores that it was drawn from, (vocabulary,)."""

    row: int
    token_id: int
    scores_V: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmented:
    """A row's last token was a [SEG]: its mask, and the visual tokens that went in.

    `image` counts the images of the row; `forced` are the ids that a feedback put in besides.
    """

    row: int
    image: int
    mask_HW: Tensor
    tokens_K: Tensor
    forced: tuple[int, ...]


@dataclass(slots=True)
class Generated:
    """What one row came to: its ids with region placeholders, and its masks in order."""

    ids: list[int] = field(default_factory=list)
    segmented: list[Segmented] = field(default_factory=list)
    ended: bool = False


def generate(
    model: TerraScopeModel,
    ids_BT: Tensor,
    attention_BT: Tensor,
    seen: Seen,
    *,
    eos_token_id: int,
    max_new_tokens: int,
    max_masks: int = MAX_MASKS,
    sampling: Sampling | None = None,
    choose_image: ChooseImage | None = None,
    feedback: Feedback | None = None,
) -> list[Generated]:
    """Return what each row writes after its prompt; arguments as for `stream`."""
    rows = [Generated() for _ in range(len(ids_BT))]
    for event in stream(
        model,
        ids_BT,
        attention_BT,
        seen,
        eos_token_id=eos_token_id,
        max_new_tokens=max_new_tokens,
        max_masks=max_masks,
        sampling=sampling,
        choose_image=choose_image,
        feedback=feedback,
    ):
        row = rows[event.row]
        if isinstance(event, Wrote):
            row.ids.append(event.token_id)
            row.ended = event.token_id == eos_token_id
        else:
            row.ids += [model.config.region_token_id] * len(event.tokens_K) + [*event.forced]
            row.segmented.append(event)
    return rows


@torch.no_grad()
def stream(
    model: TerraScopeModel,
    ids_BT: Tensor,
    attention_BT: Tensor,
    seen: Seen,
    *,
    eos_token_id: int,
    max_new_tokens: int,
    max_masks: int = MAX_MASKS,
    sampling: Sampling | None = None,
    choose_image: ChooseImage | None = None,
    feedback: Feedback | None = None,
) -> Iterator[Wrote | Segmented]:
    """Yield what the rows of a batch write, token by token and mask by mask.

    Args:
        model: In evaluation mode, on the tensors' device.
        ids_BT: Prompts with image placeholders, padded on the left.
        attention_BT: 0 where a prompt is padded.
        seen: The prompts' images.
        eos_token_id: Ends a row.
        max_new_tokens: Tokens that a row may write; what is put in for it does not count.
        max_masks: [SEG] that a row may write.
        sampling: The likeliest token if not given.
        choose_image: Which image of its row a [SEG] segments; the first that can be, if not given.
        feedback: Ids that are put in after a mask's region, as if written.

    ValueError where placeholders and features do not agree, a prompt leaves no room to write, or a
    row has no image to segment.
    """
    writer = _Writer(model, ids_BT, attention_BT, seen, sampling or Sampling())
    written: list[list[int]] = [[] for _ in range(len(ids_BT))]
    masks: list[list[Tensor]] = [[] for _ in range(len(ids_BT))]
    active = [True] * len(ids_BT)
    for row in range(len(active)):
        if not writer.has_room(row):
            raise ValueError(
                f"row {row}: a prompt of {int(attention_BT[row].sum())} tokens leaves no room to "
                f"write; the model has {writer.num_positions} positions"
            )
    for _ in range(max_new_tokens):
        full = [len(found) >= max_masks for found in masks]
        scores_BV, token_B = writer.draw(full)
        tokens = token_B.tolist()
        asking = []
        for row, token_id in enumerate(tokens):
            if not active[row]:
                continue
            written[row].append(token_id)
            yield Wrote(row=row, token_id=token_id, scores_V=scores_BV[row])
            active[row] = token_id != eos_token_id
            if token_id == model.config.seg_token_id:
                asking.append(row)
        if not any(active):
            return
        writer.write(token_B, active)
        if asking:
            chosen = [_chosen(seen, row, written[row], choose_image) for row in asking]
            pieces: list[Tensor] = []
            for row, image, (mask_HW, tokens_K) in zip(
                asking, chosen, writer.segment(asking, chosen), strict=True
            ):
                masks[row].append(mask_HW)
                forced = tuple(feedback(row, masks[row])) if feedback else ()
                written[row] += forced
                pieces.append(writer.piece(image, tokens_K, forced))
                first = next(i for i, placed in enumerate(seen.images) if placed.row == row)
                yield Segmented(
                    row=row, image=image - first, mask_HW=mask_HW, tokens_K=tokens_K, forced=forced
                )
            writer.put_in(asking, pieces)
        for row in range(len(active)):
            active[row] &= writer.has_room(row)
        if not any(active):
            return


def _chosen(seen: Seen, row: int, written: Sequence[int], choose_image: ChooseImage | None) -> int:
    """Return the batch's image that a row's [SEG] segments; a radar image means its optical one.

    ValueError where the row has no such image.
    """
    of_row = [number for number, image in enumerate(seen.images) if image.row == row]
    if choose_image is None:
        chosen = next((n for n in of_row if seen.images[n].ground is not None), None)
    else:
        at = choose_image(row, written)
        chosen = of_row[at] if 0 <= at < len(of_row) else None
        if chosen is not None and seen.images[chosen].ground is None:
            chosen = next((n for n in of_row if seen.images[n].sar == chosen), None)
    if chosen is None:
        raise ValueError(f"row {row} has {len(of_row)} images, and none of them to segment")
    return chosen


class _Writer:
    """The cache of a batch, and each row's last hidden state."""

    def __init__(
        self,
        model: TerraScopeModel,
        ids_BT: Tensor,
        attention_BT: Tensor,
        seen: Seen,
        sampling: Sampling,
    ) -> None:
        self._model, self._seen, self._sampling = model, seen, sampling
        self._random = torch.Generator(ids_BT.device).manual_seed(sampling.seed)
        self._sight: Sight = model.look(seen)
        self._cache = DynamicCache(config=model.config.vlm_config.text_config)
        self._attention_BS = attention_BT.new_empty((len(ids_BT), 0))
        self._next_B = torch.zeros_like(attention_BT[:, 0])
        embedded = model.embed(ids_BT, seen, (), self._sight)
        self._hidden_BD = self._feed(embedded, attention_BT)[:, -1]

    def draw(self, full: Sequence[bool]) -> tuple[Tensor, Tensor]:
        """Return the scores (B, V) of the next token and the one drawn, never a placeholder.

        Rows that are full write no [SEG].
        """
        scores_BV = self._model.vlm.lm_head(self._hidden_BD).float()
        no_seg_B = torch.tensor(full, device=scores_BV.device)
        config = self._model.config
        scores_BV[no_seg_B, config.seg_token_id] = float("-inf")
        scores_BV[:, [config.region_token_id, config.vlm_config.image_token_id]] = float("-inf")
        if not self._sampling.temperature:
            return scores_BV, scores_BV.argmax(-1)
        probable, order = (scores_BV / self._sampling.temperature).softmax(-1).sort(descending=True)
        beyond = probable.cumsum(-1) - probable >= self._sampling.top_p
        beyond[:, 0] = False  # the likeliest can always be drawn
        probable[beyond] = 0
        drawn = torch.multinomial(probable, 1, generator=self._random)
        return scores_BV, order.gather(-1, drawn)[:, 0]

    def write(self, token_B: Tensor, active: Sequence[bool]) -> None:
        """Feed a token a row; nothing sees those of rows that have ended."""
        embedded = self._model.get_input_embeddings()(token_B[:, None])
        seen_B1 = torch.tensor(active, device=token_B.device).to(self._attention_BS.dtype)[:, None]
        self._hidden_BD = self._feed(embedded, seen_B1)[:, 0]

    def segment(self, rows: Sequence[int], images: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
        """Return each row's mask of its image, at the image's size, and its region's tokens."""
        model = self._model
        placed = [self._seen.images[image] for image in images]
        logits_Mhw = model.masks_of(self._hidden_BD[list(rows)], placed, self._sight.features)
        found = []
        for logits_hw, image in zip(logits_Mhw.float(), placed, strict=True):
            mask_HW = (
                functional.interpolate(
                    logits_hw[None, None], image.size_HW, mode="bilinear", align_corners=False
                )[0, 0]
                > 0
            )
            tokens_K = region_tokens(
                mask_HW,
                image.layout,
                model.config.max_region_tokens,
                more_than=model.config.more_than,
            )
            found.append((mask_HW, tokens_K))
        return found

    def piece(self, image: int, tokens_K: Tensor, forced: Sequence[int]) -> Tensor:
        """Return what is put in after a [SEG]: the region's tokens, then forced text, (P, D)."""
        region_KD = self._model.region_features(image, tokens_K, self._seen, self._sight)
        ids = torch.tensor(forced, dtype=torch.int64, device=region_KD.device)
        return torch.cat([region_KD, self._model.get_input_embeddings()(ids).to(region_KD.dtype)])

    def put_in(self, rows: Sequence[int], pieces: Sequence[Tensor]) -> None:
        """Feed rows their pieces, and go on from the end of each."""
        longest = max(len(piece) for piece in pieces)
        if not longest:
            return
        size, width = self._hidden_BD.shape
        embedded = pieces[0].new_zeros(size, longest, width)
        seen_BP = self._attention_BS.new_zeros(size, longest)
        for row, piece in zip(rows, pieces, strict=True):
            embedded[row, : len(piece)] = piece
            seen_BP[row, : len(piece)] = 1
        hidden_BPD = self._feed(embedded, seen_BP)
        length_B = seen_BP.sum(1)
        last_BD = hidden_BPD[torch.arange(size), (length_B - 1).clamp(min=0)]
        self._hidden_BD = torch.where((length_B > 0)[:, None], last_BD, self._hidden_BD)

    @property
    def num_positions(self) -> int:
        """Tokens that a text can have."""
        return self._model.config.vlm_config.text_config.max_position_embeddings

    def has_room(self, row: int) -> bool:
        """Return whether a row can take one more token and a region."""
        room = self.num_positions - int(self._next_B[row])
        return room > 1 + self._model.config.max_region_tokens

    def _feed(self, embedded_BPD: Tensor, seen_BP: Tensor) -> Tensor:
        positions_BP = self._next_B[:, None] + seen_BP.cumsum(1) - 1
        self._attention_BS = torch.cat([self._attention_BS, seen_BP], dim=1)
        self._next_B = self._next_B + seen_BP.sum(1)
        return self._model.vlm.model.language_model(
            inputs_embeds=embedded_BPD,
            attention_mask=self._attention_BS,
            position_ids=positions_BP.clamp(min=0),
            past_key_values=self._cache,
            use_cache=True,
        ).last_hidden_state
