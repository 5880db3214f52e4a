"""Keys of hosted models: from a Prefect Secret block to where the client looks for them."""

import os

from prefect.blocks.system import Secret

from tasks.writers.settings import WriterSettings


def export_key(settings: WriterSettings) -> None:
    """Put the key of a Prefect Secret block where the client looks for it; it is never logged."""
    if settings.api_key_block and settings.client.api_key_env:
        secret = Secret.load(settings.api_key_block)
        assert isinstance(secret, Secret), "a flow that is not async loads at once"
        os.environ[settings.client.api_key_env] = str(secret.get())
