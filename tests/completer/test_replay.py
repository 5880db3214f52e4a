"""A replay answers as the run before did, and asks nobody."""

import asyncio

import pytest

from tasks.completer import CallFailed, FailedBecause
from tasks.completers.replay import ReplayCompleter
from tasks.errors import UserError


def test_a_replay_gives_the_replies_of_the_run(serve, run, make_call, store):
    server = serve()
    first = run(server, lambda completer: completer.complete(make_call()))
    replay = ReplayCompleter(store)
    again = asyncio.run(replay.complete(make_call()))
    assert (again.text, again.stored) == (first.text, True)
    assert replay.identity["model"] == "tiny"
    assert server.num_requests == 1


def test_a_call_that_was_never_made_is_not_stored(serve, run, make_call, store):
    run(serve(), lambda completer: completer.complete(make_call()))
    with pytest.raises(CallFailed, match=r"no such call of cap_cot@1 for xbd") as failure:
        asyncio.run(ReplayCompleter(store).complete(make_call(1)))
    assert failure.value.because is FailedBecause.NOT_STORED


def test_an_empty_store_cannot_be_replayed(store):
    with pytest.raises(UserError, match="holds no call to replay"):
        ReplayCompleter(store)


def test_of_several_writers_one_must_be_named(serve, run, make_call, store):
    server = serve(models=["tiny", "large"], answer=lambda body: body["model"])
    for model in ("tiny", "large"):
        run(server, lambda completer: completer.complete(make_call()), model=model)
    with pytest.raises(UserError, match=r"several writers.*tiny.*large"):
        ReplayCompleter(store)
    large = ReplayCompleter(store, "large")
    assert asyncio.run(large.complete(make_call())).text == "large"
