"""Stored replies outlive whatever happens to the process, and other files are left alone."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tasks.completers.call_store import CallStore
from tasks.errors import UserError

IDENTITY = {"kind": "openai", "model": "tiny"}
WRITE_MANY = """
import sys
from pathlib import Path
from tasks.completers.call_store import CallStore
from tasks.completer import Call, Reply, Sampling
call = Call(turns=(), prompt="p@1", source="s", sampling=Sampling())
with CallStore(Path(sys.argv[1])) as store:
    for n in range(int(sys.argv[3])):
        text = f"{sys.argv[2]} {n}"
        reply = Reply(text=text, finish_reason="stop", prompt_tokens=1, completion_tokens=1)
        kept = store.put(f"shared {n}", call, reply, {"model": "m"})
        store.put(text, call, reply, {"model": "m"})
        print(kept.text, flush=True)
"""


def writer(path, name, num):
    command = [sys.executable, "-c", WRITE_MANY, str(path), name, str(num)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_stored_reply_comes_back_as_it_was(store, make_call, make_reply):
    reply = make_reply("Wald: 3 ha\x00 \N{DECIDUOUS TREE}\r\n", finish_reason="length")
    assert store.put("k", make_call(), reply, IDENTITY) == reply
    kept = store.get("k")
    assert kept == make_reply(reply.text, finish_reason="length", stored=True)
    assert store.get("other") is None


def test_an_empty_text_is_a_reply_too(store, make_call, make_reply):
    store.put("k", make_call(), make_reply(""), IDENTITY)
    assert store.get("k").text == ""


def test_the_first_reply_stays(store, make_call, make_reply):
    store.put("k", make_call(), make_reply("first"), IDENTITY)
    assert store.put("k", make_call(), make_reply("second"), IDENTITY).text == "first"
    assert len(store) == 1


def test_calls_can_be_looked_at_with_any_tool(store, make_call, make_reply):
    store.put("k", make_call(), make_reply(), IDENTITY)
    with sqlite3.connect(store.path) as database:
        row = database.execute("SELECT prompt, source, model, text FROM calls").fetchone()
    database.close()
    assert row == ("cap_cot@1", "xbd", "tiny", "A lake.")


def test_several_processes_write_one_new_file(tmp_path):
    path = tmp_path / "deep" / "calls.db"
    writers = [writer(path, name, 20) for name in "abcd"]
    printed = [process.communicate()[0].splitlines() for process in writers]
    assert [process.returncode for process in writers] == [0] * 4
    assert printed[0] == printed[1] == printed[2] == printed[3]  # all use the reply that holds
    with CallStore(path) as store:
        assert len(store) == 4 * 20 + 20
        assert store.identities() == [{"model": "m"}]


def test_a_killed_process_loses_nothing_that_it_had_stored(tmp_path):
    path = tmp_path / "calls.db"
    process = writer(path, "a", 1_000_000)
    seen = [process.stdout.readline() for _ in range(50)]
    process.kill()
    process.communicate()
    with CallStore(path) as store:
        assert all(store.get(line.strip()) for line in seen[:-1])
        assert store.get("shared 49")


def test_threads_may_share_a_store(store, make_call, make_reply):
    def put(name):
        for n in range(20):
            store.put(f"{name}{n}", make_call(), make_reply(), IDENTITY)

    threads = [threading.Thread(target=put, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store) == 80


def test_a_file_that_is_no_database_is_named_with_what_to_do(tmp_path):
    path = tmp_path / "calls.db"
    path.write_bytes(b"nothing of the kind" * 300)
    with pytest.raises(UserError, match=r"calls\.db is damaged or no store.*move it away"):
        CallStore(path)
    assert path.read_bytes() == b"nothing of the kind" * 300


def test_a_damaged_store_is_named_with_what_to_do(tmp_path, make_call, make_reply):
    path = tmp_path / "calls.db"
    with CallStore(path) as store:
        for n in range(200):
            store.put(str(n), make_call(), make_reply("x" * 500), IDENTITY)
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xa5" * (len(whole) - 8192))

    def read_all():
        with CallStore(path) as store:
            for n in range(200):
                store.get(str(n))

    with pytest.raises(UserError, match=r"calls\.db is damaged or no store.*move it away"):
        read_all()


def test_the_database_of_another_program_is_left_as_it_is(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE calls (x)")
    database.close()
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"other\.db is a database, but no store of calls"):
        CallStore(path)
    assert path.read_bytes() == before


def test_a_store_of_a_newer_program_is_refused(tmp_path):
    path = tmp_path / "calls.db"
    CallStore(path).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(UserError, match="newer version of this program"):
        CallStore(path)


def test_a_folder_in_its_place_is_named(tmp_path):
    with pytest.raises(UserError, match=f"cannot use the store of calls {tmp_path}"):
        CallStore(tmp_path)


def test_a_file_where_the_folder_should_be_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot use the store of calls"):
        CallStore(Path(tmp_path / "file" / "calls.db"))
