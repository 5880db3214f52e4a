"""Archives, datasets and models as Prefect's assets: what its events say was made of what."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from prefect.assets import Asset, AssetProperties

if TYPE_CHECKING:  # it brings all readers, which training has no use for
    from tasks.config import BuildConfig


def dataset_asset(folder: Path) -> Asset:
    """Return a dataset as an asset; all its versions are one."""
    name = folder.resolve().name
    page = (folder.resolve() / "report" / "index.html").as_uri()
    return Asset(key=_key("datasets", name), properties=AssetProperties(name=name, url=page))


def model_asset(folder: Path) -> Asset:
    """Return a model as an asset, by the name of its folder."""
    return Asset(key=_key("models", folder.resolve().name))


def made_from(config: "BuildConfig") -> list[Asset | str]:
    """Return a dataset's archives, and the model that its masks are refined with."""
    archives = [Asset(key=_key("archives", source)) for source in sorted(config.sources)]
    annotator = config.annotator
    models = [model_asset(Path(annotator.model))] if annotator.kind == "folder" else []
    return [*archives, *models]


def _key(kind: str, name: str) -> str:
    """Return a key; a name may hold what keys may not."""
    return f"terrascope://{kind}/{quote(name, safe='')}"
