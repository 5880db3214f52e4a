"""What a predicted mask costs: cross-entropy and Dice, everywhere or where it is least sure."""

import torch
from torch import Tensor
from torch.nn import functional

OVERSAMPLE, IMPORTANT = 3, 0.75  # of PointRend, as the released code has them
_SMOOTH = 1.0  # the Dice loss of an empty mask against an empty one is then 0


def mask_losses(
    logits_Nhw: Tensor, masks_Nhw: Tensor, num_points: int = 0
) -> tuple[Tensor, Tensor]:
    """Return mean cross-entropy and mean Dice loss of N masks; targets are 0 to 1.

    With `num_points` both are taken at so many points a mask: three quarters those that it is least
    sure about, out of three times as many drawn at random, the others anywhere.
    """
    if num_points:
        with torch.no_grad():
            points_NP2 = uncertain_points(logits_Nhw, num_points)
        logits_NP, masks_NP = at_points(logits_Nhw, points_NP2), at_points(masks_Nhw, points_NP2)
    else:
        logits_NP, masks_NP = logits_Nhw.flatten(1), masks_Nhw.flatten(1)
    cross_entropy = functional.binary_cross_entropy_with_logits(logits_NP, masks_NP)
    return cross_entropy, dice_loss(logits_NP.sigmoid(), masks_NP)


def dice_loss(probable_NP: Tensor, masks_NP: Tensor) -> Tensor:
    """Return 1 - Dice, the mean of N masks given by P points each."""
    both = (probable_NP * masks_NP).sum(1)
    sizes = probable_NP.sum(1) + masks_NP.sum(1)
    return (1 - (2 * both + _SMOOTH) / (sizes + _SMOOTH)).mean()


def uncertain_points(logits_Nhw: Tensor, num_points: int) -> Tensor:
    """Return (N, num_points, 2) places (x, y), 0 to 1, most where the logits are near 0."""
    number, device = len(logits_Nhw), logits_Nhw.device
    tried = torch.rand(number, OVERSAMPLE * num_points, 2, device=device)
    sure = at_points(logits_Nhw, tried).abs()
    num_important = int(IMPORTANT * num_points)
    least = sure.topk(num_important, dim=1, largest=False).indices
    important = tried.gather(1, least[..., None].expand(-1, -1, 2))
    anywhere = torch.rand(number, num_points - num_important, 2, device=device)
    return torch.cat([important, anywhere], dim=1)


def at_points(maps_Nhw: Tensor, points_NP2: Tensor) -> Tensor:
    """Return the values of N maps at points (x, y) of 0 to 1, between pixels by their distance."""
    grid = 2 * points_NP2[:, None] - 1
    values = functional.grid_sample(
        maps_Nhw[:, None].float(), grid.to(torch.float32), align_corners=False
    )
    return values[:, 0, 0]
