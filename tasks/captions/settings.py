"""Who writes the captions, and what becomes of what is false in them: settings alone."""

from typing import Any

from pydantic import Field

from tasks.writers.settings import WriterSettings
from templates.caption import OnFalse


class CaptionerSettings(WriterSettings):
    """Who writes captions, how, and what happens to what is false in them."""

    repair: bool = Field(
        default=True, description="Tell a model once what was wrong with its reply."
    )
    short_fields: bool = Field(
        default=True, description="Ask for a title and the main region, as structured output."
    )
    on_false: OnFalse = Field(
        default="reject",
        description="What a false sentence costs, after the repair: the caption, or itself.",
    )

    @property
    def repairs(self) -> bool:
        """Whether a faulty reply gets its one repair turn."""
        return self.is_model and self.repair

    @property
    def asks_fields(self) -> bool:
        """Whether the short fields are asked for."""
        return self.is_model and self.short_fields

    @property
    def first_on_false(self) -> OnFalse:
        """What is done with a first reply: nothing is cut that could still be mended."""
        return "reject" if self.repairs else self.on_false

    def content(self) -> dict[str, Any]:
        """Return what decides the captions, and nothing of where and how fast they are made."""
        own = {"on_false", *(("repair", "short_fields") if self.is_model else ())}
        return {**super().content(), **self.model_dump(mode="json", include=own)}
