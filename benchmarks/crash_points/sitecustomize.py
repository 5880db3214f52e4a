"""Stops a process at one moment of its work on files, so that it can be killed just there.

Python runs this file where its folder is on PYTHONPATH; it does nothing unless TERRASCOPE_CRASH
names a point. It listens to the events that Python itself raises before a file is opened for
writing, renamed, linked or removed, and a folder made or removed, and to the statements that SQLite
is given, so that the program under test knows nothing of it. At the point the files are brought to
the state that the moment before would have shown (`harm`), a mark is left, and the process stopped.
"""

import json
import os
import re
import signal
import sqlite3
import sys
import threading
from typing import Any

POINT = "TERRASCOPE_CRASH"
_NAMED = {"os.rename": 1, "os.link": 1, "os.mkdir": 0, "os.remove": 0, "shutil.rmtree": 0}


def install(point: dict[str, Any]) -> None:
    """Stop at a point: `steps` of [event, pattern, which one], the last one of them, in order.

    `harm` is a list of [what, name]: "drop", "halve", "empty" or "cut" (its last 100 bytes) a file
    of that name in the folder that the last event is about; "" is the file itself, and of a rename
    the one that gets the name. `mark` is the file that says that the point was reached.
    """
    left = [(event, re.compile(pattern), number) for event, pattern, number in point["steps"]]
    seen = 0
    busy = threading.local()

    def on(event: str, path: str, subject: str) -> None:
        nonlocal seen
        expected, pattern, number = left[0]
        if expected not in (event, "any") or not pattern.search(path):
            return
        seen += 1
        if seen < number:
            return
        seen = 0
        if len(left) > 1:
            del left[0]
            return
        _stop(point, subject)

    def listen(event: str, arguments: tuple[Any, ...]) -> None:
        if getattr(busy, "now", False):
            return
        busy.now = True
        try:
            if event in _NAMED:
                on(event, str(arguments[_NAMED[event]]), str(arguments[0]))
            elif (
                event == "open"
                and isinstance(arguments[1], str)
                and set("wax+") & set(arguments[1])
            ):
                on(event, str(arguments[0]), str(arguments[0]))
            elif event == "open" and arguments[1] is None:
                on("look", str(arguments[0]), str(arguments[0]))
        finally:
            busy.now = False

    connect = sqlite3.connect

    def connected(file: Any, *arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(file, *arguments, **options)
        connection.set_trace_callback(lambda statement: on("sql", statement, str(file)))
        return connection

    sqlite3.connect = connected  # type: ignore[assignment]
    sys.addaudithook(listen)


def _stop(point: dict[str, Any], subject: str) -> None:
    try:
        os.close(os.open(point["mark"], os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        pass  # another process is stopped already, and this one is to be killed with it
    else:
        for what, name in point["harm"]:
            _harm(what, os.path.join(os.path.dirname(subject), name) if name else subject)
    os.kill(os.getpid(), signal.SIGSTOP)


def _harm(what: str, path: str) -> None:
    if what == "drop":
        os.unlink(path)
    elif what == "empty":
        os.close(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY))
    else:
        size = os.path.getsize(path)
        os.truncate(path, size // 2 if what == "halve" else size - 100)


if POINT in os.environ:
    install(json.loads(os.environ[POINT]))
