"""Where the server keeps its runs: PostgreSQL where the machine has it, SQLite otherwise."""

import os
import pwd
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flows.service.processes import pid_of, start, tail
from tasks.errors import UserError

Kind = Literal["auto", "postgres", "sqlite"]
GIVEN = ("PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_API_DATABASE_CONNECTION_URL")
DEBIAN = Path("/usr/lib/postgresql")  # its folders of versions are not on the PATH
NAME = "postgres"  # of the process, its folder, and the database that a new cluster has
USER = "terrascope"
SOCKET_CHARS = 107  # of a path, sun_path of unix(7)
SOCKET = ".s.PGSQL.5432"
READY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """Its address for the server, and a line that says which it is and why."""

    url: str
    told: str


def database(folder: Path, kind: Kind) -> Database:
    """Return the database to use, started if it is a PostgreSQL of one's own.

    An address in the environment goes before all. UserError where PostgreSQL is asked for and
    cannot be had.
    """
    for name in GIVEN:
        if url := os.environ.get(name):
            return Database(url=url, told=f"that of {name}")
    if kind == "sqlite":
        return _sqlite(folder, "asked for")
    missing = _why_no_postgres(folder)
    if missing and kind == "postgres":
        raise UserError(f"no PostgreSQL: {missing}; or take SQLite: make up DATABASE=sqlite")
    if missing:
        return _sqlite(folder, f"no PostgreSQL: {missing}")
    home = folder / NAME
    _start_postgres(folder, home)
    return Database(
        url=f"postgresql+asyncpg://{USER}@/{NAME}?host={home}", told=f"PostgreSQL in {home}"
    )


def start_again(folder: Path) -> None:
    """Start a PostgreSQL of one's own that was in use and is gone."""
    if (folder / f"{NAME}.pid").exists() and pid_of(folder, NAME) is None:
        _start_postgres(folder, folder / NAME)


def _sqlite(folder: Path, why: str) -> Database:
    file = folder / "prefect.db"
    return Database(url=f"sqlite+aiosqlite:///{file}", told=f"SQLite in {file} ({why})")


def _why_no_postgres(folder: Path) -> str:
    """Return what is missing for a PostgreSQL of one's own; nothing where nothing is."""
    if _program("postgres") is None or _program("initdb") is None:
        return "the programs postgres and initdb are not installed"
    if len(str(folder / NAME / SOCKET)) > SOCKET_CHARS:
        return f"{folder} is too long a path for its socket"
    if os.geteuid() == 0 and _owner() is None:
        return f"it does not run as root, and there is no user {NAME}"
    return ""


def _program(name: str) -> str | None:
    versions = sorted(DEBIAN.glob("*/bin"), key=lambda path: int(path.parent.name))
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *map(str, versions[::-1])]))


def _owner() -> str | None:
    """Return the user that it runs as in place of root, if there is one."""
    known = {user.pw_name for user in pwd.getpwall()}
    return NAME if os.geteuid() == 0 and NAME in known else None


def _start_postgres(folder: Path, home: Path) -> None:
    """Make a cluster if there is none, start its server, and wait until it takes connections."""
    if pid_of(folder, NAME) is not None:
        return
    postgres, initdb = _program("postgres"), _program("initdb")
    assert postgres is not None
    assert initdb is not None
    owner, data = _owner(), home / "data"
    home.mkdir(mode=0o700, exist_ok=True)
    if owner:
        shutil.chown(home, owner)
    if not (data / "PG_VERSION").exists():
        made = subprocess.run(
            [initdb, "-D", data, "-U", USER, "--auth=trust", "-E", "UTF8", "--locale=C"],
            capture_output=True,
            text=True,
            check=False,
            user=owner,
            cwd="/",
        )
        if made.returncode:
            raise UserError(
                f"initdb made no database in {data}: {made.stderr.strip()}; "
                "or take SQLite: make up DATABASE=sqlite"
            )
    reached = ["-k", str(home), "-c", "listen_addresses="]  # by its socket alone
    start(folder, NAME, [postgres, "-D", str(data), *reached], dict(os.environ), user=owner)
    pid, given_up_at = pid_of(folder, NAME), time.monotonic() + READY_S
    while not _is_ready(data / "postmaster.pid", pid):
        if pid_of(folder, NAME) is None or time.monotonic() > given_up_at:
            raise UserError(f"PostgreSQL did not start:\n{tail(folder, NAME)}")
        time.sleep(0.1)


def _is_ready(noted: Path, pid: int | None) -> bool:
    """Tell from what a server notes of itself; one that was killed has left its notes there."""
    lines = noted.read_text().split() if noted.exists() else []
    return lines[:1] == [str(pid)] and lines[-1] == "ready"
