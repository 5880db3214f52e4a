"""Building a large dataset again: nothing changed, one in a hundred scenes, one L1 question.

Usage: python benchmarks/regeneration.py [--real 16] [--copied 391] [--workers 2] [--work DIR]

Granules are full ones of 256 scenes of a BigEarthNet archive (`replicas.py`), captions, L1 and L2
are written by rules. Times are of whole commands (`terrascope build`), each a process of its own,
without Prefect and, where nothing changed, also as a flow against a server that runs.

*Real* are all `--real` granules: built, built again unchanged, with the scenes of the first granule
changed, and by a copy of the program in which one L1 question is worded otherwise. So what a
granule takes is known, and what a part of them takes.

*Copied* are `--copied` granules, 391 for 100,000 scenes: the archive's folders and files are there,
each a link, and each granule's tables are those of one that was really made, put in place under the
keys that the real stages have (`faked_granules.py`). What comes after is real: built again
unchanged by the real command, then with one granule in a hundred changed, neighbours of one tile,
and once more. A full build is reckoned from the real granules. Changed scenes have their reference
maps turned upside down.

Near-duplicates are off, to which copies are nothing else; of the copied, evening out and the blind
control are off as well. The copied dataset takes some 25 MB a granule, for the tables of candidates
are its own; put `--work` where there is room.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import rasterio
import yaml
from faked_granules import config_of, make_one
from prefect_server import ROOT, server
from replicas import BLOCK, paint, replicate
from timed_build import watch

from tasks.config import BuildConfig
from tasks.manifest import read_manifest

STAGES = ("cap_cot", "l1", "l2")
SCENES = BLOCK**2  # of a granule
MAPS = "Reference_Maps"
PROGRAM = "import sys; from cli import main; sys.exit(main())"
QUESTION = Path("templates/area.py")  # of which the copied program has other words
WORDS = ("what is the area of {a} in {whole}?", "what area does the image show of {a} in {whole}?")
UNCHANGED = 3  # times


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """Seconds of a command, and peak MiB of its process and of its workers."""

    seconds: float
    main_mib: float
    workers_mib: float


def command(config: Path, out: Path, engine: str) -> list[str]:
    """Return the arguments of a build."""
    return ["build", "--config", str(config), "--out", str(out), "--engine", engine]


def run(arguments: list[str], env: dict[str, str], code: Path = ROOT) -> Built:
    """Run the program in a process of its own; CalledProcessError if that fails."""
    start = perf_counter()
    told = [sys.executable, "-c", PROGRAM, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(code), **env}
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(told, cwd=code, env=environment, stdout=said, stderr=said) as process,
    ):
        main_mib, workers_mib = watch(process)
        seconds = perf_counter() - start
        if process.returncode:
            said.seek(0)
            sys.stderr.write(said.read())
            raise subprocess.CalledProcessError(process.returncode, told)
    return Built(seconds=seconds, main_mib=main_mib, workers_mib=workers_mib)


def tell(what: str, built: Built, out: Path) -> None:
    """Print what a build took."""
    samples = sum(file.rows for file in read_manifest(out).files)
    print(
        f"{what:<44} {built.seconds:8.1f} s, {samples:,} samples, version "
        f"{read_manifest(out).version}, {built.main_mib:.0f} + {built.workers_mib:.0f} MiB, "
        f"load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def change(work: Path, archive: Path, granules: int) -> int:
    """Turn the reference maps of the first granules' scenes upside down; return how many scenes."""
    turned = work / "turned"
    turned.mkdir(exist_ok=True)
    patches = sorted((archive / MAPS).glob("*/*"), key=_place)[: granules * SCENES]
    for patch in patches:
        (path,) = patch.glob("*.tif")
        other = turned / f"{path.stat().st_ino}.tif"  # one for all links to a painted map
        if not other.exists():
            with rasterio.open(path) as found, rasterio.open(other, "w", **found.profile) as made:
                made.write(found.read()[:, ::-1])
        path.unlink()
        os.link(other, path)
    return len(patches)


def _place(patch: Path) -> tuple[str, int, int, str]:
    """Return the tile of a patch and the block in it, so that granules stand together."""
    _, tile, column, line = patch.name.rsplit("_", 3)
    return tile, int(column) // BLOCK, int(line) // BLOCK, patch.name


def program_of_other_words(folder: Path) -> Path:
    """Copy the program to a new folder, with one L1 question worded otherwise; return it."""
    shipped = shutil.ignore_patterns(".*", "__pycache__", "tests", "demo")
    shutil.copytree(ROOT, folder, ignore=shipped)
    text = (folder / QUESTION).read_text()
    head, named, tail = text.partition("AREA = QuestionTemplate(")
    assert WORDS[0] in tail, f"{QUESTION} has no such question any more"
    number = int(tail.split("version=")[1].split(",")[0])
    tail = tail.replace(*WORDS, 1).replace(f"version={number}", f"version={number + 1}", 1)
    (folder / QUESTION).write_text(head + named + tail)
    return folder


def real(work: Path, painted: Path, granules: int, workers: int) -> float:
    """Build granules really, in all ways; return the seconds that each takes."""
    archive, out = work / f"archive-real-{granules}", work / "real"
    for old in (archive, work / "turned"):
        shutil.rmtree(old, ignore_errors=True)
    replicate(painted, archive, granules * SCENES)
    config = write_config(work / "real.yaml", archive, workers, control={"near_duplicates": False})
    shutil.rmtree(out, ignore_errors=True)
    first = run(command(config, out, "local"), {})
    tell(f"real, {granules * SCENES:,} scenes", first, out)
    for _ in range(UNCHANGED):
        tell("unchanged", again := run(command(config, out, "local"), {}), out)
    scenes = change(work, archive, 1)
    tell(f"{scenes} scenes changed", run(command(config, out, "local"), {}), out)
    with tempfile.TemporaryDirectory(dir=work) as name:
        code = program_of_other_words(Path(name) / "program")
        tell("a question worded otherwise", run(command(config, out, "local"), {}, code), out)
    return (first.seconds - again.seconds) / granules


def copied(work: Path, painted: Path, granules: int, workers: int, each_s: float) -> None:
    """Build copied granules; build again with the real command."""
    archive, out, made = work / f"archive-{granules}", work / "many", work / "one"
    if not (work / "archive-one" / "metadata.parquet").is_file():
        replicate(painted, work / "archive-one", SCENES)
    make_one(config_of(work / "archive-one", made, STAGES, workers))
    shutil.rmtree(archive, ignore_errors=True)
    replicate(painted, archive, granules * SCENES)
    faked = config_of(archive, out, STAGES, workers)
    config = write_config(work / "many.yaml", archive, workers, **plain(faked))
    script = str(Path(__file__).with_name("faked_granules.py"))
    told = [str(archive), str(out), str(made), ",".join(STAGES), str(workers), "local"]
    start = perf_counter()
    subprocess.run([sys.executable, script, *told], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    print(
        f"{granules * SCENES:,} scenes copied in {perf_counter() - start:.0f} s; to build them all "
        f"takes {each_s * granules:,.0f} s, reckoned from the real ones",
        flush=True,
    )
    for _ in range(UNCHANGED):
        tell("unchanged", run(command(config, out, "local"), {}), out)
    with server(work / "prefect") as running:
        for _ in range(UNCHANGED):
            again = run(command(config, out, "prefect"), running.env)
            tell("unchanged, as a flow", again, out)
    scenes = change(work, archive, max(1, round(granules / 100)))
    tell(f"{scenes:,} scenes changed", run(command(config, out, "local"), {}), out)
    tell("unchanged", run(command(config, out, "local"), {}), out)


def plain(config: BuildConfig) -> dict[str, Any]:
    """Return what a configuration sets beside sources, folder and workers."""
    tree = json.loads(config.model_dump_json(exclude_unset=True))
    return {name: tree[name] for name in tree if name not in ("sources", "out", "workers")}


def write_config(path: Path, archive: Path, workers: int, **more: Any) -> Path:
    """Write the file of a configuration."""
    tree = {"sources": {"bigearthnet": str(archive)}, "workers": workers, **more}
    path.write_text(yaml.safe_dump(tree))
    return path


def main() -> None:
    """Build and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", type=int, default=16, help="granules")
    parser.add_argument("--copied", type=int, default=391, help="granules")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path, help="work here; default: a new folder")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work: Path = (given.work or Path(name)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        painted = paint(work / "painted")
        each_s = real(work, painted, given.real, given.workers)
        copied(work, painted, given.copied, given.workers, each_s)


if __name__ == "__main__":
    main()
