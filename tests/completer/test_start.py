"""Who answers is asked once; whatever is wrong with URL, model or key is told before any call."""

import pytest

from tasks.completers.openai_settings import OpenAISettings, read_key
from tasks.errors import ConfigError, UserError


async def identity(completer):
    return completer.identity


def test_the_identity_tells_model_server_and_what_was_loaded(serve, run):
    server = serve()
    told = run(server, identity)
    assert {name: told[name] for name in ("kind", "model", "server")} == {
        "kind": "openai",
        "model": "tiny",
        "server": "faulty 1.2.3",
    }
    assert len(told["digest"]) == 64
    assert set(told) == {"kind", "model", "server", "digest", "max_image_px"}


def test_a_server_without_a_version_is_named_without_one(serve, run):
    assert run(serve(version=None), identity)["server"] == "faulty"


def test_a_digest_may_be_configured(serve, run):
    assert run(serve(), identity, digest="sha256:1")["digest"] == "sha256:1"


def test_what_changes_replies_is_in_the_identity(serve, run):
    told = run(serve(), identity, max_image_px=448, vllm_extras=True)
    assert (told["max_image_px"], told["special_tokens"]) == ("448", "kept")


def test_a_url_that_does_not_answer_is_named(serve, run):
    server = serve()
    server.stop()
    with pytest.raises(
        UserError, match=rf"at {server.base_url}/models: connection.*check base_url"
    ):
        run(server, identity)


def test_a_proxy_stands_before_other_machines_only(serve, run, monkeypatch):
    proxy = serve(models=[])
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("http_proxy", proxy.base_url.removesuffix("/v1"))
    assert run(serve(), identity)["model"] == "tiny"
    with pytest.raises(UserError, match="HTTP 404: not found"):  # the proxy's own words
        run(proxy, identity, base_url="http://model.invalid/v1")


@pytest.mark.parametrize("path", ["", "/health"])
def test_a_url_that_is_no_such_server_is_named(serve, run, path):
    server = serve()
    wrong = server.base_url.removesuffix("/v1") + path
    with pytest.raises(UserError, match="check base_url"):
        run(server, identity, base_url=wrong)


def test_the_models_that_are_served_are_listed_where_the_one_asked_is_not(serve, run):
    server = serve(models=["large", "small"])
    with pytest.raises(UserError, match="not serve the model 'tiny'; it serves: large, small"):
        run(server, identity)


def test_a_key_that_is_not_accepted_is_named_by_its_variable(serve, run, monkeypatch):
    monkeypatch.setenv("SOME_KEY", "sk-wrong")
    server = serve(key="sk-right")
    with pytest.raises(UserError, match="does not accept the key in SOME_KEY") as error:
        run(server, identity, api_key_env="SOME_KEY")
    assert "sk-" not in str(error.value)


def test_a_server_that_wants_a_key_is_told_from_one_that_does_not_like_it(serve, run):
    with pytest.raises(UserError, match="asks for a key; name its environment variable"):
        run(serve(key="sk-right"), identity)


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_variable_without_a_key_is_named(monkeypatch, value):
    monkeypatch.delenv("SOME_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("SOME_KEY", value)
    with pytest.raises(ConfigError, match="SOME_KEY is not set"):
        read_key(OpenAISettings(base_url="http://h/v1", model="m", api_key_env="SOME_KEY"))


def test_a_key_that_no_header_can_carry_is_not_shown(monkeypatch):
    monkeypatch.setenv("SOME_KEY", "sk-sécret")
    with pytest.raises(ConfigError, match="SOME_KEY holds signs") as error:
        read_key(OpenAISettings(base_url="http://h/v1", model="m", api_key_env="SOME_KEY"))
    assert "cret" not in str(error.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "127.0.0.1:8000"},
        {"base_url": "http://user:password@host/v1"},
        {"base_url": "http://host/v1?key=1"},
        {"max_concurrency": 0},
        {"image_transport": "file"},
        {"api_key": "sk-1"},
        {"model": ""},
    ],
)
def test_settings_are_checked(wrong):
    with pytest.raises(ValueError, match="validation error"):
        OpenAISettings(**{"base_url": "http://host/v1", "model": "m", **wrong})
