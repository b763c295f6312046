"""The page about the forms names each form, and each field of the JSON."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from digests.model.edition import Correction, Edition, Section
from digests.model.edition_story import (
    Brief,
    EditionStory,
    LlmSentence,
    NumberChange,
    Perspective,
    Sentence,
    SourceMention,
)
from digests.render.forms import FORMATS

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "edition.md").read_text("utf-8")


@pytest.mark.parametrize("form", FORMATS)
def test_each_form_has_a_row(form):
    assert f"\n| `{form}` |" in PAGE


@pytest.mark.parametrize(
    "kind",
    [
        Brief,
        Correction,
        Edition,
        EditionStory,
        NumberChange,
        SourceMention,
        LlmSentence,
        Section,
        Sentence,
        Perspective,
    ],
)
def test_each_field_is_named(kind):
    assert [field.name for field in fields(kind) if f"`{field.name}`" not in PAGE] == []
