"""README.md of a dataset: the card that the Hugging Face hub and a person read first."""

from pathlib import Path

import yaml

from tasks.atomic import place_text
from tasks.inspect_dataset import Survey, size_text
from tasks.manifest import CARD_NAME, LEAKAGE, Manifest
from tasks.place_split import SPLITS

# the hub's own names of licences; any other is shown in the ledger only
HUB_LICENCES = {
    "Apache-2.0": "apache-2.0",
    "CC-BY-4.0": "cc-by-4.0",
    "CC-BY-NC-SA-4.0": "cc-by-nc-sa-4.0",
    "CDLA-Permissive-1.0": "cdla-permissive-1.0",
    "ODbL-1.0": "odbl",
}
SIZE_STEPS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
SIZE_NAMES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "n>10M")

_ABOUT = """\
Every row is one question on one scene: the images, the question, reasoning steps of which each
marks what it speaks of with a mask, the answer, and a *program* of which the answer is the value on
the scene's stored masks. So every answer can be proved again, with nothing but this folder:

    terrascope verify .
"""
_USE = """\
## Reading it

    from datasets import load_dataset
    samples = load_dataset("path/to/this/folder", "l1", split="train")

| column | what it holds |
|---|---|
| `sample_id`, `scene_id` | hash of what the sample is made from; its scene |
| `source`, `split`, `place`, `licence` | archive, its split, tile or event, licence of the scene |
| `tier`, `task`, `form`, `classes` | kind of question, `open` or `choice`, classes it speaks of |
| `images`, `image_info` | encoded 8-bit RGB images that the sample carries, and how each was made |
| `grid` | height, width, metres per pixel (null where unknown), bounds in WGS84 degrees |
| `question`, `options` | the question; option texts in letter order, empty for an open question |
| `title` | title of a caption, empty for a question |
| `answer` | text, letter, and for a number its value, unit and interval |
| `steps`, `trace` | steps with the index of their mask; the training string they make up |
| `fact_spans` | where measured facts stand in `trace`, as [start, end) in characters |
| `claims` | what the sentences of a caption claim, each with its verdict on the masks |
| `masks` | step masks: COCO RLE of `size` (height, width), expression, `origin`, `iou` with it |
| `scene_masks`, `layers` | every class or object at every date, and what is known of each layer |
| `words` | JSON: how questions and steps call each class, and its class in one common list |
| `program` | the expression, in JSON, that proves the answer |
| `rule`, `premises` | rule of a judgement; the numbers it rests on, each with its program |
| `judged` | what a second model thought of the question; null where none was asked |
| `archive_captions` | captions that the archive gives; kept, never trusted |
| `provenance` | source files and their SHA-256, template and version, seed, configuration |

Masks are compressed COCO run-length codes: `pycocotools.mask.decode` reads them.
"""
_PAPER_PIXEL = """\
**Pixel size.** Areas and lengths of the Sentinel sources take every pixel as 10 m, as the
TerraScope paper does. ChatEarthNet's true pixels are 9.55 m times the cosine of the latitude.
"""
_DEFINITIONS = """\
## Definitions

* **Valid pixel**: its label is neither nodata nor to be ignored. Where less than 99 % of a scene is
  valid, questions say "of the labelled area".
* **Area** is the number of pixels times the area of one; **coverage** the share of valid pixels.
* **Border**: the masks touch along at least 8 pixel edges and still do when either is eroded by a
  pixel while the other is dilated; "no" only if they stay apart when both are dilated.
* **Distance**: between the nearest pixel centres of two masks, specks removed, more than 10 pixels
  apart.
* **Count**: objects where there are polygons; else separate areas (8-connected, 9 pixels or more),
  the number being the same at 18.
* **Place**: a cell of a 3 x 3 grid; compass words only where up is north.
* **Margin**: `answer.low` to `answer.high` are the values when every mask is eroded or dilated by
  one pixel; of a count and of a border's length both are the value itself. A question whose answer
  is not safe within its margin is not asked. `answer.text` is the value to two significant digits
  and may so lie just outside a narrow margin: score numbers against `answer.value`, which is in
  `answer.unit` (m2, m, share, count).
"""
_SPLITS_OF_ARCHIVES = """\
* **Splits** are the archives' own. Where an archive has crops of one place in several splits, so
  has this dataset; `place` says which.
"""
_SPLITS_BY_PLACE = """\
* **Splits** are drawn by place, and not the archives' own: all scenes of a tile or event are in
  one. Each tile or event was drawn for train, validation, test with {shares}.
"""


def write_card(dataset: Path, manifest: Manifest, found: Survey) -> Path:
    """Write the dataset card, of what was found in it; OSError if it cannot be written."""
    path = dataset / CARD_NAME
    place_text(path, card(manifest, found))
    return path


def card(manifest: Manifest, found: Survey) -> str:
    """Return the card: a YAML header for the hub, then what the dataset is, holds and allows."""
    header = yaml.safe_dump(_header(manifest, found), sort_keys=False, allow_unicode=True)
    sections = [
        f"---\n{header}---\n\n# {_cell(manifest.dataset)}\n",
        f"{found.num_samples:,} samples on {found.num_scenes:,} scenes, "
        f"{size_text(found.num_bytes)}.\n",
        _synthetic(manifest),
        _ABOUT,
        _USE,
        "## Counts\n\n" + _by_task(found),
        "What became of each stage's input:\n\n" + _stages(found),
        _refused(found),
        _refined(manifest),
        _marked(manifest),
        _reviewed(manifest),
        _DEFINITIONS + _splits(manifest),
        _shared(manifest),
        _PAPER_PIXEL if manifest.config.get("pixel_size") == "paper" else "",
        "## Licences\n\n" + _ledger(found),
        _origin(manifest),
    ]
    return "\n".join(section for section in sections if section)


def _header(manifest: Manifest, found: Survey) -> dict[str, object]:
    licences = sorted(set().union(*found.licences.values()))
    size = SIZE_NAMES[sum(found.num_samples >= step for step in SIZE_STEPS)]
    return {
        "pretty_name": " ".join(manifest.dataset.split()),  # a line of its own could end the header
        "license": sorted({HUB_LICENCES.get(licence, "other") for licence in licences}),
        "language": ["en"],
        "task_categories": ["visual-question-answering", "image-segmentation"],
        "tags": ["earth-observation", "remote-sensing", "pixel-grounded-reasoning"],
        "size_categories": [size],
        "configs": [
            {"config_name": tier, "data_files": _data_files(manifest, tier)}
            for tier in sorted({file.tier for file in manifest.files})
        ],
    }


def _data_files(manifest: Manifest, tier: str) -> list[dict[str, object]]:
    """Return the shards of each split of a tier, by name: a pattern could match others too."""
    by_split: dict[str, list[str]] = {}
    for file in manifest.files:
        if file.tier == tier:
            # the hub takes word characters only in the name of a split
            name = "".join(c if c.isalnum() else "_" for c in file.split) or "all"
            by_split.setdefault(name, []).append(file.path)
    return [{"split": name, "path": sorted(by_split[name])} for name in sorted(by_split)]


def _table(columns: list[str], rows: list[list[str | int]]) -> str:
    """Return a Markdown table; numbers are set to the right."""
    number = [bool(rows) and isinstance(rows[0][i], int) for i in range(len(columns))]
    lines = [columns, ["---:" if right else "---" for right in number]]
    lines += [[_cell(cell) for cell in row] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(cell: str | int) -> str:
    if isinstance(cell, int):
        return f"{cell:,}"
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _by_task(found: Survey) -> str:
    sources = sorted(found.by["source"])
    rows: list[list[str | int]] = [
        [task, *(found.crossed[source, task] for source in sources), number]
        for task, number in sorted(found.by["task"].items())
    ]
    rows.append(["all", *(found.by["source"][source] for source in sources), found.num_samples])
    return _table(["task", *sources, "all"], rows)


def _stages(found: Survey) -> str:
    return _table(
        ["stage", "unit", "in", "out", "rejected", "left out"],
        [[c.stage, c.unit, c.taken, c.out, c.rejected, c.left_out] for c in found.stages],
    )


def _refused(found: Survey) -> str:
    if not found.rejects:
        return ""
    rows: list[list[str | int]] = [[*key, number] for key, number in sorted(found.rejects.items())]
    return "Refused, with details in `quarantine/`:\n\n" + _table(
        ["source", "stage", "reason", "number"], rows
    )


def _refined(manifest: Manifest) -> str:
    """Return what an annotator did to step masks, "" where there was none."""
    if not manifest.refined:
        return ""
    asked, taken = (
        sum(getattr(one, name) for one in manifest.refined) for name in ("masks", "intersected")
    )
    return (
        "## Refined masks\n\n"
        "Step masks of questions on training scenes whose `origin` is `intersection` are what the "
        "annotation shares with the masks of an annotator that had not learnt from the scene "
        f"({taken:,} of {asked:,} classes of scenes). Answers, and the numbers in the steps, are "
        "those of the annotation. `manifest.json` tells of every class (`refined`), and names the "
        "annotators by the SHA-256 of their weights.\n"
    )


def _marked(manifest: Manifest) -> str:
    """Return what there is of scenes without labels, "" where there are none."""
    names = sorted({Path(file.path).name for file in manifest.files if file.is_marked})
    if not names:
        return ""
    return (
        "## Scenes without labels\n\n"
        f"The scenes of {', '.join(f'`{name}`' for name in names)} have no labels. An annotator "
        "marked them: all their masks have the `origin` `predicted`, and their answers are right "
        "of these masks, not of the ground.\n"
    )


def _reviewed(manifest: Manifest) -> str:
    """Return how many people looked at the items, "" where nobody had to."""
    count = manifest.reviewed
    if count is None:
        return ""
    agreed = "" if count.agreement is None else f" {count.agreement:.0%} of their pairs agree"
    agreed += "" if count.alpha is None else f" (Krippendorff's alpha {count.alpha:.2f})"
    return (
        "## Review\n\n"
        "People judged the items by question, answer and masks, and only those that they accept "
        f"are kept. Their {count.verdicts:,} verdicts, of {count.reviewers:,} reviewers, are on "
        f"{count.items:,} items;{agreed or ' no two are on one item'}.\n"
    )


def _splits(manifest: Manifest) -> str:
    """Return whose splits they are, and which of a source came out empty."""
    if manifest.config.get("split", "archive") == "archive":
        return _SPLITS_OF_ARCHIVES
    shares = manifest.config["split_shares"]
    assert isinstance(shares, dict), "as a build writes it"
    told = _SPLITS_BY_PLACE.format(shares=", ".join(f"{shares[split]:g}" for split in SPLITS))
    filled = {(file.source, file.split) for file in manifest.files}
    empty = [
        f"{source} has none in {split}"
        for source in sorted({source for source, _ in filled})
        for split in SPLITS
        if shares[split] and (source, split) not in filled
    ]
    return told + (f"  No samples: {'; '.join(empty)}.\n" if empty else "")


def _shared(manifest: Manifest) -> str:
    """Return what splits share all the same, as the limits of its gates allowed, "" if nothing."""
    found = [g for g in manifest.publication if g.gate == LEAKAGE and g.found and g.limit != 0]
    if not found:
        return ""
    lines = [
        f"* {gate.subject}: {gate.found:,.0f}"
        + ("" if gate.limit is None else f" (up to {gate.limit:,.0f} were allowed)")
        for gate in found
    ]
    return "## What splits share\n\n" + "\n".join(lines) + "\n"


def _synthetic(manifest: Manifest) -> str:
    if not manifest.synthetic:
        return ""
    names = ", ".join(manifest.synthetic)
    return (
        f"**The scenes of {names} are procedural**, written in the layout of that archive by "
        "`terrascope planet`. They are no observations, and the licences below are those of the "
        "archives that they imitate.\n"
    )


def _ledger(found: Survey) -> str:
    rows: list[list[str | int]] = [
        [source, "; ".join(sorted(found.licences[source])), len(found.scene_ids.get(source, ()))]
        for source in sorted(found.licences)
    ]
    ledger = _table(["source", "licence of images and labels", "scenes"], rows)
    return ledger + "\nEvery row names its own licence; the strictest of those you use holds.\n"


def _origin(manifest: Manifest) -> str:
    commit = f", commit `{manifest.commit}`" if manifest.commit else ""
    return (
        "## Origin\n\n"
        f"Built with seed {manifest.seed}, configuration `{manifest.config_digest}`{commit}. "
        "`manifest.json` holds the SHA-256 of every file, the configuration as given, and the "
        "version of every stage. Method: Shu et al., TerraScope, CVPR 2026.\n"
    )
