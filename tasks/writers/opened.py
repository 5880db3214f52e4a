"""A writer, opened for the length of some granules."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from tasks.completer import Completer
from tasks.completers.call_store import CallStore
from tasks.completers.openai_completer import OpenAICompleter
from tasks.completers.openai_settings import OpenAISettings
from tasks.completers.replay import ReplayCompleter
from tasks.digest import digest_of
from tasks.progress import console
from tasks.serving.server import running
from tasks.writers.settings import WriterSettings, served_content

VLLM_KEY = "VLLM_API_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Where a server that the build started answers, and what it may read."""

    base_url: str
    model: str
    digest: str
    image_folder: Path


@contextmanager
def serving(settings: WriterSettings, work: Path) -> Iterator[Served | None]:
    """Run the model's server, where the build has one of its own, for the length of a `with`.

    Its log and the pictures on their way to it lie in the folder `work`.

    Raises:
        UserError: the serving environment or the model is not there, or the server did not start.
    """
    if settings.kind != "vllm" or settings.server is None:
        yield None
        return
    pictures = work / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    try:
        with running(settings.server, log=work / "vllm.log", media_root=pictures) as server:
            yield Served(
                base_url=server.base_url,
                model=server.name,
                digest=digest_of([server.model_digest, served_content(settings.server)]),
                image_folder=pictures,
            )
    finally:
        rmtree(pictures, ignore_errors=True)  # what a killed run left of them, too


@asynccontextmanager
async def opened(
    settings: WriterSettings,
    store_path: Path,
    served: Served | None,
    rules: Completer | None = None,
) -> AsyncIterator[Completer]:
    """Open the writer for the length of some granules.

    Args:
        settings: Who writes.
        store_path: File of finished calls, where the settings name none.
        served: Where the build's own server is, of kind vllm.
        rules: What writes where no model does.

    Raises:
        UserError: the server does not answer or does not know the model, the key is missing or
            not accepted, or the store is damaged.
    """
    if settings.kind == "rules":
        assert rules is not None, "a text that no rules can write is asked of a model"
        yield rules
        return
    with CallStore(settings.store or store_path) as store:
        if settings.kind == "replay":
            yield ReplayCompleter(store, settings.model)
            return
        client = _client(settings, served)
        async with await OpenAICompleter.connect(client, store) as completer:
            yield completer


def say_usage(stage: str, completer: Completer) -> None:
    """Print what a model's calls came to."""
    if isinstance(completer, OpenAICompleter):
        console.print(f"{stage}: {completer.usage()}", highlight=False, soft_wrap=True)


def _client(settings: WriterSettings, served: Served | None) -> OpenAISettings:
    asked = settings.client.model_dump()
    if served is None:
        return OpenAISettings(base_url=settings.url, model=settings.model, **asked)
    here = {
        "digest": served.digest,
        "image_transport": "file",
        "image_folder": served.image_folder,
        "vllm_extras": True,
    }
    if VLLM_KEY in os.environ:  # the server asks for it then
        here["api_key_env"] = VLLM_KEY
    return OpenAISettings(base_url=served.base_url, model=served.model, **{**asked, **here})
