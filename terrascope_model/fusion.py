"""Which of two sensors a visual token comes from, as the question asks for it (paper, section 3.3).

Optical and radar image of one place have the same tokens, place by place. Each image's tokens are
scored by the question: for every word the tokens share out an attention of 1, and a token's score
is its mean over the words. A masked token is the radar image's where that scores higher.
"""

import math

import torch
from torch import Tensor


def text_scores(tokens_KD: Tensor, question_LD: Tensor) -> Tensor:
    """Return the mean attention that the words of a question pay each token of an image, (K,).

    ValueError for a question without words, which scores nothing.
    """
    if not len(question_LD):
        raise ValueError("a question without words cannot choose between two sensors")
    logits_KL = tokens_KD.float() @ question_LD.float().T / math.sqrt(tokens_KD.shape[-1])
    return logits_KL.softmax(dim=0).mean(dim=1)


def fuse(optical_KD: Tensor, sar_KD: Tensor, question_LD: Tensor) -> Tensor:
    """Return for each place the token of the sensor that the question scores higher, (K, D).

    ValueError where the two images have not the same number of tokens.
    """
    if optical_KD.shape != sar_KD.shape:
        raise ValueError(
            f"the optical image has {len(optical_KD)} visual tokens, the radar image {len(sar_KD)};"
            " both have to lie in the same tiles"
        )
    by_sar = text_scores(sar_KD, question_LD) > text_scores(optical_KD, question_LD)
    return torch.where(by_sar[:, None], sar_KD, optical_KD)
