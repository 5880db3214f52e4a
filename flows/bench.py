"""Ask a model of ours the questions of a bench; what it answers is scored like any other's."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from flows.answers import AT_ONCE, asked_sample
from flows.loaded import loaded
from masks.rle import encode
from tasks.scoring.bench import Bench
from tasks.scoring.controls import AskedItem, Control, asked_items, turned_back
from tasks.scoring.item import BenchItem
from tasks.scoring.prediction import PredictedMask, Prediction
from tasks.scoring.run_file import append, folder_digest, header_of, still_to_ask
from terrascope_model.answer import Answer, Answerer, Asking
from terrascope_model.generate import PromptError
from terrascope_model.processor import SampleError


def ask_model(bench: Bench, model: Path, out: Path, control: Control, max_new_tokens: int) -> Path:
    """Ask a model of ours every item, go on where a run was cut off; return its predictions.

    UserError where the folder holds no model.
    """
    answerer = loaded(model)
    asking = Asking(max_new_tokens=max_new_tokens)
    settings = f"{max_new_tokens} tokens at most"
    header = header_of(bench, model.resolve().name, settings, control, folder_digest(model))
    items = still_to_ask(out, header, bench.items)
    append(out, answered(answerer, bench, items, control, asking))
    return out


def answered(
    answerer: Answerer,
    bench: Bench,
    items: Sequence[BenchItem],
    control: Control,
    asking: Asking,
) -> Iterator[Prediction]:
    """Yield what a model answers to items, asked some at once; what it cannot be asked says so."""
    waiting = asked_items(bench, items, control)
    while chunk := [asked for _, asked in zip(range(AT_ONCE), waiting, strict=False)]:
        yield from map(turned_back, chunk, _predicted(answerer, chunk, asking))


def _predicted(answerer: Answerer, chunk: Sequence[AskedItem], asking: Asking) -> list[Prediction]:
    try:
        samples = [
            asked_sample(one.item.item_id, one.pictures, one.item.question, one.options)
            for one in chunk
        ]
        answers = answerer.answer(samples, asking)
    except (SampleError, PromptError) as error:
        if len(chunk) == 1:
            return [Prediction(sample_id=chunk[0].item.item_id, error=str(error))]
        return [one for asked in chunk for one in _predicted(answerer, [asked], asking)]
    return [
        _prediction(one.item.item_id, answer) for one, answer in zip(chunk, answers, strict=True)
    ]


def _prediction(item_id: str, answer: Answer) -> Prediction:
    return Prediction(
        sample_id=item_id,
        text=answer.text,
        masks=tuple(
            PredictedMask(
                image_index=mask.picture,
                size=(mask.mask_HW.shape[0], mask.mask_HW.shape[1]),
                counts=encode(mask.mask_HW).decode("ascii"),
            )
            for mask in answer.masks
        ),
    )
