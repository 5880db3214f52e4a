"""The configuration of a build: checked as a whole before any work starts."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from schemas.form import as_form
from schemas.scene import SarRendering
from schemas.tier import BENCH_SPLIT
from tasks.annotation.settings import AnnotatorSettings, RefineSettings
from tasks.bench_making.settings import BenchSettings
from tasks.captions.settings import CaptionerSettings
from tasks.composition.settings import ComposerSettings, ControlSettings
from tasks.digest import digest_of
from tasks.engine.settings import EngineSettings
from tasks.errors import ConfigError as ConfigError  # other modules know it from here
from tasks.manifest import MANIFEST_NAME
from tasks.mixture import MixtureSettings
from tasks.place_split import SplitShares
from tasks.publication.settings import GateSettings
from tasks.sources.registry import SOURCES
from tasks.storage.address import address_of
from tasks.yaml_file import read_yaml
from templates.questions import L1_QUESTIONS

TASKS = tuple(template.task for template in L1_QUESTIONS)
MODEL_WEIGHTS = "model.safetensors"
MakingStage = Literal["cap_cot", "l1", "l2", "bench"]
MAKING_STAGES: tuple[MakingStage, ...] = ("cap_cot", "l1", "l2")  # a bench is made by itself


class BuildConfig(BaseModel):
    """What to build from what. Everything that changes bytes is in `content_digest`."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=as_form)

    sources: dict[str, Path] = Field(
        min_length=1, description="Archive name -> folder, for example bigearthnet: data/ben."
    )
    out: Path = Field(description="Folder of the dataset; its name is the dataset's.")
    seed: int = Field(default=0, ge=0, description="Draws questions, images and options.")
    limit: int | None = Field(
        default=None, ge=1, description="Read only the first N scenes of every source."
    )
    split: Literal["archive", "place"] = Field(
        default="archive",
        description="The archives' own splits, or by place: all of a tile or event in one.",
    )
    split_shares: SplitShares = Field(
        default=SplitShares(), description="Of the tiles and events, where split is place."
    )
    stages: tuple[MakingStage, ...] = Field(
        default=MAKING_STAGES,
        min_length=1,
        description="What is made: captions, L1, L2; or bench, which stands alone.",
    )
    captioner: CaptionerSettings = Field(
        default=CaptionerSettings(),
        description="Who writes captions; see tasks/captions/settings.py.",
    )
    composer: ComposerSettings = Field(
        default=ComposerSettings(),
        description="Who composes L2 questions; see tasks/composition/settings.py.",
    )
    annotator: AnnotatorSettings = Field(
        default=AnnotatorSettings(),
        description="Who predicts masks to refine with; see tasks/annotation/settings.py.",
    )
    refine: RefineSettings = Field(
        default=RefineSettings(), description="When a step's mask is refined."
    )
    tasks: tuple[str, ...] = Field(
        default=TASKS, min_length=1, description="Kinds of L1 questions to ask."
    )
    sar_rendering: SarRendering = Field(
        default="vv_vh",
        description="SAR picture that samples carry: calibrated VV, VH, VV-VH, or the paper's.",
    )
    bench: BenchSettings = Field(
        default=BenchSettings(), description="What a bench holds, and what it must not show."
    )
    pixel_size: Literal["measured", "paper"] = Field(
        default="measured",
        description="paper: take every Sentinel pixel as 10 m, as the paper does.",
    )
    balance: bool = Field(
        default=True, description="Even out the answers within every task and class."
    )
    control: ControlSettings = Field(
        default=ControlSettings(), description="Blind control and near-duplicates."
    )
    mixture: MixtureSettings = Field(
        default=MixtureSettings(),
        description="Shares by tier, task, source, class, answer and region; caps a template.",
    )
    gates: GateSettings = Field(
        default=GateSettings(),
        description="What has to hold before a version is published; changes nothing in it.",
    )
    workers: int = Field(default=2, ge=1, description="Processes; they never change the result.")
    engine: EngineSettings = Field(
        default=EngineSettings(), description="Those processes, or a cluster; docs/scale.md."
    )
    storage: str = Field(
        default="",
        description="s3://BUCKET/PREFIX to mirror each version to; docs/scale.md.",
    )
    keep_versions: int | None = Field(
        default=None, ge=1, description="Versions to keep, the latest included; all if not set."
    )

    @field_validator("sources")
    @classmethod
    def _absolute(cls, sources: dict[str, Path]) -> dict[str, Path]:
        return {name: root.resolve() for name, root in sources.items()}

    @field_validator("storage")
    @classmethod
    def _plain(cls, storage: str) -> str:
        return storage and str(address_of(storage))

    def content(self) -> dict[str, Any]:
        """Return the part of the configuration that decides what is in the dataset."""
        return {
            "sources": sorted(self.sources),
            **{stage: self.content_of(stage) for stage in sorted(set(self.stages))},
        }

    def content_of(self, stage: str) -> dict[str, Any]:
        """Return the part of the configuration that decides what one making stage makes."""
        read = self.model_dump(
            mode="json",
            include={
                "seed", "limit", "sar_rendering", "pixel_size", "balance", "control", "mixture",
            },
        )  # fmt: skip
        read |= self.split_content()
        match stage:
            case "cap_cot":
                marked = self._refined() if self.annotator.unlabelled else {}
                return {**read, "captioner": self.captioner.content(), **marked}
            case "bench":
                words = {"composer": self.composer.content()} if self.rephrases else {}
                return {**read, "bench": self.bench.content(), **words}
            case "l2":
                return {**read, "composer": self.composer.content(), **self._refined()}
        return {**read, "tasks": list(self.tasks), **self._refined()}

    def split_content(self) -> dict[str, Any]:
        """Return what decides the splits but the archives; nothing where they are these' own."""
        return {} if self.split == "archive" else self.model_dump(include={"split", "split_shares"})

    @property
    def annotates(self) -> bool:
        """Whether an annotator predicts masks, and steps' masks are refined with them."""
        return self.annotator.kind != "none"

    @property
    def splits(self) -> tuple[str, ...]:
        """The only splits that are read; () for all."""
        alone = self.makes_bench and self.bench.options_from == "test"
        return (BENCH_SPLIT,) if alone else ()

    @property
    def makes_bench(self) -> bool:
        """Whether a bench is made, and nothing else."""
        return "bench" in self.stages

    @property
    def rephrases(self) -> bool:
        """Whether a model puts the questions of a bench in other words."""
        return self.makes_bench and self.bench.rephrase

    def _refined(self) -> dict[str, Any]:
        if not self.annotates:
            return {}
        return {
            "annotator": self.annotator.content(),
            "refine": self.refine.model_dump(mode="json"),
        }

    @property
    def dataset(self) -> str:
        """Name of the dataset: that of its folder."""
        return self.out.resolve().name

    @property
    def content_digest(self) -> str:
        """SHA-256 over `content`, in hex."""
        return digest_of(self.content())


def load_config(file: Path | None, overrides: dict[str, Any]) -> BuildConfig:
    """Read a YAML file, lay the command line's values over it, and check the whole.

    Raises:
        ConfigError: an unreadable file, an unknown key, source or task, a wrong value, or a source
            folder that is not there.
    """
    given = {key: value for key, value in overrides.items() if value is not None}
    values = _laid_over(read_yaml(file), given)
    try:
        config = BuildConfig.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_explain(error)) from error
    check_config(config)
    return config


def _laid_over(values: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Lay one tree over another: tables are joined, everything else is replaced.

    `sources` are replaced as a whole: the archives of the command line are all there are.
    """
    joined = dict(values)
    for key, value in given.items():
        below = joined.get(key)
        both = isinstance(value, dict) and isinstance(below, dict) and key != "sources"
        joined[key] = _laid_over(below or {}, value) if both else value
    return joined


def check_config(config: BuildConfig) -> None:
    """Check what types cannot say; a deployment's parameters come here without `load_config`.

    Raises:
        ConfigError: an unknown source or task, a source folder that is not there, or a bench that
            is no dataset.
    """
    for name, root in config.sources.items():
        if name not in SOURCES:
            raise ConfigError(f"unknown source {name!r}; known are {', '.join(sorted(SOURCES))}")
        if not root.is_dir():
            raise ConfigError(f"source {name}: {root} is not a folder; check the path")
    _check_engine(config)
    for task in config.tasks:
        if task not in TASKS:
            raise ConfigError(f"unknown task {task!r}; known are {', '.join(TASKS)}")
    if config.makes_bench:
        _check_bench(config)
    elif config.bench.reviews is not None:
        raise ConfigError(
            "bench.reviews says what of a bench is kept, and the stages make none: --stage bench"
        )
    elif config.bench.against or config.bench.rephrase:
        raise ConfigError(
            "bench.against holds a bench against datasets, bench.rephrase puts its questions in "
            "other words, and the stages make none: --stage bench"
        )
    for bench in config.gates.benches:
        if not (bench / MANIFEST_NAME).is_file():
            raise ConfigError(
                f"gates.benches: {bench} holds no {MANIFEST_NAME}, so it is no dataset; give the "
                "folder of a dataset, or leave it out"
            )
    if config.annotates and not {"l1", "l2"} & set(config.stages):
        raise ConfigError(
            "an annotator refines the masks of questions, and the stages make none: add l1 or l2, "
            "or set annotator.kind to none"
        )
    if config.annotates:
        _check_annotator(config)
    if config.annotator.kind == "train" and "cap_cot" not in config.stages:
        raise ConfigError(
            "annotator.kind train learns on captions: add cap_cot to the stages, or name a model "
            "that was trained before (annotator.kind folder)"
        )


def _check_bench(config: BuildConfig) -> None:
    """Raise ConfigError where a bench is to share a dataset, or is held against what is none."""
    others = [stage for stage in config.stages if stage != "bench"]
    if others:
        raise ConfigError(
            f"a bench is a dataset of its own: take {', '.join(others)} out of the stages, "
            "and give the bench another --out"
        )
    if config.rephrases and not config.composer.is_model:
        raise ConfigError(
            "bench.rephrase has a model put questions in other words, and composer.kind is rules, "
            "which has no other words: name a model (--composer URL, vllm or replay), or leave "
            "bench.rephrase out"
        )
    for root in config.bench.against:
        if not (root / "manifest.json").is_file():
            raise ConfigError(
                f"bench.against: {root} holds no manifest.json; give the folder of a dataset"
            )
    reviews = config.bench.reviews
    if reviews is not None and config.rephrases:
        raise ConfigError(
            "bench.reviews holds verdicts on questions as they were shown, and bench.rephrase "
            "gives what is kept other words after that: leave one of the two out"
        )
    if reviews is not None and not reviews.is_dir():
        raise ConfigError(
            f"bench.reviews: {reviews} is no folder; `terrascope review` writes one, beside the "
            "bench that it is of"
        )


def _check_engine(config: BuildConfig) -> None:
    """Raise ConfigError where the engine's package is not installed."""
    package = {"processes": None, "dask": "distributed", "ray": "ray"}[config.engine.kind]
    if package is not None and find_spec(package) is None:
        raise ConfigError(
            f"engine.kind {config.engine.kind} needs {package}, which the extra brings: "
            f"pip install -e '.[{config.engine.kind}]' -c constraints.txt"
        )


def _check_annotator(config: BuildConfig) -> None:
    """Raise ConfigError where an annotator could not work once the questions are made."""
    annotator = config.annotator
    started = annotator.training.start if annotator.kind == "train" else ""
    for name, folder in (("model", annotator.model), ("training.start", started)):
        if folder and not (Path(folder) / MODEL_WEIGHTS).is_file():
            raise ConfigError(
                f"annotator.{name} {folder} holds no {MODEL_WEIGHTS}; give a folder that "
                "`terrascope train` wrote"
            )
    if find_spec("torch") is None:
        raise ConfigError(
            "an annotator needs torch, which the extra brings: pip install -e '.[train]' "
            "-c constraints.txt; or set annotator.kind to none"
        )


def _explain(error: ValidationError) -> str:
    known = ", ".join(BuildConfig.model_fields)
    lines = []
    for fault in error.errors():
        key = ".".join(map(str, fault["loc"]))
        if key == "sources" and fault["type"] == "missing":
            lines.append("no sources: give --source NAME=DIR, or `sources` in the configuration")
            continue
        if fault["type"] == "extra_forbidden":
            lines.append(f"unknown configuration key {key!r}; known are {known}")
        else:
            # what was given for these may hold a key: it is never shown
            hidden = key.startswith(("captioner", "composer", "storage"))
            shown = "" if hidden else f", got {fault['input']!r}"
            lines.append(f"configuration key {key!r}: {fault['msg']}{shown}")
    return "; ".join(lines)
