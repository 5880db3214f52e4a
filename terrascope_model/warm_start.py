"""Begin with the weights of a model of ours that was trained before, on other words maybe."""

from pathlib import Path

from torch import Tensor
from transformers import PreTrainedTokenizerBase

from terrascope_model.answer import Answerer, ModelFolderError
from terrascope_model.model import TerraScopeModel
from terrascope_model.pretrained import WeightsError


def start_from(model: TerraScopeModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Give a model the weights that were saved into a folder.

    The embeddings, and the rows of the head, of words that both know go along by the word; words
    that are new keep what the model has for them.

    WeightsError where the folder holds no model, or one of other sizes.
    """
    try:
        saved = Answerer.from_pretrained(folder)
    except ModelFolderError as error:
        raise WeightsError(f"to start from: {error}") from error
    weights, own = saved.model.state_dict(), model.state_dict()
    ids, known = tokenizer.get_vocab(), saved.processor.tokenizer.get_vocab()
    shared = sorted(ids.keys() & known.keys())
    to_W, from_W = ([of[word] for word in shared] for of in (ids, known))
    for name in _rows_of_words(model):
        rows_VD = own[name].clone()
        if name in weights and rows_VD.shape[1:] == weights[name].shape[1:]:
            rows_VD[to_W] = weights[name][from_W].to(rows_VD.dtype)
            weights[name] = rows_VD
    if differing := [name for name in own if not _fits(own[name], weights.get(name))]:
        raise WeightsError(
            f"{folder} holds a model of other sizes: {len(differing)} of {len(own)} weights "
            f"differ, {min(differing)} among them; start from a model of the same preset"
        )
    model.load_state_dict(weights)


def _fits(due: Tensor, found: Tensor | None) -> bool:
    return found is not None and found.shape == due.shape


def _rows_of_words(model: TerraScopeModel) -> list[str]:
    """Return the names of the weights that have a row for each word."""
    rows = (model.get_input_embeddings().weight, model.vlm.lm_head.weight)
    named = model.named_parameters(remove_duplicate=False)
    return [name for name, weight in named if any(weight is row for row in rows)]
