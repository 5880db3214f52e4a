"""A tiny model that vLLM can serve, and how it is served."""

import subprocess
from pathlib import Path

import pytest

from tasks.serving.server import is_cpu_build
from tasks.serving.settings import ServerSettings, environment

MAKE_MODEL = Path(__file__).with_name("tiny_model.py")


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> ServerSettings:
    settings = ServerSettings(
        model=str(tmp_path_factory.mktemp("models") / "tiny"),
        max_model_len=8192,
        max_num_seqs=8,
        mm_cache_gb=0.5,
        dtype="float32",
        enforce_eager=True,
        start_timeout_s=300,
        extra={
            "kv-cache-memory-bytes": 2**26,
            # a seeded request that is prefilled in pieces ends the CPU engine of vLLM 0.32
            "enable-chunked-prefill": False,
            "max-num-batched-tokens": 32_768,
            # or a random model writes white space for ever, which every schema allows
            "structured-outputs-config": {"backend": "xgrammar", "disable_any_whitespace": True},
        },
    )
    given = environment(settings, cpu_build=is_cpu_build(settings.interpreter))
    subprocess.run([settings.interpreter, MAKE_MODEL, settings.model], check=True, env=given)
    return settings
