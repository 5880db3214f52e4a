"""How a vLLM server is to be run, and the command line that says so."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import gettempdir
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from schemas.form import as_form
from tasks.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
CPU_BUILD = ROOT / "serve" / "cpu"  # what the CPU build of vLLM needs on PYTHONPATH
HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
# What the fields and `command` say, or what would go round them.
OWN_FLAGS = frozenset(
    "allowed-local-media-path api-key config data-parallel-size device-memory-utilization "
    "disable-uvicorn-access-log dtype "
    "enable-prefix-caching enforce-eager gpu-memory-utilization headless help host "
    "limit-mm-per-prompt max-model-len max-num-seqs mm-processor-cache-gb model port quantization "
    "revision served-model-name ssl-keyfile-password tensor-parallel-size uds version".split()
)
SECRET_NAME = re.compile(
    r"(^|_)(\w*KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_|$)", re.IGNORECASE
)
# Set for our own interpreter, or naming a service that a model server has no business with.
NOT_INHERITED = ("PYTHON", "VIRTUAL_ENV", "PREFECT_")


class ServerSettings(BaseModel):
    """One vLLM server on this machine; every default is stated, none is left to vLLM's version."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=as_form)

    model: str = Field(
        min_length=1, description="Folder of the model, or its OWNER/NAME on the hub."
    )
    revision: str | None = Field(
        default=None, description="Branch, tag or commit of a model on the hub; a commit is best."
    )
    served_name: str | None = Field(
        default=None,
        description="Name that clients ask for; the last part of `model` if not given.",
    )
    python: Path = Field(
        default=Path(".venv-serve/bin/python"),
        description="Interpreter of the serving environment; relative to the project's folder.",
    )
    tensor_parallel: int = Field(default=1, ge=1, description="GPUs that one copy is spread over.")
    data_parallel: int = Field(default=1, ge=1, description="Copies of the model, side by side.")
    max_model_len: int | None = Field(
        default=8192,
        ge=1,
        description="Tokens of prompt, images and reply in all; null takes the model's own limit.",
    )
    max_num_seqs: int = Field(default=256, ge=1, description="Requests worked on at once.")
    images_per_prompt: int = Field(default=4, ge=0, description="Most images in one request.")
    prefix_caching: bool = Field(
        default=True, description="Keep what prompts have in common, such as one scene's images."
    )
    mm_cache_gb: float = Field(
        default=4.0, ge=0, description="GiB of memory for processed images, for every process."
    )
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = Field(
        default="auto", description="Type of weights and activations; auto: as the model says."
    )
    quantization: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9_-]+$",
        description="fp8, for example, quantizes at loading.",
    )
    gpu_memory_utilization: float = Field(
        default=0.9,
        gt=0,
        le=1,
        description="Share of a GPU's memory (without one: of the machine's).",
    )
    enforce_eager: bool = Field(
        default=False, description="Start sooner and run slower: no CUDA graphs, no compilation."
    )
    start_timeout_s: float = Field(
        default=900.0,
        gt=0,
        description="Seconds to load the model; a large one on GPUs takes minutes.",
    )
    stall_timeout_s: float = Field(
        default=120.0,
        gt=0,
        description="Seconds without a sign of health after which it is restarted.",
    )
    stop_timeout_s: float = Field(
        default=30.0, ge=0, description="Seconds to end in, after which it is killed."
    )
    max_restarts: int = Field(default=3, ge=0, description="Restarts after a crash, in all.")
    extra: dict[str, JsonValue] = Field(
        default={},
        description="More arguments of `vllm serve`, by name without dashes in front; true and "
        "false become --NAME and --no-NAME, lists and mappings JSON.",
    )
    environment: dict[str, str] = Field(
        default={},
        description="More environment variables; one that is a secret is exported before the start "
        "instead, and never stands in a configuration.",
    )

    @field_validator("extra")
    @classmethod
    def _known_form(cls, extra: dict[str, JsonValue]) -> dict[str, JsonValue]:
        for name in extra:
            if not re.fullmatch(r"[a-z][a-z0-9]*([.-][a-z0-9_]+)*", name):
                raise ValueError(
                    f"{name!r} is no argument of vllm serve: write it as in max-logprobs"
                )
            plain = name.removeprefix("no-")
            if taken := [flag for flag in sorted(OWN_FLAGS) if flag.startswith(plain)]:
                raise ValueError(
                    f"{name!r} says or shortens {taken[0]}, which is not set through extra"
                )
        return extra

    @field_validator("environment")
    @classmethod
    def _no_secrets(cls, environment: dict[str, str]) -> dict[str, str]:
        for name in environment:
            if SECRET_NAME.search(name):
                raise ValueError(
                    f"{name} may be a secret: export it before the start, the server inherits it"
                )
        return environment

    @property
    def interpreter(self) -> Path:
        """The serving environment's Python; not resolved, since its place tells it its packages."""
        return ROOT / self.python.expanduser()

    @property
    def folder(self) -> Path | None:
        """The model's folder; None where the model is on the hub."""
        folder = Path(self.model).expanduser()
        return folder.resolve() if folder.is_dir() else None

    @property
    def name(self) -> str:
        """Name that clients ask for."""
        return self.served_name or Path(self.model).name


def check_settings(settings: ServerSettings) -> None:
    """Check what has to be there before anything is started.

    Raises:
        UserError: the serving environment or the model's folder is not there.
    """
    if not settings.interpreter.is_file():
        raise UserError(
            f"no serving environment: {settings.interpreter} is missing; `make serve-env` makes it"
        )
    if settings.folder is None:
        path = Path(settings.model).expanduser()
        meant_as_folder = path.parent != Path() and path.parent.is_dir()
        if meant_as_folder or not HUB_NAME.fullmatch(settings.model):
            raise UserError(f"model {settings.model}: there is no such folder")
    elif not (settings.folder / "config.json").is_file():
        raise UserError(f"model {settings.folder}: the folder holds no config.json")


def command(settings: ServerSettings, port: int, media_root: Path | None = None) -> list[str]:
    """Return the command line of the server; clients may name image files under `media_root`."""
    flags: dict[str, JsonValue] = {
        "host": "127.0.0.1",
        "port": port,
        "served-model-name": settings.name,
        "revision": settings.revision,
        "tensor-parallel-size": settings.tensor_parallel,
        "data-parallel-size": settings.data_parallel,
        "max-model-len": settings.max_model_len,
        "max-num-seqs": settings.max_num_seqs,
        "limit-mm-per-prompt": {"image": settings.images_per_prompt, "video": 0},
        "enable-prefix-caching": settings.prefix_caching,
        "mm-processor-cache-gb": settings.mm_cache_gb,
        "dtype": settings.dtype,
        "quantization": settings.quantization,
        "gpu-memory-utilization": settings.gpu_memory_utilization,
        "enforce-eager": settings.enforce_eager,
        "disable-uvicorn-access-log": True,
        "allowed-local-media-path": None if media_root is None else str(media_root.resolve()),
    }
    # the module that `vllm` runs: no script, so the environment may have been moved
    start = [str(settings.interpreter), "-m", "vllm.entrypoints.cli.main", "serve"]
    model = settings.model if settings.folder is None else str(settings.folder)
    return [*start, model, *_arguments(flags | settings.extra)]


def _arguments(flags: Mapping[str, JsonValue]) -> list[str]:
    arguments = []
    for name, value in flags.items():
        if value is None:
            continue
        if isinstance(value, bool):
            arguments.append(f"--{name}" if value else f"--no-{name}")
        else:
            text = value if isinstance(value, str) else json.dumps(value)
            arguments.append(f"--{name}={text}")
    return arguments


def environment(settings: ServerSettings, *, cpu_build: bool) -> dict[str, str]:
    """Return the server's environment: ours without what is meant for us, and what vLLM needs."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(NOT_INHERITED)}
    binaries = str(settings.interpreter.parent)  # ninja, for kernels that are compiled on the spot
    return (
        # beside the server's own folder of temporary files, or it would compile at every start
        {"TORCHINDUCTOR_CACHE_DIR": f"{gettempdir()}/torchinductor_{os.getuid()}"}
        | inherited
        | {
            "PATH": os.pathsep.join(filter(None, (binaries, inherited.get("PATH")))),
            "PYTHONSAFEPATH": "1",  # or our top-level folders would hide modules of theirs
            "PYTHONUNBUFFERED": "1",
            "VLLM_HOST_IP": "127.0.0.1",
            "VLLM_NO_USAGE_STATS": "1",
            "DO_NOT_TRACK": "1",
        }
        | ({"PYTHONPATH": str(CPU_BUILD)} if cpu_build else {})
        | ({} if settings.folder is None else {"HF_HUB_OFFLINE": "1"})
        | settings.environment
    )
