"""Finished calls are never made twice; equal calls in flight are made once."""

import asyncio

import pytest

from tasks.completer import CallFailed, FailedBecause, Turn


def test_a_reply_tells_text_reason_and_tokens(serve, run, make_call):
    server = serve(answer=lambda body: "A lake of 3 ha.")
    reply = run(server, lambda completer: completer.complete(make_call()))
    assert (reply.text, reply.finish_reason) == ("A lake of 3 ha.", "stop")
    assert (reply.prompt_tokens, reply.completion_tokens) == (10, 5)
    assert not reply.stored


def test_the_request_holds_the_whole_call(serve, run, make_call):
    server = serve()
    turns = (
        Turn(role="system", text="Be brief."),
        Turn(role="user", text="What?"),
        Turn(role="assistant", text="A lake."),
        Turn(role="user", text="How large?"),
    )
    run(server, lambda completer: completer.complete(make_call(turns=turns)))
    (body,) = server.bodies
    assert [(m["role"], m["content"]) for m in body["messages"]] == [
        (turn.role, turn.text) for turn in turns
    ]
    assert {
        name: body[name] for name in ("model", "temperature", "top_p", "max_tokens", "seed")
    } == {
        "model": "tiny",
        "temperature": 0.2,
        "top_p": 0.95,
        "max_tokens": 1024,
        "seed": 0,
    }
    assert "skip_special_tokens" not in body  # other servers refuse what they do not know
    assert "response_format" not in body


def test_vllm_is_told_to_keep_special_tokens(serve, run, make_call):
    server = serve()
    run(server, lambda completer: completer.complete(make_call()), vllm_extras=True)
    assert server.bodies[0]["skip_special_tokens"] is False


def test_a_schema_is_sent_as_the_protocol_has_it(serve, run, make_call):
    server = serve()
    schema = {"type": "object", "properties": {"yes": {"type": "boolean"}}}
    call = make_call(json_schema=schema)
    reply = run(server, lambda completer: completer.complete(call))
    assert reply.text == '{"yes": false}'
    assert server.bodies[0]["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "cap_cot_1", "schema": schema, "strict": True},
    }


def test_a_finished_call_is_not_made_again(serve, run, make_call):
    server = serve()

    async def twice(completer):
        return [await completer.complete(make_call()) for _ in range(2)], completer.usage()

    (first, second), usage = run(server, twice)
    assert (first.stored, second.stored) == (False, True)
    assert first.text == second.text
    assert (usage.made, usage.stored) == (1, 1)
    (again, _), _ = run(server, twice)  # another completer, as after a restart
    assert again.stored
    assert server.num_requests == 1


def test_a_malformed_text_is_stored_too_for_the_caller_to_judge(serve, run, make_call):
    server = serve(script=["wrong_language", "repetition", "empty", "null_content"])

    async def each(completer):
        return [await completer.complete(make_call(n)) for n in range(4)]

    replies = run(server, each)
    assert replies[0].text.startswith("这")
    assert replies[1].finish_reason == "length"
    assert [reply.text for reply in replies[2:]] == ["", ""]
    assert all(reply.stored for reply in run(server, each))
    assert server.num_requests == 4


def test_equal_calls_in_flight_are_made_once(serve, run, make_call):
    server = serve(latency_s=0.05)

    async def together(completer):
        replies = await asyncio.gather(*(completer.complete(make_call()) for _ in range(10)))
        return replies, completer.usage()

    replies, usage = run(server, together)
    assert len({reply.text for reply in replies}) == 1
    assert server.num_requests == 1
    assert (usage.made, usage.joined) == (1, 9)


def test_equal_calls_in_flight_fail_together(serve, run, make_call):
    server = serve(rates={"400": 1})

    async def together(completer):
        calls = (completer.complete(make_call()) for _ in range(3))
        return await asyncio.gather(*calls, return_exceptions=True)

    failures = run(server, together)
    assert [failure.because for failure in failures] == [FailedBecause.REFUSED] * 3
    assert server.num_requests == 1


def test_a_caller_that_went_away_leaves_the_call_to_the_others(serve, run, make_call):
    server = serve(latency_s=0.05)

    async def leave(completer):
        leaver, stayer = (asyncio.create_task(completer.complete(make_call())) for _ in range(2))
        await asyncio.sleep(0.02)
        leaver.cancel()
        return await stayer

    assert run(server, leave).text
    assert server.num_requests == 1


def test_closing_ends_what_is_in_flight(serve, run, make_call):
    server = serve(latency_s=5)

    async def leave(completer):
        tasks = [asyncio.create_task(completer.complete(make_call(n))) for n in range(20)]
        await asyncio.sleep(0.05)
        return tasks

    tasks = run(server, leave)
    assert all(task.cancelled() for task in tasks)


def test_a_failure_is_not_stored(serve, run, make_call, store):
    server = serve(script=["400"])
    with pytest.raises(CallFailed):
        run(server, lambda completer: completer.complete(make_call()))
    assert len(store) == 0
    assert run(server, lambda completer: completer.complete(make_call())).text


def test_usage_adds_up_tokens_and_cost(serve, run, make_call):
    server = serve(answer=lambda body: "one two three four", latency_s=0.01)

    async def some(completer):
        for n in range(5):
            await completer.complete(make_call(n))
        return completer.usage()

    usage = run(server, some, prompt_price=2_000_000, completion_price=1_000_000)
    assert (usage.made, usage.prompt_tokens, usage.completion_tokens) == (5, 50, 20)
    assert usage.cost == 5 * (10 * 2 + 4 * 1)
    assert 0.01 <= usage.mean_latency_s <= usage.max_latency_s
