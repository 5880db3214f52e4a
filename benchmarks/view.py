"""Time the page over a large dataset: first page, filters, samples, memory; beside a plain scan.

The dataset is one of 100,000 samples, made of rows of a small one under new ids, with images of a
few hundred bytes. The page is the real command in a process of its own, asked over HTTP. The
baseline is what one would write without an index: pyarrow's dataset scan of the same shards for the
same filter, with the columns that a list shows.

    .venv/bin/python benchmarks/view.py [--data DATASET] [--samples 100000] [--repeats 7]
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from io import BytesIO
from operator import and_
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from urllib.request import urlopen

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from planet_dataset import given_or_built  # noqa: E402

from schemas.parquet import ROW_GROUP_ROWS, SAMPLE_SCHEMA  # noqa: E402
from tasks.lineage.graph import short  # noqa: E402
from tasks.manifest import DataFile, Manifest, read_manifest, write_manifest  # noqa: E402
from tasks.shards import DICTIONARY_PAGE_BYTES  # noqa: E402

SHARD_ROWS = 2_000
SMALL_PX = 24
WALKED = 200  # samples that are looked at one after the other
AIM_FIRST_S, AIM_FILTER_S = 1.0, 0.3
SHOWN = ["sample_id", "source", "split", "tier", "task", "question", "title", "answer", "steps"]
FILTERED = {"task": "existence", "split": "train"}


def main() -> None:
    """Make the dataset, ask the page and the baseline in turn, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="the small dataset; one of a planet if not given")
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=7)
    given = parser.parse_args()
    before = os.getloadavg()[0]
    with given_or_built(given.data, 48) as small, tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large"
        manifest = enlarged(small, large, given.samples)
        print(f"dataset  {given.samples:,} samples in {len(manifest.files)} shards")
        with served(large) as (address, process, started_s):
            measured(large, address, process, started_s, given.repeats)
    print(f"load     {before:.1f} before, {os.getloadavg()[0]:.1f} after")


def measured(
    large: Path, address: str, process: psutil.Process, started_s: float, repeats: int
) -> None:
    """Print what the page takes."""
    print(f"start    {started_s:6.2f} s from the command to the address")
    spent_s = cpu_s(process)
    first_s = timed(lambda: got(address))
    print(
        f"first    {first_s:6.3f} s from the address to the first page (aim: {AIM_FIRST_S} s), "
        f"{cpu_s(process) - spent_s:.2f} s of the processor, reading on among it; "
        f"{spent_s:.1f} s of it before"
    )
    told_mb("first page", process)
    waited_s = timed(lambda: wait_for_index(address))
    print(
        f"index    {waited_s:6.2f} s more until every shard is read, "
        f"{cpu_s(process) - spent_s:.1f} s of the processor"
    )
    told_mb("whole index", process)
    asked = "&".join(f"{name}={value}" for name, value in FILTERED.items())
    sample_ids, version = ids_in(large), short(read_manifest(large).digest)
    ways: dict[str, Callable[[], object]] = {
        "scan": lambda: scanned(large),
        "filter": lambda: got(f"{address}?{asked}"),
        "class": lambda: got(f"{address}?class=Arable+land"),
        "search": lambda: got(f"{address}?q=not+in+any"),
        "last page": lambda: got(f"{address}?page=4000"),
        "counts": lambda: got(f"{address}counts?{asked}"),
        "map": lambda: got(f"{address}map"),
        "sample": lambda: got(f"{address}sample/{next(sample_ids)}?{asked}"),
        "thumb": lambda: got(f"{address}thumb/{version}/{next(sample_ids)}"),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            times[name].append(timed(way))
    baseline = median(times["scan"])
    print(f"scan     {1e3 * baseline:7.0f} ms: pyarrow over the shards for {FILTERED}")
    for name, found in times.items():
        if name != "scan":
            aim = (
                f" (aim: {1e3 * AIM_FILTER_S:.0f})" if name in ("filter", "class", "search") else ""
            )
            same = f", {baseline / median(found):.1f} times as fast" if name == "filter" else ""
            print(f"{name:<9}{1e3 * median(found):6.0f} ms{aim}{same}")
    for _ in range(WALKED):
        got(f"{address}sample/{next(sample_ids)}")
    told_mb(f"{WALKED} samples more", process)


def enlarged(small: Path, large: Path, samples: int) -> Manifest:
    """Write a dataset of so many samples: the rows of the small one again and again."""
    manifest = read_manifest(small)
    base = light_rows(small, manifest)
    files = []
    for number in range(-(-samples // SHARD_ROWS)):
        rows = min(SHARD_ROWS, samples - number * SHARD_ROWS)
        path = f"data/l1/bigearthnet-train-b{number:03}.parquet"
        (large / path).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            renamed(base.slice(0, rows), f"{number:03}-"),
            large / path,
            row_group_size=ROW_GROUP_ROWS,
            dictionary_pagesize_limit=DICTIONARY_PAGE_BYTES,
            compression="zstd",
            store_schema=False,
        )
        place = {"tier": "l1", "source": "bigearthnet", "split": "train", "bucket": f"b{number:03}"}
        size = (large / path).stat().st_size
        files.append(DataFile(path=path, sha256="0" * 64, rows=rows, bytes=size, **place))
    enlarged_one = manifest.model_copy(update={"files": tuple(files), "quarantine": ()})
    write_manifest(large, enlarged_one)
    return enlarged_one


def light_rows(small: Path, manifest: Manifest) -> pa.Table:
    """Return rows of land cover, a shard's worth, with a small image in place of each."""
    file = BytesIO()
    noise_HW3 = np.random.default_rng(0).integers(0, 255, (SMALL_PX, SMALL_PX, 3), dtype=np.uint8)
    Image.fromarray(noise_HW3).save(file, "PNG")
    tables: list[pa.Table] = []
    for one in manifest.files:
        enough = sum(table.num_rows for table in tables) >= SHARD_ROWS
        if one.source == "bigearthnet" and one.tier == "l1" and not enough:
            tables.append(pq.read_table(small / one.path))
    base = pa.concat_tables(tables).combine_chunks()
    base = base.take(pa.array(np.arange(SHARD_ROWS) % base.num_rows))
    images = [
        [{"bytes": file.getvalue(), "path": image["path"]} for image in one]
        for one in base.column("images").to_pylist()
    ]
    column = pa.array(images, type=SAMPLE_SCHEMA.field("images").type)
    return base.set_column(base.schema.get_field_index("images"), "images", column)


def renamed(rows: pa.Table, prefix: str) -> pa.Table:
    """Return rows under ids of their own; every sixth row begins another scene."""
    numbers = pa.array([f"{prefix}{n:04}" for n in range(rows.num_rows)])
    scenes = pa.array([f"{prefix}s{n // 6:04}" for n in range(rows.num_rows)])
    for name, values in (("sample_id", numbers), ("scene_id", scenes)):
        rows = rows.set_column(rows.schema.get_field_index(name), name, values)
    return rows.cast(SAMPLE_SCHEMA)


@contextmanager
def served(dataset: Path) -> Iterator[tuple[str, psutil.Process, float]]:
    """Yield the address of a page in a process of its own, the process, and its start in s."""
    start = perf_counter()
    command = [sys.executable, "-m", "cli", "view", str(dataset), "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        started_s = perf_counter() - start
        try:
            yield line.split()[1], psutil.Process(process.pid), started_s
        finally:
            process.terminate()


def got(address: str) -> bytes:
    """Return what is at an address; HTTPError where that is not 200."""
    with urlopen(address, timeout=600) as answer:
        return bytes(answer.read())


def wait_for_index(address: str) -> None:
    """Return when the page says no more that it is still reading."""
    while b"Still reading" in got(f"{address}refused"):
        sleep(0.2)


def scanned(large: Path) -> pa.Table:
    """Return what a list shows of the samples that the filter leaves, without an index."""
    wanted = reduce(and_, (ds.field(name) == value for name, value in FILTERED.items()))
    found = ds.dataset(large / "data", format="parquet").to_table(columns=SHOWN, filter=wanted)
    return found.slice(0, 24).to_pylist()


def ids_in(large: Path) -> Iterator[str]:
    """Yield sample ids from all over the dataset, each in another row group than the last."""
    shards = len([*(large / "data" / "l1").iterdir()])
    number = 0
    while True:
        number += 1
        yield f"{number * 7 % shards:03}-{number * 613 % (SHARD_ROWS // 2):04}"


def told_mb(when: str, process: psutil.Process) -> None:
    """Print the memory of the page's process."""
    print(f"memory   {process.memory_info().rss / 1e6:6.0f} MB after {when}")


def cpu_s(process: psutil.Process) -> float:
    """Return the seconds of the processor that the page's process has had."""
    times = process.cpu_times()
    return float(times.user + times.system)


def timed(way: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    start = perf_counter()
    way()
    return perf_counter() - start


if __name__ == "__main__":
    main()
