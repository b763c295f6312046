"""
The translations that an edition can show, and the texts that are to be translated for it.

The mark on a translated sentence is printed by `digests/render/edition_view.py` (`_choose_text`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from digests.model.edition_story import Translation
from digests.settings.translate import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignText:
    """A headline or sentence in a language that the reader does not read."""

    part: Part
    text: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Translations:
    """
    What can be translated, and the answers so far: None for a text that cannot be shown translated.

    `is_complete`: no more texts will be translated, so a text without an answer cannot be shown either.
    """

    to: str  # the language
    parts: tuple[Part, ...]  # that are translated
    languages: frozenset[str]  # from which there is a model
    answers: Mapping[ForeignText, Translation | None] = field(default_factory=dict)
    is_complete: bool = False


class TranslationLookup:
    """Finds translations while one draft of an edition is composed, and notes in `wanted` the texts without one."""

    def __init__(self, known: Translations) -> None:
        self.known = known
        self.wanted: dict[ForeignText, None] = {}  # in the order in which they were first looked up

    def find(self, text: ForeignText) -> Translation | None:
        """
        Return a text as translated; None if it cannot be translated.

        A text that is still to be translated counts as translated if there is a model. It stands for its translation in
        this draft, which is not shown to anybody.
        """
        known = self.known
        if text.part not in known.parts or known.is_complete or text in known.answers:
            return known.answers.get(text)
        self.wanted[text] = None
        if text.language not in known.languages:
            return None
        return Translation(text=text.text, source=text.language, to=known.to, by="")

    def has_failed(self, text: ForeignText) -> bool:
        """Whether it is known that a text cannot be shown translated."""
        known = self.known
        is_answered = known.is_complete or text in known.answers
        return text.part in known.parts and is_answered and known.answers.get(text) is None
