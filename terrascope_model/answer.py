"""Ask a model that was saved: pictures and a question in, words, masks and an answer out."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor

from schemas.trace import answer_of
from terrascope_model.batch import Seen
from terrascope_model.configuration import TerraScopeConfig
from terrascope_model.feedback import Feedback, last_facts_text
from terrascope_model.frames import named_image
from terrascope_model.generate import (
    LIKELIEST,
    MAX_MASKS,
    Decoding,
    Sampling,
    Segmented,
    Wrote,
    full_logits,
    full_size,
    stream,
)
from terrascope_model.model import TerraScopeModel
from terrascope_model.naming import segment_question, segment_trace
from terrascope_model.processor import TerraScopeProcessor
from terrascope_model.sample import Picture, Sample, StepMask
from terrascope_model.sensors import seen_by

CONFIG = "config.json"
_UNFINISHED = "\ufffd"  # what the first bytes of a character are decoded to


class ModelFolderError(ValueError):
    """A folder that no model can be loaded from; it says what is wrong with which file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How questions are answered.

    Attributes:
        max_new_tokens: Tokens that are written for one at most.
        max_masks: Masks of one at most.
        sampling: How a token is drawn.
        feedback: What is put in after a mask; what the model was made for, if not given.
    """

    max_new_tokens: int = 512
    max_masks: int = MAX_MASKS
    sampling: Sampling = LIKELIEST
    feedback: Feedback | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model wrote.

    Attributes:
        text: All of it, measured facts among it; a [SEG] for each mask.
        answer: What it answers or captions with; "" where it came to no answer.
        masks: Of the [SEG] in order, each with the picture that it lies on.
        ended: Whether it ended by itself, not for want of room or tokens.
    """

    text: str
    answer: str
    masks: tuple[StepMask, ...]
    ended: bool


Event = str | StepMask | Answer


class Answerer:
    """A model and its processor, for questions."""

    def __init__(self, model: TerraScopeModel, processor: TerraScopeProcessor) -> None:
        self.model, self.processor = model.eval(), processor

    @classmethod
    def from_pretrained(cls, folder: Path) -> Self:
        """Load what was saved into a folder, from files of safetensors and JSON alone.

        ModelFolderError where the folder holds no such model, or not all of it.
        """
        _check_config(folder)
        try:
            # the model of its own configuration, without a look at the network
            loaded: Any = TerraScopeModel.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, output_loading_info=True
            )
            model, found = cast(tuple[TerraScopeModel, dict[str, Any]], loaded)
            processor = TerraScopeProcessor.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, RuntimeError, TypeError, SafetensorError) as error:
            first_line = str(error).strip().split("\n")[0]
            raise ModelFolderError(f"{folder}: the model cannot be loaded: {first_line}") from error
        if missing := sorted(found["missing_keys"]):
            raise ModelFolderError(
                f"{folder}: {len(missing)} weights are missing, such as {missing[0]}; save the "
                "model again"
            )
        if processor.feedback != model.config.feedback:
            raise ModelFolderError(
                f"{folder}: the model is made for the feedback {model.config.feedback!r}, its "
                f"processor for {processor.feedback!r}; save both again"
            )
        return cls(model, processor)

    def answer(self, samples: Sequence[Sample], asking: Asking | None = None) -> list[Answer]:
        """Return the answers to questions, asked together; traces and masks are not looked at.

        SampleError where a question cannot be asked, PromptError where it is too long.
        """
        ended: dict[int, Answer] = {}
        for row, event in self._events(samples, asking or Asking()):
            if isinstance(event, Answer):
                ended[row] = event
        return [ended[row] for row in range(len(samples))]

    def stream(self, sample: Sample, asking: Asking | None = None) -> Iterator[Event]:
        """Yield what is written piece by piece, each mask after its [SEG], and the whole at last.

        Errors as of `answer`.
        """
        for _, event in self._events([sample], asking or Asking()):
            yield event

    def segment(self, pictures: Sequence[Picture], phrases: Sequence[str]) -> list[StepMask]:
        """Return the masks of named classes, one of each picture, in one pass over the texts.

        The text that marks the class is given, so that nothing has to be written: what [SEG] asks
        for there is what it would ask for in a text of the model's own.
        """
        logits_Mhw = self._named_logits(pictures, phrases)
        found = (
            full_size(logits_hw, picture.size_HW)
            for logits_hw, picture in zip(logits_Mhw, pictures, strict=True)
        )
        return [_step_mask(0, mask_HW, confidence) for mask_HW, confidence in found]

    def probabilities(self, picture: Picture, phrases: Sequence[str]) -> NDArray[np.float32]:
        """Return for each of some named classes how probable it is in each pixel, (M, H, W)."""
        logits_Mhw = self._named_logits([picture] * len(phrases), phrases)
        full = [full_logits(logits_hw, picture.size_HW).sigmoid() for logits_hw in logits_Mhw]
        return torch.stack(full).cpu().numpy()

    @torch.no_grad()
    def _named_logits(self, pictures: Sequence[Picture], phrases: Sequence[str]) -> Tensor:
        samples = [
            Sample(
                sample_id=phrase,
                pictures=(picture,),
                question=segment_question([phrase]),
                trace=segment_trace([phrase]),
                # what is put in after [SEG] comes too late to change its mask
                masks=(StepMask(picture=0, mask_HW=np.zeros(picture.size_HW, np.bool_)),),
            )
            for picture, phrase in zip(pictures, phrases, strict=True)
        ]
        batch = self.processor.collate([self.processor.encode(sample) for sample in samples])
        device = self.model.device
        logits_Mhw: Tensor = self.model(
            batch["ids_BT"].to(device),
            batch["attention_BT"].to(device),
            self._seen(batch["seen"]),
            [segment.to(device) for segment in batch["segments"]],
        ).mask_logits
        return logits_Mhw.float()

    def _events(self, samples: Sequence[Sample], asking: Asking) -> Iterator[tuple[int, Event]]:
        shown = [seen_by(sample, self.processor.sensors) for sample in samples]
        encoded = [self.processor.encode(replace(s, trace="", masks=())) for s in shown]
        batch = self.processor.collate(encoded, left=True)
        device, seen = self.model.device, self._seen(batch["seen"])
        eos = self.processor.tokenizer.eos_token_id
        decoding = Decoding(
            eos_token_id=eos,
            max_new_tokens=asking.max_new_tokens,
            max_masks=asking.max_masks,
            sampling=asking.sampling,
            choose_image=self._choose,
            feedback=asking.feedback,
            facts=self._facts_of(shown),
        )
        rows = [_Row(self._decoded) for _ in samples]
        prompts = batch["ids_BT"].to(device), batch["attention_BT"].to(device)
        for event in stream(self.model, *prompts, seen, decoding):
            row = rows[event.row]
            if isinstance(event, Segmented):
                # numbered as in the sample, of which pictures may not be shown
                picture = shown[event.row].pictures[event.image]
                at = samples[event.row].pictures.index(picture)
                row.masks.append(_step_mask(at, event.mask_HW, event.confidence))
                yield event.row, row.masks[-1]
                row.ids += event.forced
            elif isinstance(event, Wrote) and event.token_id == eos:
                row.ended = True
            else:
                row.ids.append(event.token_id)
            if new := row.new_text():
                yield event.row, new
        for number, row in enumerate(rows):
            if cut := row.cut_text():
                yield number, cut
            text = self._decoded(row.ids)
            yield (
                number,
                Answer(text=text, answer=answer_of(text), masks=tuple(row.masks), ended=row.ended),
            )

    def _choose(self, row: int, written: Sequence[int]) -> int | None:
        return named_image(self._decoded(written))

    def _facts_of(
        self, samples: Sequence[Sample]
    ) -> Callable[[int, Sequence[tuple[int, Tensor]]], list[int]]:
        def facts(row: int, masks: Sequence[tuple[int, Tensor]]) -> list[int]:
            marked = [_step_mask(image, mask_HW) for image, mask_HW in masks]
            return self.processor.text_ids(last_facts_text(marked, samples[row].pictures))

        return facts

    def _seen(self, seen: Seen) -> Seen:
        """Return images where the model is, in its precision."""
        seen, kind = seen.to(self.model.device), self.model.dtype
        return replace(
            seen, tiles_N3SS=seen.tiles_N3SS.to(kind), ground_I3GG=seen.ground_I3GG.to(kind)
        )

    def _decoded(self, ids: Sequence[int]) -> str:
        return self.processor.tokenizer.decode(ids)


class _Row:
    """What a row wrote, and how much of it was told."""

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self.ids: list[int] = []
        self.masks: list[StepMask] = []
        self.ended = False
        self._decode, self._told = decode, 0

    def new_text(self) -> str:
        """Return what was not told yet, "" while its last character is unfinished."""
        text = self.cut_text()
        if text.endswith(_UNFINISHED):
            return ""
        self._told = len(self.ids)
        return text

    def cut_text(self) -> str:
        """Return what was not told yet, finished or not."""
        return self._decode(self.ids[self._told :])


def _step_mask(picture: int, mask_HW: Tensor, confidence: float = 1.0) -> StepMask:
    on_cpu: NDArray[np.bool_] = mask_HW.cpu().numpy()
    return StepMask(picture=picture, mask_HW=on_cpu, confidence=confidence)


def _check_config(folder: Path) -> None:
    """ModelFolderError unless a folder's configuration is one of ours."""
    if not folder.is_dir():
        raise ModelFolderError(f"{folder}: no such folder; give the one that training wrote")
    path = folder / CONFIG
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        kind = found["model_type"]
    except FileNotFoundError as error:
        raise ModelFolderError(
            f"{folder}: there is no {CONFIG}; training writes it when it is done"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFolderError(f"{path}: no model's configuration: {error!r}") from error
    if kind != TerraScopeConfig.model_type:
        raise ModelFolderError(
            f"{path}: a model of the type {kind!r}; expected {TerraScopeConfig.model_type!r}"
        )
