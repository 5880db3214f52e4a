"""What a command says whose server is gone, and that it is given a minute to come back."""

import tomllib

import httpx
import pytest
from prefect.exceptions import PrefectHTTPStatusError

from flows.reached import server_reached
from flows.settings import PREFECT_TOML
from tasks.errors import UserError


def answered(status: int) -> PrefectHTTPStatusError:
    request = httpx.Request("POST", "http://127.0.0.1:4200/api/flow_runs/")
    response = httpx.Response(status, request=request, json={"exception_message": "no database"})
    try:
        response.raise_for_status()
    except httpx.HTTPStatusError as error:
        return PrefectHTTPStatusError.from_httpx_error(error)
    raise AssertionError(status)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (httpx.ConnectError("All connection attempts failed"), "All connection attempts failed"),
        (httpx.ReadTimeout(""), "ReadTimeout"),
        (RuntimeError("Failed to reach API at http://127.0.0.1:1/api/"), "Failed to reach API"),
        (answered(500), "500"),
        (answered(503), "503"),
    ],
)
def test_a_server_that_does_not_answer_is_named_with_what_to_do(error, told) -> None:
    with pytest.raises(UserError, match=r"the Prefect server .* does not answer") as raised:
        with server_reached():
            raise error
    line = str(raised.value)
    assert told in line
    assert "\n" not in line
    assert line.endswith("run the same command again when the server is up, or with --engine local")


@pytest.mark.parametrize("error", [answered(409), RuntimeError("another"), UserError("a gate")])
def test_what_is_no_loss_of_the_server_is_raised_as_it_is(error) -> None:
    with pytest.raises(type(error)) as raised, server_reached():
        raise error
    assert raised.value is error


def test_runs_wait_for_a_server_whose_database_is_away() -> None:
    """Prefect's server answers 500 then, which its client takes for the end unless told."""
    client = tomllib.loads(PREFECT_TOML.read_text())["client"]
    assert client["retry_extra_codes"] == "500"
