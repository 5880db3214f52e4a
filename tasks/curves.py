"""Losses over steps as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

SIZE_PX = (720, 360)
_LEFT, _TOP, _RIGHT, _BOTTOM = 56, 24, 700, 324
_COLOURS = ("#1f5fa8", "#b5471b")
_LINES = 4  # across, with their values


def draw_curves(curves: Mapping[str, Sequence[tuple[int, float]]], path: Path) -> None:
    """Write a PNG of (step, loss) of each stage, side by side in time, all to one scale."""
    image = Image.new("RGB", SIZE_PX, "white")
    draw = ImageDraw.Draw(image)
    ends = [curve[-1][0] for curve in curves.values()]
    top = max(loss for curve in curves.values() for _, loss in curve)
    for line in range(_LINES + 1):
        y = _BOTTOM - (_BOTTOM - _TOP) * line / _LINES
        draw.line([(_LEFT, y), (_RIGHT, y)], fill="#d5d9de")
        draw.text((8, y - 6), f"{top * line / _LINES:.2f}", fill="black")
    before = 0
    for number, (stage, curve) in enumerate(curves.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        points = [
            (
                _LEFT + (_RIGHT - _LEFT) * (before + step) / sum(ends),
                _BOTTOM - (_BOTTOM - _TOP) * loss / top,
            )
            for step, loss in curve
        ]
        draw.line(points, fill=colour, width=2)
        for x, y in points:
            draw.ellipse([(x - 2, y - 2), (x + 2, y + 2)], fill=colour)
        draw.text((points[0][0], _BOTTOM + 8), f"{stage}, {curve[-1][0]} steps", fill=colour)
        before += curve[-1][0]
    draw.text((_LEFT, 4), "loss", fill="black")
    image.save(path)
