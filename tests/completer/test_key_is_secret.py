"""The key goes to the server and nowhere else."""

import asyncio
import logging
import traceback

import pytest

from tasks.completer import CallFailed
from tasks.completers.call_store import CallStore
from tasks.completers.openai_completer import OpenAICompleter
from tasks.completers.openai_exchange import OpenAIExchange
from tasks.completers.openai_settings import OpenAISettings
from tasks.errors import UserError

KEY = "sk-very-secret-4711"


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("SOME_KEY", KEY)


def everything_of(error):
    """Return a traceback with the values of all variables in it, and of all that led to it."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(shown.format())


@pytest.mark.parametrize("fault", ["400", "401", "403", "500", "reset", "truncated", "hang"])
def test_no_error_or_log_shows_the_key(serve, run, make_call, caplog, capfd, fault):
    caplog.set_level(logging.DEBUG)
    server = serve(rates={fault: 1}, key=KEY)
    with pytest.raises((CallFailed, UserError)) as failure:
        run(
            server,
            lambda completer: completer.complete(make_call()),
            api_key_env="SOME_KEY",
            retries=1,
            timeout_s=0.1 if fault == "hang" else 5,
        )
    assert server.keys == {KEY}
    assert KEY not in everything_of(failure.value)
    assert KEY not in caplog.text
    assert KEY not in "".join(capfd.readouterr())


def test_a_server_that_repeats_the_key_is_quoted_without_it(serve, run, make_call):
    def echo(body):
        raise AssertionError

    server = serve(answer=echo, script=["400"], error_text=f"your key {KEY} may not do that")
    with pytest.raises(CallFailed, match=r"your key \*\*\* may not do that"):
        run(server, lambda completer: completer.complete(make_call()), api_key_env="SOME_KEY")


def test_nothing_that_is_printed_or_stored_holds_the_key(serve, tmp_path, make_call):
    server = serve(key=KEY)
    settings = OpenAISettings(base_url=server.base_url, model="tiny", api_key_env="SOME_KEY")
    path = tmp_path / "calls.db"

    async def ask():
        with CallStore(path) as store:
            async with await OpenAICompleter.connect(settings, store) as completer:
                await completer.complete(make_call())
                return [completer, completer.identity, completer.usage(), settings]

    for printed in (*asyncio.run(ask()), settings.model_dump(), vars(settings)):
        assert KEY not in f"{printed} {printed!r}"
    assert all(KEY.encode() not in file.read_bytes() for file in tmp_path.iterdir())


def test_an_exchange_does_not_show_it(serve):
    settings = OpenAISettings(base_url=serve().base_url, model="tiny", api_key_env="SOME_KEY")

    async def shown():
        exchange = OpenAIExchange(settings)
        await exchange.aclose()
        return repr(exchange)

    assert KEY not in asyncio.run(shown())
