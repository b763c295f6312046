"""Translates what an edition shows, each text once: from the store, else by the engine, within limits."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Engine

from digests.compose.translations import ForeignText, Translations
from digests.model.edition import Edition
from digests.model.edition_story import Translation
from digests.model.ledger import TranslationFault, TranslationOutcome, Untranslated
from digests.render.escape import sanitize_line
from digests.settings.digests import DigestSettings
from digests.settings.translate import Part, TranslateSettings
from digests.store.editions import load_translation, save_translations
from digests.summarise.checks import QUOTES, find_translation_fault, translations_of
from digests.translate.engines import PIVOT, FirefoxEngine, LibreTranslateEngine, find_models
from watcher.errors import StoreError, WatcherError
from watcher.settings.models import Settings
from watcher.store.writer import read, write

MAX_TRANSLATED_LINE_CHARS = 420  # of a text: the time that Firefox's engine takes grows with the square of the length
MAX_TRANSLATED_WORD_CHARS = 60  # of a word: a longer one is none
MAX_S = 60.0  # for all texts of an edition; an ordinary one takes a second
TranslationEngine: TypeAlias = FirefoxEngine | LibreTranslateEngine


def make_engine(settings: TranslateSettings) -> TranslationEngine | None:
    """Return the engine of the settings, with nothing loaded; None for "none". Errors: WatcherError for a key."""
    if settings.engine == "firefox":
        return FirefoxEngine(settings.models)
    return LibreTranslateEngine(settings.url, settings.key) if settings.engine != "none" and settings.url else None


def choose_target(settings: TranslateSettings, digest: DigestSettings) -> str:
    """
    Return the language that a digest is translated into: the first that its reader reads.

    With Firefox's models it is English instead, if the reader reads that too and no model leads to the first one.
    """
    first = digest.read_languages[0]
    if settings.engine != "firefox" or PIVOT not in digest.read_languages:
        return first
    return first if any(pair.endswith(f"-{first}") for pair in find_models(settings.models)) else PIVOT


def foreign_languages(settings: Settings, digest: DigestSettings) -> set[str]:
    """Return the languages that are set for sources, and that a digest does not read."""
    tags = {source.language.split("-")[0] for source in settings.active_sources() if source.language}
    return tags.difference(digest.read_languages)


def find_lacking_models(settings: Settings, digest: DigestSettings) -> dict[str, list[str]]:
    """
    Return the models of Firefox ("ar-en") that a digest lacks, each with the languages of sources that need it.

    To another language than English, all languages need the model from English, too: few models go without it.
    """
    section = settings.section(TranslateSettings)
    if section.engine != "firefox":
        return {}
    engine, target = FirefoxEngine(section.models), choose_target(section, digest)
    tags = sorted(tag for tag in foreign_languages(settings, digest) if not engine.find_model(tag, target))
    tags_of_pair = {f"{tag}-{PIVOT}": [tag] for tag in tags if tag != PIVOT}
    if tags and target != PIVOT:
        tags_of_pair[f"{PIVOT}-{target}"] = tags
    installed = find_models(section.models)
    return {pair: tags_of_pair[pair] for pair in sorted(tags_of_pair) if pair not in installed}


def is_too_long(line: str) -> bool:
    """Whether a text is too long for an engine, by its characters or by those of a word."""
    return len(line) > MAX_TRANSLATED_LINE_CHARS or max(map(len, line.split()), default=0) > MAX_TRANSLATED_WORD_CHARS


class Translator:
    """Translates for one edition, into one language. It never raises: an engine that fails is asked no more."""

    def __init__(
        self,
        settings: TranslateSettings,
        target: str,
        store: Engine,
        *,
        engine: TranslationEngine | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the engine; if that fails, nothing is translated and the reason is kept for the ledger."""
        self.what = settings.what
        self._target, self._store, self._clock, self._engine = target, store, clock, engine
        self._left_s = MAX_S
        self._answers: dict[tuple[str, str], Translation | TranslationFault | None] = {}
        self._new: dict[str, str] = {}  # translations to save, by key
        self._missing: dict[str, None] = {}
        self._error = ""
        self._by = settings.engine
        try:
            self._engine = engine or make_engine(settings)
        except (WatcherError, OSError) as error:
            self._error = str(error)

    def known_for(self, languages: Iterable[str]) -> Translations:
        """Return what can be translated from `languages`; nothing is translated yet."""
        sources = frozenset(filter(self.can_translate, languages))
        return Translations(to=self._target, parts=self.what, languages=sources)

    def translate(self, texts: Iterable[ForeignText]) -> dict[ForeignText, Translation | None]:
        """Return the translation of each text; None for one without, see `with_outcome`."""
        return {text: self(text.part, text.text, text.language) for text in texts}

    def can_translate(self, source: str) -> bool:
        """Whether there is a model for a language, which may yet fail."""
        with suppress(OSError):
            return self._engine is not None and self._engine.find_model(source, self._target) is not None
        return False

    def __call__(self, part: Part, text: str, source: str, /) -> Translation | None:
        """Return a headline or sentence translated; None if it is not to be, or for a `TranslationFault`."""
        if self._engine is None or part not in self.what:
            return None
        if (text, source) not in self._answers:
            line = QUOTES.sub('"', sanitize_line(text))
            self._answers[text, source] = self._translate_line(self._engine, line, source)
        answer = self._answers[text, source]
        return answer if isinstance(answer, Translation) else None

    def _translate_line(
        self, engine: TranslationEngine, line: str, source: str
    ) -> Translation | TranslationFault | None:
        """Return a line translated, or why it is not; None without a model."""
        try:
            model = engine.find_model(source, self._target)
            if model is None:
                self._missing[source] = None
                return None
            if is_too_long(line):
                return TranslationFault.TEXT_TOO_LONG
            # `model` changes with the model's version, so that a new one translates anew.
            known_as = f"{self._by}/{model}\0{self._target}\0{line}"
            key = hashlib.blake2b(known_as.encode(), digest_size=16).hexdigest()
            translated = self._new.get(key) or read(self._store, load_translation, key)
            if translated is None:
                if self._error or self._left_s <= 0:
                    return TranslationFault.ENGINE_FAILED if self._error else TranslationFault.OUT_OF_TIME
                started = self._clock()
                translated = self._new[key] = sanitize_line(engine.translate(line, source, self._target))
                self._left_s -= self._clock() - started
        except (WatcherError, OSError) as error:
            self._error = self._error or str(error)
            return TranslationFault.ENGINE_FAILED
        fault = find_translation_fault(line, translated, source=source, target=self._target)
        return fault or Translation(text=translated, source=source, to=self._target, by=self._by)

    def save(self, now: datetime) -> None:
        """Keep the new translations in the store, if that is possible now: an edition does not depend on it."""
        with suppress(StoreError):
            if self._new:
                write(self._store, save_translations, self._new, now=now)

    def with_outcome(self, edition: Edition) -> Edition:
        """Return an edition with what became of its translations in the ledger, if anything was to be translated."""
        shown = len(translations_of(edition))
        faults = Counter(answer for answer in self._answers.values() if isinstance(answer, TranslationFault))
        if not (shown or faults or self._missing or self._error):
            return edition
        outcome = TranslationOutcome(
            by=self._by,
            translated=shown,
            dropped=faults.total(),
            untranslated=tuple(
                Untranslated(kind=kind, count=faults[kind]) for kind in TranslationFault if faults[kind]
            ),
            missing=tuple(self._missing),
            error=self._error,
        )
        return replace(edition, ledger=replace(edition.ledger, translation=outcome))
