"""One small planet and one dataset built from it, by the real command, for all tests here."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARCHIVES = ("bigearthnet", "chatearthnet", "teochatlas", "xbd")
Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def terrascope() -> Command:
    """Run the real command line in a process of its own."""

    def run(*arguments: object, cwd: Path = ROOT, env: Mapping[str, str] | None = None):
        return subprocess.run(
            [sys.executable, "-m", "cli", *map(str, arguments)],
            cwd=cwd,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def planet(tmp_path_factory: pytest.TempPathFactory, terrascope: Command) -> Path:
    """Return a planet of 16 scenes, 4 an archive."""
    return drawn(terrascope, tmp_path_factory.mktemp("planet"), 16)


@pytest.fixture(scope="session")
def larger_planet(tmp_path_factory: pytest.TempPathFactory, terrascope: Command) -> Path:
    """Return a planet of 32 scenes: a bench needs some of the test split."""
    return drawn(terrascope, tmp_path_factory.mktemp("larger"), 32)


def drawn(terrascope: Command, folder: Path, scenes: int) -> Path:
    done = terrascope("planet", folder / "planet", "--scenes", scenes, "--seed", 3)
    assert done.returncode == 0, done.stderr
    return folder / "planet"


@pytest.fixture(scope="session")
def sources(planet: Path) -> list[str]:
    """Return the `--source` arguments for the whole planet."""
    return [f"--source={name}={planet / name}" for name in ARCHIVES]


@pytest.fixture(scope="session")
def dataset(
    tmp_path_factory: pytest.TempPathFactory, terrascope: Command, sources: list[str]
) -> Path:
    """Return the dataset built from the planet with one worker and without Prefect."""
    out = tmp_path_factory.mktemp("built") / "dataset"
    done = terrascope("build", *sources, "--out", out, "--engine", "local", "--workers", 1)
    assert done.returncode == 0, done.stderr
    return out
