"""What a server sees of the limit: it rises, halves, pauses and never exceeds the maximum."""

import asyncio


def ask_all(make_call, num):
    async def work(completer):
        replies = await asyncio.gather(*(completer.complete(make_call(n)) for n in range(num)))
        return replies, completer.usage()

    return work


def test_concurrency_rises_to_the_maximum_and_no_further(serve, run, make_call):
    server = serve(latency_s=0.01)
    _, usage = run(server, ask_all(make_call, 120), start_concurrency=1, max_concurrency=12)
    assert usage.peak_concurrency == 12
    assert server.peak <= 12


def test_concurrency_falls_where_the_server_refuses(serve, run, make_call):
    server = serve(latency_s=0.02, refuse_above=6)
    replies, usage = run(
        server, ask_all(make_call, 150), start_concurrency=32, max_concurrency=32, retries=20
    )
    assert len(replies) == 150
    assert usage.failed == 0
    refused = server.faults["429"]
    assert refused == usage.retries["429"]
    assert refused < 100  # 26 of the first 32; from then on it keeps near what is taken


def test_retry_after_pauses_all_calls(serve, run, make_call):
    server = serve(script=["429_retry_after"], latency_s=0.01)
    run(server, ask_all(make_call, 30), start_concurrency=2, max_concurrency=2)
    first, second, *others = server.arrivals_s
    assert second - first < 0.5  # was in flight already
    assert all(arrival - first > 0.99 for arrival in others)


def test_retry_after_may_be_a_date(serve, run, make_call):
    server = serve(script=["503_retry_date"], retry_after_s=2)
    run(server, ask_all(make_call, 1), max_concurrency=1)
    first, second = server.arrivals_s
    assert 0.9 < second - first < 2.2  # a date has whole seconds


def test_a_longer_pause_than_configured_is_cut(serve, run, make_call):
    server = serve(script=["429_retry_after"], retry_after_s=3600)
    run(server, ask_all(make_call, 1), max_pause_s=0.1)
    assert server.arrivals_s[1] - server.arrivals_s[0] < 1
