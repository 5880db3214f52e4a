"""Which reader a bench is read by: a dataset's folder, or a file of another bench."""

import json
from collections.abc import Collection
from pathlib import Path

from tasks.errors import UserError
from tasks.scoring.bench import Bench
from tasks.scoring.dataset_items import dataset_bench
from tasks.scoring.disaster import disaster_bench
from tasks.scoring.landsat import landsat_bench
from tasks.scoring.published import published_bench
from tasks.scoring.released_json import released_bench


def open_bench(path: Path, tier: str | None, split: str | None, tasks: Collection[str]) -> Bench:
    """Return the questions of a bench.

    A folder is a dataset, `.parquet` the published bench, `.csv` Landsat30-AU-VQA, `.json`
    DisasterM3 or training records. UserError where it is none of these.
    """
    if path.is_dir() or not path.exists():
        return dataset_bench(path, tier, split, tasks)
    if tier or split:
        raise UserError(f"--tier and --split are of datasets; {path} is one file")
    match path.suffix.lower():
        case ".parquet":
            return published_bench(path, tasks)
        case ".csv":
            return landsat_bench(path, tasks)
        case ".json":
            return _json_bench(path, tasks)
    raise UserError(
        f"{path} is no bench: it takes a dataset's folder, the published .parquet, the .csv of "
        "Landsat30-AU-VQA, or the .json of DisasterM3 or of training records"
    )


def _json_bench(path: Path, tasks: Collection[str]) -> Bench:
    try:
        records = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(records, list) or not records:
        raise UserError(f"{path} is not a JSON list of records")
    keys = {key for record in records if isinstance(record, dict) for key in record}
    if "conversations" in keys:
        return released_bench(path, records, tasks)
    if "options_str" in keys:
        return disaster_bench(path, records, tasks)
    raise UserError(
        f"{path} holds neither DisasterM3's records (options_str) nor training records "
        "(conversations)"
    )
