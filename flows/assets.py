"""Archives, datasets and models as Prefect's assets: what its events say was made of what."""

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from prefect.assets import Asset, AssetProperties

from tasks.manifest import read_manifest


def dataset_asset(folder: Path) -> Asset:
    """Return a dataset as an asset; all its versions are one."""
    name = read_manifest(folder).dataset
    page = (folder.resolve() / "report" / "index.html").as_uri()
    return Asset(key=_key("datasets", name), properties=AssetProperties(name=name, url=page))


def model_asset(folder: Path) -> Asset:
    """Return a model as an asset, by the name of its folder."""
    return Asset(key=_key("models", folder.resolve().name))


def archive_assets(sources: Iterable[str]) -> list[Asset]:
    """Return the archives that a dataset is read from as assets, by the names of the sources."""
    return [Asset(key=_key("archives", source)) for source in sorted(sources)]


def _key(kind: str, name: str) -> str:
    """Return a key; a name may hold what keys may not."""
    return f"terrascope://{kind}/{quote(name, safe='')}"
