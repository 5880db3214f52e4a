"""A trained model, ready to be asked."""

from pathlib import Path

import torch
from transformers.utils.logging import disable_progress_bar

from tasks.errors import UserError
from terrascope_model.answer import Answerer, ModelFolderError


def loaded(model: Path) -> Answerer:
    """Return the model of a folder, on a GPU if there is one; UserError where there is none."""
    disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        answerer = Answerer.from_pretrained(model)
    except ModelFolderError as error:
        raise UserError(str(error)) from error
    answerer.model.to("cuda" if torch.cuda.is_available() else "cpu")
    return answerer
