import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.service import database as database_module
from flows.service.database import GIVEN, database
from flows.service.processes import pid_of, stop
from tasks.errors import UserError

HAS_POSTGRES = shutil.which("postgres") is not None or any(database_module.DEBIAN.glob("*/bin"))


@pytest.fixture(autouse=True)
def _nothing_given(monkeypatch) -> None:
    for name in GIVEN:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder with a short path, that another user can reach."""
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def test_an_address_in_the_environment_goes_before_all(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("PREFECT_API_DATABASE_CONNECTION_URL", "postgresql+asyncpg://db/prefect")
    kept = database(tmp_path, "sqlite")
    assert kept.url == "postgresql+asyncpg://db/prefect"
    assert "PREFECT_API_DATABASE_CONNECTION_URL" in kept.told


def test_without_postgres_it_is_sqlite_and_says_why(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(database_module, "DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    kept = database(tmp_path, "auto")
    assert kept.url == f"sqlite+aiosqlite:///{tmp_path}/prefect.db"
    assert kept.told.endswith("(no PostgreSQL: the programs postgres and initdb are not installed)")


def test_postgres_that_was_asked_for_and_is_not_there_is_refused(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(database_module, "DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="not installed; or take SQLite: make up DATABASE=sqlite"):
        database(tmp_path, "postgres")


@pytest.mark.skipif(not HAS_POSTGRES, reason="no PostgreSQL on this machine")
def test_a_path_too_long_for_a_socket_is_told(tmp_path) -> None:
    deep = tmp_path / ("d" * 100)
    assert "too long a path for its socket" in database(deep, "auto").told


@pytest.mark.slow
@pytest.mark.skipif(not HAS_POSTGRES, reason="no PostgreSQL on this machine")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it outlives us
def test_a_postgres_of_ones_own_is_made_once_and_found_again(folder) -> None:
    kept = database(folder, "postgres")
    pid = pid_of(folder, "postgres")
    assert pid is not None
    assert kept.url == f"postgresql+asyncpg://terrascope@/postgres?host={folder}/postgres"
    assert (folder / "postgres").stat().st_mode & 0o077 == 0  # no one else connects
    assert database(folder, "auto") == kept
    assert pid_of(folder, "postgres") == pid
    assert stop(folder, "postgres", signal.SIGINT, 30)
    database(folder, "postgres")
    assert stop(folder, "postgres", signal.SIGINT, 30)
    assert "database system is shut down" in (folder / "postgres.log").read_text()
