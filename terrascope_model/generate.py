"""Write, segment, look at what was segmented, write on: decoding with one cache, batched.

A step writes a token in every unfinished row. Rows that wrote [SEG] get a mask from its hidden
state; the visual tokens of the mask's region, and facts measured on it, are put in after it, in
these rows alone. Images are looked at once. In float32 all of it equals reading the whole text
anew, and a row that writes the likeliest tokens equals itself alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from terrascope_model.batch import Seen
from terrascope_model.cache import RowCache
from terrascope_model.fed_tokens import fed_tokens
from terrascope_model.feedback import Feedback, puts_facts
from terrascope_model.model import Sight, TerraScopeModel

MAX_MASKS = 20  # of a row; after these no [SEG] can be written (the released code's number)

# row, ids written so far -> image of the row; None for the first that can be segmented
ChooseImage = Callable[[int, Sequence[int]], int | None]
# row, its masks so far with the images of the row that they lie on -> ids that are put in
Facts = Callable[[int, Sequence[tuple[int, Tensor]]], Sequence[int]]


class PromptError(ValueError):
    """A prompt that leaves no room to write; it says how long it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a token is drawn: the likeliest at temperature 0, else within `top_p` of probability."""

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


LIKELIEST = Sampling()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """How rows are written.

    Attributes:
        eos_token_id: Ends a row.
        max_new_tokens: Tokens that a row may write; what is put in for it does not count.
        max_masks: [SEG] that a row may write.
        sampling: How a token is drawn.
        choose_image: Which image of its row a [SEG] segments; the first that can be, if not given.
        feedback: What is put in after a [SEG]; what the model was made for, if not given.
        facts: Ids of a mask's measured facts, where the feedback has such.
    """

    eos_token_id: int
    max_new_tokens: int
    max_masks: int = MAX_MASKS
    sampling: Sampling = LIKELIEST
    choose_image: ChooseImage | None = None
    feedback: Feedback | None = None
    facts: Facts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrote:
    """A row wrote a token, with the scores that it was drawn from, (vocabulary,)."""

    row: int
    token_id: int
    scores_V: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmented:
    """A row's last token was a [SEG]: its mask, and what was put in after it.

    `image` counts the images of the row; `tokens_K` are visual tokens, `forced` the ids of facts.
    Both are empty where they would not fit in the model's positions; the row ends there.
    `confidence` is the mean probability that the mask's pixels belong to it, 0 of an empty mask.
    """

    row: int
    image: int
    mask_HW: Tensor
    confidence: float
    tokens_K: Tensor
    forced: tuple[int, ...]

    def __len__(self) -> int:
        """Return how many positions were put in."""
        return len(self.tokens_K) + len(self.forced)


@dataclass(slots=True)
class Generated:
    """What one row came to: its ids with region placeholders, and its masks in order."""

    ids: list[int] = field(default_factory=list)
    segmented: list[Segmented] = field(default_factory=list)
    ended: bool = False


def generate(
    model: TerraScopeModel, ids_BT: Tensor, attention_BT: Tensor, seen: Seen, decoding: Decoding
) -> list[Generated]:
    """Return what each row writes after its prompt; arguments and errors as of `stream`."""
    rows = [Generated() for _ in range(len(ids_BT))]
    for event in stream(model, ids_BT, attention_BT, seen, decoding):
        row = rows[event.row]
        if isinstance(event, Wrote):
            row.ids.append(event.token_id)
            row.ended = event.token_id == decoding.eos_token_id
        else:
            row.ids += [model.config.region_token_id] * len(event.tokens_K) + [*event.forced]
            row.segmented.append(event)
    return rows


@torch.no_grad()
def stream(
    model: TerraScopeModel, ids_BT: Tensor, attention_BT: Tensor, seen: Seen, decoding: Decoding
) -> Iterator[Wrote | Segmented]:
    """Yield what the rows of a batch write, token by token and mask by mask.

    Args:
        model: In evaluation mode, on the tensors' device.
        ids_BT: Prompts with image placeholders, padded on the left.
        attention_BT: 0 where a prompt is padded.
        seen: The prompts' images.
        decoding: How they are written.

    PromptError where a prompt leaves no room to write; ValueError where placeholders and features
    do not agree, a row has no image to segment, or facts are asked for and nothing measures them.
    """
    feedback = decoding.feedback or model.config.feedback
    if puts_facts(feedback) and decoding.facts is None:
        raise ValueError(f"feedback {feedback!r} puts in facts, and nothing is given that has them")
    writer = _Writer(model, ids_BT, attention_BT, seen, decoding.sampling)
    written: list[list[int]] = [[] for _ in range(len(ids_BT))]
    masks: list[list[tuple[int, Tensor]]] = [[] for _ in range(len(ids_BT))]
    for _ in range(decoding.max_new_tokens):
        full = [len(masks[row]) >= decoding.max_masks for row in writer.rows]
        scores_RV, tokens = writer.draw(full)
        for row, token_id, scores_V in zip(writer.rows, tokens, scores_RV, strict=True):
            written[row].append(token_id)
            yield Wrote(row=row, token_id=token_id, scores_V=scores_V)
        ended = [written[row][-1] == decoding.eos_token_id for row in writer.rows]
        writer.end([row for row, has in zip(writer.rows, ended, strict=True) if has])
        if not writer.rows:
            return
        writer.write([written[row][-1] for row in writer.rows])
        asking = [row for row in writer.rows if written[row][-1] == model.config.seg_token_id]
        cut = set()
        if asking:
            chosen = [_chosen(seen, row, written[row], decoding.choose_image) for row in asking]
            pieces = []
            for row, image, (mask_HW, confidence, tokens_K) in zip(
                asking, chosen, writer.segment(asking, chosen, feedback), strict=True
            ):
                first = next(i for i, placed in enumerate(seen.images) if placed.row == row)
                masks[row].append((image - first, mask_HW))
                forced: Sequence[int] = ()
                if puts_facts(feedback) and decoding.facts:
                    forced = decoding.facts(row, masks[row])
                if len(tokens_K) + len(forced) > writer.room(row):
                    tokens_K, forced = tokens_K[:0], ()
                    cut.add(row)
                written[row] += forced
                pieces.append(writer.piece(image, tokens_K, forced))
                yield Segmented(
                    row=row,
                    image=image - first,
                    mask_HW=mask_HW,
                    confidence=confidence,
                    tokens_K=tokens_K,
                    forced=tuple(forced),
                )
            writer.put_in(asking, pieces)
        writer.end([row for row in writer.rows if row in cut or not writer.room(row)])
        if not writer.rows:
            return


def full_logits(logits_hw: Tensor, size_HW: tuple[int, int]) -> Tensor:
    """Return logits (H, W) of all pixels."""
    return functional.interpolate(
        logits_hw[None, None], size_HW, mode="bilinear", align_corners=False
    )[0, 0]


def full_size(logits_hw: Tensor, size_HW: tuple[int, int]) -> tuple[Tensor, float]:
    """Return the mask (H, W) of logits, and the mean probability of its pixels, 0 of none."""
    logits_HW = full_logits(logits_hw, size_HW)
    mask_HW = logits_HW > 0
    inside = logits_HW[mask_HW].sigmoid()
    return mask_HW, float(inside.mean()) if len(inside) else 0.0


def _chosen(seen: Seen, row: int, written: Sequence[int], choose_image: ChooseImage | None) -> int:
    """Return the batch's image that a row's [SEG] segments; a radar image means its optical one.

    An image that is not there means the first that can be segmented. ValueError where the row has
    none.
    """
    of_row = [number for number, image in enumerate(seen.images) if image.row == row]
    can_be = [number for number in of_row if seen.images[number].ground is not None]
    if not can_be:
        raise ValueError(f"row {row} has {len(of_row)} images, and none of them to segment")
    at = None if choose_image is None else choose_image(row, written)
    if at is None or not 0 <= at < len(of_row):
        return can_be[0]
    beside = (number for number in can_be if of_row[at] in (number, seen.images[number].sar))
    return next(beside, can_be[0])


class _Writer:
    """The cache of a batch, and each row's last hidden state; `rows` are those not ended."""

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
        self._cache = RowCache(len(ids_BT), ids_BT.device)
        self.rows = list(range(len(ids_BT)))
        counts = attention_BT.sum(1).tolist()
        for row, count in enumerate(counts):
            if count >= self.num_positions:
                raise PromptError(
                    f"row {row}: a prompt of {count} tokens leaves no room to write; the model has "
                    f"{self.num_positions} positions"
                )
        self._sight: Sight = model.look(seen)
        embedded_BTD = model.embed(ids_BT, seen, (), self._sight)
        self._hidden_BD = torch.zeros_like(embedded_BTD[:, 0])
        # the padding to the end, where nothing sees it
        order_BT = attention_BT.argsort(dim=1, descending=True, stable=True)
        embedded_BTD = embedded_BTD.gather(1, order_BT[..., None].expand_as(embedded_BTD))
        self._feed(self.rows, embedded_BTD, counts)

    def draw(self, full: Sequence[bool]) -> tuple[Tensor, list[int]]:
        """Return the scores (R, V) of the next token and the one drawn, never a placeholder.

        Rows that are full write no [SEG].
        """
        scores_RV = self._model.vlm.lm_head(self._hidden_BD[self.rows]).float()
        no_seg_R = torch.tensor(full, device=scores_RV.device)
        config = self._model.config
        scores_RV[no_seg_R, config.seg_token_id] = float("-inf")
        scores_RV[:, [config.region_token_id, config.vlm_config.image_token_id]] = float("-inf")
        if not self._sampling.temperature:
            return scores_RV, scores_RV.argmax(-1).tolist()
        probable, order = (scores_RV / self._sampling.temperature).softmax(-1).sort(descending=True)
        beyond = probable.cumsum(-1) - probable >= self._sampling.top_p
        beyond[:, 0] = False  # the likeliest can always be drawn
        probable[beyond] = 0
        drawn = torch.multinomial(probable, 1, generator=self._random)
        return scores_RV, order.gather(-1, drawn)[:, 0].tolist()

    def end(self, ended: Sequence[int]) -> None:
        """Forget rows that write no more."""
        if ended:
            left = [at for at, row in enumerate(self.rows) if row not in ended]
            self._cache.keep(left)
            self.rows = [self.rows[at] for at in left]

    def write(self, tokens: Sequence[int]) -> None:
        """Feed a token a row."""
        ids_R1 = torch.tensor(tokens, device=self._hidden_BD.device)[:, None]
        embedded = self._model.get_input_embeddings()(ids_R1)
        self._feed(self.rows, embedded, [1] * len(tokens))

    def segment(
        self, rows: Sequence[int], images: Sequence[int], feedback: Feedback
    ) -> list[tuple[Tensor, float, Tensor]]:
        """Return each row's mask of its image, at the image's size.

        With each its confidence, and the tokens that are put in.
        """
        model = self._model
        placed = [self._seen.images[image] for image in images]
        logits_Mhw = model.masks_of(self._hidden_BD[list(rows)], placed, self._sight.features)
        found = []
        for logits_hw, image in zip(logits_Mhw.float(), placed, strict=True):
            mask_HW, confidence = full_size(logits_hw, image.size_HW)
            tokens_K = fed_tokens(
                mask_HW,
                image.layout,
                feedback,
                model.config.max_region_tokens,
                more_than=model.config.more_than,
            )
            found.append((mask_HW, confidence, tokens_K))
        return found

    def piece(self, image: int, tokens_K: Tensor, forced: Sequence[int]) -> Tensor:
        """Return what is put in after a [SEG]: the region's tokens, then forced text, (P, D)."""
        region_KD = self._model.region_features(image, tokens_K, self._seen, self._sight)
        ids = torch.tensor(forced, dtype=torch.int64, device=region_KD.device)
        return torch.cat([region_KD, self._model.get_input_embeddings()(ids).to(region_KD.dtype)])

    def put_in(self, rows: Sequence[int], pieces: Sequence[Tensor]) -> None:
        """Feed rows their pieces, and go on from the end of each."""
        filled = [(row, piece) for row, piece in zip(rows, pieces, strict=True) if len(piece)]
        if filled:
            embedded_RPD = torch.nn.utils.rnn.pad_sequence(
                [piece for _, piece in filled], batch_first=True
            )
            counts = [len(piece) for _, piece in filled]
            self._feed([row for row, _ in filled], embedded_RPD, counts)

    @property
    def num_positions(self) -> int:
        """Tokens that a text can have."""
        return self._model.config.vlm_config.text_config.max_position_embeddings

    def room(self, row: int) -> int:
        """Return how many more tokens a row can take."""
        return self.num_positions - self._cache.lengths[self.rows.index(row)]

    def _feed(self, rows: Sequence[int], embedded_RPD: Tensor, counts: Sequence[int]) -> None:
        """Read on in some rows, as many of the tokens as count; the last's state is the row's.

        Each has at least one that counts.
        """
        places = [self.rows.index(row) for row in rows]
        positions_RP, hidden_from = self._cache.take(places, counts, embedded_RPD.shape[1])
        # as is added to scores; a mask of bools is made such anew in every layer
        added = torch.zeros_like(hidden_from, dtype=embedded_RPD.dtype)
        added.masked_fill_(hidden_from, torch.finfo(added.dtype).min)
        hidden_RPD = self._model.vlm.model.language_model(
            inputs_embeds=embedded_RPD,
            attention_mask=added,
            position_ids=positions_RP,
            past_key_values=self._cache,
            use_cache=True,
        ).last_hidden_state
        lasts = [count - 1 for count in counts]
        self._hidden_BD[rows] = hidden_RPD[range(len(rows)), lasts]
