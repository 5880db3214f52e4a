"""What other words for a bench's questions would cost: a model's calls, tokens and hours."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.bench_making.rephrase_call import rephrase_call
from tasks.captions.estimate import WrittenEstimate, prompt_tokens, text_tokens
from tasks.config import BuildConfig

AROUND_A_QUESTION = len('{"question": ""}')  # characters of a reply beside its question


def estimate_wordings(
    rows: Sequence[Mapping[str, Any]], factor: float, config: BuildConfig
) -> WrittenEstimate:
    """Say what the questions of a source would come to, of which `rows` are one in `factor`.

    No more than are wanted of a task are asked for; what selection leaves out comes off, and repair
    turns come on top.
    """
    settings, wanted = config.composer, config.bench.wanted
    prompt = Counter[str]()
    reply = Counter[str]()
    number = Counter[str]()
    for row in rows:
        call = rephrase_call(row, "", settings.sampling(config.seed))
        prompt[row["task"]] += prompt_tokens(call)
        reply[row["task"]] += text_tokens(len(row["question"]) + AROUND_A_QUESTION)
        number[row["task"]] += 1
    calls = {
        task: min(factor * own, wanted.get(task, factor * own)) for task, own in number.items()
    }
    prompts = sum(calls[task] * prompt[task] / number[task] for task in calls)
    replies = sum(calls[task] * reply[task] / number[task] for task in calls)
    expected = settings.expected
    seconds = prompts / expected.prompt_tokens_s + replies / expected.completion_tokens_s
    return WrittenEstimate(
        texts=round(sum(calls.values())),
        calls=round(sum(calls.values())),
        prompt_tokens=round(prompts),
        completion_tokens=round(replies),
        hours=seconds / 3600,
    )
