"""Whether a sentence can be read alone: its form, and no word that refers back. The words are in `words.toml`."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any

from digests.analysis.select import display_length

TABLES: dict[str, Any] = tomllib.loads((files("digests.summarise") / "words.toml").read_text("utf-8"))


@cache
def words_for_language(name: str, language: str) -> frozenset[str]:
    return frozenset(TABLES[name].get(language, "").split())


MIN_WIDTH, MAX_WIDTH = 40, 330  # of a sentence
SHORT_LANGUAGES = frozenset({"th", "lo", "km", "my"})  # their sentences have no end mark

# "BEIJING (AFP) —", "Berlin (dpa) -", "PARIS, 12 mai (Reuters) -", "(ANSA) - ROMA, 12 MAG -", "KYIV—", "【東京共同】".
DATELINE = re.compile(
    r"^(?:"
    r"[^\W\d_][\w .,'’/-]{1,48}?\s?\((?:[A-Za-z]{2,12})(?:[ /-][A-Za-z]{2,12})?\)\s{0,2}[-–—:.]{1,2}\s{1,2}"
    r"|\([A-Z][A-Za-z]{1,11}(?: [A-Za-z]+)?\)\s{0,2}[-–—]{1,2}\s{0,2}(?:[^\W\d_a-zà-ÿ][\w .,']{1,30}\s?[-–—]{1,2}\s)?"
    r"|[A-ZÀ-ÞА-ЯΑ-Ω][A-ZÀ-ÞА-ЯΑ-Ω .'’-]{2,30}(?:,\s[\w .]{2,24})?\s?(?:[-–—]{1,2}\s|[—–])"
    r"|[A-ZÀ-Þ][\w'’-]{2,20}(?:,\s[\w .]{2,20})?\s[—–]{1,2}\s(?=[A-ZÀ-Þ«„“\"])"
    r"|【[^】]{1,24}】"
    r")"
)
ENDING = re.compile(r"[.!?。！？؟۔।။።։՜՞\u037e…;][\"'”’»«“›)\]」』）】]*(?:\[\d{1,3}\])*$")
CUT = re.compile(r"(?:\.\.\.|…|\[…\]|\[\.\.\.\])[\"'”’»)\]]*$")
# A quotation alone, without its speaker.
BARE_QUOTE = re.compile(r"^(?:\"[^\"]*\"|“[^”]*”|„[^“”]*[“”]|«[^»]*»|「[^」]*」)[.!?。]?$")
FIRST = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
OPENING_QUOTE = "\"“„«»'‘「『”"
# A quotation at the beginning, and the words on its speaker that follow, up to the next mark.
SAID = re.compile(
    r"^(?:“[^”]*|„[^“”]*|\"[^\"]*|«[^»]*|»[^«]*)"
    r"(?:[,.!?…]\s?[“”\"«»]\s?,?|[“”\"«»]\s?(?:,|(?=[–—-])))\s?[–—-]?\s*([^,.;:!?–—“”„\"«»]*)"
)
FURNITURE = re.compile(
    "|".join([*TABLES["furniture"]["pieces"], rf"\b(?:{'|'.join(TABLES['furniture']['words'])})\b"]), re.IGNORECASE
)
MAX_SPEAKER_WORDS = 3  # words after a quotation; a pronoun in them is its speaker


def dateline_length(text: str) -> int:
    """Return the length of the dateline at the beginning of a sentence; 0 if it has none."""
    match = DATELINE.match(text[:120])
    return match.end() if match and len(text) - match.end() >= 20 else 0


def stands_alone(text: str, language: str) -> bool:
    """Whether a text is one sentence that can be read without the text before it."""
    if not MIN_WIDTH <= display_length(text) <= MAX_WIDTH or FURNITURE.search(text) or CUT.search(text):
        return False
    if language not in SHORT_LANGUAGES and not ENDING.search(text):
        return False
    if text.endswith(("?", "？", "؟")) or text[0].islower() or text[0] in ")]},;:.-–—•*#|>":
        return False
    return _is_balanced(text) and not BARE_QUOTE.match(text) and not starts_with_reference(text, language)


def starts_with_reference(text: str, language: str) -> bool:
    """Whether a sentence begins with a word that refers back, or with a quotation whose speaker it does not name."""
    if _has_no_speaker(text, language):
        return True
    bare = text.lstrip(OPENING_QUOTE + " ")
    if bare.startswith(tuple(words_for_language("loose_unspaced", language))):
        return True
    found = [word.lower().replace("’", "'") for word in FIRST.findall(bare[:60])]
    if not found:
        return not any(char.isalnum() for char in bare[:60])
    loose = words_for_language("loose", language)
    pair = tuple(found[:2])
    if pair in _calendar(language):
        return False
    if found[0] in loose or found[0].split("'")[0] in loose or "-".join(pair) in loose:
        return True
    behind = tuple(found[1:3])  # "Despite these concerns", "In diesem Fall"
    return bool(behind) and behind[0] in words_for_language("pointing", language) and behind not in _calendar(language)


def _has_no_speaker(text: str, language: str) -> bool:
    """Whether a quotation is followed by only a pronoun or a verb: “…,” he said. «…», dijo."""
    said = SAID.match(text)
    found = re.findall(r"[^\W_]+", said.group(1))[:MAX_SPEAKER_WORDS] if said else []
    return (len(found) == 1 and found[0].islower()) or not words_for_language("speaker", language).isdisjoint(found)


@cache
def _calendar(language: str) -> frozenset[tuple[str, ...]]:
    before, _, after = TABLES["calendar"].get(language, "").partition(":")
    return frozenset(product(before.split(), after.split()))


def _is_balanced(text: str) -> bool:
    """Whether every quotation mark and bracket that opens is closed."""
    pairs = ("()", "[]", "「」", "『』", "（）")
    if any(text.count(pair[0]) != text.count(pair[1]) for pair in pairs):
        return False
    curly = text.count("“") + text.count("„"), text.count("”")
    german = text.count("„") and text.count("„") == text.count("“")
    return text.count('"') % 2 == 0 and text.count("«") == text.count("»") and bool(curly[0] == curly[1] or german)
