"""Count the tokens of 1,000 scenes: benchmarks/tokens.py --serve-python .venv-serve/bin/python.

A planet is captioned and asked of by a build whose server is the protocol-true one of the tests: it
writes what is true of each prompt, so that no repair turn is counted. All text of the prompts
and replies is then cut by a real tokenizer, Mistral's Tekken of 131,072 tokens, which the serving
environment has in its package mistral_common. Pictures are reckoned by their size, one token for
28 by 28 pixels. Beside it stands what `--dry-run` reckons for the same archives.
"""

import argparse
import base64
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tasks.captions.estimate import PIXELS_A_TOKEN  # noqa: E402
from tests.captions.composed import well_composed  # noqa: E402
from tests.captions.prompted import text_of, well_read  # noqa: E402
from tests.completer.fault_server import MODEL, FaultServer  # noqa: E402

ARCHIVES = ("bigearthnet", "chatearthnet", "teochatlas", "xbd")
COMPOSER = "You write exam questions"  # as the composer's instructions begin, and no other's
COUNT = """
import json, sys
from importlib.resources import files
from mistral_common.tokens.tokenizers.tekken import Tekkenizer
path = files("mistral_common") / "data" / "tekken_240911.json"
tokenizer = Tekkenizer.from_file(str(path))
for line in sys.stdin:
    print(len(tokenizer.encode(json.loads(line), bos=False, eos=False)))
"""


def main() -> None:
    """Build, count, and print the figures of each stage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serve-python", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=240)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        planet = Path(folder) / "planet"
        run("planet", planet, "--scenes", arguments.scenes, "--seed", 7)
        asked: list[tuple[dict[str, Any], str]] = []

        def answer(body: dict[str, Any]) -> str:
            reply = well_composed(body) if stage_of(body) == "l2" else well_read(body)
            asked.append((body, reply))
            return reply

        with FaultServer(answer=answer) as server:
            build = command(planet, Path(folder) / "dataset", server.base_url)
            reckoned = run(*build, "--dry-run")
            run(*build)
        num_scenes = taken(Path(folder) / "dataset")
    print(f"{num_scenes} scenes")
    for stage in ("cap_cot", "l2"):
        report(stage, [pair for pair in asked if stage_of(pair[0]) == stage], num_scenes, arguments)
    print("\n".join(line for line in reckoned.splitlines() if "calls" in line or "hours" in line))


def run(*words: object) -> str:
    """Run a command of ours and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def command(planet: Path, out: Path, url: str) -> list[object]:
    """Return the words of a build of captions and questions by a server."""
    sources = [f"--source={name}={planet / name}" for name in ARCHIVES]
    writers = ["--captioner", url, "--model", MODEL, "--composer", url, "--composer-model", MODEL]
    stages = ["--stage", "cap_cot", "--stage", "l2"]
    return ["build", *sources, "--out", out, "--engine", "local", *stages, *writers]


def taken(dataset: Path) -> int:
    """Return how many scenes were captioned or tried."""
    counts = json.loads((dataset / "manifest.json").read_text())["counts"]
    return sum(c["taken"] for c in counts if c["stage"] == "cap_cot" and c["unit"] == "caption")


def stage_of(body: dict[str, Any]) -> str:
    """Return the stage that a request comes from."""
    return "l2" if COMPOSER in text_of(body, "system") else "cap_cot"


def report(
    stage: str,
    asked: list[tuple[dict[str, Any], str]],
    num_scenes: int,
    arguments: argparse.Namespace,
) -> None:
    """Print the tokens that 1,000 scenes take in a stage."""
    texts = [list(prompt_texts(body)) for body, _ in asked]
    sizes = tokens([*("".join(t) for t in texts), *(reply for _, reply in asked)], arguments)
    characters = sum(len(text) for t in texts for text in t)
    pictures = sum(picture_px(body) // PIXELS_A_TOKEN for body, _ in asked)
    prompt, replies = sum(sizes[: len(asked)]), sum(sizes[len(asked) :])
    factor = 1000 / num_scenes
    print(
        f"{stage:8} {len(asked) * factor:,.0f} calls, prompts {prompt * factor:,.0f} tokens of text"
        f" and {pictures * factor:,.0f} of pictures, replies {replies * factor:,.0f}; "
        f"{characters / prompt:.2f} and "
        f"{sum(len(reply) for _, reply in asked) / replies:.2f} characters a token"
    )


def prompt_texts(body: dict[str, Any]) -> Iterator[str]:
    """Yield all texts of a request."""
    for message in body["messages"]:
        content = message["content"]
        if isinstance(content, str):
            yield content
            continue
        yield from (part["text"] for part in content if part["type"] == "text")


def picture_px(body: dict[str, Any]) -> int:
    """Return how many pixels a request's pictures have together."""
    num_px = 0
    for message in body["messages"]:
        for part in message["content"]:
            if isinstance(part, dict) and part["type"] == "image_url":
                encoded = base64.b64decode(part["image_url"]["url"].split(",", 1)[1])
                with Image.open(io.BytesIO(encoded)) as image:
                    num_px += image.width * image.height
    return num_px


def tokens(texts: list[str], arguments: argparse.Namespace) -> list[int]:
    """Return how many tokens each text has."""
    counted = subprocess.run(
        [arguments.serve_python, "-c", COUNT],
        input="\n".join(map(json.dumps, texts)),
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(line) for line in counted.stdout.split()]


if __name__ == "__main__":
    main()
