"""
What stands before the first sentence of a report's text: a byline, dateline, label, time or the headline. Feeds often
have these in one line, without a full stop between them.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from digests.analysis.gazetteer import countries_in
from digests.analysis.select import display_length
from digests.analysis.story_coverage import make_mention
from digests.analysis.titles import outlet_names, plain_name, title_without_outlet
from digests.model.edition_story import SourceMention
from digests.summarise import readable
from watcher.clean.dateline import parse_dateline
from watcher.model import Article
from watcher.text.number_words import parse_number_words
from watcher.text.sentences import begins_sentences, sentences
from watcher.text.toml_data import load_toml
from watcher.text.words import WORD, fold, stems, stop_words

MAX_OPENINGS = 3  # sentences that something may stand before: a byline with initials is split into several
MAX_PARTS = 5  # label, outlet, byline, date, dateline
MIN_LEFT = 30  # width of a sentence behind what stood before it
MIN_HEADLINE_WORDS = 4  # of a headline that is recognized at the beginning of a text,
MIN_REPEATED = 2  # if the sentence behind it has as many of its words
MIN_LINE = 40  # width of a line that is glued to a sentence
MAX_FIRST_WORDS = 12  # of a sentence behind a line without an end, that have as many
MAX_OUTLET_CHARS = 60
MAX_HEAD = 200  # characters that a byline with its date and agency has at most
LISTS: dict[str, dict[str, str]] = load_toml("digests.summarise", "openings.toml")

_CAPITAL = r"[^\W\d_a-zß-ÿа-яёѐ-џα-ω]"  # or a letter of a script without case
_SENTENCE_START = rf"(?=[\"“„«‘'¿¡(]?(?:{_CAPITAL}|\d))"  # what a sentence begins with
_SPACE = r"\s{1,9}"  # bounded, so that matching takes linear time
_SEPARATOR = rf"\s{{0,9}}[:|•·»―–—-]{{1,2}}{_SPACE}"
_NAME = rf"{_CAPITAL}[\w.'’-]*(?:\s(?:{_CAPITAL}[\w.'’-]*|de|la|van|von|der|den|bin|al|el|da|dos|di))+"
_STAMP_DATE = (
    r"(?:\d{1,4}[./-]\d{1,2}[./-]\d{2,4}|\d{1,2}\.?\s[^\W\d_]{3,12}\.?,?\s\d{4}|[^\W\d_]{3,12}\.?\s\d{1,2},?\s\d{4})"
)
_ZONE = r"(?:[ap]\.?m\.?|uhr|(?-i:GMT|UTC|[BCEMPW]E?[SD]?T|IST)\b)"
_CLOCK = rf"(?:[01]?\d|2[0-3])\s?[:.h]\s?[0-5]\d(?!\d|[.:/%]\d)(?:\s?{_ZONE})?"
# "BEIJING (AFP) —", "Berlin (dpa) -", "PARIS, 12 mai (Reuters) -", "(ANSA) - ROMA, 12 MAG -", "KYIV—", "【東京共同】",
# "New York (CNN Business)NASA …", "KARACHI: ", "KARACHI/LAHORE:: ", "PRO D2 - ",
# "[OSEN=대구, 홍길동 기자] ", "(서울=연합뉴스) 홍길동 기자 = ",
# "（中央社東京5日綜合外電報導）", "KEITH BRADSHER2024年11月5日".
_DATELINE = re.compile(
    r"^(?:"
    r"[^\W\d_][\w .,'’/-]{1,48}?\s?\((?:[A-Za-z]{2,12})(?:[ /-][A-Za-z]{2,12})?\)\s{0,2}[-–—:.]{1,2}\s{1,2}"
    r"|\([A-Z][A-Za-z]{1,11}(?: [A-Za-z]+)?\)\s{0,2}[-–—]{1,2}\s{0,2}(?:[^\W\d_a-zà-ÿ][\w .,']{1,30}\s?[-–—]{1,2}\s)?"
    r"|[A-ZÀ-ÞА-ЯΑ-Ω][A-ZÀ-ÞА-ЯΑ-Ω .'’-]{2,30}(?:,\s[\w .]{2,24})?\s?(?:[-–—]{1,2}\s|[—–])"
    r"|[A-ZÀ-ÞА-ЯΑ-Ω][A-ZÀ-ÞА-ЯΑ-Ω\d .'’/-]{2,40}\s[-–—]{1,2}\s(?=[A-ZÀ-ÞА-ЯΑ-Ω«„“\"])"
    r"|[A-ZÀ-ÞА-ЯΑ-Ω][A-ZÀ-ÞА-ЯΑ-Ω .'’/-]{3,60}:{1,2}\s(?=[^\W\d_])"
    r"|[A-ZÀ-Þ][\w'’-]{2,20}(?:,\s[\w .]{2,20})?\s[—–]{1,2}\s(?=[A-ZÀ-Þ«„“\"])"
    r"|(?:[A-ZÀ-Þ][\w .,'’/-]{1,40}?\s?)?\([A-Z][A-Za-z]{1,11}(?: [A-Z][A-Za-z]{1,11})?\)(?=[A-ZÀ-Þ“\"])"
    r"|【[^】]{1,24}】"
    r"|（[^（）\n]{2,30}(?:報導|报道|讯|訊|电|電|社|网|網)）\s{0,3}"
    r"|[A-Z][A-Z .,'’-]{3,60}\d{4}年\d{1,2}月\d{1,2}日\s{0,3}"
    r"|\[[^\[\]\n]{1,40}(?:기자|특파원)\]\s{0,3}"
    r"|[\[(][^\[\]()\n]{1,24}=[^\[\]()\n]{1,12}[\])]\s{0,3}(?:[가-힣]{2,4}\s(?:기자|특파원)\s?=\s{0,3})?"
    r")"
)
# "New Delhi: India recorded …": capitalised words, one of which is a place, before a sentence.
_PLACE_LABEL = re.compile(
    rf"^([A-ZÀ-ÞА-ЯΑ-Ω][\w'’-]*(?:[ /][A-ZÀ-ÞА-ЯΑ-Ω][\w'’-]*){{0,3}}):{{1,2}}{_SPACE}{_SENTENCE_START}"
)
_LEADING_CLOCK = re.compile(rf"^{_CLOCK}(?:{_SEPARATOR}|{_SPACE})", re.IGNORECASE)
# "Submitted by MEE staff on Sun, 03/01/2026 - 18:34", "Mise à jour | 04/05/2020 à 20:49", "4 May 2020, 10:00 BST |"
_PAGE_STAMP = re.compile(
    rf"^(?:(?:{'|'.join(LISTS['published']['words'])})[^\n]{{0,100}}?)?{_STAMP_DATE}[\s,–—|-]{{1,5}}"
    rf"(?:(?:at|um|à|a las|às|alle|о|в)\s)?{_CLOCK}(?:{_SEPARATOR}|{_SPACE})(?:(?-i:Off)\s)?",
    re.IGNORECASE,
)
_AUTHORS = re.compile(rf"^\s?:?\s?{_NAME}(?:(?:,\s|\s(?:and|und|et|y|e|en|og|och|i|и|та|&)\s){_NAME})*")
_AGENCY_BEHIND = re.compile(r"^[^()\n]{0,80}\((?:[A-Za-z]{2,12})(?:[ /-][A-Za-z]{2,12})?\)\s{0,2}[-–—:]{1,2}\s{1,2}")
_LABELS = [each.strip() for each in LISTS["kicker"]["labels"].split("|")]
_LABEL = re.compile(
    rf"^(?P<label>{'|'.join(map(re.escape, sorted(_LABELS, key=len, reverse=True)))}"
    # "Science News: ", "Info BFMTV - "
    rf"|(?:\w{{2,20}} ){{1,2}}news(?=\s?:)|(?-i:(?:Info|INFO) {_CAPITAL}[\w-]*(?: {_CAPITAL}[\w-]*)?)(?=\s?[-–—:]))"
    rf"(?:(?P<separator>{_SEPARATOR}|\s?!\s)|{_SPACE})",
    re.IGNORECASE,
)
_AFTER_NAME = re.compile(rf"^{_SEPARATOR}")
_BEHIND_OUTLET = re.compile(rf"[:|•·»]{_SPACE}|\s?[―–—-]{{1,2}}{_SPACE}")
_CLOSING = re.compile(r"[\"'”’»«“)\]!?…]*")
# The end of a quotation in small letters, and a capital behind it: ‘returned fire, killing the suspect’ Authorities
_QUOTE_END = re.compile(
    r"[‘“«][^‘’“”«»]*\s[a-zß-ÿа-яёα-ω][^\s‘’“”«»]*[’”»]\s(?=[A-ZÀ-ÞА-ЯΑ-Ω](?:[^\W\d_]|-)*[a-zß-ÿа-яα-ω])"
)
_CAPITALIZED = re.compile(r"(?<=[a-zß-ÿа-яёα-ω] )(?!I\b)([A-ZÀ-ÞА-ЯΑ-Ω][a-zß-ÿа-яёα-ω]*) (?=[a-zß-ÿа-яёα-ω])")
_BEFORE_NAME = re.compile(r"\b(?P<before>[a-zß-ÿ]{4,}) (?P<article>[A-ZÀ-Þ][a-zß-ÿ]+) (?=[A-ZÀ-Þ])")
_BEHIND_NAME = re.compile(r"([A-ZÀ-Þ][\w’'-]{0,30}(?: [A-ZÀ-Þ][\w’'-]{0,30}){0,3}) ([a-zß-ÿ]{1,30})\b")
_TOLD = frozenset(LISTS["before_names"]["words"].split())
# "in India.Over 10,500 people"; bars between several headlines; the credit of a picture: "— Foto: Ana Silva/Estado"
_JOINED = re.compile(r"[a-zß-ÿа-яё]{2}[.!?][A-ZÀ-ÞА-Я][a-zß-ÿа-яё]* |\s[|•]\s|\s—\s(?:Fotos?|Photos?):\s")


def first_sentences(article: Article, text: str) -> Iterator[tuple[int, int, bool]]:
    """
    Yield the sentences of `text`, the beginning of an article's, as offsets (start, end), and whether it is clear where
    they begin.

    The first ones begin behind what stands before them: the headline, a byline, a dateline, a label such as "Watch:",
    the outlet's name, a date or a time; also behind a line without a visible end, if it then speaks of what the title
    says. It is not clear if there is something else without a visible end before a sentence.
    """
    title = title_without_outlet(article)
    headline_end, dateline = _title_end(text, title), parse_dateline(text)
    dateline_end = dateline.end if dateline else 0
    read = 0
    for start, end in sentences(text, article.language):
        if read >= MAX_OPENINGS:
            yield start, end, True
            continue
        read += bool(readable.ENDING.search(text[start:end]))  # a line with a name or a time is none
        if end <= max(headline_end, dateline_end):
            yield start, end, False
        else:
            sentence = text[start:end]
            opening: int | None = max(0, dateline_end - start)
            if headline_end > start:
                opening = _headline_length(sentence, headline_end - start, title, article.language)
            length = None if opening is None else _opening_length(sentence, opening, title, article)
            begin = start + (length or 0)
            if length is not None and start == 0 and (second := _second_beginning(text[begin:end], article.language)):
                is_told = second > 0 and _speaks_of(text[begin + second : end], title, article.language)
                yield (begin + second, end, True) if is_told else (begin, end, False)
            else:
                yield begin, end, length is not None


def mention_report(article: Article, *, agency: str | None, shows_title: bool, copy_of: str = "") -> SourceMention:
    """Return the mention of a report, with its title as an edition shows it."""
    mention = make_mention(article, agency=agency, shows_title=shows_title, copy_of=copy_of)
    return replace(mention, title=title_without_outlet(article))


def _opening_length(text: str, index: int, title: str, article: Article) -> int | None:
    """Return how many characters, at least `index`, stand before a sentence; None if that is not clear."""
    for _ in range(MAX_PARTS):
        length = _part_length(text[index:], title, article)
        if length is None:
            return None
        index += length
        if not length:
            break
    is_cut = index > 0 and display_length(text[index:]) < MIN_LEFT
    return None if is_cut or _JOINED.search(text[index:]) else index


def _title_end(text: str, title: str) -> int:
    """Return where the headline ends that a text begins with; 0 if it begins with other words."""
    wanted = [fold(word) for word in WORD.findall(title)]
    if len(wanted) < MIN_HEADLINE_WORDS:
        return 0
    end = 0
    matches = WORD.finditer(text[: 2 * len(title) + 20])
    for word in wanted:
        match = next(matches, None)
        if match is None or fold(match.group()) != word:
            return 0
        end = match.end()
    return _CLOSING.match(text, end).end()  # type: ignore[union-attr]


def _headline_length(text: str, behind: int, title: str, language: str) -> int | None:
    """Return the length of the headline before a sentence, 0 if the sentence goes on behind its words."""
    rest = text[behind:]
    separator = re.match(rf"{_SEPARATOR}|{_SPACE}", rest)
    if separator is None or not re.match(_SENTENCE_START, rest[separator.end() :]):
        return 0
    rest = rest[separator.end() :]
    repeated = len(set(stems(rest, language)).intersection(stems(title, language)))
    return behind + separator.end() if repeated >= MIN_REPEATED and display_length(rest) >= MIN_LEFT else None


def _part_length(text: str, title: str, article: Article) -> int | None:
    """Return the length of one part that stands before a sentence; 0 if none does, None if its end is not clear."""
    if headline := _title_end(text, title):
        return _headline_length(text, headline, title, article.language)
    for pattern in (_PAGE_STAMP, _LEADING_CLOCK):
        if match := pattern.match(text):
            return match.end() if re.match(_SENTENCE_START, text[match.end() :]) else None
    if label := _LABEL.match(text):
        if label["separator"]:
            return label.end()
        if label["label"].isupper() and re.match(_SENTENCE_START, text[label.end() :]):
            return label.end()
    separator = _BEHIND_OUTLET.search(text[:MAX_OUTLET_CHARS])
    if separator and plain_name(text[: separator.start()]) in outlet_names(article):
        return separator.end()
    byline = _byline_length(text[:MAX_HEAD], article.language)
    return _dateline_length(text, article.language) if byline == 0 else byline


def _byline_length(head: str, language: str) -> int | None:
    """Return how many characters the byline at the start of a text has; 0 if there is none, None if it has no end."""
    first = WORD.match(head)
    if first is None or fold(first.group()) not in map(fold, LISTS["byline"].get(language, "").split()):
        return 0
    authors = _AUTHORS.match(head[first.end() :])
    if authors is None:
        return 0
    end = first.end() + authors.end()
    # "By Laila Bassam, Yomna Ehab March 2 (Reuters) - "
    behind = _AGENCY_BEHIND.match(head[end:]) or _AFTER_NAME.match(head[end:])
    return end + behind.end() if behind else None


def _dateline_length(text: str, language: str) -> int:
    match = _DATELINE.match(text[:120])
    if match is None and (place := _PLACE_LABEL.match(text[:MAX_OUTLET_CHARS])) and countries_in(place[1], language):
        match = place
    return match.end() if match and len(text) - match.end() >= 20 else 0


def _second_beginning(text: str, language: str) -> int:
    """
    Return where a sentence seems to begin a second time inside a text, as where a line above it is glued to it: 0 if
    nowhere, -1 if that is not clear.
    """
    if language != "de" and _QUOTE_END.search(text):
        return -1
    for match in _CAPITALIZED.finditer(text):
        if begins_sentences(match[1].lower(), language):
            return match.start() if _is_line(text[: match.start()], match[1], language) else -1
    # "to investigate reporters The Labour minister has resigned", but "told The Guardian": behind a noun
    # without a mark a capital article begins a sentence.
    articles, stop = readable.words_for_language("definite", language), stop_words(language)
    for match in _BEFORE_NAME.finditer(text):
        if match["article"].lower() in articles and match["before"] not in stop | _TOLD:
            # "reporters The Labour minister", "at risk The UK has", and not "landmark The Palm as"
            behind = _BEHIND_NAME.match(text, match.end())
            is_noun = behind is not None and (behind[2] not in stop or bool(countries_in(behind[1], language)))
            start = match.start("article")
            return start if is_noun and _is_line(text[:start], match["article"], language) else -1
    return 0


def _is_line(before: str, first: str, language: str) -> bool:
    """Whether what stands before the word `first` can be a line of its own, such as a standfirst."""
    is_number = bool(parse_number_words(first, language)) and not before.split()[-1].islower()  # "Xbox One"
    is_whole = readable.is_balanced(before) and not readable.AGENCY_CREDIT.search(before)
    return is_whole and not is_number and display_length(before) >= MIN_LINE


def _speaks_of(text: str, title: str, language: str) -> bool:
    """Whether a sentence that stands behind another line begins with words of its report's title."""
    first = " ".join(text.split()[:MAX_FIRST_WORDS])
    if display_length(text) < MIN_LEFT or _second_beginning(text, language) or readable.AGENCY_CREDIT.search(text):
        return False
    return len(set(stems(first, language)).intersection(stems(title, language))) >= MIN_REPEATED
