"""Prefect's server, as a command meets it that was started by hand: gone, it is named in a line."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL

from tasks.errors import UserError

_NEVER_REACHED = "Failed to reach API"  # how the error begins that Prefect raises at the start


@contextmanager
def server_reached() -> Iterator[None]:
    """Turn what Prefect raises where its server does not answer, or no longer, into a UserError.

    Its client has tried for a minute then (prefect.toml), unless it has never reached the server.
    """
    try:
        yield
    except httpx.TransportError as error:
        raise _unreachable(error) from error
    except PrefectHTTPStatusError as error:
        if error.response.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
            raise
        raise _unreachable(error) from error
    except RuntimeError as error:
        if not str(error).startswith(_NEVER_REACHED):
            raise
        raise _unreachable(error) from error


def _unreachable(error: Exception) -> UserError:
    server = PREFECT_API_URL.value() or "of this run"
    told = str(error).strip().partition("\n")[0] or type(error).__name__
    return UserError(
        f"the Prefect server {server} does not answer ({told}); what is finished is kept: run the "
        "same command again when the server is up, or with --engine local"
    )
