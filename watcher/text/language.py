"""
Detects the language of a text: a small offline model, weighed with the claims of page, feed and settings, and with the
languages of the outlet's earlier articles.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from watcher.text.toml_data import load_toml

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

UNKNOWN_LANGUAGE = "und"
SAMPLE = 1_000  # characters that are read: more do not change the result
FEWEST = 3  # letters: below this, the text says nothing
# Measured by bench/languages.py; log-odds are in nats.
TEXT = 2.5  # weight of the model's scores, which grow with the text, divided by the square root of its bytes
CLAIM = 4.0  # of a claimed language; each of several claims counts
TWIN = 0.5  # weight of the model's lead of a language over a similar one, which it often takes for it
OWN_WORD = 3.0  # of a word that only one of similar languages has
HAN_ALONE = 0.25  # of each letter of a text in Han without kana: it is Chinese rather than Japanese
UNUSED_LANGUAGE_WEIGHT = 3.0  # weight of the languages that an outlet has not used yet, in articles
LEAD = 0.5
KANA_LEAD = 0.08  # Japanese headlines are mostly Han
HAN = re.compile("[\u3400-\u9fff]")
LETTER = re.compile(r"[^\W\d_]")
LETTER_RUN = re.compile(r"[^\W\d_]+")
WEB_ADDRESS = re.compile(r"(?:https?://|www\.)\S+")
_LANGUAGE_DATA: dict[str, Any] = load_toml("watcher.text", "language.toml")
ALIASES: dict[str, str] = _LANGUAGE_DATA["aliases"]
NEWS: frozenset[str] = frozenset(_LANGUAGE_DATA["news"].split())  # languages that are told apart
SIMILAR: list[list[str]] = [group.split() for group in _LANGUAGE_DATA["similar"]]
OWN_WORDS = {language: Counter(words.split()) for language, words in _LANGUAGE_DATA["own_words"].items()}
_WIDE, _RARE = frozenset(_LANGUAGE_DATA["wide"].split()), frozenset(_LANGUAGE_DATA["rare"].split())
# Log-odds of a language without history and claims: by how much there is to read in it.
_SIZES: dict[str, float] = dict.fromkeys(sorted(NEWS - set(ALIASES)), -0.7)
_SIZES |= dict.fromkeys(_LANGUAGE_DATA["wide"].split(), 0.0) | dict.fromkeys(_LANGUAGE_DATA["rare"].split(), -3.0)
_TOTAL = sum(map(math.exp, _SIZES.values()))


def detect_language(
    text: str,
    *,
    claims: Iterable[str | None] = (),
    setting: str | None = None,
    history: Mapping[str, int] | None = None,
) -> str:
    """
    Return the language of `text` as a BCP 47 primary tag, "und" if there are too few letters and nothing else is known.

    The likeliest language is returned. A short text is in the language that is claimed and that its outlet writes; a
    long text in another language outweighs both.

    Args:
        claims: Language tags of page, metadata and feed, in any spelling ("de-AT", "en_US").
        setting: The language that the user set for the source: a claim, but believed if it is not told apart (Breton).
        history: How many of the outlet's earlier articles are in which language.
    """
    chosen = primary_tag(setting)
    if chosen is not None and chosen not in _SIZES:
        return chosen
    claimed = Counter(tag for claim in (*claims, chosen) if (tag := primary_tag(claim)))
    history = {tag: count for tag, count in (history or {}).items() if tag in _SIZES and count > 0}
    sample = WEB_ADDRESS.sub(" ", text[: 2 * SAMPLE])[:SAMPLE]
    letters = len(LETTER.findall(sample))
    if letters < FEWEST:
        if not history:
            return next(iter(claimed), UNKNOWN_LANGUAGE)
        scores = dict.fromkeys(_SIZES, 0.0)
    elif (sure := _by_script(sample, letters)) is not None:
        return sure
    elif (han := len(HAN.findall(sample))) >= LEAD * letters:
        scores = {"zh": HAN_ALONE * han, "ja": 0.0}
    else:
        scores = _text_scores(sample)
    likeliest: str = max(scores, key=lambda tag: scores[tag] + CLAIM * claimed[tag] + _log_prior(tag, history))
    return likeliest


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
    """Return the language whose own script has most of the letters, else None."""
    if max(sample) < "\u0370":
        return None
    for language, pattern in _scripts():
        share = len(pattern.findall(sample)) / letters
        if share >= (KANA_LEAD if language == "ja" else LEAD):
            return language
    return None


def _log_prior(language: str, history: Mapping[str, int]) -> float:
    """Return the log-probability of a language before the text is read: that of a Dirichlet-smoothed history."""
    share = math.exp(_SIZES[language]) / _TOTAL
    return math.log(
        (history.get(language, 0) + UNUSED_LANGUAGE_WEIGHT * share) / (sum(history.values()) + UNUSED_LANGUAGE_WEIGHT)
    )


def _text_scores(sample: str) -> dict[str, float]:
    """Return the log-odds of each language that is told apart, by the text alone."""
    scale = TEXT / math.sqrt(len(sample.encode("utf-8", "replace")))
    scores: dict[str, float] = {}
    for tag, score in _model().rank(sample):
        if tag in NEWS:
            scores.setdefault(ALIASES.get(tag, tag), scale * float(score))
    words = [word.lower() for word in LETTER_RUN.findall(sample)]
    for group in SIMILAR:
        counts = {twin: sum(OWN_WORDS[twin][word] for word in words) for twin in group}
        # The likeliest of the group stays as likely as it was: a word of Danish that Norwegian does not have is no
        # sign against Swedish, and one of Serbian that Croatian does not have is none for Slovene.
        best = max(scores[twin] for twin in group)
        by_own_words = {twin: TWIN * (scores[twin] - best) + OWN_WORD * counts[twin] for twin in group}
        scores |= {twin: best + score - max(by_own_words.values()) for twin, score in by_own_words.items()}
    return scores


@lru_cache(maxsize=1)
def _scripts() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((language, re.compile(f"[{letters}]")) for language, letters in _LANGUAGE_DATA["scripts"].items())


@lru_cache(maxsize=1)
def _model() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    # Not restricted to `NEWS` by its `set_languages`, which copies the model: 19 MB in each process that cleans pages.
    return LanguageIdentifier.from_model_file(MODEL_FILE)
