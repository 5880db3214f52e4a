"""What a captioner is asked: prompt, pictures, repair turn and short fields of one scene."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.rejection import Reason
from tasks.completer import Call, Sampling, Turn
from templates.caption_facts import CaptionFacts
from templates.caption_fields import prompt_fields
from templates.ground import Ground
from templates.prompts import CAP_COT, REPAIR, SHORT_FIELDS, SYSTEM
from templates.replies import Fault

MOST_FAULTS = 12  # that a repair turn names
PROMPTS = (SYSTEM, CAP_COT, REPAIR, SHORT_FIELDS)
PROMPT_VERSIONS = {prompt.id: prompt.version for prompt in PROMPTS}
PLAIN_TITLE = re.compile(r"[A-Za-z][A-Za-z ,;:'’()-]*")  # no numbers, marks or tags
MOST_TITLE_WORDS = 16  # asked for are twelve
SHORT_TOKENS = 96  # of the reply that holds the short fields


class ShortFields(BaseModel):
    """What is asked as JSON after the caption: a title, and which region is the largest."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    title: str = Field(min_length=3, max_length=90)
    main_region: int = Field(ge=1)


def caption_call(
    facts: CaptionFacts,
    ground: Ground,
    source: str,
    pictures: Sequence[bytes],
    sampling: Sampling,
    seed: str,
) -> Call:
    """Return the first call of a scene: the prompt, filled, with its pictures."""
    return Call(
        turns=(
            Turn(role="system", text=SYSTEM.fill()),
            Turn(
                role="user",
                text=CAP_COT.fill(**prompt_fields(facts, ground)),
                images=tuple(pictures),
            ),
        ),
        prompt=CAP_COT.name,
        source=source,
        sampling=sampling,
        fields={"facts": facts, "ground": ground, "seed": seed},
    )


def repair_call(call: Call, reply: str, faults: Sequence[Fault]) -> Call:
    """Return the call that tells a writer exactly what was wrong with its reply."""
    told = "\n".join(f"- {fault.detail}" for fault in faults[:MOST_FAULTS])
    return _continued(call, reply, REPAIR.fill(faults=told), REPAIR.name, call.sampling, None)


def short_call(call: Call, reply: str, facts: CaptionFacts) -> Call:
    """Return the call for the short fields, as structured output."""
    numbers = [measured.region.number for measured in facts.regions]
    sampling = Sampling(
        temperature=0.0,
        top_p=call.sampling.top_p,
        max_tokens=SHORT_TOKENS,
        seed=call.sampling.seed,
    )
    text = SHORT_FIELDS.fill(numbers=", ".join(map(str, numbers)))
    schema = _schema(numbers)
    return _continued(call, reply, text, SHORT_FIELDS.name, sampling, schema)


def read_short(text: str, facts: CaptionFacts) -> ShortFields | Fault:
    """Return the short fields, or what is wrong with them.

    The main region must be the largest, within the bound of an order (docs/claims.md).
    """
    try:
        fields = ShortFields.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the reply"
        detail = f"short fields: {where}: {first['msg']}; got {text[:80]!r}"
        return Fault(reason=Reason.BAD_REPLY, detail=detail)
    if not PLAIN_TITLE.fullmatch(fields.title) or len(fields.title.split()) > MOST_TITLE_WORDS:
        detail = f"short fields: {fields.title!r} is no plain title of few words"
        return Fault(reason=Reason.BAD_REPLY, detail=detail)
    px = {measured.region.number: measured.px for measured in facts.regions}
    if fields.main_region not in px:
        detail = f"short fields: there is no region {fields.main_region}"
        return Fault(reason=Reason.BAD_MARK, detail=detail)
    if max(px.values()) > 1.1 * px[fields.main_region]:
        detail = f"short fields: region {fields.main_region} is not the largest"
        return Fault(reason=Reason.FALSE_CLAIM, detail=detail)
    return fields


def _schema(numbers: Sequence[int]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "title": {"type": "string"},  # no lengths: not every server's strict mode knows them
            "main_region": {"type": "integer", "enum": list(numbers)},
        },
        "required": ["title", "main_region"],
        "additionalProperties": False,
    }


def _continued(
    call: Call,
    reply: str,
    text: str,
    prompt: str,
    sampling: Sampling,
    schema: dict[str, Any] | None,
) -> Call:
    return Call(
        turns=(
            *call.turns,
            Turn(role="assistant", text=reply),
            Turn(role="user", text=text),
        ),
        prompt=prompt,
        source=call.source,
        sampling=sampling,
        json_schema=schema,
        fields=call.fields,
    )
