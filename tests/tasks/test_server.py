import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path

import pytest
from pydantic import ValidationError

from tasks.errors import UserError
from tasks.serving import process
from tasks.serving import server as server_module
from tasks.serving.model_digest import model_digest
from tasks.serving.process import gpu_processes
from tasks.serving.server import Server, ServerFailed, State, running
from tasks.serving.settings import CPU_BUILD, ServerSettings, command, environment

ROOT = Path(__file__).resolve().parents[2]
FAKE = Path(__file__).with_name("fake_serving_python.py")
OWNER = """
import os, sys, time
from pathlib import Path
from tasks.serving.server import running
from tasks.serving.settings import ServerSettings
settings = ServerSettings.model_validate_json(sys.argv[1])
with running(settings, Path(sys.argv[2])) as server:
    forked = os.fork()  # holds all that its parent has open
    if forked == 0:
        time.sleep(60)
    print(forked, *server.pids(), flush=True)
    time.sleep(60)
"""


@pytest.fixture
def settings(tmp_path: Path) -> ServerSettings:
    python = tmp_path / "serving" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" "$@"\n')
    python.chmod(0o755)
    model = tmp_path / "tiny"
    model.mkdir()
    (model / "config.json").write_text("{}")
    return ServerSettings(model=str(model), python=python, start_timeout_s=20, stop_timeout_s=10)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "server.log"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "LOOK_EVERY_S", 0.02)


def with_fault(settings: ServerSettings, fault: str, **changes: float) -> ServerSettings:
    return settings.model_copy(update={"environment": {"FAKE": fault}, **changes})


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if is_alive(pid)]


def eventually(holds: Callable[[], bool], within_s: float = 10) -> bool:
    until = time.monotonic() + within_s
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


def is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0 and probe.bind(("", port)) is None


def post(server: Server, path: str) -> None:
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=5)) as connection:
        connection.request("POST", path)
        try:
            connection.getresponse().read()
        except ConnectionError:
            pass


@contextmanager
def gone_after(settings: ServerSettings, log: Path) -> Iterator[Server]:
    """Run a server, and see that nothing of it is left."""
    pids, port = [], 0
    try:
        with running(settings, log) as server:
            pids, port = server.pids(), server.port
            yield server
            pids += server.pids()
    finally:
        assert len(pids) >= 2
        assert alive(pids) == []
        assert is_free(port)


def test_a_running_server_answers_and_says_who_it_is(settings: ServerSettings, log: Path) -> None:
    with gone_after(settings, log) as server:
        assert server.state is State.READY
        assert server.name == "tiny"
        assert server.version == "0.32.0"
        assert server.model_digest == model_digest(settings)
        assert server.base_url == f"http://127.0.0.1:{server.port}/v1"
        assert alive(server.pids()) == server.pids()
        server.check()
    assert server.state is State.STOPPED
    lines = log.read_text().splitlines()
    assert lines[-1] == "line 49"
    assert not Path(lines[0].removeprefix("TMPDIR=")).exists()


def test_an_error_in_the_flow_ends_the_server(settings: ServerSettings, log: Path) -> None:
    with pytest.raises(ZeroDivisionError), gone_after(settings, log):
        raise ZeroDivisionError


def test_a_cancelled_flow_ends_the_server(settings: ServerSettings, log: Path) -> None:
    with pytest.raises(KeyboardInterrupt), gone_after(settings, log):
        raise KeyboardInterrupt


def test_the_server_outlives_the_thread_that_started_it(
    settings: ServerSettings, log: Path
) -> None:
    context = gone_after(settings, log)
    with ThreadPoolExecutor(1) as pool:
        server = pool.submit(context.__enter__).result()
    time.sleep(0.5)
    assert alive(server.pids()) == server.pids() != []
    assert server.restarts == 0
    with ThreadPoolExecutor(1) as pool:
        pool.submit(context.__exit__, None, None, None).result()


def test_a_crashed_server_is_started_again_at_the_same_address(
    settings: ServerSettings, log: Path
) -> None:
    with gone_after(settings, log) as server:
        address, before = server.base_url, server.pids()
        post(server, "/crash")
        assert eventually(lambda: server.restarts == 1 and server.state is State.READY)
        assert server.base_url == address
        assert alive(before) == []
        assert len(server.pids()) == len(before)


def test_a_server_that_hangs_is_started_again(
    settings: ServerSettings, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "HEALTH_EVERY_S", 0.1)
    monkeypatch.setattr(server_module, "ANSWER_S", 0.2)
    with gone_after(settings.model_copy(update={"stall_timeout_s": 0.4}), log) as server:
        post(server, "/hang")
        assert eventually(lambda: server.restarts == 1 and server.state is State.READY)


def test_a_server_whose_guard_is_killed_is_started_again(
    settings: ServerSettings, log: Path
) -> None:
    with gone_after(settings, log) as server:
        before = server.pids()
        stat = Path(f"/proc/{before[0]}/stat").read_text()
        os.kill(int(stat.rpartition(")")[2].split()[1]), signal.SIGKILL)
        assert eventually(lambda: server.restarts == 1 and server.state is State.READY)
        assert alive(before) == []


def test_a_server_that_crashes_too_often_has_failed(settings: ServerSettings, log: Path) -> None:
    with gone_after(settings.model_copy(update={"max_restarts": 0}), log) as server:
        post(server, "/crash")
        assert eventually(lambda: server.state is State.FAILED)
        with pytest.raises(ServerFailed, match=r"status 3(.|\n)*the engine met a fault"):
            server.check()
    assert server.state is State.FAILED


def test_a_crash_at_the_start_shows_the_errors_and_last_lines_of_this_start(
    settings: ServerSettings, log: Path
) -> None:
    log.parent.mkdir()
    log.write_text("ValueError: of an earlier run\n")
    settings = with_fault(settings, "crash")
    with pytest.raises(ServerFailed) as failed, running(settings, log):
        pass
    lines = str(failed.value).splitlines()
    assert "ended with status 1 before it was ready" in lines[0]
    assert str(log) in lines[0]
    assert lines[1] == "(Worker) ERROR ValueError: no weights in the folder"
    assert lines[-1] == "RuntimeError: see above"
    assert len(lines) == 2 + process.TAIL_LINES
    assert log.read_text().startswith("ValueError: of an earlier run\n")


def test_a_server_that_is_not_ready_in_time_is_ended(settings: ServerSettings, log: Path) -> None:
    settings = with_fault(settings, "never ready", start_timeout_s=0.5)
    with (
        pytest.raises(ServerFailed, match=r"not ready after 0\.5 s(.|\n)*line 49"),
        running(settings, log),
    ):
        pass
    assert commands_mentioning(settings.model) == ""


def test_a_server_that_ignores_the_signal_is_killed(settings: ServerSettings, log: Path) -> None:
    started = time.monotonic()
    with gone_after(with_fault(settings, "stubborn", stop_timeout_s=0.2), log):
        pass
    assert time.monotonic() - started < 5


def test_a_port_that_was_taken_is_tried_no_more(settings: ServerSettings, log: Path) -> None:
    with gone_after(with_fault(settings, "port taken"), log) as server:
        assert server.restarts == 0
    assert log.read_text().count("line 49") == 2


def test_a_port_is_kept_from_others_while_it_is_used(settings: ServerSettings, log: Path) -> None:
    with (
        gone_after(settings, log) as one,
        gone_after(settings, log.with_name("other.log")) as two,
    ):
        assert one.port != two.port
        post(one, "/crash")
        with (
            closing(socket.socket()) as other,
            pytest.raises(OSError, match="in use"),
        ):
            other.bind(("127.0.0.1", one.port))
        assert eventually(lambda: one.restarts == 1 and one.state is State.READY)


def test_nothing_is_left_when_the_owner_is_killed(settings: ServerSettings, log: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, settings.model_dump_json(), str(log)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    with owner.stdout:
        forked, *pids = map(int, owner.stdout.readline().split())
        try:
            assert alive(pids) == pids != []
            owner.kill()
            owner.wait()
            assert eventually(lambda: alive(pids) == [], within_s=5)
            assert is_alive(forked)
        finally:
            os.kill(forked, signal.SIGKILL)


def test_a_secret_is_inherited_and_never_shown(
    settings: ServerSettings, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_API_KEY", "open-sesame")
    monkeypatch.setenv("PREFECT_API_KEY", "none-of-its-business")
    with gone_after(settings, log) as server:
        assert server.api_key == "open-sesame"
        assert "open-sesame" not in commands_mentioning("")
        inherited = Path(f"/proc/{server.pids()[0]}/environ").read_text()
        assert "none-of-its-business" not in inherited
    assert "open-sesame" not in log.read_text()


def commands_mentioning(word: str) -> str:
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if word in line:
            found.append(line)
    return "\n".join(found)


def test_a_missing_environment_says_how_to_make_it(settings: ServerSettings, log: Path) -> None:
    settings = settings.model_copy(update={"python": Path("nowhere/bin/python")})
    with pytest.raises(UserError, match=r"nowhere/bin/python .*`make serve-env`"):
        running(settings, log).__enter__()


def test_an_environment_without_vllm_says_how_to_make_one(
    settings: ServerSettings, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE", "no vllm")
    with pytest.raises(UserError, match=r"no vLLM in the environment .*`make serve-env`"):
        running(settings, log).__enter__()
    assert not log.exists()


@pytest.mark.parametrize("name", ["gone", "gone/deeper", "gone/deeper/still", "/gone", "./gone"])
def test_a_missing_model_folder_is_named_before_anything_starts(
    settings: ServerSettings, log: Path, name: str
) -> None:
    model = str(Path(settings.model) / name)
    with pytest.raises(UserError, match=f"{model}: there is no such folder"):
        running(settings.model_copy(update={"model": model}), log).__enter__()
    assert not log.exists()


def test_a_folder_without_a_model_is_refused(settings: ServerSettings, log: Path) -> None:
    (Path(settings.model) / "config.json").unlink()
    with pytest.raises(UserError, match=r"holds no config\.json"):
        running(settings, log).__enter__()


def test_the_command_line_says_all_settings() -> None:
    settings = ServerSettings(
        model="OpenGVLab/InternVL3-8B-hf",
        revision="0a1b2c3",
        python=Path("/opt/serving/bin/python"),
        tensor_parallel=2,
        data_parallel=4,
        prefix_caching=False,
        quantization="fp8",
        extra={"kv-cache-memory-bytes": 1024, "async-scheduling": True, "seed": None},
    )
    assert command(settings, 8105, Path("/archives")) == [
        "/opt/serving/bin/python",
        "-m",
        "vllm.entrypoints.cli.main",
        "serve",
        "OpenGVLab/InternVL3-8B-hf",
        "--host=127.0.0.1",
        "--port=8105",
        "--served-model-name=InternVL3-8B-hf",
        "--revision=0a1b2c3",
        "--tensor-parallel-size=2",
        "--data-parallel-size=4",
        "--max-model-len=8192",
        "--max-num-seqs=256",
        '--limit-mm-per-prompt={"image": 4, "video": 0}',
        "--no-enable-prefix-caching",
        "--mm-processor-cache-gb=4.0",
        "--dtype=auto",
        "--quantization=fp8",
        "--gpu-memory-utilization=0.9",
        "--no-enforce-eager",
        "--disable-uvicorn-access-log",
        "--allowed-local-media-path=/archives",
        "--kv-cache-memory-bytes=1024",
        "--async-scheduling",
    ]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("port", "says or shortens port"),
        ("api-key", "says or shortens api-key"),
        ("max-model", "says or shortens max-model-len"),
        ("no-enforce-eager", "says or shortens enforce-eager"),
        ("--seed", "is no argument"),
        ("max_logprobs", "is no argument"),
        ("seed=1", "is no argument"),
    ],
)
def test_extra_arguments_are_checked(name: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        ServerSettings(model="owner/name", extra={name: 1})


@pytest.mark.parametrize("name", ["HF_TOKEN", "VLLM_API_KEY", "AWS_SECRET_ACCESS_KEY"])
def test_a_secret_does_not_stand_in_a_configuration(name: str) -> None:
    with pytest.raises(ValidationError, match="export it before the start"):
        ServerSettings(model="owner/name", environment={name: "x"})


def test_a_folder_is_served_offline_and_a_hub_model_is_not(settings: ServerSettings) -> None:
    assert environment(settings, cpu_build=False)["HF_HUB_OFFLINE"] == "1"
    hub = ServerSettings(model="owner/name", environment={"TOKENIZERS_PARALLELISM": "false"})
    given = environment(hub, cpu_build=False)
    assert "HF_HUB_OFFLINE" not in given
    assert given["TOKENIZERS_PARALLELISM"] == "false"
    assert given["VLLM_NO_USAGE_STATS"] == given["DO_NOT_TRACK"] == "1"


def test_only_the_cpu_build_is_given_what_it_needs(
    settings: ServerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/ours")
    assert "PYTHONPATH" not in environment(settings, cpu_build=False)
    assert environment(settings, cpu_build=True)["PYTHONPATH"] == str(CPU_BUILD)
    assert (CPU_BUILD / "sitecustomize.py").is_file()


def test_the_digest_is_that_of_the_lines_of_sha256sum(settings: ServerSettings) -> None:
    model = Path(settings.model)
    (model / "a").mkdir()
    (model / "a" / "weights").write_bytes(b"\0" * 10)
    (model / ".cache").mkdir()
    (model / ".cache" / "noted").write_text("yesterday")
    lines = f"{sha256(bytes(10)).hexdigest()}  a/weights\n"
    lines += f"{sha256(b'{}').hexdigest()}  config.json\n"
    assert model_digest(settings) == sha256(lines.encode()).hexdigest()
    before = model_digest(settings)
    (model / "a" / "weights").write_bytes(b"\1" * 10)
    assert model_digest(settings) != before


def test_a_hub_model_is_named_with_its_revision() -> None:
    assert model_digest(ServerSettings(model="owner/name", revision="abc")) == "owner/name@abc"


def test_the_stop_waits_for_the_memory_of_the_gpu(
    settings: ServerSettings, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = tmp_path / "held"
    held.write_text("")
    tool = tmp_path / "nvidia" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\ncat "{held}"; printf "77\\n" > "{held}"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=os.pathsep)
    with running(settings, log) as server:
        held.write_text("\n".join(map(str, server.pids())))
    assert gpu_processes() == {77}
