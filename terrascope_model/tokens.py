"""The tokens that a model has besides its language, and a small tokenizer made from a dataset."""

from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from schemas.trace import (
    ANSWER_CLOSE,
    ANSWER_OPEN,
    CAPTION_CLOSE,
    CAPTION_OPEN,
    SEG,
    THINK_CLOSE,
    THINK_OPEN,
)

REGION = "<REGION>"  # stands where a masked visual token is put in
IMAGE, IMAGE_OPEN, IMAGE_CLOSE = "<IMG_CONTEXT>", "<img>", "</img>"  # InternVL's names
TURN_OPEN, TURN_CLOSE, PAD = "<|im_start|>", "<|im_end|>", "<|endoftext|>"  # Qwen's
ADDED = (
    THINK_OPEN,
    THINK_CLOSE,
    ANSWER_OPEN,
    ANSWER_CLOSE,
    CAPTION_OPEN,
    CAPTION_CLOSE,
    SEG,
    REGION,
)


def add_tokens(tokenizer: PreTrainedTokenizerBase) -> int:
    """Give a language model's tokenizer the tokens of traces; return how many were new."""
    return tokenizer.add_tokens(list(ADDED), special_tokens=True)


def train_tokenizer(
    texts: Iterable[str], vocab_size: int, added: Sequence[str] = ADDED
) -> PreTrainedTokenizerFast:
    """Return a byte-level BPE tokenizer of texts, each digit a token of its own.

    It has the marks of images and turns, and the tokens `added`.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[PAD, TURN_OPEN, TURN_CLOSE, IMAGE_OPEN, IMAGE_CLOSE, IMAGE, *added],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=TURN_CLOSE,
        pad_token=PAD,
        additional_special_tokens=[TURN_OPEN, IMAGE_OPEN, IMAGE_CLOSE, IMAGE, *added],
    )
