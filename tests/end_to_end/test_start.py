"""What a command loads and compiles before it works."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("numba", "numpy", "prefect", "pyarrow", "rasterio")


def python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["build", "--help"], ["verify", "--help"]])
def test_help_loads_nothing_heavy(arguments) -> None:
    lines = python(
        f"import sys; sys.argv = ['terrascope', *{arguments}]\n"
        "import cli\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    pass\n"
        f"print('loaded', [name for name in {HEAVY} if name in sys.modules])"
    ).splitlines()
    assert lines[-1] == "loaded []"


@pytest.mark.parametrize(
    "modules",
    [
        "tasks.inspect_dataset, tasks.storage.pull",
        "tasks.show, tasks.lineage.told, tasks.comparing.page",
        "view.serve",
    ],
)
def test_looking_at_a_dataset_loads_no_reader_of_an_archive(modules) -> None:
    loaded = {*python(f"import sys, {modules}; print(*sys.modules)").split()}
    assert not loaded & {"tasks.config", "tasks.sources.registry", "pandas", "rasterio"}


def test_a_build_loads_what_few_need_only_when_it_is_needed() -> None:
    loaded = {*python("import sys, flows.local, tasks.build_options; print(*sys.modules)").split()}
    assert not loaded & {"pandas", "geopandas", "datasketch", "scipy.sparse.csgraph"}


@pytest.mark.slow
@pytest.mark.full
def test_the_warm_up_compiles_every_kernel_that_a_build_uses(terrascope, sources, tmp_path) -> None:
    cache = tmp_path / "cache"
    kept = {"NUMBA_CACHE_DIR": str(cache)}
    python("from masks.warm_up import compile_kernels; compile_kernels()", **kept)
    warm = {path.name for path in cache.rglob("*.nbc")}
    assert len(warm) > 20
    out = tmp_path / "dataset"
    done = terrascope(
        *("build", *sources, "--out", out, "--engine=local", "--workers=1"),
        env={**os.environ, **kept},
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in cache.rglob("*.nbc")} == warm


def test_prefect_gets_our_settings_from_any_folder_and_the_users_first(
    tmp_path, monkeypatch
) -> None:
    code = (
        "from flows.settings import settle; settle()\n"
        "from prefect.settings import get_current_settings as now\n"
        "print(now().server.ephemeral.startup_timeout_seconds, now().server.analytics_enabled,\n"
        "      now().server.services.task_run_recorder.batch_size, now().tasks.default_no_cache)"
    )
    own = {"PYTHONPATH": str(ROOT), "PREFECT_HOME": str(tmp_path)}
    code = f"import os; os.chdir({str(tmp_path)!r})\n{code}"
    assert python(code, **own).split() == ["60", "False", "200", "True"]
    name = "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"
    assert python(code, **own, **{name: "99"}).split()[0] == "99"
    (tmp_path / "prefect.toml").write_text("[server]\nanalytics_enabled = false\n")
    assert python(code, **own).split() == ["20", "False", "1", "False"]
