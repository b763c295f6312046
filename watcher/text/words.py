"""Splits text of any script into words, tokens and stems; folds words to one spelling; stop words; index words."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import Literal

from watcher.text.toml_data import load_toml

# Blocks of scripts whose vowel signs are marks, which `\w` does not match; without their punctuation.
MARKED = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc"
    "\u0900-\u0963\u0966-\u0df3\u0e01-\u0e3e\u0e40-\u0e4e\u0e50-\u0e59\u0e81-\u0edf\u0f00-\u0f0a\u0f10-\u0fbc\u1000-\u1049"
    "\u1050-\u109f\u1780-\u17d3"
)
WORD_RUN = rf"(?:[^\W_]++|[{MARKED}]++)++"  # possessive: no shorter match is ever needed
WORD = re.compile(rf"{WORD_RUN}(?:[’'·ʼ״\"]{WORD_RUN})*+")
ASCII_WORD = re.compile(r"[^\W_]+(?:['\"][^\W_]+)*", re.ASCII)  # the same in ASCII, in half the time
# Scripts without spaces, or with particles attached (Korean): a run is split into characters or pairs of characters.
UNSPACED_SCRIPTS = (
    "\u0e01-\u0e4e\u0e81-\u0edf\u1000-\u103f\u1050-\u109f\u1780-\u17d3\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f"
)
SYLLABLES = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
UNSPACED_RUN = re.compile(rf"[{UNSPACED_SCRIPTS}]+")
LETTER_CLASS = rf"\w{MARKED}"
LETTERS_AND_DIGITS = re.compile(r"[^\W_]+")
MAX_KEYS = 4_096  # texts whose key is cached: several rules of cleaning need the key of the same block
LETTERS = re.compile(f"[{LETTER_CLASS}]+")
NOT_ASCII = re.compile("[^\x00-\x7f]+")
DROPPED = re.compile(
    "[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u200b-\u200f\u00ad]"
)
ARABIC = str.maketrans("أإآٱىةؤئکی", "اااايهويكي")
ARABIC_ARTICLE = re.compile("^(?:وال|بال|كال|فال|لل|ال)(?=.{3})")
CYRILLIC = str.maketrans({
    **dict(zip("абвгдезийклмнопрстуфхцыэѓђљњћќєіґў", "abvgdezijklmnoprstufhcyegdlnckeigu", strict=True)),
    "ж": "zh", "ч": "ch", "ш": "sh", "щ": "sch", "ъ": "", "ь": "", "ю": "ju", "я": "ja", "ї": "ji", "џ": "dz", "ё": "e",
})  # fmt: skip
POSSESSIVE = re.compile("['’ʼ]s?$")
ELISION = re.compile("^(?:l|d|j|n|s|t|m|c|qu|un|dell|all|nell|sull|dall)['’ʼ](?=.{2})")
STOP_WORDS: dict[str, str] = load_toml("watcher.text", "stop_words.toml")
SAME_WORDS = {"nb": "no", "nn": "no", "bs": "hr", "iw": "he", "in": "id", "ms": "id"}  # tags that can share a list
MAX_CACHED_WORDS, MAX_CACHED_CHARS = 1 << 13, 24  # size of the cache of stems (about 2 MB), and longest word in it
MAX_MARKS = 30  # combining marks on one letter (UAX #15 §13): the time to put them in order is quadratic
SAFE_CHARS = 1_000  # characters of a text that may be all marks
STEM_LENGTH = 6  # characters of a stem: the rest of a word is mostly grammar, in all alphabetic languages


def count_letters(text: str) -> int:
    """Return the length of `text`; a character that is a syllable or a word counts as three letters."""
    return len(text) + 2 * len(SYLLABLES.findall(text))


def words(text: str) -> list[str]:
    """Return the words of `text` in order, as written; a run of a script without spaces is one word."""
    return (ASCII_WORD if text.isascii() else WORD).findall(text)


def fold(word: str) -> str:
    """Return `word` in lower case, without accents, vowel points, width variants and variants of Arabic letters."""
    if word.isascii():
        return word.lower()
    plain = unicodedata.normalize("NFKD", compose("NFKC", word).casefold())
    plain = DROPPED.sub("", plain).translate(ARABIC)
    return unicodedata.normalize("NFC", plain)


def compose(form: Literal["NFC", "NFKC"], text: str) -> str:
    """Return `text` in a normal form of Unicode; in a long text, marks beyond `MAX_MARKS` on one letter are dropped."""
    if len(text) > SAFE_CHARS and not unicodedata.is_normalized(form, text):
        runs = ((mark, list(chars)) for mark, chars in groupby(text, key=lambda char: unicodedata.combining(char) > 0))
        text = "".join(char for mark, chars in runs for char in (chars[:MAX_MARKS] if mark else chars))
    return unicodedata.normalize(form, text)


def is_unspaced(text: str) -> bool:
    """Whether more than half of the letters of `text` are in a script without spaces between words."""
    runs = UNSPACED_RUN.findall(text)
    return bool(runs) and 0 < sum(map(str.isalpha, text)) < 2 * sum(map(len, runs))


def tokens(text: str) -> list[str]:
    """Return the folded words of `text`, to compare wording; in scripts without spaces, each character is a token."""
    if text.isascii():
        return words(text.lower())
    folded_words: list[str] = []
    for word in words(text):
        folded = fold_run(word)
        if UNSPACED_RUN.search(folded):
            folded_words.extend(folded)
        else:
            folded_words.append(folded)
    return folded_words


def stems(text: str, language: str) -> list[str]:
    """Return the stems of `text` without stop words and numbers; scripts without spaces give pairs of characters."""
    stop = stop_words(language)
    result: list[str] = []
    for word in words(text):
        if word.isascii() and word.isalnum():  # most words of many languages: nothing to fold but the case
            folded = word.lower()
            if len(folded) > 1 and folded not in stop and not folded.isdigit():
                result.append(folded[:STEM_LENGTH])
        else:
            result += (cached_stems if len(word) <= MAX_CACHED_CHARS else stems_of)(word, language)
    return result


def stems_of(word: str, language: str) -> tuple[str, ...]:
    """Return the stems of one word: none for a stop word or number, several for a run of a script without spaces."""
    stop = stop_words(language)
    folded = ELISION.sub("", POSSESSIVE.sub("", fold(word)))
    if UNSPACED_RUN.search(folded):
        return tuple(_char_bigrams(folded, stop))
    return (stem(folded),) if len(folded) > 1 and folded not in stop and not folded.isdigit() else ()


cached_stems = lru_cache(maxsize=MAX_CACHED_WORDS)(stems_of)


@lru_cache(maxsize=128)
def stop_words(language: str) -> frozenset[str]:
    """Return the stop words of `language` as `fold` spells them; empty for a language without a list."""
    return frozenset(fold(word) for word in STOP_WORDS.get(SAME_WORDS.get(language, language), "").split())


def stem(folded: str) -> str:
    """Return the stem of a folded word: without the Arabic article, at most `STEM_LENGTH` characters."""
    return (folded if folded.isascii() else ARABIC_ARTICLE.sub("", folded))[:STEM_LENGTH]


def _char_bigrams(word: str, stop: frozenset[str]) -> list[str]:
    """Split `word`: a run without spaces becomes its pairs, without those in `stop`; single letters beside it go."""
    parts: list[str] = []
    index = 0
    for run in UNSPACED_RUN.finditer(word):
        if run.start() > index + 1:
            parts.append(word[index : run.start()])
        text = run.group()
        pieces = [text] if len(text) == 1 else [text[i : i + 2] for i in range(len(text) - 1)]
        parts.extend(piece for piece in pieces if piece not in stop)
        index = run.end()
    if len(word) > index + 1:
        parts.append(word[index:])
    return parts


def to_latin(folded: str) -> str:
    """Return a folded name with Cyrillic letters transliterated to Latin; other letters are unchanged."""
    return folded.translate(CYRILLIC)


def word_overlap(one: str, other: str, language: str) -> float:
    """Return the share (0 to 1) of the stems of the text with fewer that the other has too; 1 if one has no stems."""
    first, second = set(stems(one, language)), set(stems(other, language))
    shorter = min(len(first), len(second))
    return len(first & second) / shorter if shorter else 1.0


def normalize(text: str) -> str:
    """Return the folded words of `text` joined by single spaces; a run of a script without spaces is one word."""
    return " ".join(UNSPACED_RUN.sub(r" \g<0> ", " ".join(LETTERS.findall(fold_text(text)))).split())


def fold_text(text: str) -> str:
    """Return `text` with each word folded (`fold`); characters between words stay, but "_" becomes a space."""
    return NOT_ASCII.sub(lambda run: fold_run(run.group()), text.lower()).replace("_", " ")


fold_run = lru_cache(maxsize=20_000)(fold)  # the same runs occur often


def index_words(text: str) -> str:
    """Return the words of `text` for the full-text index; a run of a script without spaces becomes character pairs."""
    return UNSPACED_RUN.sub(lambda run: " ".join(bigrams(run.group())), normalize(text))


def bigrams(run: str) -> Iterator[str]:
    """Yield the pair of characters that starts at each character of a run; the last is a single character."""
    return (run[i : i + 2] for i in range(len(run)))


@lru_cache(maxsize=MAX_KEYS)
def normalize_key(text: str) -> str:
    """Return what two spellings of one text have in common: its letters and digits, in lower case."""
    return "".join(LETTERS_AND_DIGITS.findall(text.lower()))
