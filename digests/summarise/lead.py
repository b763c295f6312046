"""The headline of a story (the title of a report) and its summary (one to three sentences of one), word for word."""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from digests.analysis.coverage import measure_coverage
from digests.analysis.select import display_length, is_flagged
from digests.model import Sentence, Story
from digests.summarise.agreement import Agreement, total_support
from digests.summarise.angle import find_local_angles
from digests.summarise.readable import FIRST, dateline_length, stands_alone, words_for_language
from watcher.model import Article
from watcher.text.sentences import sentences
from watcher.text.words import fold, stems

MAX_WIDTH = 420  # of a summary, in narrow characters
MAX_SENTENCES = 3
FOREIGN_SENTENCES = 1  # of a summary in a language that cannot be shown to the reader
READ_CHARS = 4000  # of an article: a summary never comes from further down
READ_SENTENCES = 12
MAX_DATELINES = 2  # sentences that may begin with a dateline: the second where "Del. (AP)" was split
MAX_REPORTS = 12  # of one language, whose sentences are scored
FALLOFF = 0.82  # factor for each further sentence of an article: news says the main thing first
OLDEST_FACTOR = 0.9  # for the sentences of the first report; the last one has 1
HEADLINE_FACTOR = 1.15  # for the report whose title is the headline: they read well together
FEED_FACTOR = 0.8  # for a text from the feed only
MIN_REPETITION = 0.7  # share of a sentence's words in another one, from which on they say the same
MIN_NEW_WORDS = 3  # that a sentence must add to headline and summary
MIN_WORTH = 0.35  # of the first sentence's score that a further one must reach


@dataclass(frozen=True, slots=True)
class CandidateSentence:
    """A sentence that can stand alone, with its place, stems and score."""

    article: Article
    start: int
    text: str
    stems: frozenset[str]
    score: float

    @property
    def sentence(self) -> Sentence:
        return make_sentence(self.article, self.start, self.text)


def choose_summary(
    story: Story, articles: Mapping[str, Article], agreed: Agreement, *, languages: Sequence[str], title: str = ""
) -> tuple[Sentence, ...]:
    """
    Return the one to three sentences that best cover what the independent reports of `story` agree on, in their order.

    All are from one report, so that they read well; each is verbatim at its offset. They are in the first of
    `languages`, those that can be shown to the reader, that has a suitable report, else one sentence in the story's
    most frequent language. Empty if no sentence can stand alone. Sentences that only repeat the headline, `title`, are
    not used.
    """
    present = [articles[key] for key in story.articles if key in articles]
    for among, limit in reports_by_language(story, articles, languages):
        found = [(), *(_best_sentences(article, agreed, title, limit) for article in among[:MAX_REPORTS])]
        if best := max(found, key=lambda chosen: _selection_value(chosen, title, present)):
            return tuple(candidate.sentence for candidate in best)
    return ()


def reports_by_language(
    story: Story, articles: Mapping[str, Article], languages: Sequence[str]
) -> list[tuple[list[Article], int]]:
    """Return (reports, number of sentences to use) for each language: `languages` first, then the story's."""
    covered = measure_coverage(story, articles)
    order = [articles[key] for key in covered.origins]
    order += [articles[key] for key in story.articles if key in articles and key not in set(covered.origins)]
    plain = [article for article in order if not is_flagged(article)]
    order_of_languages = dict.fromkeys((*languages, *covered.languages))
    return [
        (
            [article for article in plain if article.language == language],
            MAX_SENTENCES if language in languages else FOREIGN_SENTENCES,
        )
        for language in order_of_languages
    ]


def find_candidates(article: Article, agreed: Agreement, *, limit: int = READ_SENTENCES) -> list[CandidateSentence]:
    """Return the scored sentences at an article's beginning that can stand alone, in order."""
    text = article.text[:READ_CHARS]
    found = []
    value = 1.0
    for at, (start, end) in enumerate(islice(sentences(text, article.language), limit)):
        if end == READ_CHARS < len(article.text):  # cut
            break
        if at < MAX_DATELINES:
            start += dateline_length(text[start:end])
        words = text[start:end]
        if stands_alone(words, article.language):
            about = stems(words, article.language)
            support = total_support(agreed, about, article.language) / math.sqrt(max(8, len(set(about))))
            found.append(CandidateSentence(article, start, words, frozenset(about), support * value))
        value *= FALLOFF
    return found


def make_sentence(article: Article, start: int, text: str) -> Sentence:
    """Return the sentence `text` of `article` at offset `start`, with its source."""
    same = {name: getattr(article, name) for name in ("outlet", "url", "published_at", "language")}
    return Sentence(text=text, article_id=article.id, offset=start, **same)


def is_repetition(about: Collection[str], said: Collection[str]) -> bool:
    """Whether a sentence with the stems `about` says little that `said` does not say."""
    if not about:
        return True
    new = len(set(about) - set(said))
    return new < MIN_NEW_WORDS or 1 - new / len(set(about)) >= MIN_REPETITION


def _selection_value(chosen: Sequence[CandidateSentence], title: str, present: Sequence[Article]) -> float:
    """Return the value of a report's sentences; less than their sum, or long reports would always win."""
    if not chosen:
        return 0.0
    article = chosen[0].article
    total = sum(candidate.score / (1 + at) for at, candidate in enumerate(chosen))
    of_headline = HEADLINE_FACTOR if title and title in article.title else 1.0
    return total * of_headline * _recency(article, present) * (FEED_FACTOR if article.from_feed else 1.0)


def _recency(article: Article, present: Sequence[Article]) -> float:
    """Return how late a report is in the story, from `OLDEST_FACTOR` to 1: later reports have later numbers."""
    first, last = present[0].published_at, present[-1].published_at
    late = (article.published_at - first) / (last - first) if last > first else 1.0
    return OLDEST_FACTOR + (1 - OLDEST_FACTOR) * late


def _best_sentences(article: Article, agreed: Agreement, title: str, limit: int) -> tuple[CandidateSentence, ...]:
    """Return the best sentences of one article, in its order, that fit and do not repeat the headline or each other."""
    chosen: list[CandidateSentence] = []
    said = set(stems(title or article.title, article.language))
    room = MAX_WIDTH
    for candidate in sorted(find_candidates(article, agreed), key=lambda c: (-c.score, c.start)):
        if len(chosen) == limit or (chosen and candidate.score < MIN_WORTH * chosen[0].score):
            break
        if display_length(candidate.text) <= room and not is_repetition(candidate.stems, said):
            chosen.append(candidate)
            said |= candidate.stems
            room -= display_length(candidate.text) + 1
    return tuple(sorted(chosen, key=lambda c: c.start))


MIN_TITLE_WIDTH, MAX_TITLE_WIDTH = 25, 110  # width of a headline that reads well
SEPARATORS = "|–—-•·:"


@dataclass(frozen=True, slots=True)
class Headline:
    """A headline, without the outlet's name at its end, and the article whose title it is."""

    text: str
    article: Article


def choose_headline(
    story: Story, articles: Mapping[str, Article], agreed: Agreement, *, languages: Sequence[str]
) -> Headline | None:
    """
    Return the title that best covers what the reports agree on, in the first of `languages`, those that can be shown
    to the reader, that has one, else in another. None if no article has a title.

    A local angle is chosen only if there is nothing else, whatever its language. Questions, teasers and titles too
    short or too long come last.
    """
    present = [articles[key] for key in story.articles if key in articles and articles[key].title.strip()]
    if not present:
        return None
    groups = [among for among, _ in reports_by_language(story, articles, languages)]
    angles = find_local_angles(story, articles)
    for among in (*([a for a in group if a.id not in angles] for group in groups), *groups):
        titled = [Headline(_without_outlet(article), article) for article in among if article.title.strip()]
        if titled:
            return max(titled, key=lambda h: (_score(h, agreed), -h.article.published_at.timestamp(), h.article.id))
    same = [article for article in present if article.language in languages] or present
    return Headline(_without_outlet(same[0]), same[0])


def is_informative(title: str, language: str) -> bool:
    """Whether a title says what happened, rather than asks, teases or breaks off."""
    if any(mark in title for mark in "?？؟") or title.rstrip().endswith(("…", "...", ":")):
        return False
    found = [word.replace("’", "'") for word in FIRST.findall(title)]
    low = [word.lower() for word in found[:2]]
    teases = words_for_language("tease", language)
    if low and (low[0] in teases or "-".join(low) in teases):
        return False
    return not words_for_language("person", language) & set(found)


def _without_outlet(article: Article) -> str:
    """Return the title without a separator and the outlet's name at its end."""
    title = article.title.strip()
    at = max(title.rfind(mark) for mark in SEPARATORS)
    if at <= 0 or display_length(title[:at].rstrip()) < MIN_TITLE_WIDTH / 2:
        return title
    tail = re.sub(r"\W", "", fold(title[at + 1 :]))
    outlet = re.sub(r"\W", "", fold(article.outlet))
    site = article.host.removeprefix("www.").split(":")[0]
    if tail and tail in {outlet, re.sub(r"\W", "", site), site.split(".")[0]}:
        return title[:at].rstrip(f"{SEPARATORS} ")
    return title


def _score(candidate: Headline, agreed: Agreement) -> float:
    """Return how well a title covers what the reports agree on, lowered for a poor form."""
    title, article = candidate.text, candidate.article
    about = set(stems(title, article.language))
    score = total_support(agreed, about, article.language) / math.sqrt(max(5, len(about)))
    wide = display_length(title)
    if wide < MIN_TITLE_WIDTH or len(about) < 3:
        score *= 0.4
    elif wide > MAX_TITLE_WIDTH:
        score *= max(0.4, MAX_TITLE_WIDTH / wide)
    if not is_informative(title, article.language):
        score *= 0.35
    if title.isupper() and len(title) > MIN_TITLE_WIDTH:
        score *= 0.6
    if title[0] in "\"“„«‘'":
        score *= 0.8
    return score
