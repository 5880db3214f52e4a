"""Build captions and composed questions by a served model, and count what 1,000 scenes take.

`served.py --base-url URL --model NAME` asks a server that is there. `served.py --serve-python
.venv-serve/bin/python` starts vLLM with a tiny model of random weights (its replies are nonsense of
full length, each is refused and asked for once more: twice the calls, and as many tokens as
`--max-tokens` allows). Tokens are what the server counts, seconds are of whole builds: with reading
and checking, without the archives, which are read before.
"""

import argparse
import json
import sys
import tempfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from client import tiny_server  # noqa: E402
from tokens import ARCHIVES, run  # noqa: E402

from tasks.completers.openai_settings import OpenAISettings  # noqa: E402

STAGES = {"cap_cot": "captioner", "l2": "composer"}


def main() -> None:
    """Build stage after stage, and print the figures of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base-url")
    parser.add_argument("--model")
    parser.add_argument("--serve-python", type=Path)
    parser.add_argument("--scenes", type=int, default=24)
    parser.add_argument("--max-tokens", type=int, default=1024)
    parser.add_argument("--at-once", type=int, default=16)
    given = parser.parse_args()
    if bool(given.base_url) == bool(given.serve_python) or bool(given.base_url) != bool(
        given.model
    ):
        parser.error("give --base-url and --model, or --serve-python")
    if given.base_url:
        settings = OpenAISettings(base_url=given.base_url, model=given.model)
        server: AbstractContextManager[OpenAISettings] = nullcontext(settings)
    else:
        server = tiny_server(given.serve_python, given.at_once, max_model_len=16_384)
    with tempfile.TemporaryDirectory() as folder, server as asked:
        planet = Path(folder) / "planet"
        run("planet", planet, "--scenes", given.scenes, "--seed", 7)
        for stage in STAGES:
            report(stage, planet, Path(folder), asked, given)


def report(
    stage: str, planet: Path, folder: Path, asked: OpenAISettings, given: argparse.Namespace
) -> None:
    """Build a stage by the server and print what it took."""
    writer = {
        "kind": "url",
        "url": asked.base_url,
        "model": asked.model,
        "max_tokens": given.max_tokens,
        "client": {"max_concurrency": given.at_once, "timeout_s": 600},
    }
    config = folder / f"{stage}.yaml"
    config.write_text(json.dumps({"stages": [stage], STAGES[stage]: writer}))  # JSON is YAML
    sources = [f"--source={name}={planet / name}" for name in ARCHIVES]
    dataset = folder / stage
    words = ["build", *sources, "--out", dataset, "--engine", "local", "--config", config]
    run(*words, "--stage", "l1")  # the archives are read
    start = perf_counter()
    run(*words)
    seconds = perf_counter() - start
    count = counted(dataset, stage)
    tallies, scenes = count["tallies"], counted(dataset, "ingest")["out"]
    prompt, written = tallies["prompt tokens"], tallies["completion tokens"]
    factor = 1000 / scenes
    print(
        f"{stage:8} {scenes} scenes, {count['out']} texts kept, {seconds:.0f} s; a thousand: "
        f"{tallies['replies'] * factor:,.0f} replies, {prompt * factor:,.0f} prompt and "
        f"{written * factor:,.0f} reply tokens, {seconds * factor:,.0f} s "
        f"({written / seconds:,.0f} reply tokens/s)"
    )


def counted(dataset: Path, stage: str) -> dict[str, Any]:
    """Return what the manifest counts of a stage."""
    counts = json.loads((dataset / "manifest.json").read_text())["counts"]
    return next(count for count in counts if count["stage"] == stage)


if __name__ == "__main__":
    main()
