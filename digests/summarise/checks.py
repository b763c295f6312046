"""Checks of what models write: a translation keeps figures and names; a summary says only what the reports say."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import cache

from digests.analysis.country_names import COUNTRY_CODES, country_name, languages_in
from digests.analysis.gazetteer import countries_in, load_gazetteer
from digests.analysis.numbers import NUMBER_IN_TEXT, normalize
from digests.analysis.select import can_be_quoted
from digests.analysis.story_coverage import measure_coverage
from digests.model.edition import Edition
from digests.model.edition_story import Brief, EditionStory, LlmSentence, Sentence, Translation
from digests.model.ledger import TranslationFault
from digests.model.story import Story
from digests.summarise.lead import fits_limit, make_sentence
from digests.summarise.openings import first_sentences
from digests.summarise.readable import ENDING, TABLES, stands_alone, words_for_language
from watcher.model import Article
from watcher.text.language import may_be_in
from watcher.text.number_words import parse_number_words
from watcher.text.words import POSSESSIVE, WORD, fold, is_unspaced, stem, stems, words

JOINED_NUMBERS = re.compile(r"(?<!\w)\d{1,4}[-–]\d{1,4}(?!\w)")  # "3-1": a result keeps its order
SCALED = re.compile(r"[ \u00a0\u202f-]?([^\W\d_]+)(?:[ \u00a0\u202f]([^\W\d_]+))?")
QUOTES = re.compile("[“”„‟«»]")  # given to an engine as straight ones, which models know best
TRANSLATION_MARKUP = re.compile(r"https?:|www\.|[<>{}|`\\]|\]\(", re.IGNORECASE)
SENTENCE_START = re.compile(r"(?:^|[.!?:;…–—|/])[\W_]*$|[\"“„«‘'(\[]$")
PARTICLES = frozenset("da de del della den der des di do dos du e el la las le los van von y".split())
MAX_LENGTH_FACTOR, LENGTH_ROOM = 3, 40  # of a translation: a model that repeats itself exceeds them
MIN_COPIED_WORDS = 3  # of a translation without a word of its own: two may be the same in both languages
MIN_COGNATE_LIKENESS = 0.6  # of a word of an institution and its cognate: "Senado" and "Senate"
MAX_CAPITALS = 0.6  # share of a text's words with a capital: above it, capitals mark no names
MAX_PROMPT_REPORTS = 6  # independent reports in the prompt
PROMPT_TEXT_CHARS = 3000  # of a text
MIN_SUMMARY_REPORTS = 2  # with fewer, no summary is written
MAX_ANSWER_SENTENCES = 3  # sentences kept of an answer
MAX_ANSWER_SENTENCE_CHARS = 320  # characters of one
MIN_SUPPORT = 0.75  # share of a sentence's stems that its sources must have
CITATIONS = re.compile(r"(?:\[\d{1,3}(?:\s{0,3},\s{0,3}\d{1,3}){0,30}\]\s{0,3}){1,9}[.。]?\s*$")
SOURCES_END = re.compile(r"(?<=\])([.。]?) +(?=[^\s\[])")  # after its sources, if a model continues on the same line
NEGATION = re.compile(TABLES["llm"]["negation"], re.IGNORECASE)  # a sentence may negate only what its sources negate
ANSWER_MARKUP = re.compile(r"https?:|www\.|[<>{}|`*#_\\]|\]\(")


def find_translation_fault(text: str, translation: str, *, source: str, target: str) -> TranslationFault | None:
    """
    Return why a translation of `text` is not shown; None if it is.

    It is in the language `target`, and has the figures of the text and no others, its countries and names, and its
    negation if any. A name is a word that is capitalised within a sentence. It is looked for if the translation is in
    the same script; of several words, half must be there.
    """
    if not translation or len(translation) > MAX_LENGTH_FACTOR * len(text) + LENGTH_ROOM:
        return TranslationFault.LENGTH
    has_more_markup = len(TRANSLATION_MARKUP.findall(translation)) > len(TRANSLATION_MARKUP.findall(text))
    if has_more_markup or translation.count('"') != text.count('"'):
        return TranslationFault.MARKUP
    if (fault := _find_language_fault(text, translation, target)) is not None:
        return fault
    if {_has_negation(text, source), _has_negation(translation, target)} == {True, False}:
        return TranslationFault.NEGATION
    if not _have_same_figures((text, source), (translation, target)):
        return TranslationFault.NUMBERS
    if not countries_in(text, source) <= countries_in(translation, target):
        return TranslationFault.NAMES
    translated_words = {word: POSSESSIVE.sub("", fold(word)) for word in WORD.findall(translation)}
    scripts = {script_of(word) for word in translated_words}
    has_names = all(
        2 * sum(_is_said(word, translated_words, source, target) for word in name) >= len(name)
        for name in _find_names(text, source)
        if script_of(name[0]) in scripts
    )
    return None if has_names else TranslationFault.NAMES


def _find_language_fault(text: str, translation: str, target: str) -> TranslationFault | None:
    """Return the fault of a translation that has mostly the words of `text`, in any order, or is in no `target`."""
    written = words(text)
    known = {fold(word) for word in written}
    # A word with a capital in both is a name: "Lula da Silva welcomes Macron" is Portuguese by its names.
    names = {fold(word) for word in written if word[:1].isupper()}
    plain_words = [word for word in words(translation) if not (word[:1].isupper() and fold(word) in names)]
    plain_words = [word for word in plain_words if not word[0].isdecimal()]
    new = [word for word in plain_words if fold(word) not in known]
    shared = len(plain_words) - len(new)
    # Languages that are alike share many words: Danish and Norwegian more than half of a sentence.
    is_copy = not new and shared >= MIN_COPIED_WORDS
    if shared > len(new) and (is_copy or not may_be_in(translation, target)):
        return TranslationFault.SAME_WORDS
    return None if may_be_in(" ".join(new), target) else TranslationFault.LANGUAGE


def _has_negation(text: str, language: str) -> bool | None:
    """Whether a text negates something; None if the language's words for that are unknown."""
    listed = TABLES["negations"].get(language)
    if listed is None:
        return None
    parts = {part for word in words(text) for part in re.split("['’]", fold(word))}
    return bool(parts & set(map(fold, listed.split()))) or bool(re.search("n['’]t\\b", text))


def _have_same_figures(*texts: tuple[str, str]) -> bool:
    """Whether two (text, language) have the same figures; one may spell out those of the other."""
    one, other = (Counter(figures(*text)) for text in texts)
    words_of_one, words_of_other = ({float(value) for value in parse_number_words(*text)} for text in texts)
    return set(one - other) <= words_of_other and set(other - one) <= words_of_one


def figures(text: str, language: str) -> Iterator[float | str]:
    """Yield the value of each number in digits ("1,5 milhões": 1500000.0), and a result such as "3-1" as it stands."""
    scales = scale_words(language)
    yield from (re.sub(r"\D+", "-", match.group()) for match in JOINED_NUMBERS.finditer(text))
    for match in NUMBER_IN_TEXT.finditer(text):
        value = float(normalize("".join(str(int(c)) if c.isdecimal() else c for c in match.group())))
        after = SCALED.match(text, match.end())
        for word in after.groups() if after else ():
            power = next((scales[each] for each in (fold(word or ""), (word or "")[:1]) if each in scales), None)
            if power is None:
                break
            value *= 10.0**power
        yield float(f"{value:.9g}")


@cache
def scale_words(language: str) -> Mapping[str, int]:
    """Return the words of a language that multiply a number before them, with the power of ten."""
    listed = (each.partition(":") for each in words_for_language("scales", language))
    return {fold(word): int(power) for power, _, joined in listed for word in joined.split(",")}


def _find_names(text: str, language: str) -> list[list[str]]:
    """Return the names in a text, each as its words; none where capitals mark no names, as in "A Title In Capitals"."""
    matches = list(WORD.finditer(text))
    capitals = sum(match.group()[:1].isupper() for match in matches)
    if language in languages_in("capital_nouns") or capitals > max(2, MAX_CAPITALS * len(matches)):
        return []
    names: list[list[str]] = []
    end, is_open = 0, False
    for match in matches:
        word = match.group()
        is_near = text[end : match.start()] in (" ", "-", "\u00a0")
        if word[:1].isupper() and not (len(word) == 1 or SENTENCE_START.search(text[: match.start()])):
            if is_open and is_near:
                names[-1].append(word)
            else:
                names.append([word])
            is_open = True
        elif not (is_near and word in PARTICLES):
            is_open = False
        end = match.end()
    return names


def _is_said(word: str, stated_words: Mapping[str, str], source: str, target: str) -> bool:
    """Whether a word of a name is in a translation; that of a country or city may be another, and is compared apart."""
    folded = POSSESSIVE.sub("", fold(word))
    if folded in stated_words.values():
        return True
    if folded in country_words(source) or any(place.is_city for place in load_gazetteer(source).find(word)):
        return True
    if word.isupper():  # "FMI" is IMF, "EUA" US
        others = {each for other, each in stated_words.items() if other.isupper()}
        alike = any(set(each) <= set(folded) and 0 <= len(folded) - len(each) <= 1 for each in others)
        return alike or TABLES["acronyms"].get(folded) in others
    cognates = words_for_language("cognates", target).intersection(stated_words.values())
    return any(SequenceMatcher(None, folded, cognate).ratio() >= MIN_COGNATE_LIKENESS for cognate in cognates)


@cache
def country_words(language: str) -> frozenset[str]:
    """Return the folded words of the names of countries in a language."""
    names = (country_name(code, language) for code in COUNTRY_CODES)
    return frozenset(fold(word) for name in names for word in words(name))


def script_of(word: str) -> str:
    """Return the script of a word's first letter, as the first word of that letter's name in Unicode."""
    return unicodedata.name(word[0], "").partition(" ")[0]


def translations_of(edition: Edition) -> tuple[Translation, ...]:
    """Return all translations that an edition shows."""
    sentences = [sentence for story in edition.stories for sentence in story.quoted]
    sentences += [sentence for event in edition.coming_up for sentence in event.sentences]
    shown: tuple[EditionStory | Brief | Sentence, ...] = (*edition.stories, *edition.all_briefs, *sentences)
    return tuple(each.translation for each in shown if each.translation)


def collect_prompt_sources(
    story: Story, articles: Mapping[str, Article], *, language: str, quoted: Sequence[Sentence] = ()
) -> tuple[Sentence, ...]:
    """Return sentences that a model may use, of independent reports in `language`; () if these are too few."""
    origins = [articles[key] for key in measure_coverage(story, articles).origins]
    reports = [a for a in origins if a.language == language and can_be_quoted(a)][:MAX_PROMPT_REPORTS]
    if len(reports) < MIN_SUMMARY_REPORTS:
        return ()
    sentences: list[Sentence] = []
    for article in reports:
        text = article.text[:PROMPT_TEXT_CHARS]
        spans = ((start, end) for start, end, is_clear in first_sentences(article, text) if is_clear)
        alone = (span for span in spans if stands_alone(text[slice(*span)], language))
        for start, end in alone:
            sentence = make_sentence(article, start, text[start:end])
            sentences += [sentence] if fits_limit(sentence, (*quoted, *sentences)) else []  # both are shown
    return tuple(sentences)


def build_prompt(sources: Sequence[Sentence], *, language: str, title: str) -> tuple[str, str]:
    """Return the system prompt and the user prompt: the title, then each sentence on a line with its number."""
    lines = [f"[{number}] {' '.join(source.text.split())}" for number, source in enumerate(sources, 1)]
    prompt = " ".join(TABLES["llm"]["prompt"].split()).format(language=language)
    return prompt, "\n".join([f"Event: {' '.join(title.split())}", "", *lines])


def supported_sentences(answer: str, sources: Sequence[Sentence], *, language: str) -> tuple[LlmSentence, ...]:
    """
    Return the sentences of an answer that their sources support, in order, at most `MAX_ANSWER_SENTENCES`.

    A sentence is kept if it cites existing sources, and these have all its numbers and names and nearly all of its
    words, and a negation if it has one. This rejects both invented sentences and those that a report tricked the model
    into writing.
    """
    kept: list[LlmSentence] = []
    for line in SOURCES_END.sub(r"\1\n", answer).splitlines()[:20]:
        cites = CITATIONS.search(line)
        if cites is None:
            continue
        text = " ".join(line[: cites.start()].split()).lstrip("-•– ").strip()
        numbers = {int(number) for number in re.findall(r"\d+", cites.group())}
        if not numbers or not all(1 <= number <= len(sources) for number in numbers):
            continue
        named = tuple(sources[number - 1] for number in sorted(numbers))
        ended = _with_end_mark(text, language)
        if is_supported(text, named, language=language) and all(ended != prose.text for prose in kept):
            kept.append(LlmSentence(text=ended, sources=named))
    return tuple(kept[:MAX_ANSWER_SENTENCES])


def is_supported(text: str, sources: Sequence[Sentence], *, language: str) -> bool:
    """Whether the sources support a sentence, judged by its words, names, numbers and negation."""
    if not 20 <= len(text) <= MAX_ANSWER_SENTENCE_CHARS or ANSWER_MARKUP.search(text):
        return False
    if not stands_alone(_with_end_mark(text, language), language):
        return False
    source_text = " ".join(source.text for source in sources)
    figures, known = (
        {re.sub(r"\D", "", number) for number in NUMBER_IN_TEXT.findall(each)} for each in (text, source_text)
    )
    if not figures <= known:
        return False
    if NEGATION.search(text) and not NEGATION.search(source_text):
        return False
    about = set(stems(text, language))
    if not about or len(about.intersection(stems(source_text, language))) < MIN_SUPPORT * len(about):
        return False
    if is_unspaced(text):
        return True
    spoken = {stem(fold(word)) for word in words(source_text)}
    names = [m.group() for m in WORD.finditer(text) if m.group()[:1].isupper() and m.start() > 0]
    return all(stem(fold(name)) in spoken for name in names)


def _with_end_mark(text: str, language: str) -> str:
    """Return a sentence, with an end mark added if the removal of its citations took it."""
    return text if ENDING.search(text) else f"{text}{'。' if is_unspaced(text) else '.'}"
