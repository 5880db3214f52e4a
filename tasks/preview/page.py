"""What all preview pages share: the scenes that are tried, the page, the pictures in it."""

import base64
from itertools import zip_longest
from pathlib import Path

from schemas.rejection import Refusal, Rejected
from schemas.scene import Scene
from tasks.config import BuildConfig
from tasks.drawing import inline_image
from tasks.granules import read_catalogue
from tasks.ingest import read_scene

PAGES = Path(__file__).parent
MOST_PX, MOST_IMAGE_BYTES = 900, 400_000


def first_scenes(config: BuildConfig, number: int) -> tuple[list[Scene], list[Rejected]]:
    """Return up to `number` scenes, sources in turn and spread over each, and what was refused."""
    catalogue = read_catalogue(config)
    by_source = []
    for source in sorted(config.sources):
        refs = [ref for g in catalogue.granules if g.id.source == source for ref in g.refs]
        by_source.append(refs[:: max(1, len(refs) // number)])
    scenes: list[Scene] = []
    refused: list[Rejected] = []
    for ref in (ref for turn in zip_longest(*by_source) for ref in turn if ref is not None):
        if len(scenes) == number:
            break
        try:
            scenes.append(read_scene(config, config.sources[ref.source], ref))
        except Refusal as refusal:
            refused.append(
                Rejected(
                    sample_id=ref.scene_id,
                    source=ref.source,
                    stage="ingest",
                    reason=refusal.reason,
                    detail=refusal.detail,
                )
            )
    return scenes, refused


def data_uri(picture: bytes) -> str:
    """Return a picture, made small enough, as a data URI."""
    kind, content = inline_image(picture, MOST_PX, MOST_IMAGE_BYTES)
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
