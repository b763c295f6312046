"""Whether a sentence can be read alone: its form, and no word that refers back. The words are in `words.toml`."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise, product
from typing import Any

from digests.analysis.select import display_length
from watcher.text.toml_data import load_toml
from watcher.text.words import WORD_RUN, fold, stem, stems, stop_words

TABLES: dict[str, Any] = load_toml("digests.summarise", "words.toml")


@cache
def words_for_language(name: str, language: str) -> frozenset[str]:
    return frozenset(TABLES[name].get(language, "").split())


MIN_WIDTH, MAX_WIDTH = 40, 420  # of a sentence
SHORT_LANGUAGES = frozenset({"th", "lo", "km", "my"})  # their sentences have no end mark

ENDING = re.compile(r"[.!?。！？؟۔।။።։՜՞\u037e…;][\"'”’»«“›)\]」』）】]*(?:\[\d{1,3}\])*$")
ELLIPSIS_END = re.compile(r"(?:(?<!\.)\.{2,}+|\. \. \.|…|\[…\]|\[\.\.\.\])[\"'”’»)\]]*\.?$")
# A person whom the text before has named: "The 26-year-old actor", "Der 26-Jährige".
AGED = re.compile(r"^\W{0,3}(?:The \d{1,3}-year-old|(?:Der|Die) \d{1,3}-[Jj]ährige)\b")
# What stands behind the caption of a picture: "Credit: CCTV".
PICTURE_CREDIT = re.compile(
    r"\s{0,9}[(\[]?(?:credits?|photos?|images?|pictures?|fotos?|bild|crédits?|quelle|фото)\s?[:/©]", re.IGNORECASE
)
# The same in brackets, at the end of its last sentence: "(Atta Kenar/AFP)".
AGENCY_CREDIT = re.compile(r"[(\[][^()\[\]]{0,40}\b(?:Reuters|AFP|AP|EPA|Getty|Anadolu)\b[^()\[\]]{0,40}[)\]]")
MAX_CAPTION_CHARS = 160  # of such a sentence
# A quotation alone, without its speaker.
BARE_QUOTE = re.compile(r"^(?:\"[^\"]*\"|“[^”]*”|„[^“”]*[“”]|«[^»]*»|「[^」]*」)[.!?。]?$")
FIRST = re.compile(rf"{WORD_RUN}(?:['’-]{WORD_RUN})*+")
PLURAL = re.compile(r"\d|[^\W\d_]s$|[aeo]ux$")  # a number, or the end of a word that may stand for several
OPENING_QUOTE = "\"“„«»'‘「『”"
# A quotation at the beginning, and the words on its speaker that follow, up to the next mark.
QUOTATION_WITH_SPEAKER = re.compile(
    r"^(?:“[^”]*|„[^“”]*|\"[^\"]*|«[^»]*|»[^«]*)"
    r"(?:[,.!?…]\s?[“”\"«»]\s?,?|[“”\"«»]\s?(?:,|(?=[–—-])))\s?[–—-]?\s*([^,.;:!?–—“”„\"«»]*)"
)
_FURNITURE_WORDS = (*TABLES["furniture"]["words"], *TABLES["furniture"]["handovers"])
FURNITURE = re.compile(
    "|".join([*TABLES["furniture"]["pieces"], rf"\b(?:{'|'.join(_FURNITURE_WORDS)})\b"]), re.IGNORECASE
)
# What a sentence does not say itself: quotations. And "World War I", whose number is no pronoun.
NOT_TOLD = re.compile('"[^"]*"|[“„][^“”„]*[“”]|«[^«»]*»|»[^«»]*«|「[^「」]*」|\\b[A-Z]\\w+ I\\b')
# The end of a question that is answered behind it, or of a quotation whose speaker the same line names behind it.
ASKED = re.compile(r"[?？؟][\"'”’»«“]?$|[!…][\"'”’»«“]$")
AS_WELL = re.compile(r"\b(?:as well|too)[.!]?$")
MIN_ALONE = 60  # width of a sentence; a shorter one is often only the end of a thought
MAX_BEFORE_ARTICLE, NOUN_PHRASE = 2, 3  # words before a definite article ("Although the bill …") and behind it
MAX_NAME_WORDS = 5  # of a name that has nothing but a relative clause
MAX_SPEAKER_WORDS = 3  # words after a quotation; a pronoun in them is its speaker


def stands_alone(text: str, language: str, *, needs_end: bool = True) -> bool:
    """Whether a text is one sentence that can be read without the text before it, with a mark at its end if needed."""
    if not MIN_WIDTH <= display_length(text) <= MAX_WIDTH or FURNITURE.search(text) or ELLIPSIS_END.search(text):
        return False
    if needs_end and language not in SHORT_LANGUAGES and not ENDING.search(text):
        return False
    if text.endswith(("?", "？", "؟")) or text[0].islower() or text[0] in ")]},;:.-–—•*#|>":
        return False
    person = words_for_language("person", language) | words_for_language("writer", language)
    if not person.isdisjoint(word.split("'")[0] for word in FIRST.findall(_own_words(text))):
        return False
    if BARE_QUOTE.match(text) or AGED.match(text) or _starts_with_reference(text, language):
        return False
    if _is_name_with_relative_clause(text, language):
        return False
    # A teaser has no main clause: "Why the bridge fell.", "Wie die Brücke fiel, warum sie gesperrt war."
    clauses = [FIRST.search(clause) for clause in text.split(", ")]
    teases = words_for_language("tease", language)
    return is_balanced(text) and not all(first and first.group().lower() in teases for first in clauses)


def adds_to_another(text: str, language: str) -> bool:
    """Whether a text says that it adds to something said before: "The actor was also arrested on Feb. 17."."""
    also = words_for_language("also", language)
    return _is_added(text, language) or not also.isdisjoint(map(str.lower, FIRST.findall(_own_words(text))))


def _is_added(text: str, language: str) -> bool:
    return language == "en" and AS_WELL.search(text) is not None


def _own_words(text: str) -> str:
    return NOT_TOLD.sub(" ", text.replace("’", "'"))


def stands_at_top(text: str, before: str, language: str) -> bool:
    """Whether a sentence of a text, behind `before`, says whom and what it means where nothing is above it."""
    names, needs = find_needs(text, before, language)
    is_known = not (names or needs or _find_generic_noun(text, language))
    return stands_alone(text, language) and is_known and not adds_to_another(text, language)


def is_caption(text: str, end: int) -> bool:
    """Whether the credit of a picture follows the sentence of `text` that ends there, or ends the next one."""
    behind = text[end : end + MAX_CAPTION_CHARS].partition("\n")[0]
    return bool(PICTURE_CREDIT.match(text, end) or AGENCY_CREDIT.search(behind))


def find_needs(text: str, before: str, language: str) -> tuple[frozenset[str], tuple[frozenset[str], ...]]:
    """
    Return the stems of surnames that `before`, the text before a sentence, introduced, and sets of stems: one of each
    set must be known unless the sentence before is quoted. An empty set stands for a word such as "also".
    """
    own_text = _own_words(text)
    first_words = FIRST.findall(own_text)
    links = words_for_language("link", language) | words_for_language("speaker", language)
    bare = (name for left, name in pairwise(["", *first_words]) if name[0].isupper() and not left[:1].isupper())
    names = frozenset(stem(fold(name)) for name in bare if _is_introduced(name, before, language))
    opening = FIRST.findall(re.split("[,;:–—]", own_text, maxsplit=1)[0].replace("'", " "))
    pairs = (pair for pair in pairwise([*map(str.lower, first_words), ""]) if pair not in _calendar(language))
    is_linked = any(not links.isdisjoint((word, f"{word}-{after}")) for word, after in pairs)
    is_linked = is_linked or _is_added(text, language)
    is_inside = ASKED.search(before) or _is_quotation_open(before.rpartition("\n")[2])
    needs = [frozenset[str]()] if is_linked or is_inside else []
    if nouns := _definite_nouns(opening, language):
        needs.append(frozenset(stem(fold(noun)) for noun in nouns))
    return names, (*needs, *_pointing_needs(first_words, language))


def find_first_needs(text: str, language: str) -> tuple[frozenset[str], ...]:
    """
    Return what the reader of a report's first sentence must know already: of each set of stems, one.

    A lead often goes on where its title ends, and names its subject as known: for "The documents surfaced …", the title
    must have spoken of documents.
    """
    own_text = _own_words(text)
    opening = FIRST.findall(re.split("[,;:–—]", own_text, maxsplit=1)[0].replace("'", " "))
    unique = words_for_language("unique", language)
    is_definite = bool(unique and opening) and opening[0].lower() in words_for_language("definite", language)
    nouns = _definite_nouns(opening, language) if is_definite else ()
    is_known = not unique.isdisjoint(map(str.lower, opening[1 : 1 + NOUN_PHRASE]))
    needs = [frozenset(stem(fold(noun)) for noun in nouns)] if nouns and not is_known else []
    return (*needs, *_pointing_needs(FIRST.findall(own_text), language))


def find_generic_needs(text: str, title: str, language: str) -> tuple[frozenset[str], ...]:
    """
    Return what the reader of a report's first sentence must know if it begins with a noun such as "the company": this
    noun, or one of the names in the report's title.
    """
    noun = _find_generic_noun(text, language)
    if noun is None:
        return ()
    names = " ".join(word for word in FIRST.findall(title) if word[0].isupper())
    return (frozenset({stem(fold(noun)), *stems(names, language)}),)


def _find_generic_noun(text: str, language: str) -> str | None:
    """Return the noun that a sentence begins with and that stands for a name, unless it is named or described."""
    nouns = words_for_language("generic", language)
    opening = re.split("[,;:–—]", text.replace("’", "'"), maxsplit=1)[0]
    found = FIRST.findall(opening.replace("'", " ")) if nouns else []
    count = next((count for count in (2, 1) if "-".join(found[:count]).lower() in nouns), 0)
    if not count:
        return None
    behind = found[count : count + (1 if language == "de" else NOUN_PHRASE)]
    is_quoted = opening.partition(found[count - 1])[2].lstrip()[:1] in OPENING_QUOTE.replace("'", "")
    is_named = any(word[0].isupper() for word in behind) or (is_quoted and bool(behind))
    is_described = not words_for_language("described", language).isdisjoint(behind[:1])
    return None if is_named or is_described else found[count - 1]


def _pointing_needs(first_words: Sequence[str], language: str) -> Iterator[frozenset[str]]:
    """
    Yield the stems of each noun such as "the move" that nothing behind it describes: "the move to close the port".

    "The incident" may be what the sentence has named before: "blamed them for the strike; reports of the incident". An
    empty set stands for "they" without anybody before it: "Moreau said they should build a bridge".
    """
    if _has_loose_plural(first_words, language):
        yield frozenset()
    articles, nouns = words_for_language("definite", language), words_for_language("pointing_nouns", language)
    described, happened = (words_for_language(name, language) for name in ("described", "happened"))
    named: set[str] = set()
    for article, noun, behind in zip(first_words, first_words[1:], [*first_words[2:], ""], strict=False):
        if article.lower() in articles:
            own = {stem(fold(noun))}
            if noun.lower() in nouns and behind.lower() not in described:
                yield frozenset(own | named if noun.lower() in happened else own)
            named |= own if noun.islower() else set()


def _has_loose_plural(words: Sequence[str], language: str) -> bool:
    """Whether the first "they" of a sentence has no word before it that may be several."""
    pronouns, several = (words_for_language(name, language) for name in ("plural_pronouns", "several"))
    verbs = words_for_language("hollow", language) | stop_words(language)  # "says", "was"
    low = [word.lower() for word in words]
    index = next((index for index, word in enumerate(low) if not pronouns.isdisjoint(word.split("'"))), 0)
    return index > 0 and not any(word in several or (word not in verbs and PLURAL.search(word)) for word in low[:index])


def _is_introduced(name: str, before: str, language: str) -> bool:
    """Whether a text has a name for the first time behind another capitalised word, as behind a first name."""
    index = before.find(f" {name}")
    left = before[: max(index, 0)].rpartition(" ")[2]
    is_name = left.replace(".", "").isalpha() and left[0].isupper()  # "J.J. Abrams"
    return is_name and fold(left) not in stop_words(language)


def _definite_nouns(opening: Sequence[str], language: str) -> Sequence[str]:
    """Return the words behind a definite article at a sentence's beginning; none if they are named or described."""
    articles = words_for_language("definite", language)
    index = next(
        (index for index, word in enumerate(opening[: MAX_BEFORE_ARTICLE + 1]) if word.lower() in articles),
        len(opening),
    )
    phrase = opening[index + 1 : index + 1 + NOUN_PHRASE]
    # "Das Hotel Lunik"
    is_named = any(word[0].isupper() and "-" not in word for word in (phrase[1:2] if language == "de" else phrase))
    return () if is_named or not words_for_language("described", language).isdisjoint(phrase[1:2]) else phrase[:2]


def _starts_with_reference(text: str, language: str) -> bool:
    """Whether a sentence begins with a word that refers back, or with a quotation whose speaker it does not name."""
    if _has_no_speaker(text, language):
        return True
    bare = text.lstrip(OPENING_QUOTE + " ")
    if bare.startswith(tuple(words_for_language("loose_unspaced", language))):
        return True
    first_words = [word.lower().replace("’", "'") for word in FIRST.findall(bare[:60])]
    if not first_words:
        return not any(char.isalnum() for char in bare[:60])
    loose = words_for_language("loose", language)
    pair = tuple(first_words[:2])
    if pair in _calendar(language):
        return False
    if first_words[0] in loose or first_words[0].split("'")[0] in loose or "-".join(pair) in loose:
        return True
    behind = tuple(first_words[1:3])  # "Despite these concerns", "In diesem Fall"
    return bool(behind) and behind[0] in words_for_language("pointing", language) and behind not in _calendar(language)


def _is_name_with_relative_clause(text: str, language: str) -> bool:
    """Whether a text has no main clause: "Anna Moreau, who opened the bridge.", as a caption says."""
    parts = _own_words(text).split(", ")
    if len(parts) not in (2, 4) or any(mark in text for mark in (";", ": ", " – ", " — ", " - ")):
        return False
    name, behind = FIRST.findall(parts[0]), FIRST.findall(parts[1])
    if not behind or behind[0].lower() not in words_for_language("relative", language):
        return False
    # Of four parts, the third is inserted: "Anna Moreau, who, with Eva Lind, opened the bridge."
    is_whole = len(parts) == 2 or len(behind) == 1
    return is_whole and 0 < len(name) <= MAX_NAME_WORDS and all(word[0].isupper() for word in name)


def _has_no_speaker(text: str, language: str) -> bool:
    """Whether a quotation is followed by only a pronoun or a verb: “…,” he said. «…», dijo."""
    quotation = QUOTATION_WITH_SPEAKER.match(text)
    speaker_words = re.findall(r"[^\W_]+", quotation.group(1))[:MAX_SPEAKER_WORDS] if quotation else []
    if len(speaker_words) > 1 and speaker_words[1] in words_for_language("unnamed", language):
        return True
    return (len(speaker_words) == 1 and speaker_words[0].islower()) or not words_for_language(
        "speaker", language
    ).isdisjoint(speaker_words)


@cache
def _calendar(language: str) -> frozenset[tuple[str, ...]]:
    before, _, after = TABLES["calendar"].get(language, "").partition(":")
    return frozenset(product(before.split(), after.split()))


def _is_quotation_open(text: str) -> bool:
    """Whether a quotation that begins in `text` goes on behind it, so that what follows is somebody's words."""
    german = text.count("„") - text.count("“")
    opened = german if "„" in text else text.count("“") - text.count("”")
    return opened > 0 or text.count('"') % 2 == 1 or text.count("«") != text.count("»")


def is_balanced(text: str) -> bool:
    """Whether every quotation mark and bracket that opens is closed."""
    pairs = ("()", "[]", "「」", "『』", "（）")
    if any(text.count(pair[0]) != text.count(pair[1]) for pair in pairs):
        return False
    curly = text.count("“") + text.count("„"), text.count("”")
    german = text.count("„") and text.count("„") == text.count("“")
    # "’" is an apostrophe too, and "‘" closes what "‚" opens.
    if "‚" not in text and text.count("‘") > text.count("’") + text.count("'"):
        return False
    return text.count('"') % 2 == 0 and text.count("«") == text.count("»") and bool(curly[0] == curly[1] or german)
