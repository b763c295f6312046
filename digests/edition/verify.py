"""Verifies that an edition matches its sources: its texts, counts, times and places are compared with the articles."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from digests.analysis.corrections import apply_revisions, changed_pages
from digests.analysis.country_names import country_name
from digests.analysis.dates_ahead import days_of_report, find_date_ahead, find_put_off
from digests.analysis.notices import find_notices
from digests.analysis.rejections import find_rejected_claims, has_rejections, says_rejection
from digests.analysis.select import APART
from digests.analysis.story_countries import find_countries, select_told
from digests.analysis.story_coverage import Coverage, measure_coverage, with_owners
from digests.analysis.titles import title_without_outlet
from digests.cluster.item import make_item
from digests.cluster.near_duplicates import group_wire_copies
from digests.cluster.stories import join_rewritten
from digests.compose.changes import count_days
from digests.compose.rank import count_terms
from digests.compose.reading_time import reading_time
from digests.compose.story import classify_trend, count_in_eighths
from digests.model.coming_event import ComingEvent
from digests.model.edition import Correction, Edition
from digests.model.edition_story import (
    Brief,
    EditionStory,
    FigureChange,
    FigureReport,
    GlanceLine,
    Notice,
    Sentence,
    SourceMention,
    Translation,
)
from digests.model.ledger import STORY_KINDS
from digests.model.story import Story, WireGroup
from digests.render.edition_view import edition_view
from digests.render.escape import sanitize_line
from digests.render.text import measure_reading_time
from digests.summarise.checks import QUOTES, find_translation_fault, is_supported, translations_of
from digests.summarise.figures import count_stating, read_figures, stated_figures
from digests.summarise.openings import first_sentences
from watcher.features.extract import extract_features
from watcher.model import Article, Revision
from watcher.text.language import UNKNOWN_LANGUAGE
from watcher.text.page_kind import COUNTED_OPINION, OPINION, WITHDRAWN
from watcher.text.sentences import sentences

ROUNDING = 1e-5  # of a score, which has six decimal places
QUOTED_TEXT_CHARS = (2000, 3000, 4000)  # of a text, by what quotes it: the sentence at the end may be cut there
YEARS = range(1970, 3000)  # of times that can be compared in any time zone
NO_REVISIONS: Mapping[str, Sequence[Revision]] = {}
Counted: TypeAlias = tuple[int, int, tuple[tuple[str, int], ...]]  # independent outlets, others, agencies with copies


class Fault(NamedTuple):
    """
    Something in an edition that its sources do not say.

    `where` is a place for a reader ("story 3, summary, sentence 2"), `text` what the edition says there. If it is not
    `is_certain`, the edition may have been right: what it was computed from may have changed or been deleted since.
    """

    where: str
    text: str
    message: str
    is_certain: bool = True


class Grouping(NamedTuple):
    """The articles of a story as reports, its coverage with them, and the agency of each article."""

    story: Story
    coverage: Coverage
    agencies: Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """
    What a store has of an edition's stories beside the articles.

    `is_original`: the edition is as it was made, or that cannot be known. Then differences from what may have changed
    since are not certain: how articles are grouped, the owners of outlets, and what retention deletes.
    """

    reports: Mapping[str, tuple[str, str | None]]  # by article: the first article of its report, and the agency
    owners: Mapping[str, str | None]  # by outlet
    began_at: Set[datetime]  # when articles, stories or threads began, of the times that the edition names
    translations: Set[str]  # of the edition's, those that are stored
    load_earlier: Callable[
        [], Mapping[str, EditionStory]
    ]  # the stories of the editions before, by id; called if needed
    is_original: bool


def verify(
    edition: Edition,
    texts: Mapping[str, Article],
    revisions: Mapping[str, Sequence[Revision]] = NO_REVISIONS,
    evidence: Evidence | None = None,
) -> tuple[Fault, ...]:
    """
    Return all faults, in the edition's order; empty if there are none.

    Each sentence must be a whole sentence of its article (in `texts` or `revisions`) at its offset, with that article's
    outlet, URL, time and language; each headline must be the title of the story's report at that link; the mentions
    must be one per outlet. The first lines must be such sentences or titles of reports, one a story. An
    event to come must be announced for its day. A changed number
    must be in both its sentences, a changed figure in both its reports, as the words say it, a correction in both
    versions of its article. Counts, times and the trend of a story must be those of its articles, and the ledger must
    add up. What depends on the grouping of articles is checked only with `evidence`.
    """
    return tuple(_Check(edition, texts, revisions, evidence).faults())


def find_impossible_times(edition: Edition) -> tuple[Fault, ...]:
    """Return a fault for an edition without a known time zone, or with a time that cannot be compared; else ()."""
    try:
        ZoneInfo(edition.timezone)
    except (KeyError, ValueError, OSError):
        return (Fault("the edition", edition.title, f"there is no time zone {edition.timezone[:40]!r}"),)
    times = (edition.window_start, edition.window_end, *(story.first_seen_at for story in edition.stories))
    times += tuple(turn.sentence.published_at for story in edition.stories for turn in story.turns)
    wrong = [moment for moment in times if moment.tzinfo is None or moment.year not in YEARS]
    return tuple(Fault("the edition", edition.title, f"{moment} is no time of an edition") for moment in wrong)


class _Check:
    def __init__(
        self,
        edition: Edition,
        texts: Mapping[str, Article],
        revisions: Mapping[str, Sequence[Revision]],
        evidence: Evidence | None,
    ) -> None:
        """Prepare all stored versions of each article, and the articles as they were when the edition was made."""
        self.edition, self.revisions, self.evidence = edition, revisions, evidence
        self.is_certain = evidence is None or not evidence.is_original
        self.versions = {key: [article] for key, article in texts.items()}
        for key in texts.keys() & revisions.keys():
            changed = (revision for revision in revisions[key] if revision.kind == "changed")
            article = texts[key]
            self.versions[key] += [
                replace(article, title=version.title or article.title, text=version.text or article.text)
                for version in changed
            ]
        # The articles as the edition was made from them.
        known = {
            key: [revision for revision in changes if revision.at < edition.window_end]
            for key, changes in revisions.items()
        }
        self.articles = dict(texts) | {revised.id: revised for revised in apply_revisions([*texts.values()], known)}
        self.changed_at = changed_pages(known)
        # Which articles a story counts is a choice of the settings: those that it has among its articles.
        apart = (article for article in self.articles.values() if article.kind in APART)
        self.articles |= {article.id: replace(article, kind=COUNTED_OPINION) for article in apart}
        withheld = {key for story in edition.stories for key in story.withheld if key in self.articles}
        self.articles |= {key: replace(self.articles[key], kind=WITHDRAWN) for key in withheld}

    def faults(self) -> Iterator[Fault]:
        """Yield what in the edition is not true of the articles, from its first line to the ledger."""
        edition = self.edition
        yield from self.glance_lines()
        for story in edition.stories:
            yield from self.story(story)
            for brief in story.related:
                yield from self.brief(brief)
        for brief in (*edition.briefs, *edition.ended):
            yield from self.brief(brief)
        for number, event in enumerate(edition.coming_up, 1):
            yield from self.coming_event(f"coming up {number}", event)
        for correction in edition.corrections:
            yield from self.correction(correction)
        yield from self.ledger()

    def glance_lines(self) -> Iterator[Fault]:
        """Check the first lines: each quotes a report of its story, and its figures are among those of the story."""
        stories = {story.id: story for story in self.edition.stories}
        order = [story.id for story in self.edition.stories]
        lines = self.edition.at_a_glance
        for number, line in enumerate(lines, 1):
            where = f"first line {number}"
            if (story := stories.get(line.story)) is None:
                yield Fault(where, line.text, f"the edition has no story {line.story}")
                continue
            if number > 1 and lines[number - 2].story in order[order.index(line.story) :]:
                yield Fault(where, line.text, "the lines are not in the order of their stories, one a story")
            yield from self.glance_line(where, line, story)

    def glance_line(self, where: str, line: GlanceLine, story: EditionStory) -> Iterator[Fault]:
        """Yield what is wrong with a line of "at a glance"; `where` names the line for the user."""
        if line.article_id not in (*story.article_ids, story.latest and story.latest.article_id):
            yield Fault(where, line.text, "its article is not in the story")
        if line.article_id in story.withheld:
            yield Fault(where, line.text, "its report was corrected, taken back or rejected by others")
        if line.offset is not None:
            yield from self.sentence(where, line.quote)
        elif versions := self.versions.get(line.article_id, ()):
            titles = {title for version in versions for title in (version.title.strip(), title_without_outlet(version))}
            if line.text not in titles:
                yield Fault(where, line.text, f"the title of its article is another one, “{versions[0].title}”")
            yield from self.source(where, line.text, line, versions[0])
            yield from self.translation(where, line.text, line.language, line.translation)
        else:
            yield Fault(where, line.text, f"its article {line.article_id} is not stored", self.is_certain)
        shown = (
            (line.figure_change, story.figure_changes),
            (line.number_change, (*story.number_changes, *story.turn_figures)),
            (line.difference, [difference for difference in story.differences if difference.disagrees]),
        )
        if any(figure is not None and figure not in of_story for figure, of_story in shown):
            yield Fault(where, line.text, "the story does not have its figure")
        if change := line.figure_change:
            figures = read_figures(line.quote)
            if (change.quantity, change.after.value) not in [(each.quantity, each.value) for each in figures]:
                yield Fault(where, line.text, f"it does not state the figure {change.after.text}")
        phrases = [line.number_change.after] if line.number_change else []
        phrases += [line.difference.details[0].text] if line.difference else []
        for phrase in phrases:
            if phrase not in line.text:
                yield Fault(where, line.text, f"it does not contain {phrase}")
        yield from self.glance_kind(where, line, story)

    def glance_kind(self, where: str, line: GlanceLine, story: EditionStory) -> Iterator[Fault]:
        """Check that the story has changed, or that reports differ or reject a claim, if a line says so."""
        if line.kind == "changed" and not (line.figure_change or line.number_change or line.quote in story.updates):
            yield Fault(where, line.text, "it is given as changed, and is not new in the story")
        if line.kind == "disputed" and not line.difference:
            reports = [self.articles[key] for key in story.article_ids if key in self.articles]
            if not says_rejection(line.text, line.language) or not (story.rejected or has_rejections(reports)):
                yield Fault(
                    where, line.text, "it is given as disputed, and the reports reject nothing", self.is_certain
                )

    def coming_event(self, where: str, event: ComingEvent) -> Iterator[Fault]:
        """Check that an event's sentences are those of their reports, and that its days are those that they say."""
        sentence = event.sentence
        yield from self.sentence(where, sentence)
        if article := self.articles.get(sentence.article_id):
            days = days_of_report(article.published_at, article.country)
            date_ahead = find_date_ahead(sentence.text, sentence.language, days, article.country)
            announced = date_ahead.in_zone(ZoneInfo(self.edition.timezone)) if date_ahead else (None, None, None)
            is_moved = event.moved_from is not None and announced[0] == event.moved_from
            if announced != (event.on, event.until, event.begins_at) and not is_moved:
                yield Fault(where, sentence.text, f"it does not announce an event for {event.moved_from or event.on}")
        if event.until < event.on or event.is_over(self.edition.local_date):
            yield Fault(where, sentence.text, f"{event.on} to {event.until} are no days to come")
        change = event.change
        kind = "announced" if change is None else "moved" if event.kind == "moved" else "off"
        yield from self.equal(where, sentence.text, "kind", event.kind, kind)
        if change is None:
            return
        yield from self.sentence(where, change)
        if article := self.articles.get(change.article_id):
            named = find_put_off(change.text, change.language, days_of_report(article.published_at, article.country))
            if named is None or (kind == "moved" and event.on not in named):
                yield Fault(where, change.text, "it does not say that the event is put off, or not to that day")

    def story(self, story: EditionStory) -> Iterator[Fault]:
        """Yield what is wrong with a story that is shown in full."""
        place, versions = f"story {story.number}", self.versions
        yield from self.headline(place, story, story.title_language)
        for part, cited in (("summary", story.summary), ("since the last edition", story.updates)):
            for number, sentence in enumerate(cited, 1):
                where = f"{place}, {part}, sentence {number}"
                if sentence.article_id not in story.article_ids:
                    yield Fault(where, sentence.text, "its article is not in the story")
                yield from self.sentence(where, sentence)
        for turn in story.turns:
            yield from self.sentence(f"{place}, {turn.day}", turn.sentence)
            local = turn.sentence.published_at.astimezone(ZoneInfo(self.edition.timezone))
            yield from self.equal(f"{place}, {turn.day}", turn.sentence.text, "day", turn.day, local.date())
        yield from self.llm_sentences(place, story)
        for figure in (*story.number_changes, *story.turn_figures):
            where = f"{place}, figure {figure.before} → {figure.after}"
            for value, sentence in ((figure.before, figure.sentence_before), (figure.after, figure.sentence_after)):
                yield from self.sentence(where, sentence)
                if value not in sentence.text:
                    yield Fault(where, sentence.text, f"it does not contain {value}")
            if figure.what not in figure.sentence_after.text:
                yield Fault(where, figure.sentence_after.text, f"it does not contain {figure.what}")
        for change in story.figure_changes:
            yield from self.figure_change(place, change, story)
        for detail in (detail for difference in story.differences for detail in difference.details):
            for sentence in detail.sentences:
                yield from self.sentence(f"{place}, {detail.text}, {sentence.outlet}", sentence)
            if detail.text not in detail.sentences[0].text:
                yield Fault(place, detail.text, "it is not in its sentence")
        yield from self.named_reports(place, story)
        for comment in story.comments:
            yield from self.comment(f"{place}, comment of {comment.outlet}", comment, story)
        yield from self.withheld(place, story)
        yield from self.score(place, story)
        counts = f"{story.outlets} outlets, {story.independent} independent, {story.folded} folded"
        if story.independent + story.folded != story.outlets:
            yield Fault(place, counts, "independent and folded do not add up to the outlets")
        if len({mention.outlet for mention in story.mentions}) != story.outlets or len(story.mentions) != story.outlets:
            yield Fault(place, counts, f"but {len(story.mentions)} sources are named")
        if not story.article_ids:
            yield Fault(place, counts, "it has no article")
        elif missing := [key for key in story.article_ids if key not in versions]:
            yield Fault(
                place,
                counts,
                f"{len(missing)} of its {len(story.article_ids)} articles are not stored",
                self.is_certain,
            )
        else:
            yield from self.counts(place, story)
            yield from self.places(place, story)
            yield from self.times(place, story)

    def named_reports(self, at: str, story: EditionStory) -> Iterator[Fault]:
        """Check the reports that a story names, and the headlines of others that it tells."""
        for mention in (
            *story.mentions,
            *story.headlines,
            *((story.latest,) if story.latest else ()),
            *(perspective.mention for perspective in story.perspectives),
        ):
            where = f"{at}, source {mention.outlet}"
            if mention is not story.latest and mention.article_id not in story.article_ids:
                yield Fault(where, mention.title, "its article is not in the story")
            yield from self.mention(where, mention)
        for voice in story.perspectives:
            name = voice.mention.outlet if voice.group == "outlet" else voice.mention.country
            yield from self.equal(at, voice.mention.title, f"{voice.group} of another angle", voice.name, name)
        if len({mention.outlet for mention in story.headlines}) != len(story.headlines):
            yield Fault(at, story.headline, "two of its further headlines are of one outlet")
        told_at = [s.published_at for s in story.summary] + [mention.published_at for mention in story.headlines]
        if story.latest and told_at and story.latest.published_at <= max(told_at):
            yield Fault(at, story.latest.title, "it is not later than what tells the story")

    def counts(self, place: str, story: EditionStory) -> Iterator[Fault]:
        """
        Check what a story says of all its articles together: its numbers, its outlets, who is silent, and which reports
        are independent. These depend on which reports are copies: one of `groupings` must give the story's counts.
        """
        articles = [self.articles[key] for key in story.article_ids]
        covered = measure_coverage(Story(id="", articles=story.article_ids, wire_groups=()), self.articles)
        values: tuple[tuple[str, object, object], ...] = (
            ("number of articles", story.articles, len(articles)),
            ("number of outlets", story.outlets, len(covered.outlets)),
            ("languages", story.languages, covered.languages),
            ("countries of outlets", story.countries, covered.countries),
        )
        for name, stated, true in values:
            yield from self.equal(place, story.headline, name, stated, true)
        for outlet in {mention.outlet for mention in story.mentions}.symmetric_difference(covered.outlets):
            message = "no article of it is in the story" if outlet not in covered.outlets else "it is not named"
            yield Fault(place, outlet, message)
        for outlet in set(story.new_outlets).difference(article.outlet for article in articles):
            yield Fault(place, outlet, "it is given as a new outlet, but has no article in the story")
        for silence in story.silent:
            if silence.group == "country" and silence.name in {article.country for article in articles}:
                yield Fault(place, silence.name, "it is said not to report the story, and does")
        counts = (story.independent, story.folded, story.agencies)
        grouped = [
            (_counts_of(grouping.coverage), grouping) for grouping in self.groupings(story.article_ids, until=counts)
        ]
        if not grouped:
            return
        computed, grouping = next((pair for pair in grouped if pair[0] == counts), grouped[0])
        if computed != counts:
            names = "independent outlets, others, and copies by agency"
            yield from self.equal(place, story.headline, names, counts, computed, self.is_certain)
            return
        origins = {mention.article_id for mention in story.mentions if not mention.copy_of}
        for mention in story.mentions:
            texts = (set(report.articles) for report in grouping.story.wire_groups)
            is_copy = any({mention.article_id, mention.copy_of} <= keys for keys in texts)
            if mention.copy_of and not (is_copy and mention.copy_of in origins):
                yield Fault(f"{place}, source {mention.outlet}", mention.title, "it is no copy", self.is_certain)
            agency = grouping.agencies.get(mention.article_id)
            where = f"{place}, source {mention.outlet}"
            yield from self.equal(where, mention.title, "agency", mention.agency, agency, self.is_certain)
        terms = {term.name: term for term in story.score_terms}
        for term in count_terms(grouping.coverage):
            if term.name in terms:
                words = terms[term.name].words
                yield from self.equal(place, f"score {story.score}", term.name, words, term.words, self.is_certain)

    def withheld(self, at: str, story: EditionStory) -> Iterator[Fault]:
        """Check the notices of a story, and that no report that they concern, or that others reject, is told."""
        story_of_all = Story(id="", articles=story.article_ids, wire_groups=())
        names = ("kind", "text", "offset", "article_id", "published_at")
        notices = find_notices(story_of_all, self.articles, self.changed_at)
        said, true = (
            [[getattr(each, name) for name in names] for each in shown_notice]
            for shown_notice in (story.notices, notices)
        )
        # An edition of an earlier version has none.
        yield from self.equal(at, story.headline, "notices of outlets", said, true, self.is_certain)
        rejected = find_rejected_claims(story_of_all, self.articles).difference(
            *(each.withheld for each in story.notices)
        )
        stated, expected = sorted(story.rejected), sorted(rejected)
        yield from self.equal(at, story.headline, "reports that others reject", stated, expected, self.is_certain)
        for notice in story.notices:
            yield from self.notice(f"{at}, notice of {notice.outlet}", notice)
        message = "its report was corrected, taken back or rejected by others"
        for sentence in (*story.quoted, *(source for written in story.llm_sentences for source in written.sources)):
            if sentence.article_id in story.withheld:
                yield Fault(at, sentence.text, message)
        linked = self.versions_at_link(story)
        if linked and all(article.id in story.withheld for article in linked):
            yield Fault(f"{at}, headline", story.title, message)

    def notice(self, where: str, notice: Notice) -> Iterator[Fault]:
        """Yield what is wrong with a notice, which quotes an outlet that corrects itself."""
        versions = self.versions.get(notice.article_id, ())
        if not versions:
            yield Fault(where, notice.text, f"its article {notice.article_id} is not stored", self.is_certain)
            return
        start = notice.offset
        texts = (
            version.title.strip() if start is None else version.text[start:][: len(notice.text)] for version in versions
        )
        if notice.text not in texts:
            yield Fault(where, notice.text, "it is not in its article")
        for name in ("outlet", "url", "language"):
            yield from self.equal(where, notice.text, name, getattr(notice, name), getattr(versions[0], name))

    def places(self, place: str, story: EditionStory) -> Iterator[Fault]:
        """Yield a fault if the countries of a story are not those that its articles show."""
        names = tuple(country_name(code, self.edition.language) for code in story.place_codes)
        yield from self.equal(place, story.headline, "names of its countries", story.places, names)
        groupings = self.groupings(story.article_ids)
        texts = [(story.title, story.title_language), *((each.text, each.language) for each in story.quoted)]
        about = (find_countries(grouping.story, self.articles) for grouping in groupings)
        if self.evidence is None or any(story.place_codes in (codes, select_told(codes, texts)) for codes in about):
            return
        earlier = self.evidence.load_earlier().get(story.earlier_story)
        if earlier is None or earlier.place_codes != story.place_codes:
            named = ", ".join(story.places) or "no country"
            yield Fault(place, story.headline, f"its articles do not show that it is about {named}", self.is_certain)

    def times(self, place: str, story: EditionStory) -> Iterator[Fault]:
        """Check the times of a story, and what is counted from them: its day, sparkline and trend."""
        edition, title = self.edition, story.headline
        times = [self.articles[key].published_at for key in story.article_ids]
        counts = count_in_eighths(times, start=edition.window_start, end=edition.window_end)
        local_end = edition.window_end.astimezone(ZoneInfo(edition.timezone))
        for name, stated, true in (
            ("time of the last report", story.updated_at, max(times)),
            ("number of articles by time", story.sparkline, counts),
            ("trend", story.trend, classify_trend(counts)),
            ("day", story.day, count_days(story.first_seen_at, edition.local_date, local_end)),
        ):
            yield from self.equal(place, title, name, stated, true)
        if story.status == "new" and (story.updates or story.number_changes or story.new_outlets):
            yield Fault(place, title, "it is given as new, and as changed since the last edition")
        first = story.first_seen_at
        if first > min(times):
            yield Fault(place, title, f"it is said to begin at {first}, but its first article is from {min(times)}")
        elif self.evidence and first not in {min(times), *self.evidence.began_at}:
            earlier = self.evidence.load_earlier().get(story.earlier_story)
            if earlier is None or earlier.first_seen_at != first:
                message = f"day {story.day}, since {first}: no stored article or story began then"
                yield Fault(place, title, message, self.is_certain)

    def groupings(self, ids: tuple[str, ...], until: Counted | None = None) -> Iterator[Grouping]:
        """
        Yield the ways to group articles into reports and their copies: as the store has it, then by their texts, each
        with the owners of outlets as known today, then without; the last is the first one with the counts `until`.
        """
        if self.evidence is None:
            return
        owned = {
            article.id: article for article in with_owners((self.articles[key] for key in ids), self.evidence.owners)
        }
        for find_reports in (self._stored_reports, self._found_reports):
            reports = find_reports(ids)
            story = Story(id="", articles=ids, wire_groups=reports)
            for articles in (owned, self.articles):
                coverage = measure_coverage(story, articles)
                agencies = {key: report.agency for report in reports for key in report.articles}
                yield Grouping(story, coverage, agencies)
                if until == _counts_of(coverage):
                    return

    def _stored_reports(self, ids: tuple[str, ...]) -> tuple[WireGroup, ...]:
        """Return the wire groups of these articles as the store has them; an article that it does not know is alone."""
        known = self.evidence.reports if self.evidence else {}
        place = {key: number for number, key in enumerate(ids)}
        members: defaultdict[tuple[str, str | None], list[str]] = defaultdict(list)
        for key in sorted(ids, key=lambda key: known.get(key, (key, None))[0] != key):  # origins first
            members[known.get(key, (key, None))].append(key)
        groups = (WireGroup(articles=tuple(keys), agency=agency) for (_, agency), keys in members.items())
        return tuple(sorted(groups, key=lambda group: min(place[key] for key in group.articles)))

    def _found_reports(self, ids: tuple[str, ...]) -> tuple[WireGroup, ...]:
        items = []
        for article in (self.articles[key] for key in ids):
            features = extract_features(article.id, title=article.title, text=article.text, language=article.language)
            items.append(make_item(article, features))
        return tuple(join_rewritten(group_wire_copies(items), {key: number for number, key in enumerate(ids)}))

    def llm_sentences(self, at: str, story: EditionStory) -> Iterator[Fault]:
        """Check the sentences of a model: they cite sentences of reports, which support them."""
        for number, written in enumerate(story.llm_sentences, 1):
            where = f"{at}, LLM sentence {number}"
            if not written.sources:
                yield Fault(where, written.text, "it cites no source")
            for sentence in written.sources:
                yield from self.sentence(f"{where}, source {sentence.outlet}", sentence)
            # A mark at its end may have been added after the check.
            forms = (written.text, written.text[:-1])
            if not any(is_supported(text, written.sources, language=self.edition.language) for text in forms):
                yield Fault(where, written.text, "its sources do not support it", self.is_certain)

    def brief(self, brief: Brief) -> Iterator[Fault]:
        """Yield what is wrong with a story that is shown in one line."""
        yield from self.headline("brief", brief, brief.language)
        linked = self.versions_at_link(brief)
        if linked and all(article.outlet != brief.outlet for article in linked):
            yield from self.equal("brief", brief.title, "outlet", brief.outlet, linked[0].outlet)
        is_line = brief.quiet_days is not None  # of a followed story: it names one article, whatever its thread has
        if is_line or any(key not in self.articles for key in brief.article_ids):
            return
        covered = measure_coverage(Story(id="", articles=brief.article_ids, wire_groups=()), self.articles)
        yield from self.equal("brief", brief.title, "number of outlets", brief.outlets, len(covered.outlets))
        counts = []
        for grouping in self.groupings(brief.article_ids):
            counts.append(len(grouping.coverage.independent))
            if brief.independent == counts[-1]:
                return
        if counts:
            name = "number of independent outlets"
            yield from self.equal("brief", brief.title, name, brief.independent, counts[0], self.is_certain)

    def correction(self, correction: Correction) -> Iterator[Fault]:
        """Yield what is wrong with a correction, which says that an article cited before was changed or is gone."""
        where = f"correction, {correction.outlet}"
        versions, revisions = (
            self.versions.get(correction.article_id, ()),
            self.revisions.get(correction.article_id, ()),
        )
        if not versions:
            yield Fault(where, correction.before, f"its article {correction.article_id} is not stored", self.is_certain)
            return
        texts = [f"{version.title}\n{version.text}" for version in versions]
        if not any(correction.before in text for text in texts):
            yield Fault(where, correction.before, "it is not in its article")
        if correction.after and not any(correction.after in text for text in texts[1:]):
            yield Fault(where, correction.after, "no stored version of its page says so")
        if correction.kind == "gone" and all(revision.kind != "gone" for revision in revisions):
            yield Fault(where, correction.before, "its page was never found to be gone")
        for name in ("outlet", "url", "language"):
            yield from self.equal(where, correction.before, name, getattr(correction, name), getattr(versions[0], name))
        if correction.noticed_at not in {revision.at for revision in revisions}:
            yield Fault(where, correction.before, f"no change of its page was noticed at {correction.noticed_at}")

    def score(self, at: str, story: EditionStory) -> Iterator[Fault]:
        """Check that a score is the sum of its terms, and that the terms for counts match the counts."""
        stated = f"score {story.score}"
        if abs(story.score - sum(term.value * term.weight for term in story.score_terms)) > ROUNDING:
            yield Fault(at, stated, "it is not the sum of its terms")
        counts = {"independent": story.independent, "carried": story.outlets}
        counts |= {"languages": len(story.languages), "countries": len(story.countries)}
        for term in story.score_terms:
            count = counts.get(term.name)
            if count is not None and abs(term.value - math.log2(max(count, 1))) > ROUNDING:
                yield Fault(at, stated, f"its term {term.name} does not match the count {count}")

    def sentence(self, where: str, sentence: Sentence) -> Iterator[Fault]:
        """Yield what is wrong with a quoted sentence: it is not in its article, or is not a whole sentence of it."""
        versions = self.versions.get(sentence.article_id, ())
        if not versions:
            yield Fault(where, sentence.text, f"its article {sentence.article_id} is not stored", self.is_certain)
            return
        start, end = sentence.offset, sentence.offset + len(sentence.text)
        stands = start >= 0 and bool(sentence.text)
        same = [version for version in versions if stands and version.text[start:end] == sentence.text]
        if not same:
            has_moved = sentence.text and any(sentence.text in version.text for version in versions)
            elsewhere, nowhere = "it is at another place in its article", "it is not in its article"
            yield Fault(where, sentence.text, elsewhere if has_moved else nowhere)
        elif not any(_is_whole(version, start, end) for version in same):
            whole = same[0].text[max(0, start - 60) : end + 60].replace("\n", " ")
            yield Fault(where, sentence.text, f"it is not a whole sentence of its article: “…{whole}…”")
        yield from self.source(where, sentence.text, sentence, versions[0])
        yield from self.translation(where, sentence.text, sentence.language, sentence.translation)

    def mention(self, where: str, mention: SourceMention) -> Iterator[Fault]:
        """Yield what is wrong with a source that a story names."""
        versions = self.versions.get(mention.article_id, ())
        if not versions:
            yield Fault(where, mention.title, f"its article {mention.article_id} is not stored", self.is_certain)
            return
        article = next((version for version in versions if mention.title in _titles(version)), versions[0])
        if mention.title not in _titles(article):
            yield from self.equal(where, mention.title, "title", mention.title, article.title)
        yield from self.equal(where, mention.title, "country", mention.country, article.country)
        yield from self.source(where, mention.title, mention, article)

    def figure_change(self, at: str, change: FigureChange, story: EditionStory) -> Iterator[Fault]:
        """Check that both reports state their figure, the later one the newest, and how many outlets do so."""
        where = f"{at}, figure {change.quantity}"
        for report in (change.before, change.after):
            yield from self.figure_report(where, report, change.quantity)
        if change.after.mention.article_id not in story.article_ids:
            yield Fault(where, change.after.text, "its article is not in the story")
        if change.before.mention.published_at >= change.after.mention.published_at:
            yield Fault(where, change.before.text, "it is given as earlier, but its report is not")
        if change.before.value == change.after.value:
            yield Fault(where, change.after.text, "it is given as changed, but both figures are the same")
        if story.article_ids and self.articles.keys() >= set(story.article_ids):
            articles = [self.articles[key] for key in story.article_ids]
            outlets = count_stating(articles, change.quantity, change.after.value)
            yield from self.equal(where, change.after.text, "number of outlets", change.outlets, outlets)

    def figure_report(self, where: str, report: FigureReport, quantity: str) -> Iterator[Fault]:
        """Yield what is wrong with the report that is named for the value of a figure."""
        mention, versions = report.mention, self.versions.get(report.mention.article_id, ())
        if not versions:
            yield Fault(where, report.text, f"its article {mention.article_id} is not stored", self.is_certain)
            return
        if report.sentence is not None:
            yield from self.sentence(where, report.sentence)
            yield from self.equal(where, report.text, "article", report.sentence.article_id, mention.article_id)
        article = next((version for version in versions if mention.title in _titles(version)), versions[0])
        if mention.title not in _titles(article):
            yield from self.equal(where, report.text, "title", mention.title, article.title)
        yield from self.source(where, report.text, mention, article)
        stated = (figure for version in versions for figure in stated_figures(version))
        shown = (quantity, report.text, report.value, report.is_least, report.sentence is None)
        if shown not in [(each.quantity, each.phrase, each.value, each.is_least, each.is_title) for each in stated]:
            yield Fault(where, report.text, "its report does not state this figure")

    def comment(self, where: str, comment: SourceMention, story: EditionStory) -> Iterator[Fault]:
        """Yield what is wrong with a comment (an opinion piece on the story)."""
        versions = self.versions.get(comment.article_id, ())
        if not versions:
            yield Fault(where, comment.title, f"its article {comment.article_id} is not stored", self.is_certain)
            return
        if comment.article_id in story.article_ids:
            yield Fault(where, comment.title, "its article is counted as a report")
        if sum(each.outlet == comment.outlet for each in story.comments) > 1:
            yield Fault(where, comment.title, "its outlet is named twice")
        article = next((version for version in versions if comment.title in _titles(version)), versions[0])
        if comment.title not in _titles(article):
            yield from self.equal(where, comment.title, "title", comment.title, article.title)
        yield from self.equal(where, comment.title, "kind", OPINION, article.kind)
        yield from self.source(where, comment.title, comment, article)

    def source(
        self, where: str, text: str, cited: Sentence | SourceMention | GlanceLine, article: Article
    ) -> Iterator[Fault]:
        """Check the outlet, link, time and language that are given for an article."""
        for name, field in (("outlet", "outlet"), ("link", "url"), ("time", "published_at"), ("language", "language")):
            yield from self.equal(where, text, name, getattr(cited, field), getattr(article, field))

    def headline(self, where: str, shown: EditionStory | Brief, language: str) -> Iterator[Fault]:
        """Yield what is wrong with the headline of a story."""
        linked, place = self.versions_at_link(shown), f"{where}, headline"
        titles = [title for article in linked for title in _titles(article)]
        if not linked:
            is_certain = self.is_certain or self.versions.keys() >= set(shown.article_ids)
            yield Fault(place, shown.title, f"no article of the story is at {shown.url}", is_certain)
        elif not shown.title or shown.title not in titles:
            yield Fault(place, shown.title, f"the article at {shown.url} has another title, “{linked[0].title}”")
        elif all(article.language != language for article in linked):
            yield from self.equal(place, shown.title, "language", language, linked[0].language)
        yield from self.translation(place, shown.title, language, shown.translation)

    def translation(self, where: str, text: str, language: str, shown: Translation | None) -> Iterator[Fault]:
        """Check a translation: it keeps the facts of its original, and the engine has made it."""
        if shown is None:
            return
        yield from self.equal(where, text, "language of the original", shown.source, language)
        line = QUOTES.sub('"', sanitize_line(text))
        if find_translation_fault(line, shown.text, source=shown.source, target=shown.to):
            yield Fault(where, shown.text, f"the translation does not say the same as “{text}”", self.is_certain)
        elif self.evidence and shown.text not in self.evidence.translations:
            yield Fault(where, shown.text, "this translation is not stored", self.is_certain)

    def versions_at_link(self, shown: EditionStory | Brief) -> list[Article]:
        latest = [shown.latest.article_id] if isinstance(shown, EditionStory) and shown.latest else []
        keys = (*shown.article_ids, *latest)
        return [version for key in keys for version in self.versions.get(key, ()) if version.url == shown.url]

    def ledger(self) -> Iterator[Fault]:
        """Check that the counts of an edition are those of what it shows, and that they add up."""
        edition, ledger = self.edition, self.edition.ledger
        shown = edition.stories
        lines = (*edition.briefs, *(brief for story in shown for brief in story.related))
        followed = sum(brief.quiet_days is not None for brief in lines)
        left_out = sum(row.count for row in ledger.left_out if row.kind in STORY_KINDS)
        written = [story for story in shown if story.llm_sentences]
        texts = [*(story.headline for story in shown), *(brief.headline for brief in edition.briefs)]
        texts += [text for story in shown for text in story.told_texts]
        minutes = measure_reading_time(edition_view(edition))
        if edition.reading_minutes == reading_time(texts):  # 0.1.0 counted headlines and sentences alone
            minutes = edition.reading_minutes
        translated = len(translations_of(edition))
        sources = ledger.sources_ok + ledger.sources_unread + len(ledger.failing)
        for name, stated, true in (
            ("numbers of the stories", [story.number for story in shown], [*range(1, len(shown) + 1)]),
            ("minutes to read", edition.reading_minutes, minutes),
            ("number of stories in full", ledger.stories_shown, len(shown)),
            ("number of stories left out", ledger.counts["stories_left_out"], left_out),
            ("number of sources", ledger.sources_total, sources),
            ("number of summaries by a model", ledger.llm.written if ledger.llm else 0, len(written)),
            ("number of translations", ledger.translation.translated if ledger.translation else 0, translated),
        ):
            yield from self.equal("the foot", edition.title, name, stated, true)
        if not len(lines) - followed <= ledger.briefs_shown <= len(lines):
            message = f"{ledger.briefs_shown} stories in one line are counted, and {len(lines)} are shown"
            yield Fault("the foot", edition.title, message)
        for story in written:
            model = ledger.llm.model if ledger.llm else ""
            yield from self.equal(f"story {story.number}", story.headline, "model", story.llm_model, model)
        used = [self.articles[key] for story in shown for key in set(story.article_ids) if key in self.articles]
        for name, stated, least in (
            ("articles", ledger.articles, {article.id for article in used}),
            ("outlets", ledger.outlets, {article.outlet for article in used}),
            ("languages", ledger.languages, {article.language for article in used} - {UNKNOWN_LANGUAGE}),
            ("countries", ledger.countries, {article.country for article in used if article.country}),
        ):
            if stated < len(least):
                yield Fault(
                    "the foot", edition.title, f"{stated} {name} are counted, but its stories have {len(least)}"
                )

    def equal(
        self, where: str, text: str, name: str, stated: object, true: object, is_certain: bool = True
    ) -> Iterator[Fault]:
        if stated != true:
            yield Fault(where, text, f"{name}: {_plain(stated)}, expected {_plain(true)}", is_certain)


def _counts_of(coverage: Coverage) -> Counted:
    return len(coverage.independent), len(coverage.folded), coverage.agencies


def _plain(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(_plain, value)) or "none"
    return "none" if value in (None, "") else str(value)


def _titles(article: Article) -> tuple[str, ...]:
    """Return the title of an article as it stands, and as an edition shows it."""
    return article.title, article.title.strip(), title_without_outlet(article)


def _is_whole(article: Article, start: int, end: int) -> bool:
    starts, ends = _sentence_bounds(article)
    return start in starts and end in ends


@lru_cache(maxsize=256)
def _sentence_bounds(article: Article) -> tuple[Set[int], Set[int]]:
    """Return where the sentences of a text begin, with and without what stands before them, and where they end."""
    starts, ends = set[int](), set[int]()
    for chars in QUOTED_TEXT_CHARS:
        text = article.text[:chars]
        starts.update(start for start, _ in sentences(text, article.language))
        for start, end, _ in first_sentences(article, text):
            starts.add(start)
            ends.add(end)
    return starts, ends
