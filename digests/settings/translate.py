"""The settings of translation: `[translate]`, by which engine, and what of an edition."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from watcher.settings.base import SettingsModel, ValidationIssue
from watcher.settings.types import LocalPath, OptionalSecret, WebUrl

EngineName = Literal["none", "firefox", "libretranslate"]
Part = Literal["headlines", "sentences"]


class TranslateSettings(SettingsModel):
    """
    Translation of stories without a report in a language that the digest `reads`; off by default.

    The original is shown below each translation (docs/guides/translation.md).
    """

    engine: EngineName = Field(
        default="none",
        description="Engine: firefox (Firefox's models on this machine), libretranslate (a server), or none.",
    )
    what: Annotated[tuple[Part, ...], AfterValidator(lambda parts: tuple(dict.fromkeys(parts)))] = Field(
        default=("headlines", "sentences"), description="What to translate: headlines, sentences.", min_length=1
    )
    models: LocalPath = Field(
        default=Path("models"),
        description="Folder of Firefox's models; a relative path starts at this file's folder.",
        json_schema_extra={"default": "models"},
    )
    url: WebUrl | None = Field(
        default=None, description="URL of the LibreTranslate server; for firefox, of a folder to install models from."
    )
    key: OptionalSecret = Field(
        default=None, description='API key of the LibreTranslate server, "env:NAME" or "file:PATH"; by default, none.'
    )

    @classmethod
    def cross_field_issues(cls, data: object, document: Mapping[str, object]) -> Iterable[ValidationIssue]:
        if isinstance(data, Mapping) and data.get("engine") == "libretranslate" and not data.get("url"):
            yield ValidationIssue(loc=("engine",), message='got "libretranslate" without the url of a server')
