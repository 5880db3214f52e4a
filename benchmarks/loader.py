"""Time our loader beside pure decoding, HF `datasets` streaming and litData, samples a second.

All go over the training rows of the same shards in one process, on one thread. Pure decoding only
reads rows, decodes their pictures and masks, and is the first baseline. The two others shuffle as
they do it (a buffer, chunks) and hand each row to the same processor, in batches of the same size,
as ours; litData reads its own format, into which the rows are brought before the clock starts. It
is put into a folder of its own by pip, without torchvision, which it names and does not need here.

    .venv/bin/python benchmarks/loader.py [--data DATASET] [--repeats 3] [--batch-size 8]
"""

import argparse
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image
from torch.utils.data import DataLoader

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from planet_dataset import given_or_built  # noqa: E402

from masks.rle import decode  # noqa: E402
from schemas.sensors import segmented_picture  # noqa: E402
from terrascope_model.batches import Batches  # noqa: E402
from terrascope_model.data import Traces  # noqa: E402
from terrascope_model.presets import tiny_processor  # noqa: E402
from terrascope_model.processor import TerraScopeProcessor  # noqa: E402
from terrascope_model.recipe import texts_of  # noqa: E402
from terrascope_model.sample import Picture, Sample, StepMask  # noqa: E402

COLUMNS = ["sample_id", "split", "images", "image_info", "question", "options", "trace", "masks"]
LITDATA = (  # with what it needs to read a folder
    "litdata==0.2.76", "lightning-utilities", "boto3", "botocore", "s3transfer", "jmespath",
    "python-dateutil", "six", "obstore", "tifffile",
)  # fmt: skip
AIM_DECODE, AIM_OTHERS = 0.9, 1.5
BUFFER_ROWS = 1000
Row = Mapping[str, Any]


def main() -> None:
    """Run all of them in turn, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--litdata", type=Path, help=argparse.SUPPRESS)  # a run of ours, below it
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.litdata is not None:
        print(litdata_rate(given.data, given.litdata, given.batch_size))
        return
    with given_or_built(given.data, 48) as dataset, tempfile.TemporaryDirectory() as folder:
        lit = install_litdata(Path(folder))
        processor = tiny_processor(texts_of(dataset))
        ways: dict[str, Callable[[], float]] = {
            "pure decoding": lambda: timed(decoded(rows_of(dataset))),
            "ours": lambda: timed(our_samples(dataset, processor, given.batch_size)),
            "datasets streaming": lambda: timed(
                batched(processor, streamed_rows(dataset), given.batch_size)
            ),
            "litData": lambda: run_litdata(dataset, Path(folder), lit, given.batch_size),
        }
        warm_up(dataset, processor, given.batch_size)
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(given.repeats):
            for name, way in ways.items():
                rates[name].append(way())
    ours = median(rates["ours"])
    for name, found in rates.items():
        aim = AIM_DECODE if name == "pure decoding" else AIM_OTHERS
        ratio = "" if name == "ours" else f"  ours {ours / median(found):.2f} times (aim: {aim})"
        print(f"{name:<19} {median(found):7.1f} samples/s{ratio}")
    print(f"load                {os.getloadavg()[0]:.1f}")


def warm_up(dataset: Path, processor: TerraScopeProcessor, batch_size: int) -> None:
    """Encode a batch: kernels are compiled, modules loaded."""
    sum(batched(processor, islice(rows_of(dataset), batch_size), batch_size))


def timed(batches: Iterable[int]) -> float:
    """Return samples a second; each batch is its size."""
    start = perf_counter()
    number = sum(batches)
    return number / (perf_counter() - start)


def rows_of(dataset: Path) -> Iterator[Row]:
    """Yield the training rows, shard after shard."""
    for path in sorted((dataset / "data").glob("*/*.parquet")):
        file = pq.ParquetFile(path)
        for group in range(file.num_row_groups):
            for row in file.read_row_group(group, columns=COLUMNS).to_pylist():
                if row["split"] == "train":
                    yield row


def decoded(rows: Iterable[Row]) -> Iterator[int]:
    """Decode pictures and masks, and nothing else."""
    for row in rows:
        sample_of(row)
        yield 1


def sample_of(row: Row) -> Sample:
    """Return a row as a sample whose pictures are its own."""
    pictures = tuple(
        Picture(
            image=opened(image).convert("RGB"),
            modality=info["modality"],
            date_index=info["date_index"],
        )
        for image, info in zip(row["images"], row["image_info"], strict=True)
    )
    masks = tuple(
        StepMask(
            picture=segmented_picture(row["image_info"], mask["image_index"]),
            mask_HW=decode(mask["counts"].encode("ascii"), tuple(mask["size"])),
        )
        for mask in row["masks"]
    )
    return Sample(
        sample_id=row["sample_id"],
        pictures=pictures,
        question=row["question"],
        options=tuple(row["options"]),
        trace=row["trace"],
        masks=masks,
    )


def opened(image: Any) -> Image.Image:
    """Return a picture of a row; `datasets` has opened it already."""
    return image if isinstance(image, Image.Image) else Image.open(io.BytesIO(image["bytes"]))


def our_samples(dataset: Path, processor: TerraScopeProcessor, batch_size: int) -> Iterator[int]:
    """Go once over the training rows as training does, in this process; yield sizes of batches."""
    traces = Traces(dataset, processor)
    whole = Batches(traces, batch_size, num_batches=1)
    order = Batches(traces, batch_size, num_batches=len(whole.epoch(0)))
    for batch in DataLoader(traces, batch_sampler=order, collate_fn=processor.collate):
        yield len(batch["ids_BT"])


def batched(processor: TerraScopeProcessor, rows: Iterable[Row], batch_size: int) -> Iterator[int]:
    """Encode and collate rows in the order in which they come; yield sizes of batches."""
    rows = iter(rows)
    while batch := list(islice(rows, batch_size)):
        processor.collate([processor.encode(sample_of(row)) for row in batch])
        yield len(batch)


def streamed_rows(dataset: Path) -> Iterator[Row]:
    """Yield the training rows by `datasets`, shuffled within a buffer."""
    from datasets import load_dataset

    files = sorted(map(str, (dataset / "data").glob("*/*-train-*.parquet")))
    streamed = load_dataset("parquet", data_files=files, columns=COLUMNS, streaming=True)
    yield from streamed["train"].shuffle(seed=0, buffer_size=BUFFER_ROWS)


def install_litdata(folder: Path) -> Path:
    """Put litData into a folder of its own, and return it."""
    lit = folder / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    subprocess.run([*command, str(lit), *LITDATA], check=True)
    return lit


def run_litdata(dataset: Path, folder: Path, lit: Path, batch_size: int) -> float:
    """Return the samples a second of a process that has litData."""
    command = [sys.executable, __file__, "--data", str(dataset), "--batch-size", str(batch_size)]
    done = subprocess.run(
        [*command, "--litdata", str(folder / "chunks")],
        env={**os.environ, "PYTHONPATH": str(lit)},
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout.splitlines()[-1])


def litdata_rate(dataset: Path, chunks: Path, batch_size: int) -> float:
    """Bring the rows into litData's format if they are not yet; then go over them, timed."""
    from litdata import StreamingDataset, optimize

    processor = tiny_processor(texts_of(dataset))
    if not chunks.exists():
        files = sorted(map(str, (dataset / "data").glob("*/*-train-*.parquet")))
        optimize(
            fn=packed_rows, inputs=files, output_dir=str(chunks), chunk_bytes="64MB", num_workers=1
        )
    warm_up(dataset, processor, batch_size)
    stored = StreamingDataset(str(chunks), shuffle=True)
    rows = (pa.ipc.open_stream(packed).read_all().to_pylist()[0] for packed in stored)
    return timed(batched(processor, rows, batch_size))


def packed_rows(path: str) -> Iterator[bytes]:
    """Yield each row of a shard as bytes."""
    table = pq.read_table(path, columns=COLUMNS)
    for at in range(len(table)):
        sink = pa.BufferOutputStream()
        row = table.slice(at, 1)
        with pa.ipc.new_stream(sink, row.schema) as writer:
            writer.write_table(row)
        yield sink.getvalue().to_pybytes()


if __name__ == "__main__":
    main()
