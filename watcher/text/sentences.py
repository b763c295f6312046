"""Splits text into sentences."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from watcher.text.toml_data import load_toml

MAX_INSIDE = 300  # characters: shorter quotations and brackets are not split
THAI_LEAST = 90  # characters: Thai, Lao and Khmer have no full stop; after this length, a space ends a sentence
THAI_REST = 30  # characters that must follow such a space

CLOSERS = "\"'”’»«“‘›)\\]」』）】》〉"  # Urdu closes with a quote that opens elsewhere
ENDERS = ".!?…؟۔።፧։।॥၊။៕។‽;\u037e"
WIDE = "。！？｡．"
# A stop with its closing quotes, followed by a space; a wide stop needs no space. Greek uses the semicolon as "?".
# A run of stops matches only from its first one, and possessively, so that matching takes linear time. The first
# character stands before the alternatives, as `re` looks for a set of characters fast.
STOPS = re.compile(
    rf"[{ENDERS}{WIDE}]"
    rf"(?:(?<=[{ENDERS}])(?<![{ENDERS}]{{2}})[{ENDERS}]*+[{CLOSERS}]*+(?:\[\d{{1,3}}\])*+(?=\s|$)"
    rf"|(?<=[{WIDE}])[{WIDE}]*+[{CLOSERS}]*+"
    rf"|(?<=[!?])(?<![!?]{{2}})[!?]*+[{CLOSERS}]*+(?=[\u3040-\u30ff\u4e00-\u9fff]))"
)
ALWAYS = "؟۔።፧։।॥။៕។"
PAIRS = {"“": "”", "„": "“”", "«": "»", "»": "«", "「": "」", "『": "』", "（": "）", "(": ")", "《": "》", "【": "】"}
OPENING_MARK = re.compile(f'[{re.escape("".join(PAIRS))}"]')
NO_SPACES = re.compile("[\u0e00-\u0eff\u1780-\u17ff]")
HIRAGANA = re.compile("[\u3041-\u309f、，,]")
CASELESS_SYLLABLE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
SPACED = re.compile(r"[^\W\d_]\.")  # the second half of "z. B."
WORD_AFTER_STOP = re.compile(r"\w+")
MAX_WORD = 20  # characters of the word before a stop that are read
# A word with its vowel signs and the full stops inside it: "z.B", "U.S".
WORD_END = re.compile(rf"(?:[^\W_]|[.·\u0300-\u036f\u0900-\u0dff]){{0,{MAX_WORD}}}+\Z")
OPENS = re.compile("[ \u00a0\t\"'“„«»‘([¿¡–—-]*+")  # characters before the first word of a sentence
GERSHAYIM = re.compile("[\u05d0-\u05ea][\"\u05f4”'\u05f3][\u05d0-\u05ea]")  # the end of a Hebrew abbreviation


_ABBREVIATIONS: dict[str, Any] = load_toml("watcher.text", "abbreviations.toml")
_PREFIXES, _AMBIGUOUS, _STARTERS = (
    {language: frozenset(words.split()) for language, words in _ABBREVIATIONS[name].items()}
    for name in ("prefixes", "ambiguous", "starters")
)
_NUMBERED = frozenset(_ABBREVIATIONS["numbered"].split())
_ORDINAL_STOP = frozenset(_ABBREVIATIONS["ordinal_stop"].split())
_ALIASES = {"nb": "no", "nn": "no", "bs": "hr", "sh": "hr"}  # languages that share a list


def sentences(text: str, language: str) -> Iterator[tuple[int, int]]:
    """
    Yield the sentences of `text` as offsets (start, end), in order: `text[start:end]` is a sentence verbatim.

    A sentence has no space at its ends and never crosses a line break: a line is a paragraph. Short quotations and
    brackets are not split. `language` is a BCP 47 tag or "und"; it selects the list of abbreviations.
    """
    language = language.lower().split("-")[0]
    start = 0
    for line in text.split("\n"):
        yield from ((start + begin, start + end) for begin, end in _line_sentences(line, language))
        start += len(line) + 1


def begins_sentences(word: str, language: str) -> bool:
    """Whether a word in lower case often begins a sentence, such as "the": false in a language without a list."""
    return _is_listed(_STARTERS, word, language)


def _line_sentences(line: str, language: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each sentence of a line, without the blanks around it."""
    start = 0
    for end in (*_sentence_ends(line, language), len(line)):
        piece = line[start:end]
        bare = piece.strip()
        if bare:
            begin = start + piece.index(bare[0])
            yield begin, begin + len(bare)
        start = end


def _sentence_ends(line: str, language: str) -> list[int]:
    """Return the end offset of each sentence of a line except the last."""
    stops = [match.span() for match in STOPS.finditer(line) if match.end() < len(line)]
    inside = _mark_quoted(line) if stops else b""
    ends = [end for stop, end in stops if not inside[end] and _is_end(line, stop, end, language)]
    if NO_SPACES.search(line):
        ends = sorted({*ends, *_thai_ends(line, ends)})
    return ends


def _is_end(line: str, stop: int, end: int, language: str) -> bool:
    """Whether the stop at `stop`, with its closing quotes up to `end`, ends a sentence."""
    mark = line[stop:end]
    if mark[0] in WIDE or CASELESS_SYLLABLE.match(line, end):
        return mark[-1] in WIDE or not HIRAGANA.match(line, end)
    if mark[0] in ALWAYS:
        return True
    if mark[0] in ";\u037e":
        return language == "el"
    first = OPENS.match(line, end).end()  # type: ignore[union-attr]
    rest = line[first : first + 60]
    if rest[:1].islower():
        return False
    if mark[0] != "." or mark.startswith(".."):
        return True
    if SPACED.match(rest) and line[stop - 2 : stop].strip().isalpha() and line[stop - 2 : stop - 1] in " \u00a0":
        return False
    word = WORD_AFTER_STOP.match(rest)
    before = WORD_END.search(line, max(0, stop - MAX_WORD), stop).group().strip(".")  # type: ignore[union-attr]
    return _stop_ends(before, word.group() if word else "", stop, line, language)


def _stop_ends(before: str, after: str, stop: int, line: str, language: str) -> bool:
    """Whether a full stop between two words ends a sentence; `after` must not start with a lower-case letter."""
    low = before.lower()
    if not before:
        return True
    if before.isdigit():
        if stop == len(before):  # "1. First point"
            return False
        ordinal = language in _ORDINAL_STOP and len(before) <= 2
        return not ordinal or _is_listed(_STARTERS, after.lower(), language)
    if _is_listed(_PREFIXES, low, language) or (low in _NUMBERED and after[:1].isdigit()):
        return False
    initial = len(before) == 1 and before.isalpha() and not before.islower() and not CASELESS_SYLLABLE.match(before)
    initial = initial and not GERSHAYIM.match(line, max(0, stop - 3), stop)
    if initial or "." in before or _is_listed(_AMBIGUOUS, low, language):
        return _is_listed(_STARTERS, after.lower(), language)
    return True


def _is_listed(table: Mapping[str, frozenset[str]], word: str, language: str) -> bool:
    return word in table.get(_ALIASES.get(language, language), ()) or word in table.get("any", ())


def _mark_quoted(line: str) -> bytearray:
    """Return 1 for each offset of a line inside a short quotation or bracket, else 0."""
    inside = bytearray(len(line) + 1)
    at = 0
    while opening := OPENING_MARK.search(line, at):
        at = opening.start()
        closing = _find_closing(line, at)
        if closing is not None:
            inside[at + 1 : closing + 1] = b"\x01" * (closing - at)
            at = closing
        at += 1
    return inside


def _find_closing(line: str, at: int) -> int | None:
    """Return the offset where the quotation that opens at `at` closes; None if none opens there or it is too long."""
    char = line[at]
    if char == '"' and (at == 0 or not line[at - 1].isalnum()) and line[at + 1 : at + 2].strip():
        closers = '"'
    elif char in PAIRS and not (char in "“»«" and at and line[at - 1] in ".!?…"):
        closers = PAIRS[char]
    else:
        return None
    found = [place for closer in closers if (place := line.find(closer, at + 1, at + MAX_INSIDE)) > 0]
    return min(found) if found else None


def _thai_ends(line: str, ends: list[int]) -> Iterator[int]:
    """Yield the offsets after spaces that end a sentence in a script without full stops."""
    last = 0
    marks = iter((*ends, len(line)))
    mark = next(marks)
    for match in re.finditer(" +", line):
        while mark <= match.start() and mark < len(line):
            last, mark = mark, next(marks)
        between = NO_SPACES.match(line[match.start() - 1 : match.start()]) and NO_SPACES.match(line, match.end())
        if between and match.start() - last >= THAI_LEAST and mark - match.end() >= THAI_REST:
            last = match.end()
            yield match.end()
