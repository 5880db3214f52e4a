"""The settings of a model asked over the OpenAI protocol; the key itself is none of them."""

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.form import as_form
from tasks.completers.breaker import ErrorBudget
from tasks.errors import ConfigError

NO_KEY = "none"  # sent where no key is needed: the header may not be empty


class ClientSettings(BaseModel):
    """How any model is asked, and what happens when it does not answer."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=as_form)

    api_key_env: str | None = Field(
        default=None, description="Environment variable that holds the key; none: no key is sent."
    )
    digest: str | None = Field(
        default=None, description="What tells this model's weights from others; else as served."
    )
    timeout_s: float = Field(default=300, gt=0, description="For one attempt, first to last byte.")
    start_concurrency: int = Field(default=8, ge=1, description="Calls in flight at the start.")
    max_concurrency: int = Field(default=64, ge=1, le=4096, description="Most calls in flight.")
    retries: int = Field(default=10, ge=0, description="Attempts after the first.")
    backoff_s: float = Field(
        default=0.5,
        gt=0,
        description="A wait is drawn from 0 to this; twice as much after each refusal.",
    )
    max_backoff_s: float = Field(default=60, gt=0, description="Longest wait before a retry.")
    max_pause_s: float = Field(
        default=300, gt=0, description="Longest pause that a server may ask for (Retry-After)."
    )
    error_budget: ErrorBudget = Field(
        default=ErrorBudget(), description="How many calls may fail before the stage ends."
    )
    prompt_price: float = Field(default=0, ge=0, description="Of a million prompt tokens.")
    completion_price: float = Field(default=0, ge=0, description="Of a million reply tokens.")
    image_transport: Literal["bytes", "file"] = Field(
        default="bytes", description="file: the server reads images from image_folder itself."
    )
    image_folder: Path | None = Field(
        default=None, description="Folder that the server was allowed to read images from."
    )
    max_image_px: int | None = Field(
        default=1344,
        ge=1,
        description="Images with a longer side are scaled down to it: the model's input size. "
        "InternVL takes up to three tiles of 448 a side; null sends them as they are.",
    )
    vllm_extras: bool = Field(
        default=False, description="Send what only vLLM knows: keep special tokens in the text."
    )


class OpenAISettings(ClientSettings):
    """The same of one model at its URL."""

    base_url: str = Field(description="Such as http://127.0.0.1:8000/v1.")
    model: str = Field(min_length=1, description="Name that the server knows the model by.")

    @field_validator("base_url")
    @classmethod
    def _plain_url(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        if "@" in url or "?" in url:  # it is printed in messages and kept in provenance
            raise ValueError("must hold no user, password or query: name the key in api_key_env")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _folder_for_files(self) -> Self:
        if self.image_transport == "file" and self.image_folder is None:
            raise ValueError("image_transport: file needs image_folder")
        return self


def read_key(settings: ClientSettings) -> str:
    """Return the key from the environment.

    Raises:
        ConfigError: the variable is not set, or what it holds cannot be sent; without its value.
    """
    name = settings.api_key_env
    if name is None:
        return NO_KEY
    key = os.environ.get(name, "").strip()
    if not key:
        raise ConfigError(f"the environment variable {name} is not set; it must hold the API key")
    if not (key.isascii() and key.isprintable()):
        raise ConfigError(f"the environment variable {name} holds signs that no API key has")
    return key
