"""The server is true to the protocol, so that what holds against it holds against others."""

import json
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import openai
import pytest

SCRIPT = Path(__file__).with_name("fault_server.py")


def ask(client, text="hello", **more):
    messages = [{"role": "user", "content": text}]
    return client.chat.completions.create(model="tiny", messages=messages, **more)


@pytest.fixture
def connect():
    clients = []

    def connect(server, **settings):
        clients.append(
            openai.OpenAI(base_url=server.base_url, api_key="k", max_retries=0, **settings)
        )
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


def test_the_official_client_understands_it(serve, connect):
    server = serve()
    client = connect(server)
    assert [model.id for model in client.models.list()] == ["tiny"]
    completion = ask(client)
    assert completion.choices[0].message.content.startswith("reply to")
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage.total_tokens == 13


def test_a_schema_is_answered_with_a_value_that_it_allows(serve, connect):
    properties = {
        "kind": {"enum": ["lake", "river"]},
        "count": {"type": "integer", "minimum": 2},
        "names": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "sure": {"type": "boolean"},
    }
    schema = {"name": "s", "schema": {"type": "object", "properties": properties}}
    completion = ask(
        connect(serve()), response_format={"type": "json_schema", "json_schema": schema}
    )
    assert json.loads(completion.choices[0].message.content) == {
        "kind": "lake",
        "count": 2,
        "names": ["a"],
        "sure": False,
    }


def test_faults_are_what_the_official_client_takes_them_for(serve, connect):
    script = ["429", "503", "400", "reset", "cut_off", "hang"]
    client = connect(serve(script=script, hang_s=5), timeout=0.1)
    for expected in (
        openai.RateLimitError,
        openai.InternalServerError,
        openai.BadRequestError,
        openai.APIConnectionError,
        openai.APIConnectionError,
        openai.APITimeoutError,
    ):
        with pytest.raises(expected):
            ask(client)
    assert ask(client).choices[0].message.content


def test_the_same_seed_injects_the_same_faults_in_any_order(serve, connect):
    def faults(texts):
        client = connect(serve(rates={"500": 0.5}, seed=3))
        failed = set()
        for text in texts:
            try:
                ask(client, text)
            except openai.InternalServerError:
                failed.add(text)
        return failed

    texts = [str(n) for n in range(20)]
    assert faults(texts) == faults(texts[::-1])
    assert 3 < len(faults(texts)) < 17


def test_a_reply_for_another_image_is_an_earlier_reply(serve, connect):
    client = connect(serve(script=["ok", "other_image"]))
    first, second = (ask(client, text).choices[0].message.content for text in "ab")
    assert first == second


def test_it_runs_as_a_script_and_tells_what_it_did():
    process = subprocess.Popen(
        [sys.executable, SCRIPT, "--rate", "500=1"], stdout=subprocess.PIPE, text=True
    )
    try:
        base_url = process.stdout.readline().strip()
        with (
            openai.OpenAI(base_url=base_url, api_key="k", max_retries=0) as client,
            pytest.raises(openai.InternalServerError),
        ):
            ask(client)
        with urlopen(base_url.removesuffix("/v1") + "/stats") as reply:
            stats = json.load(reply)
        assert (stats["requests"], stats["faults"]) == (1, {"500": 1})
    finally:
        process.kill()
        process.communicate()
