"""The server part against the real vLLM; needs the serving environment (`make serve-env`)."""

import base64
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import BadRequestError, OpenAI
from PIL import Image

from tasks.serving.server import Server, ServerFailed, State, running
from tasks.serving.settings import ServerSettings

pytestmark = pytest.mark.serve

ROOT = Path(__file__).resolve().parents[2]
SEG_BIAS = 100.0  # the model is random: nothing else would make it write [SEG]
OWNER = """
import sys, time
from pathlib import Path
from tasks.serving.server import running
from tasks.serving.settings import ServerSettings
settings = ServerSettings.model_validate_json(sys.argv[1])
with running(settings, Path(sys.argv[2])) as server:
    print(server.port, *server.pids(), flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "field.png").write_bytes(png())
    return folder


@pytest.fixture(scope="module")
def server(
    settings: ServerSettings, pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("logs") / "server.log"
    with running(settings, log, pictures) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[OpenAI]:
    http = httpx.Client(trust_env=False, timeout=120)
    with OpenAI(base_url=server.base_url, api_key="none", http_client=http) as client:
        yield client


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (112, 112), (60, 120, 40)).save(file, "PNG")
    return file.getvalue()


def ask(client: OpenAI, picture: str | None = None, **more: Any) -> tuple[str, int]:
    """Return the reply to one question about a picture, and the tokens of the question."""
    picture = picture or f"data:image/png;base64,{base64.b64encode(png()).decode()}"
    content: list[Any] = [
        {"type": "image_url", "image_url": {"url": picture}},
        {"type": "text", "text": "What is there?"},
    ]
    reply = client.chat.completions.create(
        model="tiny", messages=[{"role": "user", "content": content}], temperature=0, **more
    )
    assert reply.usage is not None
    return reply.choices[0].message.content or "", reply.usage.prompt_tokens


def alive(pids: list[int]) -> list[int]:
    left = []
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            continue
        left += [pid] if state != "Z" else []
    return left


def eventually(holds: Callable[[], bool], within_s: float) -> bool:
    until = time.monotonic() + within_s
    while not holds() and time.monotonic() < until:
        time.sleep(0.1)
    return holds()


def is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0 and probe.bind(("", port)) is None


def test_the_server_says_who_it_is(server: Server, client: OpenAI) -> None:
    assert server.version.startswith("0.")
    assert [model.id for model in client.models.list()] == ["tiny"]
    assert len(server.pids()) >= 2


def test_a_picture_is_seen(client: OpenAI) -> None:
    _, seen = ask(client, max_tokens=8)
    assert seen > 16  # its tokens alone


def test_a_reply_keeps_to_its_schema(client: OpenAI) -> None:
    schema = {
        "type": "object",
        "properties": {"class": {"enum": ["water", "forest"]}, "sure": {"type": "boolean"}},
        "required": ["class", "sure"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "claim", "schema": schema}}
    text, _ = ask(client, max_tokens=100, response_format=form)
    claim = json.loads(text)
    assert claim["class"] in ("water", "forest")
    assert isinstance(claim["sure"], bool)


def test_seg_stays_in_the_text_where_special_tokens_are_kept(
    server: Server, client: OpenAI
) -> None:
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        body = json.dumps({"model": "tiny", "prompt": "[SEG]", "add_special_tokens": False})
        connection.request("POST", "/tokenize", body, {"Content-Type": "application/json"})
        (seg,) = json.loads(connection.getresponse().read())["tokens"]
    bias = {"max_tokens": 3, "logit_bias": {str(seg): SEG_BIAS}}
    assert ask(client, **bias, extra_body={"skip_special_tokens": False})[0] == "[SEG]" * 3
    assert ask(client, **bias)[0] == ""


def test_picture_files_are_read_under_their_folder_only(
    client: OpenAI, pictures: Path, tmp_path: Path
) -> None:
    inside, outside = pictures / "field.png", tmp_path / "field.png"
    outside.write_bytes(png())
    assert ask(client, inside.as_uri(), max_tokens=4) == ask(client, max_tokens=4)
    with pytest.raises(BadRequestError):
        ask(client, outside.as_uri(), max_tokens=4)


def test_a_server_whose_worker_is_killed_comes_back(server: Server, client: OpenAI) -> None:
    before = server.pids()
    os.kill(before[-1], signal.SIGKILL)
    assert eventually(lambda: server.restarts == 1 and server.state is State.READY, 300)
    assert alive(before) == []
    ask(client, max_tokens=4)


def test_nothing_is_left_of_a_stopped_server(server: Server) -> None:
    pids, port = server.pids(), server.port
    server.close()
    assert alive(pids) == []
    assert is_free(port)


def test_nothing_is_left_when_the_owner_is_killed(settings: ServerSettings, tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, settings.model_dump_json(), str(tmp_path / "server.log")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    with owner.stdout:
        port, *pids = map(int, owner.stdout.readline().split())
    assert alive(pids) == pids != []
    owner.kill()
    owner.wait()
    assert eventually(lambda: alive(pids) == [], 15)
    assert is_free(port)


def test_a_model_that_cannot_be_served_shows_why(settings: ServerSettings, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "no_such_model"}')
    wrong = settings.model_copy(update={"model": str(tmp_path)})
    with (
        pytest.raises(ServerFailed, match=r"before it was ready(.|\n)*no_such_model"),
        running(wrong, tmp_path / "server.log"),
    ):
        pass
