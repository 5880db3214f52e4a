"""Cap-CoT: scenes in, grounded captions out, by a model that is served for as long as it takes."""

import os
from collections.abc import Sequence
from typing import Any

from prefect import flow, task, unmapped
from prefect.blocks.system import Secret
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from tasks.captions.settings import CaptionerSettings
from tasks.config import BuildConfig
from tasks.stages import Done, caption_batch, captioner_for

caption = task(name="caption", task_run_name="caption {scenes.batch[0].name}")(caption_batch)

THREADS: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=2)


@flow(name="cap-cot", flow_run_name="captions of {config.dataset}", task_runner=THREADS)
def cap_cot(config: BuildConfig, scenes: Sequence[Done]) -> list[Done]:
    """Caption all ingested batches; the model's server, if there is one, ends with the flow."""
    export_key(config.captioner)
    with captioner_for(config, scenes) as served:
        return caption.map(unmapped(config), list(scenes), unmapped(served)).result()


def export_key(settings: CaptionerSettings) -> None:
    """Put the key of a Prefect Secret block where the client looks for it; it is never logged."""
    if settings.api_key_block and settings.client.api_key_env:
        secret = Secret.load(settings.api_key_block)
        assert isinstance(secret, Secret), "a flow that is not async loads at once"
        os.environ[settings.client.api_key_env] = str(secret.get())
