"""What goes wrong on the way: retried where it may help, told at once where it cannot."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tasks.completer import CallFailed, FailedBecause
from tasks.completers.openai_exchange import retry_after_s
from tasks.errors import UserError

KINDS = {
    "429": "429",
    "500": "500",
    "502": "502",
    "503": "503",
    "504": "504",
    "529": "529",
    "hang": "timeout",
    "reset": "connection",
    "cut_off": "connection",
    "truncated": "body",
    "wrong_schema": "body",
    "no_choices": "body",
}


@pytest.mark.parametrize(("fault", "kind"), KINDS.items())
def test_what_may_pass_is_retried(serve, run, make_call, fault, kind):
    server = serve(script=[fault, fault])

    async def once(completer):
        return await completer.complete(make_call()), completer.usage()

    reply, usage = run(server, once, timeout_s=0.1 if fault == "hang" else 5)
    assert reply.text.startswith("reply to")
    assert usage.retries == {kind: 2}
    assert server.num_requests == 3


@pytest.mark.parametrize("status", ["400", "404", "413", "422"])
def test_what_cannot_pass_is_refused_at_once_in_the_words_of_the_server(
    serve, run, make_call, status
):
    server = serve(script=[status])
    with pytest.raises(CallFailed, match=f"refused: HTTP {status}: injected {status}") as failure:
        run(server, lambda completer: completer.complete(make_call()))
    assert failure.value.because is FailedBecause.REFUSED
    assert server.num_requests == 1


def test_the_last_fault_is_told_when_every_retry_failed(serve, run, make_call):
    server = serve(script=["503", "503", "500"])
    with pytest.raises(CallFailed, match="3 attempts; the last one: HTTP 500") as failure:
        run(server, lambda completer: completer.complete(make_call()), retries=2)
    assert failure.value.because is FailedBecause.EXHAUSTED


def test_a_server_that_goes_away_is_a_failed_connection(serve, run, make_call):
    server = serve()

    async def after_its_end(completer):
        server.stop()
        await completer.complete(make_call())

    with pytest.raises(CallFailed, match=r"2 attempts; the last one: connection failed"):
        run(server, after_its_end, retries=1)


def test_no_call_is_lost_while_a_third_of_all_requests_fail(serve, run, make_call):
    faults = ("429", "503", "hang", "reset", "truncated", "wrong_schema")
    server = serve(rates=dict.fromkeys(faults, 0.05))

    async def many(completer):
        calls = (completer.complete(make_call(n)) for n in range(200))
        return await asyncio.gather(*calls), completer.usage()

    replies, usage = run(server, many, timeout_s=0.4, retries=12, max_concurrency=16)
    assert len(replies) == usage.made == 200
    assert all(reply.text.startswith("reply to") for reply in replies)
    assert sum(usage.retries.values()) >= sum(server.faults.values()) > 40


def test_a_run_of_failures_stops_the_run(serve, run, make_call):
    server = serve(rates={"500": 1})
    ends = []

    async def many(completer):
        async def one(n):
            try:
                await completer.complete(make_call(n))
            except (CallFailed, UserError) as error:
                ends.append(error)

        await asyncio.gather(*(one(n) for n in range(100)))

    budget = {"consecutive": 5}
    run(server, many, retries=1, max_concurrency=4, error_budget=budget)
    stops = [end for end in ends if isinstance(end, UserError)]
    assert len(ends) == 100
    assert len(stops) >= 90
    assert {str(stop) for stop in stops} == {str(stops[0])}
    assert "calls for source xbd keep failing: 5 of its last 5, 5 in a row" in str(stops[0])
    assert "HTTP 500: injected 500" in str(stops[0])
    assert server.num_requests < 30  # nothing is sent any more


def test_a_share_of_failures_stops_the_run(serve, run, make_call):
    server = serve(script=["ok", "ok", "400"] * 20)
    budget = {"minimum": 12, "share": 0.3}

    async def one_by_one(completer):
        for n in range(60):
            try:
                await completer.complete(make_call(n))
            except CallFailed:
                pass

    with pytest.raises(UserError, match="source xbd keep failing: 4 of its last 12, 1 in a row"):
        run(server, one_by_one, error_budget=budget)


def test_failures_are_counted_for_each_source(serve, run, make_call):
    server = serve(script=["ok", "400"] * 20)
    budget = {"consecutive": 3, "minimum": 100}

    async def alternate(completer):
        for n in range(40):
            try:
                await completer.complete(make_call(n, source=("good", "bad")[n % 2]))
            except CallFailed:
                pass

    with pytest.raises(UserError, match="source bad keep failing: 3 of its last 3"):
        run(server, alternate, error_budget=budget)


def test_failures_within_the_budget_stop_nothing(serve, run, make_call):
    server = serve(script=["400", *["ok"] * 9] * 5)

    async def some(completer):
        calls = (completer.complete(make_call(n)) for n in range(50))
        ends = await asyncio.gather(*calls, return_exceptions=True)
        return sum(isinstance(end, CallFailed) for end in ends), completer.usage().failed

    assert run(server, some) == (5, 5)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, None), ("0", 0), ("1.5", 1.5), ("-3", 0), ("soon", None), ("", None)],
)
def test_retry_after_is_read_as_seconds(header, seconds):
    assert retry_after_s(header) == seconds


@pytest.mark.parametrize("usegmt", [True, False])
def test_retry_after_is_read_as_a_date(usegmt):
    date = datetime.now(UTC) + timedelta(seconds=30)
    assert 28 < retry_after_s(format_datetime(date, usegmt=usegmt)) <= 30
    assert retry_after_s("Thu, 01 Jan 1970 00:00:00 GMT") == 0
    assert retry_after_s("Thu, 01 Jan 1970 00:00:00 -0000") == 0
