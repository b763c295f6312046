"""Converts an edition to its view: the words, numbers and links that all formats show, each text sanitized."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import groupby, islice, pairwise

from digests.analysis.gazetteer import countries_in
from digests.analysis.topics import topic_title
from digests.model.coming_event import ComingEvent
from digests.model.edition import Correction, Edition, Section
from digests.model.edition_story import (
    Brief,
    Difference,
    EditionStory,
    FigureChange,
    FigureReport,
    GlanceLine,
    Notice,
    NumberChange,
    Perspective,
    Sentence,
    SourceMention,
    Translation,
)
from digests.model.ledger import LeftOutKind
from digests.render import view
from digests.render.escape import language_tag, safe_anchor, sanitize_line, sanitize_lines, text_direction, web_url
from digests.render.ledger import ledger_lines
from digests.render.localizer import Localizer, arrow_in, language_direction, localizer_for
from digests.settings.digests import MAX_QUIET_DAYS
from watcher.clean.agencies import agency_in, agency_of_site
from watcher.text.language import UNKNOWN_LANGUAGE
from watcher.text.urls import host_of
from watcher.text.words import fold
from watcher.text.words import words as split_words

MAX_TITLE_CHARS = 300
MAX_NAME = 80  # characters of an agency, a model or a phrase
MAX_CITES = 4  # of one sentence by a model, or of one figure
MAX_SOURCES = 40  # outlets listed for a story where a form can fold them
MAX_COMMENTS = 4  # outlets with an opinion piece on a story
MAX_FIGURES = 4
MAX_TIMELINE = 24
MAX_NEW_OUTLETS = 6  # named
MAX_RELATED_SHOWN = 6
MAX_PERSPECTIVES, MAX_DIFFERENCES = 6, 6  # of a story
MAX_SILENT = 6  # countries, or kinds of owners, named
MAX_NOTICES = 4  # of a story
LAST_PART = 8  # of the period: a story that was updated in its last eighth is marked
MIN_STORIES_TO_TELL_APART = 4
GAP, MAX_BLANKS = "[…] ", 3  # between two sentences of one text, more than blanks apart
NOTICE_PHRASES = {"corrected": "report_corrected", "withdrawn": "report_withdrawn"}
SPARK_HEIGHT = 12
NOT_ON_SUBJECT = (LeftOutKind.OTHER_REGION, LeftOutKind.OTHER_TOPIC)  # of stories that the head does not count
MARKS = {"ltr": "\u200e", "rtl": "\u200f"}  # invisible letters of this direction (UAX #9)
TRENDS = frozenset({"rising", "steady", "fading"})
FIGURE_PHRASES = {
    "killed": "figure_killed",
    "injured": "figure_injured",
    "missing": "figure_missing",
    "arrested": "figure_arrested",
    "evacuated": "figure_evacuated",
    "rescued": "figure_rescued",
    "magnitude": "figure_magnitude",
    "turnout": "figure_turnout",
}
PERCENTAGES = frozenset({"turnout"})
# Of the kinds of corrections, but "text".
CORRECTION_PHRASES = {
    "headline": "headline_changed",
    "figures": "figures_changed",
    "retracted": "retracted",
    "gone": "page_gone",
}


def edition_view(edition: Edition) -> view.EditionView:
    """Return an edition as its templates show it: texts without unsafe signs, phrases in the edition's language."""
    views = Views(edition)
    words = views.words
    counts = edition.ledger.counts
    line = partial(sanitize_line, limit=MAX_TITLE_CHARS)
    title = line(edition.title)
    sections = [
        (section.title, tuple(views.stories(section)))
        for section in edition.sections
        if section.stories or section.followed
    ]
    stories = _keep_telling_marks([story for _, section_stories in sections for story in section_stories])
    elsewhere = sum(row.count for row in edition.ledger.left_out if row.kind in NOT_ON_SUBJECT)
    on_subject = counts["stories_found"] - elsewhere
    before = f"-{edition.previous_at:%H%M}" if edition.previous_at else ""
    return view.EditionView(
        digest=edition.digest,
        title=title,
        language=words.language,
        dir=language_direction(words.language, title),
        day=edition.local_date,
        long_date=words.long_date(edition.local_date, edition.at),
        number=edition.number,
        facts=words.say("facts", stories=words.say("stories", n=on_subject), shown=counts["stories_shown"]),
        minutes=words.say("minutes", n=edition.reading_minutes) if edition.stories else "",
        note=sanitize_lines(edition.note),
        at_a_glance=tuple(views.glance_lines()),
        sections=tuple(
            view.SectionView(title=line(name), stories=tuple(islice(stories, len(section_stories))))
            for name, section_stories in sections
        ),
        coming_up=tuple(views.coming_event(event) for event in edition.coming_up if event.is_shown),
        corrections=tuple(map(views.correction, edition.corrections)),
        briefs=tuple(views.brief(brief) for brief in edition.briefs if not brief.status),
        foreign=tuple(views.brief(brief) for brief in edition.briefs if brief.status == "foreign"),
        followed=tuple(views.brief(brief) for brief in edition.briefs if brief.quiet_days is not None),
        quiet=tuple(
            views.brief(brief) for brief in edition.briefs if brief.status == "quiet" and brief.quiet_days is None
        ),
        gone=tuple(map(views.brief, edition.ended)),
        ledger=ledger_lines(edition, words),
        previous=f"{edition.previous.isoformat()}{before}" if edition.previous else "",
        counts=tuple(counts.items()),
        words=words,
    )


def describe_event_day(event: ComingEvent, words: Localizer) -> str:
    """Return "3 December, 14:00 UTC", "Today, announced on 28 November", or that an event was moved or called off."""
    time = words.clock(event.begins_at, zone=True) if event.begins_at else ""
    day = time or words.days(event.on, event.until)
    if event.kind == "off":
        return words.say("event_off", day=day)
    if event.is_due(words.today):
        time = f"{words['comma']}{time}" if time else ""
        return words.say("event_today", time=time, day=words.local_date(event.sentence.published_at))
    return words.say("event_moved", before=words.short_date(event.moved_from), day=day) if event.moved_from else day


class Views:
    def __init__(self, edition: Edition) -> None:
        self._edition = edition
        self.words = localizer_for(edition)
        mentions = (mention for story in edition.stories for mention in story.mentions)
        self._agencies = {mention.article_id: _agency_credit(mention) for mention in mentions}

    def stories(self, section: Section) -> Iterator[view.StoryView]:
        """Yield the stories of a section; a topic that is its title is not said again."""
        for shown in map(self.story, section.stories):
            yield replace(shown, topic="") if shown.topic == section.title else shown

    def story(self, story: EditionStory) -> view.StoryView:
        """Return a story as its templates show it."""
        words, is_first_edition = self.words, self._edition.previous is None
        title, lang_attr, original = self._choose_text(
            self._title(story.title), story.title_language, story.translation
        )
        sources = self._sources(story)
        is_new = story.status == "new" and not is_first_edition  # in a first edition, every story is new
        updated = words.say("updated", time=words.clock(story.updated_at, zone=True))
        ended = words.say("ended", day=words.short_date(story.ended_on)) if story.ended_on else ""
        written, model = story.llm_sentences, sanitize_line(story.llm_model, limit=MAX_NAME) or "?"
        since = self._updates(story)
        summary = self._summary(story)
        if original and not (summary or since or story.turns):
            summary = (view.QuoteView(text=words["no_summary"]),)
        return view.StoryView(
            number=story.number,
            anchor=safe_anchor(story.anchor, story.number),
            title=title,
            lang_attr=lang_attr,
            url=web_url(story.url),
            in_language=words.in_language(story.title_language, is_translated=original is not None),
            original=original,
            places=" · ".join(sanitize_line(place) for place in story.places),
            topic=topic_title(story.topic, self._edition.language),
            is_new=is_new,
            day=words["new"] if is_new else "" if is_first_edition or story.day < 2 else words.say("day", n=story.day),
            alerts=self._watch_line(story.watched),
            rest=" · ".join(filter(None, (words["quiet"] if story.status == "quiet" else "", ended))),
            updated=updated,
            is_updated_late=self._is_updated_late(story),
            summary=summary,
            written=words.say("written", model=model) if written else "",
            grounds=self._quotes(tuple(dict.fromkeys(source for sentence in written for source in sentence.sources))),
            figures=tuple(map(self._figure, story.turn_figures[:MAX_FIGURES])),
            turns=tuple((words.week_day(turn.day), self._quotes((turn.sentence,))[0]) for turn in story.turns),
            changed_figures=self._changed_figures(story),
            since_label=self._since_label(),
            since=since,
            latest=self._title_quote(story.latest) if story.latest and story.latest.url != story.url else None,
            notices=tuple(map(self._notice, story.notices[:MAX_NOTICES])),
            coverage=self._coverage(story),
            counts=self._counts(story),
            sources=_without_repeated_titles(
                sources[:MAX_SOURCES], {web_url(voice.mention.url) for voice in story.perspectives[:MAX_PERSPECTIVES]}
            ),
            outlets=max(story.outlets, len(story.mentions)) if story.mentions else 0,
            reporters=tuple((line.outlet, line.copies) for line in sources),
            comments=tuple(self._source(mention, "") for mention in story.comments[:MAX_COMMENTS]),
            differences=tuple(
                self._difference(difference) for difference in story.differences[:MAX_DIFFERENCES] if difference.details
            ),
            perspectives=tuple(map(self._perspective, story.perspectives[:MAX_PERSPECTIVES])),
            silent=self._silent(story),
            related=tuple(self.brief(brief, under=story) for brief in story.related[:MAX_RELATED_SHOWN]),
            spark=_bar_heights(story.sparkline) if story.trend in TRENDS else (),
            trend=words[story.trend] if story.trend in TRENDS else "",
            country=next(iter(story.place_codes), ""),
            first_place=sanitize_line(next(iter(story.places), "")),
        )

    def _sources(self, story: EditionStory) -> list[view.SourceView]:
        """Return the reports that are no copies, each with the number of its copies."""
        copies = Counter(mention.copy_of for mention in story.mentions)
        return [
            self._source(mention, _foreign_title(mention, story), copies[mention.article_id])
            for mention in story.mentions
            if not mention.copy_of
        ]

    def _summary(self, story: EditionStory) -> tuple[view.QuoteView, ...]:
        """Return the sentences that a model wrote, else those of the reports, else other headlines."""
        quotes = self._llm_quotes(story) if story.llm_sentences else self._quotes(story.summary)
        return quotes or tuple(map(self._title_quote, story.headlines))

    def glance_lines(self) -> Iterator[view.GlanceLineView]:
        """Yield the lines at the top; one of a story that the edition does not have is left out."""
        words, stories = self.words, {story.id: story for story in self._edition.stories}
        for line in self._edition.at_a_glance:
            if (story := stories.get(line.story)) is None:
                continue
            own_text = sanitize_line(line.text) or words["untitled"]
            text, lang_attr, original = self._choose_text(own_text, line.language, line.translation)
            label = words["disputed"] if line.kind == "disputed" else ""
            if line.difference:
                label = words["reports_differ"]
            elif line.kind == "changed" and story.status == "developing":
                label = self._since_label()
            figures, cite = self._glance_figures(line), self._cite(line)
            yield view.GlanceLineView(
                label=label,
                text=text,
                lang_attr=lang_attr,
                in_language=words.in_language(line.language, is_translated=original is not None),
                anchor=safe_anchor(story.anchor, story.number),
                cites=() if any(cite in figure.cites for figure in figures) else (cite,),
                figures=figures,
                joint=" · " if line.difference else f" {words.arrow} ",
            )

    def coming_event(self, event: ComingEvent) -> view.ComingEventView:
        """Return an event to come: the sentence that announces it, or that moves it or calls it off."""
        words, sentence = self.words, event.last_said
        stories = self._edition.stories
        listed = {line.id: story for story in stories for line in story.related}
        story = (listed | {story.id: story for story in stories}).get(event.story)
        text, lang_attr, original = self._choose_text(
            sanitize_line(sentence.text) or words["untitled"], sentence.language, sentence.translation
        )
        cite = self._cite(sentence)
        return view.ComingEventView(
            label=describe_event_day(event, words),
            text=text,
            lang_attr=lang_attr,
            in_language=words.in_language(sentence.language, is_translated=original is not None),
            anchor=safe_anchor(story.anchor, story.number) if story else "",
            cite=replace(cite, time=words.local_date(sentence.published_at)),
        )

    def _glance_figures(self, line: GlanceLine) -> tuple[view.QuoteView, ...]:
        """Return "Killed: 15" and "19", "59" and "78 people", or "14 killed" and "12", each with its reports."""
        if change := line.figure_change:
            shown = self._changed_figure(change, is_least=False)  # the outlets are not shown
            before = view.QuoteView(text=f"{self.words.label(shown.label)} {shown.before}", cites=(shown.before_cite,))
            return before, view.QuoteView(text=shown.after, cites=(shown.after_cite,))
        if number := line.number_change:
            after = f"{number.after} {number.what}".rstrip()
            pairs = ((number.before, number.sentence_before), (after, number.sentence_after))
            return tuple(self._cited_number(text, sentence) for text, sentence in pairs)
        return self._difference(line.difference) if line.difference else ()

    def _cited_number(self, text: str, sentence: Sentence) -> view.QuoteView:
        text = sanitize_line(text, limit=2 * MAX_NAME)
        return view.QuoteView(
            text=text, lang_attr=self._lang_attr(sentence.language, text), cites=(self._cite(sentence),)
        )

    def timeline(self, story: EditionStory) -> tuple[view.QuoteView, ...]:
        """Return up to `MAX_TIMELINE` headlines of a story, one an outlet, in order of time; "" for a withheld one."""
        ordered = sorted(story.mentions, key=lambda each: (each.published_at, each.article_id))
        return tuple(
            self._title_quote(mention, is_withheld=mention.article_id in story.withheld)
            for mention in ordered[:MAX_TIMELINE]
        )

    def brief(self, brief: Brief, *, under: EditionStory | None = None) -> view.BriefView:
        """
        Return a story in one line, with its country if neither its headline nor the story above it, `under`, tells it.

        Of one that the reader follows, its quiet days stand in the place of outlets.
        """
        words = self.words
        title, lang_attr, original = self._choose_text(self._title(brief.title), brief.language, brief.translation)
        outlet = outlet_name(brief.outlet, brief.url)
        day = words.say("day", n=brief.day) if brief.day > 1 else ""
        in_language = "" if original else words.in_language(brief.language)
        outlets = words.count_outlets(brief.outlets, is_least=brief.is_least) if brief.outlets > 1 else ""
        if outlets and brief.headline_only == brief.outlets:
            outlets = words.say("outlets_by_headline", outlets=outlets)
        # "Restrictions cost the country $4 billion a week": which country? "States barring Maharashtra pay": of which?
        is_named = under is not None or bool(countries_in(brief.title, brief.language, cities=False))
        shows_places = brief.status == "foreign" or not is_named
        if (quiet := brief.quiet_days) is not None:
            outlets = words.say("quiet_days", n=quiet) if quiet else words["quiet"]
            outlets = words.join((outlets, words["listed_again"] if quiet >= MAX_QUIET_DAYS else ""))
        return view.BriefView(
            places=" · ".join(map(sanitize_line, brief.places)) if shows_places else "",
            title=title,
            url=web_url(brief.url),
            lang_attr=lang_attr,
            original=original,
            outlet=outlet,
            about=words.join((in_language, day, self._watch_line(brief.watched))),
            outlets=outlets,
        )

    def correction(self, correction: Correction) -> view.CorrectionView:
        """Return the view of a correction; it names the story's headline unless that is the text that has changed."""
        words = self.words
        day = words.short_date(correction.cited_on)
        cited = words.say("cited_for", day=day, title=self._title(correction.title))
        if sanitize_line(correction.title) == sanitize_line(correction.before):
            cited = words.say("cited", day=day)
        before, after = (
            sanitize_line(text, limit=2 * MAX_TITLE_CHARS) for text in (correction.before, correction.after)
        )
        return view.CorrectionView(
            kind=words[CORRECTION_PHRASES.get(correction.kind, "text_changed")],
            outlet=outlet_name(correction.outlet, correction.url),
            url=web_url(correction.url),
            lang_attr=self._lang_attr(correction.language, before or after),
            cited=cited,
            before=words.say("quoted", text=before) if before else "",
            after=words.say("quoted", text=after) if after else "",
        )

    def _since_label(self) -> str:
        """Return the words over what is new: since the last edition, since yesterday, or since a day."""
        edition, words = self._edition, self.words
        if edition.previous in (None, edition.local_date):
            return words["since_last"]
        if (edition.local_date - edition.previous).days == 1:
            return words["since_yesterday"]
        return words.say("since_day", day=words.short_date(edition.previous))

    def _updates(self, story: EditionStory) -> tuple[view.QuoteView, ...]:
        """Return what is new in a story, each as a quote: figures, sentences, and with them the outlets that joined."""
        updates = (*map(self._figure, story.number_changes[:MAX_FIGURES]), *self._quotes(story.updates))
        quoted = {sentence.outlet for sentence in story.updates}
        others = [sanitize_line(name, limit=MAX_TITLE_CHARS) for name in story.new_outlets if name not in quoted]
        if not (updates and others):
            return updates
        names = self.words.list_names(others, MAX_NEW_OUTLETS)
        text = self.words.say("new_outlets", n=len(others), names=names)
        return (*updates, view.QuoteView(text=text))

    def _figure(self, figure: NumberChange) -> view.QuoteView:
        """Return "59 → 78 people", citing the report with the new number."""
        before, after, what = (sanitize_line(text, limit=120) for text in (figure.before, figure.after, figure.what))
        now = figure.sentence_after
        cites = (self._cite(now),)
        if not what:
            return view.QuoteView(text=f"{before} {self.words.arrow} {after}".rstrip(), cites=cites)
        text = f"{before} {arrow_in(now.language, what)} {after} {what}"
        return view.QuoteView(text=text, lang_attr=self._lang_attr(now.language, what), cites=cites)

    def _notice(self, notice: Notice) -> tuple[str, view.QuoteView]:
        """Return "Corrected", or "Corrected, in French", and the outlet's words."""
        words = self.words
        label = words.join((words[NOTICE_PHRASES[notice.kind]], words.in_language(notice.language)))
        text = sanitize_line(notice.text, limit=2 * MAX_TITLE_CHARS)
        lang_attr = self._lang_attr(notice.language, text)
        return label, view.QuoteView(text=text, lang_attr=lang_attr, cites=(self._cite(notice),))

    def _changed_figures(self, story: EditionStory) -> tuple[view.ChangedFigureView, ...]:
        changes = story.figure_changes[:MAX_FIGURES]
        return tuple(self._changed_figure(change, is_least=story.is_least) for change in changes)

    def _changed_figure(self, change: FigureChange, *, is_least: bool) -> view.ChangedFigureView:
        """Return a figure as it was and as it is now, with the report that gives each; `is_least` as of its story."""
        before, after = change.before, change.after
        return view.ChangedFigureView(
            label=self.words[FIGURE_PHRASES.get(change.quantity, "figure")],
            before=self._figure_value(change.quantity, before),
            before_cite=self._cite(before.mention),
            after=self._figure_value(change.quantity, after),
            after_cite=self._cite(after.mention),
            outlets=self.words.count_outlets(change.outlets, is_least=is_least) if change.outlets > 1 else "",
        )

    def _figure_value(self, quantity: str, report: FigureReport) -> str:
        words = self.words
        text = words.percentage(report.value) if quantity in PERCENTAGES else words.decimal(report.value)
        return words.say("at_least", figure=text) if report.is_least else text

    def _coverage(self, story: EditionStory) -> str:
        """Return "47 outlets, 14 independent, 3 by headline alone"; "" for one outlet."""
        if story.outlets == 1:
            return ""
        return self.words.join(
            self.words.outlet_counts(
                outlets=story.outlets,
                independent=story.independent,
                headline_only=story.headline_only,
                is_least=story.is_least,
            )
        )

    def _counts(self, story: EditionStory) -> str:
        """Return "30 copies of agency texts · 9 languages"; "" for one outlet."""
        words, parts = self.words, []
        if story.outlets > 1 and (copies := story.folded - story.headline_only):
            from_agencies = sum(count for _, count in story.agencies)
            parts.append(words.say("agency_copies" if from_agencies == copies else "folded", n=copies))
        if story.outlets > 1 and (known := len(set(story.languages) - {UNKNOWN_LANGUAGE})) > 1:
            parts.append(words.say("languages", n=known))
        return " · ".join(parts)

    def _is_updated_late(self, story: EditionStory) -> bool:
        """Whether one of several reports whose words tell a story is of the last eighth of the edition's period."""
        start, end = self._edition.window_start, self._edition.window_end
        is_late = story.updated_at >= end - (end - start) / LAST_PART
        return is_late and story.articles > 1 and story.updated_at in _told_at(story)

    def _source(self, mention: SourceMention, title: str, copies: int = 0) -> view.SourceView:
        """Return an outlet of a story with its credit line: language, agency, by way of whom, number of copies."""
        words = self.words
        outlet, agency = outlet_name(mention.outlet, mention.url), _agency_credit(mention)
        via = sanitize_line(mention.via or "", limit=MAX_NAME)
        return view.SourceView(
            outlet=outlet,
            url=web_url(mention.url),
            lang_attr=self._lang_attr(mention.language, title or outlet),
            country=words.country(mention.country),
            credit=words.join(
                (
                    words.in_language(mention.language),
                    words.say("agency", agency=agency) if agency else "",
                    words.say("via", source=via) if via else "",
                    words.say("copies", n=copies) if copies else "",
                )
            ),
            title=title,
            copies=copies,
            is_credited=bool(agency or via or copies),
        )

    def _difference(self, difference: Difference) -> tuple[view.QuoteView, ...]:
        """Return "14 killed" and "12", each with the reports that have it; or the figure of one report as one line."""
        first = difference.details[0].sentences[0]
        if not difference.disagrees:
            text = self.words.say("only_there", names=sanitize_line(difference.details[0].text, limit=MAX_NAME))
            return (view.QuoteView(text=text, cites=(self._cite(first),)),)
        lines = []
        for detail in difference.details[:MAX_FIGURES]:
            text = sanitize_line(detail.text, limit=MAX_NAME)
            cites = tuple(map(self._cite, detail.sentences[:MAX_CITES]))
            lang_attr = self._lang_attr(detail.sentences[0].language, text)
            lines.append(view.QuoteView(text=text, lang_attr=lang_attr, cites=cites))
        return tuple(lines)

    def _perspective(self, perspective: Perspective) -> view.PerspectiveView:
        """Return a headline that shows another aspect, with the country whose outlets share it."""
        words, mention = self.words, perspective.mention
        title = self._title(mention.title)
        agree = perspective.group == "country" and perspective.outlets > 1
        return view.PerspectiveView(
            country=self._country(perspective.name) if agree else "",
            headline=title,
            lang_attr=self._lang_attr(mention.language, title),
            cite=self._cite(mention),
            home="" if agree else words.country(mention.country),
            about=words.in_language(mention.language),
        )

    def _silent(self, story: EditionStory) -> tuple[str, ...]:
        """Return a sentence for countries, and one for kinds of owners: "Not reported in: China (4 read)." or so."""
        words, lines = self.words, []
        for group, phrase in (("country", "silent"), ("owner", "silent_kind")):
            names = []
            for silence in story.silent:
                if silence.group == group:
                    kind = sanitize_line(silence.name, limit=MAX_NAME)
                    name = self._country(silence.name) if group == "country" else words.say("kind", name=kind)
                    names.append(words.say("read", name=name, n=silence.outlets))
            if names:
                lines.append(words.say(phrase, names=words.list_names(names, MAX_SILENT)))
        return tuple(lines)

    def _country(self, code: str) -> str:
        return self.words.country(code) or sanitize_line(code, limit=MAX_NAME)

    def _watch_line(self, phrases: Sequence[str]) -> str:
        named = self.words.join(sanitize_line(phrase, limit=MAX_NAME) for phrase in phrases)
        return self.words.say("watched", words=named) if named else ""

    def _quotes(self, sentences: Sequence[Sentence]) -> tuple[view.QuoteView, ...]:
        """Return sentences in order; those of one report share one citation, and a mark shows what is left out."""
        quotes = []
        alike = ("url", "outlet", "language", "published_at")
        for _, run in groupby(sentences, key=lambda s: (*(getattr(s, name) for name in alike), s.translation is None)):
            group = list(run)
            tag, translation = group[0].language, group[0].translation
            gaps = ["", *(GAP if _is_apart(*pair) else "" for pair in pairwise(group))]
            marked = (f"{gap}{sanitize_line(sentence.text)}" for gap, sentence in zip(gaps, group, strict=True))
            text = self.words.join_sentences(marked, tag)
            if translation:
                marked = (f"{gap}{sentence.shown_text}" for gap, sentence in zip(gaps, group, strict=True))
                whole = self.words.join_sentences(marked, translation.to)
                translation = replace(translation, text=whole)
            shown, lang_attr, original = self._choose_text(text, tag, translation)
            cites = (self._cite(group[0]),)
            quotes.append(view.QuoteView(text=shown, lang_attr=lang_attr, cites=cites, original=original))
        return tuple(quotes)

    def _title_quote(self, mention: SourceMention, *, is_withheld: bool = False) -> view.QuoteView:
        title = "" if is_withheld else sanitize_line(mention.title, limit=MAX_TITLE_CHARS)
        lang_attr = self._lang_attr(mention.language, title)
        return view.QuoteView(text=title, lang_attr=lang_attr, cites=(self._cite(mention),))

    def _llm_quotes(self, story: EditionStory) -> tuple[view.QuoteView, ...]:
        """Return the sentences that a language model wrote, each with its sources."""
        return tuple(
            view.QuoteView(
                text=sanitize_line(written.text),
                cites=tuple(dict.fromkeys(map(self._cite, written.sources)))[:MAX_CITES],
            )
            for written in story.llm_sentences
        )

    def _cite(self, cited: Sentence | SourceMention | Notice | GlanceLine) -> view.CiteView:
        """Return who said something and when, with the link."""
        name = outlet_name(cited.outlet, cited.url)
        direction = language_direction(self.words.language, "")
        turns = text_direction(name) != direction
        time = self.words.clock(cited.published_at)
        # Who wrote a sentence is told wherever it stands, the first of its copies too.
        if isinstance(cited, Sentence | GlanceLine) and (agency := self._agencies.get(cited.article_id)):
            time = f"{self.words.say('agency', agency=agency)}{self.words['comma']}{time}"
        return view.CiteView(outlet=name, url=web_url(cited.url), mark=MARKS[direction] if turns else "", time=time)

    def _lang_attr(self, tag: str, text: str) -> view.LangAttr:
        """Return the attributes `lang` and `dir` of a text, "" where they are those of the edition."""
        own_direction = language_direction(self.words.language, "")
        direction = language_direction(tag, text)
        is_foreign = bool(self.words.language_name(tag))
        return view.LangAttr(
            lang=language_tag(tag) if is_foreign else "", dir=direction if direction != own_direction else ""
        )

    def _choose_text(
        self, text: str, language: str, translation: Translation | None
    ) -> tuple[str, view.LangAttr, view.OriginalView | None]:
        """Return a text, translated if it is so, its language, and the original of a translation."""
        lang_attr = self._lang_attr(language, text)
        shown = sanitize_line(translation.text) if translation else ""
        if translation is None or not shown:
            return text, lang_attr, None
        key = f"engine_{translation.by}"
        engine = self.words[key] if key in self.words.phrases else sanitize_line(translation.by, limit=MAX_NAME)
        name = self.words.language_name(language) or sanitize_line(language, limit=MAX_NAME)
        mark = self.words.say("translated_by", language=name, engine=engine)
        original = view.OriginalView(text=text, lang_attr=lang_attr, mark=mark)
        return shown, self._lang_attr(translation.to, shown), original

    def _title(self, title: str) -> str:
        return sanitize_line(title, limit=MAX_TITLE_CHARS) or self.words["untitled"]


def _without_repeated_titles(
    sources: Sequence[view.SourceView], told: Collection[str | None]
) -> tuple[view.SourceView, ...]:
    """Return the sources, each title at the first outlet that has it; without those of the reports `told` elsewhere."""
    first = {line.title: line.outlet for line in reversed(sources)}
    return tuple(
        replace(line, title="") if line.url in told or first[line.title] != line.outlet else line for line in sources
    )


def _keep_telling_marks(stories: Sequence[view.StoryView]) -> Iterator[view.StoryView]:
    """
    Yield the stories with the marks that tell them apart: a mark that more than half of them have says nothing.

    In an edition of few stories, all marks stay.
    """
    if len(stories) < MIN_STORIES_TO_TELL_APART:
        yield from (replace(story, is_updated_late=True) for story in stories)
        return
    days, trends, late = (
        _usual([getattr(story, name) for story in stories]) for name in ("day", "trend", "is_updated_late")
    )
    for story in stories:
        if story.day == days:
            story = replace(story, day="", is_new=False)
        if story.trend == trends:
            story = replace(story, trend="", spark=())
        yield replace(story, is_updated_late=story.is_updated_late and not late)


def _usual(marks: Sequence[object]) -> object:
    """Return the mark that more than half of the stories have; None if there is none."""
    mark, count = Counter(marks).most_common(1)[0]
    return mark if 2 * count > len(marks) else None


def _foreign_title(mention: SourceMention, story: EditionStory) -> str:
    """Return the title of a report in another language, unless it is the story's headline or withheld; else ""."""
    if mention.article_id in story.withheld:
        return ""
    is_own = (mention.url, mention.language) == (story.url, story.title_language) and story.title in mention.title
    return "" if is_own or not mention.shows_title else sanitize_line(mention.title, limit=MAX_TITLE_CHARS)


def _told_at(story: EditionStory) -> set[datetime]:
    """Return the times of the reports whose words tell a story."""
    mentions = (*story.headlines, *((story.latest,) if story.latest else ()))
    return {s.published_at for s in story.quoted} | {mention.published_at for mention in mentions}


def _agency_credit(mention: SourceMention) -> str:
    """Return the agency of a report; "" if it has none, or the outlet or its site is it: "AP News", "Ria.ru"."""
    agency = sanitize_line(mention.agency or "", limit=MAX_NAME)
    if agency in (agency_in(mention.outlet), agency_of_site(host_of(mention.url))):
        return ""
    outlet, named = ([fold(word) for word in split_words(name)] for name in (mention.outlet, agency))
    return "" if outlet[: len(named)] == named else agency


def _is_apart(one: Sentence, other: Sentence) -> bool:
    """Whether words stand between two sentences of one article."""
    return one.article_id == other.article_id and other.offset > one.offset + len(one.text) + MAX_BLANKS


def outlet_name(name: str, url: str) -> str:
    """Return an outlet's name; its host, or "?", if the name has no visible character."""
    return sanitize_line(name, limit=MAX_TITLE_CHARS) or host_of(url) or "?"


def _bar_heights(counts: Sequence[int]) -> tuple[int, ...]:
    """Return bar heights from 1 to `SPARK_HEIGHT`, which the highest bar has; empty if all counts are 0."""
    top = max(counts, default=0)
    return tuple(max(1, round(SPARK_HEIGHT * count / top)) for count in counts) if top > 0 else ()
