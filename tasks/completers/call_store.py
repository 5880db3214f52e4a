"""Replies that were paid for, kept by call in one SQLite file, so that none is paid for twice.

Every reply is one transaction that the system has before the reply is used: a process may be killed
at any moment, and several may have the same file open (on a local disk: SQLite's write-ahead log
does not work over a network file system). A power cut leaves the file whole, but may take the last
replies with it: to wait for the disk at each would stop all calls in flight. To look inside:
`sqlite3 FILE 'SELECT prompt, source, model, text FROM calls LIMIT 10'`.
"""

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from tasks.completer import Call, Reply
from tasks.errors import UserError

APPLICATION_ID = 0x54534361  # "TSCa": marks a file as a store of calls
VERSION = 1
BUSY_S = 30.0  # another process holds the file for milliseconds; longer than this it hangs

TABLES = (
    """CREATE TABLE IF NOT EXISTS writers (
        id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE)""",
    """CREATE TABLE IF NOT EXISTS calls (
        key TEXT PRIMARY KEY, prompt TEXT NOT NULL, source TEXT NOT NULL, model TEXT NOT NULL,
        text TEXT NOT NULL, finish_reason TEXT NOT NULL,
        prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
        writer INTEGER NOT NULL REFERENCES writers,
        stored_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)""",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)


class CallStore:
    """The finished calls of one file; it is made where there is none. Safe between threads.

    Raises:
        UserError: from any method, where the file is damaged, is something else, or cannot be
            read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def get(self, key: str) -> Reply | None:
        """Return the stored reply to a call, or None."""
        with self._lock, self._explained():
            row = self._db.execute(
                "SELECT text, finish_reason, prompt_tokens, completion_tokens FROM calls"
                " WHERE key = ?",
                (key,),
            ).fetchone()
        if row is None:
            return None
        text, finish_reason, prompt_tokens, completion_tokens = row
        return Reply(
            text=text,
            finish_reason=finish_reason,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            stored=True,
        )

    def put(self, key: str, call: Call, reply: Reply, identity: Mapping[str, str]) -> Reply:
        """Store a reply; return the one that holds: where another process was first, that one."""
        writer = json.dumps(dict(identity), sort_keys=True)
        with self._lock, self._explained(), self._transaction():
            self._db.execute("INSERT OR IGNORE INTO writers (identity) VALUES (?)", (writer,))
            added = self._db.execute(
                "INSERT INTO calls (key, prompt, source, model, text, finish_reason,"
                " prompt_tokens, completion_tokens, writer)"
                " SELECT ?, ?, ?, ?, ?, ?, ?, ?, id FROM writers WHERE identity = ?"
                " ON CONFLICT (key) DO NOTHING",
                (
                    key,
                    call.prompt,
                    call.source,
                    identity.get("model", ""),
                    reply.text,
                    reply.finish_reason,
                    reply.prompt_tokens,
                    reply.completion_tokens,
                    writer,
                ),
            ).rowcount
        return reply if added else self.get(key) or reply

    def identities(self) -> list[dict[str, str]]:
        """Return who wrote the stored replies, the first writer first."""
        with self._lock, self._explained():
            rows = self._db.execute("SELECT identity FROM writers ORDER BY id").fetchall()
        return [json.loads(identity) for (identity,) in rows]

    def __len__(self) -> int:
        with self._lock, self._explained():
            count: int = self._db.execute("SELECT count(*) FROM calls").fetchone()[0]
        return count

    def close(self) -> None:
        """Close the file; nothing is lost without it."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _prepare(self) -> None:
        """Make the tables of a new file; refuse a foreign one before it is changed."""
        with self._transaction("BEGIN"):
            mark = self._db.execute("PRAGMA application_id").fetchone()[0]
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if mark != APPLICATION_ID and (mark or version or tables):
            raise UserError(f"{self.path} is a database, but no store of calls; give another file")
        if version > VERSION:
            raise UserError(
                f"{self.path} was written by a newer version of this program (format {version},"
                f" this one reads {VERSION}); update the program or give another file"
            )
        self._write_ahead()
        self._db.execute("PRAGMA synchronous = NORMAL")  # no wait for the disk at each reply
        if mark != APPLICATION_ID:
            with self._transaction():
                for statement in TABLES:
                    self._db.execute(statement)

    def _write_ahead(self) -> None:
        """Switch the file to its write-ahead log.

        SQLite does not wait by itself where two processes do that at the same time.
        """
        deadline = time.monotonic() + BUSY_S
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            time.sleep(0.01)

    @contextmanager
    def _transaction(self, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
        self._db.execute(begin)
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what SQLite says of the file into a line that names it and what to do."""
        try:
            yield
        except sqlite3.ProgrammingError:
            raise
        except (sqlite3.DatabaseError, OSError) as error:
            raise UserError(_explain(self.path, error)) from error


def _explain(path: Path, error: sqlite3.DatabaseError | OSError) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return (
            f"{path} is damaged or no store of calls ({error}); move it away, or give another"
            f" file: the calls in it are then made again. What can still be read is saved by"
            f" `sqlite3 {path} .recover | sqlite3 NEW_FILE`"
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"{path} was held by another process for {BUSY_S:.0f} s; end it and start again"
    return f"cannot use the store of calls {path}: {error}; check the folder and the disk"
