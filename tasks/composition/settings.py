"""Who composes L2 questions, who judges them, and who tries them without the images."""

from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.form import as_form
from tasks.writers.settings import WriterSettings

AnyWriter = TypeVar("AnyWriter", bound=WriterSettings)


class JudgeSettings(WriterSettings):
    """A second model that marks questions, and the marks under which one is refused."""

    least_naturalness: int = Field(default=3, ge=1, le=5, description="Of 5.")
    least_difficulty: int = Field(default=1, ge=1, le=5, description="Of 5.")
    needs_image: bool = Field(
        default=True, description="Refuse questions that do not need the image."
    )

    @model_validator(mode="after")
    def _is_a_model(self) -> Self:
        return _of_a_model(self, "judge")

    def content(self) -> dict[str, Any]:
        """Return what decides the marks."""
        own = {"least_naturalness", "least_difficulty", "needs_image"}
        return {**super().content(), **self.model_dump(mode="json", include=own)}


class BlindSettings(WriterSettings):
    """A model that is asked the questions without their images."""

    @model_validator(mode="after")
    def _is_a_model(self) -> Self:
        return _of_a_model(self, "blind")


class ComposerSettings(WriterSettings):
    """Who composes L2 questions."""

    repair: bool = Field(
        default=True, description="Tell a model once what was wrong with its questions."
    )
    judge: JudgeSettings | None = Field(
        default=None, description="A second model that marks the questions; none by default."
    )
    blind: BlindSettings | None = Field(
        default=None,
        description="A model that is asked the questions without images; what it guesses is "
        "down-weighted. A set of rules does so in any case.",
    )

    @property
    def repairs(self) -> bool:
        """Whether faulty questions get their one repair turn."""
        return self.is_model and self.repair

    @property
    def asks_models(self) -> bool:
        """Whether any model has a part in the questions."""
        return self.is_model or self.judge is not None or self.blind is not None

    def content(self) -> dict[str, Any]:
        """Return what decides the questions."""
        return {
            **super().content(),
            **({"repair": self.repair} if self.is_model else {}),
            "judge": self.judge and self.judge.content(),
            "blind": self.blind and self.blind.content(),
        }


class ControlSettings(BaseModel):
    """What selection leaves out beside what it evens out."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=as_form)

    blind: bool = Field(
        default=True,
        description="Down-weight what a text-only rule set, or a blind model, can guess.",
    )
    near_duplicates: bool = Field(
        default=True, description="Leave out near-identical texts on near-identical places."
    )


def _of_a_model(settings: AnyWriter, what: str) -> AnyWriter:
    if not settings.is_model:
        raise ValueError(f"{what} needs a model: kind vllm, url or replay")
    return settings
