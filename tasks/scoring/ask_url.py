"""Any model behind an OpenAI-compatible URL, asked as the paper asks its baselines: greedily."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import ascii_uppercase

from pydantic import ValidationError

from tasks.completer import Call, CallFailed, Completer, Sampling, Turn
from tasks.completers.call_store import CallStore
from tasks.completers.openai_completer import OpenAICompleter
from tasks.completers.openai_settings import OpenAISettings
from tasks.errors import ConfigError
from tasks.scoring.bench import Bench
from tasks.scoring.controls import AT_ONCE, AskedItem, Control, asked_items, turned_back
from tasks.scoring.item import BenchItem
from tasks.scoring.prediction import Prediction
from tasks.scoring.run_file import append, header_of, still_to_ask

PROMPT = "bench_baseline@1"


def url_settings(url: str, model_name: str, api_key_env: str | None) -> OpenAISettings:
    """Return how a model behind a URL is asked; ConfigError where the URL is none."""
    try:
        return OpenAISettings(base_url=url, model=model_name, api_key_env=api_key_env)
    except ValidationError as error:  # said without what was given: it may hold a password
        raise ConfigError(f"--url {'; '.join(fault['msg'] for fault in error.errors())}") from None


def write_url_predictions(
    bench: Bench, settings: OpenAISettings, out: Path, control: Control, max_tokens: int
) -> None:
    """Ask every item, go on where a run was cut off, and write predictions to `out`.

    Finished calls lie beside it; UserError as of `asked_url`.
    """
    header = header_of(bench, settings.model, f"{PROMPT}, {max_tokens} tokens at most", control)
    items = still_to_ask(out, header, bench.items)
    store = out.with_name("calls.sqlite")
    append(out, asked_url(bench, items, control, settings, store, max_tokens))


def asked_url(
    bench: Bench,
    items: Sequence[BenchItem],
    control: Control,
    settings: OpenAISettings,
    store: Path,
    max_tokens: int,
) -> Iterator[Prediction]:
    """Yield what a model answers to items, some dozens at once.

    Blind, it is sent no picture. A call that fails is an error of its item; UserError where the
    server does not answer or does not know the model.
    """
    waiting = asked_items(bench, items, control)
    while chunk := [asked for _, asked in zip(range(AT_ONCE), waiting, strict=False)]:
        calls = [call_of(asked, control, max_tokens) for asked in chunk]
        replies = asyncio.run(_replies(settings, store, calls))
        for asked, reply in zip(chunk, replies, strict=True):
            yield turned_back(asked, _prediction(asked, reply))


def call_of(asked: AskedItem, control: Control, max_tokens: int) -> Call:
    """Return the request for one item."""
    pictures = () if control == "blind" else tuple(p.encoded for p in asked.pictures)
    return Call(
        turns=(Turn(role="user", text=prompt_of(asked), images=pictures),),
        prompt=PROMPT,
        source=asked.item.source,
        sampling=Sampling(temperature=0.0, top_p=1.0, max_tokens=max_tokens, seed=0),
    )


def prompt_of(asked: AskedItem) -> str:
    """Return the words of one item: the paper's (3.3), with the letters that are offered."""
    if not asked.options:
        return f"{asked.item.question}\nPlease respond with a short word or phrase only."
    letters = ascii_uppercase[: len(asked.options)]
    listed = [f"{letter}. {text}" for letter, text in zip(letters, asked.options, strict=True)]
    most, last = ", ".join(letters[:-1]), letters[-1]
    offered = f"{most}{',' * (len(letters) > 2)} or {last}"
    ask = f"Please respond with only the option letter ({offered}) corresponding to your answer."
    return "\n".join([asked.item.question, *listed, ask])


async def _replies(
    settings: OpenAISettings, store_path: Path, calls: Sequence[Call]
) -> list[str | CallFailed]:
    with CallStore(store_path) as store:
        async with await OpenAICompleter.connect(settings, store) as completer:
            return await asyncio.gather(*(_reply(completer, call) for call in calls))


async def _reply(completer: Completer, call: Call) -> str | CallFailed:
    try:
        return (await completer.complete(call)).text
    except CallFailed as failure:
        return failure


def _prediction(asked: AskedItem, reply: str | CallFailed) -> Prediction:
    if isinstance(reply, CallFailed):
        return Prediction(sample_id=asked.item.item_id, error=str(reply))
    return Prediction(sample_id=asked.item.item_id, text=reply)
