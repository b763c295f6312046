"""The first lines of an edition: what is big, what has changed and what reports disagree on, each word for word."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from digests.analysis.gazetteer import countries_in
from digests.analysis.rejections import has_rejections, says_rejection
from digests.analysis.select import can_be_quoted, display_length
from digests.analysis.titles import title_without_outlet
from digests.compose.context import ComposeContext
from digests.model.edition_story import EditionStory, GlanceLine, Sentence
from digests.settings.topics import LIGHT_TOPICS
from digests.summarise import readable
from digests.summarise.background import is_background
from digests.summarise.differences import is_one_aspect
from digests.summarise.figures import count_stating, read_figures, stated_figures, superseded_by_figures
from digests.summarise.headline import is_informative
from digests.summarise.lead import MIN_SHARE_TOLD, MIN_TITLE_WIDTH, SUMMARY_TEXT_CHARS, make_sentence
from digests.summarise.openings import MAX_OPENINGS, first_sentences
from digests.summarise.repetition import find_share_told
from watcher.model import Article
from watcher.text.page_kind import NEWS
from watcher.text.words import stems

MAX_LINE_WIDTH = 240  # of a line's text: five of them stay on one screen
MIN_COMMON_STEMS = 2  # words of the headline, that a line must have to be on the same event
MIN_STATING = 2  # outlets with a figure of a report that is neither under the headline nor quoted
TITLE_PART = re.compile(r"\s[-|•]\s")  # before another headline, a section or the name of a site
QuantityAndValue = tuple[str, float]  # of a figure
TOLD, CHANGED, DISPUTED = "told", "changed", "disputed"


def choose_glance_lines(stories: Sequence[EditionStory], context: ComposeContext) -> tuple[GlanceLine, ...]:
    """
    Return the first lines of an edition of `stories`: at most as the settings say, and one for each second story.

    The lead has one before all others. Of these, stories come first with a known or changed figure, with something new
    since the last edition, or on which reports disagree, and those on a light topic last. A story without news has no
    line, nor one whose line has the words of another one.
    """
    limit = min(context.digest.at_a_glance, len(stories) // 2)
    if not limit:
        return ()
    found = []
    for story in stories:
        if story.status != "quiet" and (line := _choose_line(story, context)):
            is_light = story.topic in LIGHT_TOPICS
            is_news = (line.kind != TOLD or bool(_figures(line))) and not is_light
            found.append((story.number != 1, not is_news, is_light, story.number, line))
    chosen: list[tuple[int, GlanceLine]] = []
    said: set[frozenset[str]] = set()
    for *_, number, line in sorted(found, key=lambda row: row[:4]):
        about = frozenset(stems(line.text, line.language))
        if len(chosen) < limit and about not in said:
            chosen.append((number, line))
            said.add(about)
    return tuple(line for _, line in sorted(chosen, key=lambda pair: pair[0]))


@dataclass(frozen=True, slots=True)
class _Reports:
    """The reports of a story that a line may be from, with full texts: none that is withheld, and no copies."""

    story: EditionStory
    articles: Mapping[str, Article]
    context: ComposeContext

    def find_lead(self, article: Article) -> GlanceLine | None:
        """
        Return the first sentence of a report that says more than its title; None if it needs the text before it, is
        long or cannot be read.
        """
        text, title = article.text[:SUMMARY_TEXT_CHARS], set(stems(article.title, article.language))
        spans = islice(first_sentences(article, text), MAX_OPENINGS)
        more = (span for span in spans if not title.issuperset(stems(text[span[0] : span[1]], article.language)))
        start, end, is_clear = next(more, (0, 0, False))
        sentence = make_sentence(article, start, text[start:end])
        quoted = next((each for each in self.story.quoted if replace(each, translation=None) == sentence), sentence)
        is_whole = is_clear and not end == SUMMARY_TEXT_CHARS < len(article.text)
        if not is_whole or not readable.stands_at_top(sentence.text, text[:start], article.language):
            return None
        return self._accept(_make_line(self.story, quoted, offset=start))

    def find_title(self, article: Article) -> GlanceLine | None:
        """Return the title of a report; None if it is the story's headline, which stands below, or cannot be read."""
        title = title_without_outlet(article)
        is_long_enough = display_length(title) >= MIN_TITLE_WIDTH and is_informative(title, article.language)
        if title == self.story.title or not is_long_enough or TITLE_PART.search(title):
            return None
        return self._accept(_make_line(self.story, make_sentence(article, 0, title), offset=None))

    def _accept(self, line: GlanceLine) -> GlanceLine | None:
        """
        Return a line that fits, that can be read, and that states no old figure and nothing that happened before the
        period; else None.
        """
        is_readable = line.translation is not None or self.context.can_read(line.language)
        is_old = superseded_by_figures(self.story.figure_changes)
        fits = display_length(line.shown_text) <= MAX_LINE_WIDTH and is_readable
        is_current = not (is_old(line.quote) or is_background(line.quote, self.context.window_start))
        return line if fits and is_current else None

    def _can_be_read_alone(self, line: GlanceLine) -> bool:
        """
        Whether a line tells some of its story's headline and names a country that it names: "during the attack" is no
        line on a school in Uganda. What is in another language than the headline cannot be compared, and can.
        """
        title, language = self.story.title, self.story.title_language
        if line.language != language:
            return True
        places = countries_in(title, language)
        share = find_share_told(title, line.text, language, self.context.frequencies.get(language, {}))
        return share >= MIN_SHARE_TOLD and not (places and places.isdisjoint(countries_in(line.text, language)))

    def find_lines(self, article: Article) -> Iterator[GlanceLine]:
        is_translated = any(each.article_id == article.id and each.translation for each in self.story.quoted)
        if is_translated or self.context.can_read(article.language):  # of another report, no line is accepted
            lines = filter(None, (self.find_lead(article), self.find_title(article)))
            yield from filter(self._can_be_read_alone, lines)

    def find_line_of(self, sentence: Sentence) -> GlanceLine | None:
        """Return a sentence of the story as a line if it is the first one of its report, else None."""
        article = self.articles.get(sentence.article_id)
        line = self.find_lead(article) if article else None
        return line if line and line.offset == sentence.offset and self._can_be_read_alone(line) else None


def _make_line(story: EditionStory, quoted: Sentence, *, offset: int | None) -> GlanceLine:
    names = ("text", "article_id", "outlet", "url", "language", "published_at", "translation")
    return GlanceLine(kind=TOLD, story=story.id, offset=offset, **{name: getattr(quoted, name) for name in names})


def _choose_line(story: EditionStory, context: ComposeContext) -> GlanceLine | None:
    """
    Return the line of a story: with figures that differ or changed if it has some, else with what is new in it, since
    the last edition or during the period.
    """
    own = context.load_full_texts(key for key in story.article_ids if key in context.articles)
    told = {sentence.article_id for sentence in story.quoted} | {key for key in own if own[key].url == story.url}
    copies = {mention.article_id for mention in story.mentions if mention.copy_of} - told
    own = {key: own[key] for key in own.keys() - copies - story.withheld if can_be_quoted(own[key])}
    own = {key: article for key, article in own.items() if article.kind == NEWS} or own  # an analysis only without news
    reports = _Reports(story, context.select_in_window(own), context)
    lines = chain(_lines_with_figures(reports), _lines_with_news(reports), _latest_line(reports), _told_lines(reports))
    return next(lines, None) or _headline_as_line(story, context)


def _lines_with_figures(reports: _Reports) -> Iterator[GlanceLine]:
    """
    Yield lines on figures on which reports disagree, then lines with the newest value of a figure that has changed.
    """
    story = reports.story
    for difference in story.differences:
        sentence = difference.details[0].sentences[0]
        if difference.disagrees and (line := reports.find_line_of(sentence)):
            yield replace(line, kind=DISPUTED, difference=difference)
    for change in story.figure_changes:
        after, newest = change.after, (change.quantity, change.after.value)
        stating = [each for each in reports.articles.values() if count_stating((each,), *newest)]
        stating.sort(key=lambda each: (each.id == after.mention.article_id, each.published_at, each.id), reverse=True)
        for line in (line for article in stating for line in reports.find_lines(article)):
            if newest in _figures(line):
                yield replace(line, kind=CHANGED, figure_change=change)


def _lines_with_news(reports: _Reports) -> Iterator[GlanceLine]:
    """Yield lines with numbers that have changed, then lines that are new since the last edition."""
    for number in (*reports.story.number_changes, *reports.story.turn_figures):
        if line := reports.find_line_of(number.sentence_after):
            yield replace(line, kind=CHANGED, number_change=number)
    for sentence in reports.story.updates:
        if line := reports.find_line_of(sentence):
            yield replace(line, kind=CHANGED)


def _latest_line(reports: _Reports) -> Iterator[GlanceLine]:
    """Yield the headline of the latest report of a story; not of the lead, of which the top says what is big."""
    latest = reports.story.latest
    article = reports.context.articles.get(latest.article_id) if latest and reports.story.number != 1 else None
    if article and can_be_quoted(article) and (line := reports.find_title(article)):
        yield line


def _told_lines(reports: _Reports) -> Iterator[GlanceLine]:
    """
    Yield the lines of a story's reports, best first: one that rejects a claim if several outlets do so in their titles,
    then those with a figure, then those of the report with the headline or one that is quoted, then those of others
    with most words of the headline. A sentence that is quoted, which stands below, comes behind another line of its
    report and a later one of others.

    A figure must be the headline's if that has one, and the latest one that the reports state, and of others, be stated
    by several outlets and not before all reports with the headline and the quoted sentences, which may have overtaken
    it.
    """
    story, articles = reports.story, reports.articles.values()
    quoted = {(sentence.article_id, sentence.offset): sentence.published_at for sentence in story.quoted}
    primary = {key for key, _ in quoted}
    primary |= {article.id for article in articles if article.url == story.url}
    headline = frozenset(stems(story.title, story.title_language))
    title = _find_headline(story, reports.context)
    told = {figure.quantity: figure.value for figure in (read_figures(title) if title else ())}
    stated = [(article, (each.quantity, each.value)) for article in articles for each in stated_figures(article)]
    is_disputed = bool(story.rejected) or has_rejections([reports.context.articles[key] for key in story.article_ids])
    since = min((article.published_at for article in articles if article.id in primary), default=story.first_seen_at)
    found = []
    for article in sorted(articles, key=lambda each: each.id):
        is_primary = article.id in primary
        for line in reports.find_lines(article):
            about, figures = frozenset(stems(line.text, line.language)), _figures(line)
            if is_disputed and says_rejection(line.text, line.language):
                line = replace(line, kind=DISPUTED)
            is_news = is_primary and (figures or line.kind == DISPUTED)
            is_on_event = is_news or is_one_aspect(headline, about)
            outlets = (len({report.outlet for report, known in stated if known == each}) for each in figures)
            is_known = is_primary or all(count >= MIN_STATING and article.published_at >= since for count in outlets)
            shared = len(headline & about)
            is_current = _has_latest_figures(line, stated) and all(
                told.get(what, value) == value for what, value in figures
            )
            if shared < MIN_COMMON_STEMS or not is_on_event or not is_known or not is_current:
                continue
            form = (line.offset is None, article.url != story.url) if is_primary else (-shared, False)
            is_late = line.published_at > max(quoted.values(), default=line.published_at)
            is_repeated = (line.article_id, line.offset) in quoted
            order = (
                line.kind != DISPUTED,
                not figures,
                not (is_primary or is_late),
                is_repeated,
                not is_primary,
                *form,
            )
            found.append((*order, -article.published_at.timestamp(), article.id, line))
    yield from (row[-1] for row in sorted(found, key=lambda row: row[:-1]))


def _has_latest_figures(line: GlanceLine, stated: Iterable[tuple[Article, QuantityAndValue]]) -> bool:
    """Whether no report that is later than that of a line states another figure for a quantity of the line."""
    values = dict(_figures(line))
    later = (figure for article, figure in stated if article.published_at > line.published_at)
    return all(values.get(quantity, value) == value for quantity, value in later)


def _headline_as_line(story: EditionStory, context: ComposeContext) -> GlanceLine | None:
    """Return the headline of the lead or of a story on no light topic, for which there is no other line."""
    headline = _find_headline(story, context)
    if headline is None or (story.number != 1 and story.topic in LIGHT_TOPICS):
        return None
    return _make_line(story, replace(headline, translation=story.translation), offset=None)


def _find_headline(story: EditionStory, context: ComposeContext) -> Sentence | None:
    own = (context.articles[key] for key in story.article_ids if key in context.articles)
    article = next((each for each in own if each.url == story.url and story.title in each.title), None)
    return make_sentence(article, 0, story.title) if article else None


def _figures(line: GlanceLine) -> Sequence[QuantityAndValue]:
    """Return the figures that a line states."""
    return [(figure.quantity, figure.value) for figure in read_figures(line.quote)]
