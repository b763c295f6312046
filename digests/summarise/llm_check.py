"""Summaries by a model: builds the prompt, and checks each sentence of the answer against the reports."""

import re
from collections.abc import Mapping, Sequence

from digests.analysis.coverage import measure_coverage
from digests.analysis.numbers import NUMBER
from digests.analysis.select import is_flagged
from digests.model import LlmSentence, Sentence, Story
from digests.summarise.lead import fits_limit, make_sentence
from digests.summarise.readable import ENDING, TABLES, dateline_length, stands_alone
from watcher.model import Article
from watcher.text.sentences import sentences
from watcher.text.words import WORD, fold, is_unspaced, stem, stems, words

MAX_REPORTS = 6  # independent reports in the prompt
READ_CHARS = 3000  # of a text
MIN_REPORTS = 2  # with fewer, no summary is written
MAX_SENTENCES = 3  # sentences kept of an answer
MAX_CHARS = 320  # characters of one
MIN_SUPPORT = 0.75  # share of a sentence's stems that its sources must have
CITATIONS = re.compile(r"(?:\[\d{1,3}(?:\s{0,3},\s{0,3}\d{1,3}){0,30}\]\s{0,3}){1,9}[.。]?\s*$")
SENTENCE_END = re.compile(r"(?<=\])([.。]?) +(?=[^\s\[])")  # after its sources, if a model continues on the same line
NEGATION = re.compile(TABLES["llm"]["negation"], re.IGNORECASE)  # a sentence may negate only what its sources negate
MARKUP = re.compile(r"https?:|www\.|[<>{}|`*#_\\]|\]\(")


def collect_prompt_sources(
    story: Story, articles: Mapping[str, Article], *, language: str, quoted: Sequence[Sentence] = ()
) -> tuple[Sentence, ...]:
    """Return sentences that a model may use, of independent reports in `language`; () for fewer than `MIN_REPORTS`."""
    origins = [articles[key] for key in measure_coverage(story, articles).origins]
    reports = [a for a in origins if a.language == language and not is_flagged(a) and a.text][:MAX_REPORTS]
    if len(reports) < MIN_REPORTS:
        return ()
    found: list[Sentence] = []
    for article in reports:
        text = article.text[:READ_CHARS]
        spans = ((start + dateline_length(text[start:end]), end) for start, end in sentences(text, language))
        alone = (span for span in spans if stands_alone(text[slice(*span)], language))
        for start, end in alone:
            sentence = make_sentence(article, start, text[start:end])
            found += [sentence] if fits_limit(sentence, (*quoted, *found)) else []  # both are shown
    return tuple(found)


def build_prompt(sources: Sequence[Sentence], *, language: str, title: str) -> tuple[str, str]:
    """Return the system prompt and the user prompt: the title, then each sentence on a line with its number."""
    lines = [f"[{number}] {' '.join(source.text.split())}" for number, source in enumerate(sources, 1)]
    prompt = " ".join(TABLES["llm"]["prompt"].split()).format(language=language)
    return prompt, "\n".join([f"Event: {' '.join(title.split())}", "", *lines])


def supported_sentences(answer: str, sources: Sequence[Sentence], *, language: str) -> tuple[LlmSentence, ...]:
    """
    Return the sentences of an answer that their sources support, in order, at most `MAX_SENTENCES`.

    A sentence is kept if it cites existing sources, and these have all its numbers and names and nearly all of its
    words, and a negation if it has one. This rejects both invented sentences and those that a report tricked the model
    into writing.
    """
    kept: list[LlmSentence] = []
    for line in SENTENCE_END.sub(r"\1\n", answer).splitlines()[:20]:
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
    return tuple(kept[:MAX_SENTENCES])


def is_supported(text: str, sources: Sequence[Sentence], *, language: str) -> bool:
    """Whether the sources support a sentence, judged by its words, names, numbers and negation."""
    if not 20 <= len(text) <= MAX_CHARS or MARKUP.search(text):
        return False
    if not stands_alone(_with_end_mark(text, language), language):
        return False
    said = " ".join(source.text for source in sources)
    figures, known = ({re.sub(r"\D", "", number) for number in NUMBER.findall(each)} for each in (text, said))
    if not figures <= known:
        return False
    if NEGATION.search(text) and not NEGATION.search(said):
        return False
    about = set(stems(text, language))
    if not about or len(about.intersection(stems(said, language))) < MIN_SUPPORT * len(about):
        return False
    if is_unspaced(text):
        return True
    spoken = {stem(fold(word)) for word in words(said)}
    names = [m.group() for m in WORD.finditer(text) if m.group()[:1].isupper() and m.start() > 0]
    return all(stem(fold(name)) in spoken for name in names)


def _with_end_mark(text: str, language: str) -> str:
    """Return a sentence, with an end mark added if the removal of its citations took it."""
    return text if ENDING.search(text) else f"{text}{'。' if is_unspaced(text) else '.'}"
