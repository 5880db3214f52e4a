"""A run that is killed in the midst repeats only what was in flight."""

import subprocess
import sys
import time

ASK = """
import asyncio, sys
from pathlib import Path
from tasks.completers.call_store import CallStore
from tasks.completer import Call, Sampling, Turn
from tasks.completers.openai_completer import OpenAICompleter
from tasks.completers.openai_settings import OpenAISettings

async def main(url, path, num):
    def call(n):
        turns = (Turn(role="user", text=f"Scene {n}"),)
        return Call(turns=turns, prompt="p@1", source="s", sampling=Sampling())

    settings = OpenAISettings(base_url=url, model="tiny", start_concurrency=8, max_concurrency=8)
    with CallStore(Path(path)) as store:
        async with await OpenAICompleter.connect(settings, store) as completer:
            await asyncio.gather(*(completer.complete(call(n)) for n in range(num)))

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""
AT_ONCE = 8
NUM_CALLS = 120


def asking(server, path):
    return subprocess.Popen([sys.executable, "-c", ASK, server.base_url, path, str(NUM_CALLS)])


def test_a_killed_run_repeats_only_what_was_in_flight(serve, tmp_path):
    server = serve(latency_s=0.02)
    path = tmp_path / "calls.db"
    num_killed = 0
    for enough in (20, 60):
        process = asking(server, path)
        while len(server.answered) < enough:
            time.sleep(0.005)
        process.kill()
        process.wait()
        num_killed += 1
    assert asking(server, path).wait() == 0
    assert len(server.answered) == NUM_CALLS
    repeated = server.num_requests - NUM_CALLS
    assert repeated <= num_killed * AT_ONCE
    assert asking(server, path).wait() == 0  # all is stored now
    assert server.num_requests == NUM_CALLS + repeated


def test_two_runs_over_one_store_use_the_same_replies(serve, tmp_path):
    server = serve(latency_s=0.01)
    path = tmp_path / "calls.db"
    runs = [asking(server, path) for _ in range(2)]
    assert [run.wait() for run in runs] == [0, 0]
    assert len(server.answered) == NUM_CALLS
    assert asking(server, path).wait() == 0
    assert server.num_requests <= 2 * NUM_CALLS
