"""Who writes a text: a program, a model that the build serves, one behind HTTP, or the store."""

from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.form import as_form
from tasks.completer import Sampling
from tasks.completers.openai_settings import ClientSettings, OpenAISettings
from tasks.ledger import sha256_of
from tasks.serving.model_digest import model_digest
from tasks.serving.settings import ServerSettings


class ExpectedSpeed(BaseModel):
    """What a server is expected to work off; only a dry run's hours rest on it."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=as_form)

    prompt_tokens_s: float = Field(default=20_000, gt=0, description="Prompt tokens a second.")
    completion_tokens_s: float = Field(
        default=3_000,
        gt=0,
        description="Reply tokens a second. Half of what an 8B model was published to write on an "
        "H100 without pictures (datatrove's benchmark: 6,443).",
    )


class WriterSettings(BaseModel):
    """Who writes, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=as_form)

    kind: Literal["rules", "vllm", "url", "replay"] = Field(
        default="rules",
        description="rules: no model. vllm: a server that the build starts and stops. url: any "
        "OpenAI-compatible server. replay: only replies that an earlier run kept.",
    )
    url: str = Field(default="", description="Of kind url, such as http://127.0.0.1:8000/v1.")
    model: str = Field(
        default="",
        description="Of kind url: name that the server knows it by. Of kind replay: whose replies, "
        "where the store has those of several.",
    )
    server: ServerSettings | None = Field(
        default=None, description="Of kind vllm: the model's folder and how it is served."
    )
    client: ClientSettings = Field(default=ClientSettings(), description="How the model is asked.")
    api_key_block: str | None = Field(
        default=None,
        description="Prefect Secret block that holds the key; it is put into client.api_key_env.",
    )
    store: Path | None = Field(
        default=None,
        description="File of finished calls; datasets may share one. Else .work/calls.sqlite.",
    )
    expected: ExpectedSpeed = Field(
        default=ExpectedSpeed(), description="Speed that a dry run reckons with."
    )
    temperature: float = Field(default=0.2, ge=0, le=2, description="Of the model's sampling.")
    top_p: float = Field(default=0.95, gt=0, le=1, description="Of the model's sampling.")
    max_tokens: int = Field(default=1024, ge=64, description="Most tokens of a reply.")

    @model_validator(mode="after")
    def _names_its_model(self) -> Self:
        if self.kind == "vllm" and self.server is None:
            raise ValueError("a writer of kind vllm needs server.model (--model PATH)")
        if self.kind == "url":
            self._check_url()
        if self.api_key_block and not self.client.api_key_env:
            raise ValueError(
                "api_key_block needs client.api_key_env, the variable to put the key in"
            )
        if self.kind == "replay" and self.store is None:
            raise ValueError("a writer of kind replay needs store, the file of finished calls")
        return self

    def _check_url(self) -> None:
        if not (self.url and self.model):
            raise ValueError("a writer of kind url needs url and model (URL and --model NAME)")
        try:
            OpenAISettings(base_url=self.url, model=self.model, **self.client.model_dump())
        except ValidationError as error:  # said without what was given: it may hold a password
            raise ValueError("; ".join(fault["msg"] for fault in error.errors())) from None

    @property
    def is_model(self) -> bool:
        """Whether a model writes, or rules do."""
        return self.kind != "rules"

    @property
    def sees_pictures(self) -> bool:
        """Whether pictures are drawn for it."""
        return self.is_model

    def sampling(self, seed: int) -> Sampling:
        """Return how words are drawn, under a build's seed."""
        return Sampling(
            temperature=self.temperature, top_p=self.top_p, max_tokens=self.max_tokens, seed=seed
        )

    def content(self) -> dict[str, Any]:
        """Return what decides the texts, and nothing of where and how fast they are made."""
        if not self.is_model:
            return {"kind": self.kind}
        decides = {"kind", "model", "temperature", "top_p", "max_tokens"}
        served = {} if self.server is None else served_content(self.server)
        return {
            **self.model_dump(mode="json", include=decides),
            "served": served,
            "digest": self.client.digest,
            "max_image_px": self.client.max_image_px,
            "vllm_extras": self.client.vllm_extras,
        }

    def writer_digest(self) -> str:
        """Return what tells the model's weights from others, as far as it is known unasked."""
        if self.kind == "vllm" and self.server is not None:
            return _digest_once(self.server.model_dump_json())
        if self.kind == "replay" and self.store is not None and self.store.is_file():
            return sha256_of(self.store)
        return self.client.digest or ""


def served_content(server: ServerSettings) -> dict[str, Any]:
    """Return what of a server decides its replies, not where its folder lies or how fast it is."""
    held = {"revision", "dtype", "quantization", "extra", "environment"}
    return {"name": server.name, **server.model_dump(mode="json", include=held)}


@lru_cache(maxsize=4)
def _digest_once(server_json: str) -> str:
    """Return a model's digest; its gigabytes are read once a process."""
    return model_digest(ServerSettings.model_validate_json(server_json))
