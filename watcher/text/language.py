"""Detects the language of a text from its script, a small offline model, and the tags of its page and feed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from watcher.text.toml_data import load_toml

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

UNKNOWN = "und"
SAMPLE = 1_000  # characters that are read: more do not change the result
ENOUGH = 200  # letters: from this length on, the text outweighs the claims
FEWEST = 3  # letters: below this, only claims are used
# Bonus in nats for a claimed language if the text is short; two claims of one language count twice.
CLAIM = 6.0
LEAD = 0.5
KANA_LEAD = 0.08  # Japanese headlines are mostly Han
HAN = re.compile("[\u3400-\u9fff]")
LETTER = re.compile(r"[^\W\d_]")
WORD = re.compile(r"[^\W\d_]+")
_DATA: dict[str, Any] = load_toml("watcher.text", "language.toml")
ALIASES: dict[str, str] = _DATA["aliases"]
RARE = {**dict.fromkeys(_DATA["rare"].split(), 4.0), "gl": 2.0}  # nats by which a rare language must lead
CONFUSED = frozenset(frozenset(pair.split("/")) for pair in _DATA["confused"].split())
NEWS = frozenset(_DATA["news"].split())  # languages that are told apart
SIMILAR: list[list[str]] = [group.split() for group in _DATA["similar"]]
OWN_WORDS = {language: Counter(words.split()) for language, words in _DATA["own_words"].items()}


def detect_language(text: str, *, claims: Iterable[str | None] = ()) -> str:
    """
    Return the language of `text` as a BCP 47 primary tag, "und" if there are too few letters and no claims.

    `claims` are the language tags of page, metadata and feed, in any spelling ("de-AT", "en_US"). They decide if the
    text is short or the language is easily confused with another. A long text outweighs them.
    """
    said = [tag for claim in claims if (tag := primary_tag(claim))]
    sample = text[:SAMPLE]
    letters = len(LETTER.findall(sample))
    if letters < FEWEST:
        return said[0] if said else UNKNOWN
    if (sure := _by_script(sample, letters)) is not None:
        return sure
    scores: dict[str, float] = {}
    for tag, score in _model().rank(sample):
        if tag not in NEWS:
            continue
        scores.setdefault(ALIASES.get(tag, tag), float(score) - (RARE.get(tag, 0.0) if letters < ENOUGH else 0.0))
    best = disambiguate(sample, max(scores, key=lambda tag: scores[tag]))
    if best in said or not said:
        return best
    for tag in dict.fromkeys(said):
        lead = scores[best] - scores.get(tag, float("-inf"))
        are_confused = frozenset((best, tag)) in CONFUSED
        if (are_confused and lead < 4 * CLAIM) or (letters < ENOUGH and lead < CLAIM * said.count(tag)):
            return tag
    return best


def may_be_in(text: str, language: str) -> bool:
    """
    Return whether `text` may be in `language`; True if that is a language which Watcher does not recognize.

    Another language must lead clearly if the text is short, or if the two are easily confused.
    """
    return language not in NEWS or detect_language(text, claims=(language,)) == language


def primary_tag(claim: str | None) -> str | None:
    """Return the primary tag of a language claim ("pt" for "pt_BR"), None if it is not a tag ("x-default")."""
    tag = re.split(r"[-_,; ]", (claim or "").strip().lower())[0]
    tag = ALIASES.get(tag, tag)
    return tag if 2 <= len(tag) <= 3 and tag.isascii() and tag.isalpha() and tag not in ("und", "mul", "zxx") else None


def _by_script(sample: str, letters: int) -> str | None:
    """Return the language whose own script has most of the letters, else None; Han without kana is Chinese."""
    if max(sample) < "\u0370":
        return None
    for language, pattern in _scripts():
        share = len(pattern.findall(sample)) / letters
        if share >= (KANA_LEAD if language == "ja" else LEAD):
            return language
    return "zh" if len(HAN.findall(sample)) >= LEAD * letters else None


@lru_cache(maxsize=1)
def _scripts() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((language, re.compile(f"[{letters}]")) for language, letters in _DATA["scripts"].items())


@lru_cache(maxsize=1)
def _model() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    # Not restricted to `NEWS` by its `set_languages`, which copies the model: 19 MB in each process that cleans pages.
    return LanguageIdentifier.from_model_file(MODEL_FILE)


def disambiguate(text: str, language: str) -> str:
    """Return the language similar to `language` with the most typical words in `text`; `language` if none has more."""
    group = next((group for group in SIMILAR if language in group), None)
    if group is None:
        return language
    words = [word.lower() for word in WORD.findall(text)]
    scores = {twin: sum(OWN_WORDS[twin][word] for word in words) for twin in group}
    best: str = max(group, key=lambda twin: scores[twin])
    if language == "bs" and scores[best]:  # a word that Bosnian shares with its relatives is more often one of theirs
        return best
    return best if scores[best] > scores[language] else language
