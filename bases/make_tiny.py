"""Make `bases/tiny`: weights that the demo's models go on from. Some 45 minutes on two cores.

A published vision-language model has read, written and outlined things before it sees a satellite
image. A tiny one that starts from nothing spends most of its steps on that; this base has them
behind it. It learns on a planet where covers have exchanged spectra and backscatter at random, so
that a meadow may look like stubble: of 38 covers mangrove kept its own looks, and some crops have
those of others. What a class looks like is left for the demo to learn.

    .venv/bin/python -m bases.make_tiny [--work DIR] [--scenes 960] [--named 2400] [--traces 800]
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tasks.planet.planet import ARCHIVES
from terrascope_model.answer import Answerer

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "bases" / "tiny"
SEED = 1009  # of the planet; the demo's is another
# appended to the tables of what covers look like
EXCHANGED = {
    "tasks/planet/spectra.py": """
_OTHER = np.random.default_rng(5).permutation(len(REFLECTANCE))
REFLECTANCE, ROUGHNESS, GRAIN = REFLECTANCE[_OTHER], ROUGHNESS[_OTHER], GRAIN[_OTHER]
""",
    "tasks/planet/radar.py": """
_POWER = _POWER[np.random.default_rng(5).permutation(len(_POWER))]
""",
}
PROGRAM = "import sys; from cli import main; sys.exit(main())"


def exchanged_program(folder: Path) -> Path:
    """Copy the program to a new folder, with the looks of covers exchanged; return it."""
    shipped = shutil.ignore_patterns(".*", "__pycache__", "tests", "demo", "tiny")
    shutil.copytree(ROOT, folder, ignore=shipped)
    for name, lines in EXCHANGED.items():
        with (folder / name).open("a") as file:
            file.write(lines)
    return folder


def run(code: Path, arguments: list[str]) -> None:
    """Run a Python command of a copy of the program; CalledProcessError if it fails."""
    environment = {**os.environ, "PYTHONPATH": str(code)}
    subprocess.run([sys.executable, *arguments], cwd=code, env=environment, check=True)


def make(work: Path, scenes: int, named: int, traces: int) -> None:
    """Draw the planet, build its dataset, train on it, and keep the weights in half precision."""
    code, planet = exchanged_program(work / "program"), work / "planet"
    dataset, model = work / "dataset", work / "model"
    cli = ["-c", PROGRAM]
    run(code, [*cli, "planet", str(planet), "--scenes", str(scenes), "--seed", str(SEED)])
    sources = [word for name in ARCHIVES for word in ("--source", f"{name}={planet / name}")]
    config = work / "build.yaml"
    config.write_text("split: place\n")  # scenes of a made-up disaster may overlap
    built = ["build", "--out", str(dataset), "--engine", "local", "--config", str(config)]
    run(code, [*cli, *built, *sources])
    settings = {"stage1_steps": named, "stage2_steps": traces, "eval_pictures": 64}
    told = ["--data", str(dataset), "--out", str(model), "--settings", json.dumps(settings)]
    run(code, ["-m", "terrascope_model.train", *told])
    trained = Answerer.from_pretrained(model)
    shutil.rmtree(OUT, ignore_errors=True)
    trained.model.half().save_pretrained(OUT)
    trained.processor.save_pretrained(OUT)


def main() -> None:
    """Make the base."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, help="a new folder to work in, which is kept")
    parser.add_argument("--scenes", type=int, default=960)
    parser.add_argument("--named", type=int, default=2400, help="steps on named classes")
    parser.add_argument("--traces", type=int, default=800, help="steps on traces")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work: Path = (given.work or Path(name) / "work").resolve()
        make(work, given.scenes, given.named, given.traces)


if __name__ == "__main__":
    main()
