"""Kill a build at every window of every stage, run it again, and compare with an undisturbed one.

At each point the process that reached it is stopped in the midst, and it, all that it started and
the build are killed (SIGKILL). Then the same build is run once more, undisturbed, and what it
published is compared file by file, byte by byte, versions included; of a manifest all but the time,
the run and the commit, of a model all but its logs. What is still there under a hidden name counts
as a difference, outside of `.work`. Points are events that Python itself raises
(`crash_points/sitecustomize.py`), none is in the product. What runs is the build without Prefect,
and training, in processes forked from one that has everything imported; what they start besides is
started as ever. Exit status 1 if a cell differs.

    .venv/bin/python benchmarks/crash_matrix.py [--scenes 24] [--stage NAME ...] [--work FOLDER]

A row that starts from what another left needs that row, in the same run or the same folder.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
POINTS = Path(__file__).parent / "crash_points"
sys.path[:0] = [str(ROOT), str(POINTS)]

from sitecustomize import POINT, install  # noqa: E402

import tasks.worker_start  # noqa: E402, F401
from flows.local import build  # noqa: E402
from tasks.config import BuildConfig  # noqa: E402
from tests.captions.composed import well_composed  # noqa: E402
from tests.captions.prompted import text_of, well_read  # noqa: E402
from tests.completer.fault_server import MODEL, FaultServer  # noqa: E402

ARCHIVE = "bigearthnet"
SCENES = 6  # of the archive, in its three splits
WINDOWS = (
    "before write",
    "in mid-write",
    "written, no record",
    "recorded",
    "clean-up",
    "store of calls",
    "checkpoint",
    "version sharing",
)
REACHED_WITHIN_S = 600.0
SHORT = {
    "stage1_steps": 3,
    "stage2_steps": 2,
    "batch_size": 4,
    "eval_split": "none",
    "save_steps": 1,
}
OF_A_RUN = ("created", "run", "commit")
LOGS = {"train.log", ".lock", "runs", "stage1", "stage2"}  # of a model's folder
ANY = ("any", ".")

Step = tuple[str, str, int]
Work = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A moment: the last of some events that follow each other, and what is done to files there."""

    steps: tuple[Step, ...]
    harm: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A stage: what is run, what there is before, and its points by window.

    `before` is a folder that the run starts from a copy of, `compared` reads what it came to.
    """

    stage: str
    work: Callable[..., Work]
    compared: Callable[[Path], dict[str, str]]
    before: Path | None = None
    points: dict[str, Sequence[Point]]


def placed(output: str, record: str, *, number: int = 2) -> dict[str, Sequence[Point]]:
    """Return the four windows of a file that gets its name by a rename, and of its record."""
    renamed = ("os.rename", output, number)
    return {
        "before write": [Point(steps=(renamed,), harm=(("drop", ""),))],
        "in mid-write": [
            Point(steps=(renamed,), harm=(("halve", ""),)),
            Point(steps=(("os.rename", record, 1),), harm=(("halve", ""),)),
        ],
        "written, no record": [
            Point(steps=(renamed,)),
            Point(steps=(renamed, (*ANY, 1))),
        ],
        "recorded": [Point(steps=(("os.rename", record, 1), (*ANY, 1)))],
    }


def of_granules(stage: str) -> dict[str, Sequence[Point]]:
    """Return the windows of a stage that keeps a table and a record of each granule."""
    folder = rf"\.work/{stage}/[^/]*"
    return placed(rf"{folder}(?<!rejects)\.parquet$", rf"{folder}\.json$")


NOT_HERE = {
    "clean-up": "removes nothing",
    "store of calls": "asks no model",
    "checkpoint": "trains nothing",
    "version sharing": "publish alone does",
}


def built(folder: Path, config: dict[str, Any]) -> Work:
    """Return the work of a build into a folder."""
    return partial(_build, {**config, "out": str(folder / "dataset"), "workers": 1})


def _build(config: dict[str, Any]) -> None:
    build(BuildConfig.model_validate(config))


def trained(folder: Path, dataset: Path) -> Work:
    """Return the work of a training into a folder; what is imported here is there when forked."""
    from terrascope_model.settings import TrainSettings
    from terrascope_model.train import train

    return partial(train, dataset, folder / "model", TrainSettings.model_validate(SHORT))


def published(folder: Path) -> dict[str, str]:
    """Return the digest of each file of a dataset, its versions among them."""
    dataset = folder / "dataset"
    files = [p for p in dataset.rglob("*") if p.is_file() and ".work" not in p.parts]
    return {p.relative_to(dataset).as_posix(): digest_of(p) for p in files}


def model_of(folder: Path) -> dict[str, str]:
    """Return the digest of each file of a model."""
    model = folder / "model"
    files = [
        p for p in model.rglob("*") if p.is_file() and not LOGS & {*p.relative_to(model).parts}
    ]
    return {p.relative_to(model).as_posix(): digest_of(p) for p in files}


def digest_of(path: Path) -> str:
    """Return the digest of a file; of a manifest without what is of the run that wrote it."""
    content = path.read_bytes()
    if path.name == "manifest.json":
        tree = json.loads(content)
        content = json.dumps({k: v for k, v in tree.items() if k not in OF_A_RUN}).encode()
    return sha256(content).hexdigest()


def answer(body: dict[str, Any]) -> str:
    """Answer as a captioner or a composer, by whose prompt it is."""
    asks = body["messages"][0]["role"] == "system"
    composes = asks and "You write exam questions" in text_of(body, "system")
    return well_composed(body) if composes else well_read(body)


def rows_of(work: Path, planet: Path, url: str) -> Iterator[Row]:
    """Yield the stages; each may start from what those before it left undisturbed."""
    archive = {"sources": {ARCHIVE: str(planet / ARCHIVE)}, "limit": SCENES}
    asked = {**archive, "stages": ["l1"]}
    model = {"kind": "url", "url": url, "model": MODEL}
    captioned = {**archive, "stages": ["cap_cot"], "captioner": model}
    composed = {**archive, "stages": ["l2"], "composer": model}
    made = partial(Row, compared=published)
    listed = placed(r"\.work/catalogue/[^/]*\.json$", r"\.work/index/all\.rejects\.parquet$")
    yield made(stage="index", work=partial(built, config=asked), points=listed)
    yield made(stage="ingest", work=partial(built, config=asked), points=of_granules("ingest"))
    for stage, config in (("cap_cot", captioned), ("l2", composed)):
        points = {**of_granules(stage), "store of calls": STORED}
        yield made(stage=stage, work=partial(built, config=config), points=points)
    yield made(stage="l1", work=partial(built, config=asked), points=of_granules("l1"))
    decided = placed(r"\.work/select/[^/]*\.parquet$", r"\.work/select/summary\.json$")
    decided["recorded"] = [Point(steps=(("os.rename", r"\.work/select/summary", 2), (*ANY, 1)))]
    yield made(stage="select", work=partial(built, config=asked), points=decided)
    points = of_granules("shards-l1")
    yield made(stage="shards", work=partial(built, config=asked), points=points)
    first = work / "index" / "undisturbed"
    yield made(
        stage="publish",
        work=partial(built, config={**asked, "seed": 1, "keep_versions": 1}),
        before=first,
        points=PUBLISHED,
    )
    yield Row(
        stage="train",
        work=partial(trained, dataset=first / "dataset"),
        compared=model_of,
        points=TRAINED,
    )
    model_folder = str(work / "train" / "undisturbed" / "model")
    annotated = {**asked, "annotator": {"kind": "folder", "model": model_folder}}
    yield made(
        stage="predict",
        work=partial(built, config=annotated),
        before=first,
        points=of_granules("annotate"),
    )
    yield made(
        stage="refine",
        work=partial(built, config={**annotated, "refine": {"policy": "paper"}}),
        before=work / "predict" / "undisturbed",
        points=of_granules("refine-l1"),
    )
    short = {"kind": "train", "training": SHORT}
    yield made(
        stage="annotator",
        work=partial(built, config={**asked, "stages": ["cap_cot", "l1"], "annotator": short}),
        before=first,
        points={
            **placed(r"fold-1/captions/data/.*\.parquet$", r"fold-1/key\.txt$", number=1),
            "checkpoint": saved("fold-0/model/stage2"),
        },
    )


def saved(stage: str) -> Sequence[Point]:
    """Return the moments of a checkpoint on its way: its folder, half its weights, its state."""
    state = ("open", rf"{stage}/checkpoint-2/\.?trainer_state\.json", 1)
    drop = (("drop", "optimizer.pt"), ("drop", "rng_state.pth"))
    return [
        Point(steps=(("os.mkdir", rf"{stage}/checkpoint-2$", 1),)),
        Point(steps=(state,), harm=(*drop, ("halve", "trained.safetensors"))),
        Point(steps=(state,), harm=(("drop", "rng_state.pth"), ("halve", "optimizer.pt"))),
        Point(steps=(state,), harm=(("empty", ""),)),
    ]


_INSERT, _COMMIT = ("sql", r"INSERT INTO calls", 3), ("sql", r"^COMMIT", 1)
STORED = [  # a reply on its way into the store: in its transaction, and torn
    Point(steps=(_INSERT,)),
    Point(steps=(_INSERT, _COMMIT)),
    Point(
        steps=(_INSERT, _COMMIT, ("sql", r"^(BEGIN|SELECT)", 1)),
        harm=(("cut", "calls.sqlite-wal"),),
    ),
]
_GONE, _VERSION = ("os.rename", r"versions/\.1-.*\.gone$", 1), ("os.rename", r"versions/2-", 1)
PUBLISHED = {
    **placed(r"dataset/data/l1/[^/]*$", r"dataset/manifest\.json$"),
    "clean-up": [
        Point(steps=(_GONE,)),
        Point(steps=(_GONE, (*ANY, 1))),
        Point(steps=(_GONE, ("os.remove", ".", 4))),
    ],
    "version sharing": [
        Point(steps=(("os.link", r"versions/\.2-", 1),)),
        Point(steps=(("os.link", r"versions/\.2-", 7),)),
        Point(steps=(_VERSION,)),
        Point(steps=(_VERSION, (*ANY, 1))),
    ],
}
_SETTINGS = ("open", r"model/\.?settings\.json", 1)
_REPORT = ("open", r"model/\.?training\.json", 1)
TRAINED = {
    "before write": [Point(steps=(_SETTINGS,))],
    "in mid-write": [Point(steps=(one,), harm=(("empty", ""),)) for one in (_SETTINGS, _REPORT)],
    "written, no record": [Point(steps=(_REPORT,))],
    "recorded": [Point(steps=(("os.rename", r"model/training\.json$", 1), (*ANY, 1)))],
    "clean-up": [
        Point(steps=(("shutil.rmtree", r"stage1/checkpoint-1$", 1), ("os.remove", ".", 2)))
    ],
    "checkpoint": saved("model/stage1"),
}


def at_work(work: Work, log: Path, told: dict[str, Any] | None) -> None:
    """Do a work in this process, its words to a log."""
    os.setsid()
    with log.open("a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ["PYTHONPATH"] = f"{POINTS}:{ROOT}"  # of the processes that it starts
    if told is not None:
        os.environ[POINT] = json.dumps(told)
        install(told)
    work()
    (log.parent / "ended").mkdir(exist_ok=True)  # an event after the last one of the work


def begun(work: Work, folder: Path, point: Point | None = None) -> BaseProcess:
    """Begin a work in a process forked from this one, to be stopped at a point if one is given."""
    told = None
    if point is not None:
        told = {"steps": point.steps, "harm": point.harm, "mark": str(folder / "reached")}
    forked = multiprocessing.get_context("fork").Process(
        target=at_work, args=(work, folder / "log.txt", told)
    )
    forked.start()
    return forked


def killed_at(point: Point, work: Work, folder: Path) -> bool:
    """Run a work until a point, and kill it with what it started; False if it never comes there."""
    forked = begun(work, folder, point)
    given_up_at = time.monotonic() + REACHED_WITHIN_S
    while not (folder / "reached").exists():
        if not forked.is_alive():
            return False
        assert time.monotonic() < given_up_at, f"{point} is not reached, nor does the build end"
        time.sleep(0.05)
    process = psutil.Process(forked.pid)
    started = process.children(recursive=True)
    for one in (process, *started):
        one.kill()
    forked.join()
    psutil.wait_procs(started, timeout=30)
    return True


def completed(work: Work, folder: Path) -> bool:
    """Run a work to its end; return whether it came to one."""
    forked = begun(work, folder)
    forked.join()
    return forked.exitcode == 0


def cell(row: Row, point: Point, folder: Path, undisturbed: dict[str, str]) -> str:
    """Kill a stage at a point and run it again; return what differs, "" where nothing does."""
    prepare(row, folder)
    work = row.work(folder)
    if not killed_at(point, work, folder):
        return "the point was never reached"
    if not completed(work, folder):
        *_, last = (folder / "log.txt").read_text().splitlines()
        return f"did not go on: {last}"
    found = row.compared(folder)
    names = sorted(
        n for n in found.keys() | undisturbed.keys() if found.get(n) != undisturbed.get(n)
    )
    return f"{len(names)} files differ: {', '.join(names[:3])}" if names else ""


def prepare(row: Row, folder: Path) -> None:
    """Make the folder that a run starts from."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if row.before is not None:
        subprocess.run(["cp", "-a", f"{row.before}/.", folder], check=True)
    (folder / "reached").unlink(missing_ok=True)


def cells_of(row: Row, work: Path) -> Iterator[tuple[str, str, bool]]:
    """Yield for each window of a stage what became of it, and whether that is as it has to be."""
    folder = work / row.stage
    prepare(row, folder / "undisturbed")
    whole = completed(row.work(folder / "undisturbed"), folder / "undisturbed")
    assert whole, (folder / "undisturbed" / "log.txt").read_text()
    undisturbed = row.compared(folder / "undisturbed")
    for window in WINDOWS:
        if window not in row.points:
            yield window, f"n/a: {NOT_HERE[window]}", True
            continue
        points = row.points[window]
        found = [
            cell(row, point, folder / f"{window} {number}", undisturbed)
            for number, point in enumerate(points)
        ]
        differing = [f"point {n + 1}: {what}" for n, what in enumerate(found) if what]
        same = f"same ({len(points)})" if len(points) > 1 else "same"
        yield window, "; ".join(differing) or same, not differing


def run(planet: Path, work: Path, only: Sequence[str], url: str) -> bool:
    """Go through the matrix and print it row by row; return whether nothing differs."""
    all_same = True
    for row in rows_of(work, planet, url):
        if only and row.stage not in only:
            continue
        for window, became, is_right in cells_of(row, work):
            all_same &= is_right
            print(f"{row.stage:12}{window:20}{became}", flush=True)
    return all_same


@contextmanager
def served() -> Iterator[str]:
    """Serve a model that answers by rules, in a process of its own; yield its URL."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(theirs,))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("end")
        process.join()


def _serve(asked: Connection) -> None:
    with FaultServer(answer=answer) as server:
        asked.send(server.base_url)
        asked.recv()


def main() -> None:
    """Make a planet and go through the matrix."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=24)
    parser.add_argument("--stage", action="append", default=[], help="one of the rows, repeatable")
    parser.add_argument("--work", type=Path, help="keeps what is built; else it is removed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = (arguments.work or Path(temporary)).resolve()
        planet = work / "planet"
        if not planet.exists():
            command = [
                sys.executable,
                "cli.py",
                "planet",
                planet,
                "--scenes",
                str(arguments.scenes),
            ]
            subprocess.run([*map(str, command), "--seed", "3"], cwd=ROOT, check=True)
        begun_at = time.monotonic()
        with served() as url:
            all_same = run(planet, work, arguments.stage, url)
        print(f"{time.monotonic() - begun_at:.0f} s, load {os.getloadavg()[0]:.1f}")
    sys.exit(0 if all_same else 1)


if __name__ == "__main__":
    main()
