"""The manifest of a dataset: what was written, from what, and how every stage's counts add up.

It is written last and atomically, so a dataset with a manifest is a finished one. The time and the
run of the build stand here only, and in no digest.
"""

import hashlib
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
)

from schemas.parquet import SCHEMA_VERSION
from tasks.atomic import place_text
from tasks.errors import UserError

MANIFEST_NAME = "manifest.json"
MARKED_BUCKET = "-unlabelled"  # how the bucket of scenes ends that a model marked
LEAKAGE = "leakage"  # the gate of what splits share that no two may share
VERSIONS = "versions"  # folder of a dataset, see tasks/versions.py
CARD_NAME, CROISSANT_NAME, SCENES_NAME = "README.md", "croissant.json", "scenes.parquet"
REPORT_NAME, LINEAGE_NAME = "report/index.html", "report/lineage.html"
_SHA256 = r"^[0-9a-f]{64}$"
# `config` names folders and servers as well; what of it decides the content is in its digest
_CIRCUMSTANCES = {"created", "run", "commit", "version", "parents", "config", "publication"}


class ManifestError(UserError):
    """The manifest is missing, hand-edited, or of another version; the message says what to do."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _inside(path: str) -> str:
    """Return a path as it is; ValueError where it may lead out of the dataset."""
    parts = path.split("/")
    if path.startswith("/") or "\\" in path or {"", ".", ".."} & set(parts):
        raise ValueError(f"{path!r} is not a plain path inside the dataset")
    return path


PlainPath = Annotated[str, AfterValidator(_inside)]  # relative to the dataset, "/"-separated


class _File(_Record):
    path: PlainPath
    sha256: str = Field(pattern=_SHA256)
    rows: int = Field(ge=0)
    bytes: int = Field(ge=0)


class DataFile(_File):
    """One shard: a granule's samples of one tier."""

    tier: str
    source: str
    split: str
    bucket: str

    @property
    def is_marked(self) -> bool:
        """Whether its scenes have no labels of their own, and a model marked them."""
        return self.bucket.endswith(MARKED_BUCKET)


class QuarantineFile(_File):
    """One table of refused scenes and samples."""


class StageCount(_Record):
    """What became of a stage's input: `taken` = `out` + `rejected` + `left_out`.

    `unit` says what is counted, "scene", "caption", "sample" (of L1) or "question" (of L2); a stage
    that turns scenes into samples counts what it made of them as `taken`. `reasons` says by "task:
    rule" what was left out.
    """

    stage: str
    unit: str
    taken: int = Field(ge=0)
    out: int = Field(ge=0)
    rejected: int = Field(ge=0)
    left_out: int = Field(ge=0)
    reasons: dict[str, int] = {}
    tallies: dict[str, int] = {}  # what else happened, such as replies and their tokens


class SelectionRate(_Record):
    """The share of candidates with one answer, within one group, that selection keeps."""

    group: str
    answer_key: str
    rate: float = Field(ge=0, le=1)


class BlindGain(_Record):
    """How much better than chance a text-only rule answered a task, in points of 100.

    `before` is that of the rule that gained most; `after` the most that any rule gains on what the
    blind control keeps.
    """

    task: str
    rule: str
    items: int = Field(ge=0)
    chance: float
    before: float
    after: float


class RefinedClass(_Record):
    """How an annotator's masks of one class lie to the annotated ones, in training scenes.

    `marked` are those of which it marked a pixel; `mean_iou` is over all, 0 where it marked none.
    `intersected` are those that give way to what both share, above the floor of IoU (all of which
    there is a mask, under the paper's policy); `kept_share` is how much of their area is left.
    """

    source: str
    layer: str
    label: str
    masks: int = Field(ge=0)
    marked: int = Field(ge=0)
    mean_iou: float = Field(ge=0, le=1)
    intersected: int = Field(ge=0)
    kept_share: float = Field(ge=0, le=1)


class ReviewCount(_Record):
    """How many verdicts of people there are on candidates of a bench, and how far they agree.

    `agreement` is the share of pairs of verdicts on one item that are equal, `alpha` Krippendorff's
    for names; None where nothing can be said.
    """

    items: int = Field(ge=0)
    verdicts: int = Field(ge=0)
    reviewers: int = Field(ge=0)
    agreement: float | None = None
    alpha: float | None = None


class GateResult(_Record):
    """What was found of one thing that has to hold before a dataset is published.

    `limit` is the most that may be found, None where the number is only reported; `setting` names
    it within `gates`; `examples` say in words where.
    """

    gate: str
    subject: str
    found: float
    limit: float | None = None
    setting: str = ""
    examples: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the dataset may be published, as far as this goes."""
        return self.limit is None or self.found <= self.limit


class Manifest(_Record):
    """All that a reader needs to trust, cite and rebuild a dataset."""

    schema_version: int = SCHEMA_VERSION
    dataset: str = Field(min_length=1)
    files: tuple[DataFile, ...]
    quarantine: tuple[QuarantineFile, ...] = ()
    counts: tuple[StageCount, ...]
    rates: tuple[SelectionRate, ...] = ()
    blind: tuple[BlindGain, ...] = ()  # of each task the rule that gained most
    refined: tuple[RefinedClass, ...] = ()  # of the classes that an annotator was asked for
    annotators: tuple[str, ...] = ()  # SHA-256 of the weights of each fold's annotator
    unmet: tuple[str, ...] = ()  # wishes of the mixture that could not be met, in words
    reviewed: ReviewCount | None = None  # of a bench of which only what people accept is kept
    # stage -> all that decides its output but its input: templates, prompts, models, settings
    decided_by: dict[str, dict[str, JsonValue]] = {}
    publication: tuple[GateResult, ...] = ()  # the gates that it passed
    config: dict[str, JsonValue]  # as given
    config_digest: str
    seed: int
    commit: str  # "" outside a git checkout
    version: int = Field(default=1, ge=1)  # counts the publications that changed something
    parents: tuple[str, ...] = ()  # digest of the version before; none of the first
    run: str = ""  # id of the Prefect flow run that published it, "" without Prefect
    synthetic: tuple[str, ...] = ()  # sources whose scenes are procedural, not the archive's own
    stages: dict[str, int]  # stage name -> VERSION
    created: AwareDatetime  # the only wall-clock time in a dataset

    @property
    def digest(self) -> str:
        """SHA-256 over what the dataset is, not when, where or after which version it was made."""
        told = self.model_dump(mode="json", exclude=_CIRCUMSTANCES, exclude_defaults=True)
        text = json.dumps(told, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def utc_now() -> datetime:
    """Return the time for `Manifest.created`, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def checkout_commit(root: Path) -> str:
    """Return the commit of the git checkout at `root`, "" where there is none."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "--verify", "--quiet", "HEAD"],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def write_manifest(dataset: Path, manifest: Manifest) -> Path:
    """Write the manifest, whole or not at all; call it when every other file is in place."""
    path = dataset / MANIFEST_NAME
    place_text(path, manifest.model_dump_json(indent=2) + "\n")
    return path


def read_manifest(dataset: Path) -> Manifest:
    """Read and validate the manifest of a dataset.

    Raises:
        ManifestError: if it is missing, not JSON, of another schema version, or holds a field or
            value that this version does not write; every such field is named.
    """
    path = dataset / MANIFEST_NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        kept = f"; its versions are in {dataset / VERSIONS}" * (dataset / VERSIONS).is_dir()
        raise ManifestError(
            f"{dataset} holds no {MANIFEST_NAME}: it is not a dataset, or its build has not "
            f"finished; run the same build again to go on from there{kept}"
        ) from error
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror}") from error
    return parsed(content, str(path))


def parsed(content: bytes, path: str) -> Manifest:
    """Return the manifest that a file of such a content holds; ManifestError as above."""
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{path} is not JSON ({error}); was it edited by hand?") from error
    version = tree.get("schema_version") if isinstance(tree, dict) else None
    if isinstance(version, int) and version != SCHEMA_VERSION:
        raise ManifestError(
            f"{path} has schema version {version}, this program reads {SCHEMA_VERSION}; "
            "use the program of the commit that the manifest names, or build again"
        )
    try:
        return Manifest.model_validate(tree)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'manifest'}: {fault['msg']}"
            for fault in error.errors()[:5]
        )
        raise ManifestError(
            f"{path} is not as it was written ({faults}); was it edited by hand?"
        ) from error
