"""An edition turned into what all forms show: words, numbers and links, each text made inert."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

from digests.model import (
    Brief,
    Correction,
    Edition,
    EditionStory,
    LlmSentence,
    MissingPerspective,
    NumberChange,
    Perspective,
    Sentence,
    SourceMention,
)
from digests.render.escape import language_tag, safe_anchor, sanitize_line, sanitize_lines, text_direction, web_url
from digests.render.ledger import ledger_lines
from digests.render.localizer import Localizer, language_direction, localizer_for
from digests.render.view import (
    BriefView,
    CiteView,
    CorrectionView,
    EditionView,
    LangAttr,
    PerspectiveView,
    QuoteView,
    SectionView,
    SourceView,
    StoryView,
)
from watcher.text.urls import host_of
from watcher.text.words import fold
from watcher.text.words import words as split

MAX_TITLE = 300  # characters
MAX_CITES = 4  # of one written sentence
MAX_SOURCES = 8  # a story's outlets by name; the others are counted
MAX_HEADLINES = 5  # in languages other than the digest's
MAX_FIGURES = 4
MAX_NEW_OUTLETS = 6  # by name
MAX_RELATED = 6
TRENDS = frozenset({"rising", "steady", "fading"})
MAX_VOICES = 6  # of a story
MAX_ONLY = 5  # names and numbers that one voice alone has
MAX_SILENT = 6  # countries, or kinds of owners, by name
KINDS = {
    "headline": "headline_changed",
    "figures": "figures_changed",
    "text": "text_changed",
    "retracted": "retracted",
    "gone": "page_gone",
}


def edition_view(edition: Edition) -> EditionView:
    """Return what `edition` shows."""
    words = localizer_for(edition)
    ledger = edition.ledger
    counts = {
        "stories": len(edition.stories),
        "briefs": len(edition.briefs),
        "articles": ledger.articles,
        "outlets": ledger.outlets,
        "languages": ledger.languages,
    }
    facts = {key: words.say(key, n=counts[key]) for key in ("articles", "outlets", "languages", "stories")}
    title = sanitize_line(edition.title, limit=MAX_TITLE)
    return EditionView(
        digest=edition.digest,
        title=title,
        language=words.language,
        dir=language_direction(words.language, title),
        day=edition.local_date,
        long_date=words.long_date(edition.local_date),
        number=edition.number,
        facts=words.say("facts", **facts),
        minutes=words.say("minutes", n=edition.reading_minutes) if edition.stories else "",
        note=sanitize_lines(edition.note),
        sections=tuple(
            SectionView(
                title=sanitize_line(section.title, limit=MAX_TITLE),
                stories=tuple(story_view(story, edition, words) for story in section.stories),
            )
            for section in edition.sections
            if section.stories
        ),
        corrections=tuple(correction_view(one, words) for one in edition.corrections),
        briefs=tuple(brief_view(one, words) for one in edition.briefs if one.status != "quiet"),
        quiet=tuple(brief_view(one, words) for one in edition.briefs if one.status == "quiet"),
        gone=tuple(brief_view(one, words) for one in edition.ended),
        ledger=ledger_lines(edition, words),
        previous=edition.previous,
        counts=tuple(counts.items()),
        words=words,
    )


def story_view(story: EditionStory, edition: Edition, words: Localizer) -> StoryView:
    """Return what `edition` shows of a story."""
    title = shown_title(story.title, words)
    plain = _sources(story, [each for each in story.mentions if not _title(each, story)], MAX_SOURCES, words)
    foreign = _sources(story, [each for each in story.mentions if _title(each, story)], MAX_HEADLINES, words)
    updated = words.say("updated", time=words.clock(story.updated_at, zone=True))
    is_new = story.status == "new" and edition.previous is not None  # in a first edition, the word would say nothing
    return StoryView(
        number=story.number,
        anchor=safe_anchor(story.anchor, story.number),
        title=title,
        lang_attr=lang_attr(story.title_language, title, words),
        url=web_url(story.url),
        in_language=words.in_language(story.title_language),
        places=" · ".join(sanitize_line(place) for place in story.places),
        is_new=is_new,
        day=words["new"] if is_new else "" if edition.previous is None else words.say("day", n=story.day),
        alerts=watch_line(story.watched, words),
        rest=" · ".join([words["quiet"], updated] if story.status == "quiet" else [updated]),
        summary=llm_quotes(story.llm_sentences, words) if story.llm_sentences else quote_views(story.summary, words),
        written=words.say("written", model=_model(story)) if story.llm_sentences else "",
        grounds=quote_views(tuple(dict.fromkeys(s for told in story.llm_sentences for s in told.sources)), words),
        since_label=_since(edition, words),
        since=_update_quotes(story, words),
        coverage=coverage_line(story, words),
        sources=plain,
        outlets=max(story.outlets, len(story.mentions)) if story.mentions else 0,
        headlines=foreign,
        perspectives=perspective_views(story, words),
        silent=silent_lines(story, words),
        related=tuple(brief_view(one, words) for one in story.related[:MAX_RELATED]),
        spark=_heights(story.sparkline) if story.trend in TRENDS else (),
        trend=words[story.trend] if story.trend in TRENDS else "",
        country=next(iter(story.place_codes), ""),
        first_place=sanitize_line(next(iter(story.places), "")),
    )


def _update_quotes(story: EditionStory, words: Localizer) -> tuple[QuoteView, ...]:
    """Return what is new: numbers given anew, then sentences, then outlets."""
    figures = tuple(_figure(figure, words) for figure in story.number_changes[:MAX_FIGURES])
    if not story.new_outlets:
        return figures + quote_views(story.updates, words)
    count = len(story.new_outlets)
    named = ", ".join(sanitize_line(name, limit=MAX_TITLE) for name in story.new_outlets[:MAX_NEW_OUTLETS])
    named += ", …" if count > MAX_NEW_OUTLETS else ""
    joined = QuoteView(text=words.say("new_outlets", n=count, names=named), lang_attr=LangAttr(), cites=())
    return (*figures, *quote_views(story.updates, words), joined)


def _figure(figure: NumberChange, words: Localizer) -> QuoteView:
    """Return "59 → 78 people" and where the new number stands."""
    before, after, what = (sanitize_line(text, limit=120) for text in (figure.before, figure.after, figure.what))
    now = figure.sentence_after
    arrow = words.arrow_in(now.language, what) if what else words.arrow
    return QuoteView(
        text=f"{before} {arrow} {after} {what}".rstrip(),
        lang_attr=lang_attr(now.language, what, words) if what else LangAttr(),
        cites=(cite_view(now.outlet, now.url, now.published_at, words),),
    )


def _title(mention: SourceMention, story: EditionStory) -> str:
    """
    Return the headline of a report that is shown by it: one in another language than the digest's, unless the story
    stands under it.
    """
    is_own = (mention.url, mention.language) == (story.url, story.title_language) and story.title in mention.title
    if is_own or not mention.shows_title:
        return ""
    return sanitize_line(mention.title, limit=MAX_TITLE)


def _sources(
    story: EditionStory, mentions: Sequence[SourceMention], most: int, words: Localizer
) -> tuple[SourceView, ...]:
    """Return the first of `mentions` as they are shown."""
    return tuple(_source(each, _title(each, story), words) for each in mentions[:most])


def _agency(mention: SourceMention, words: Localizer) -> str:
    """Return "AFP text", or nothing where it is nobody's or the agency's own site has it: "Reuters", "AP News"."""
    agency = sanitize_line(mention.agency or "", limit=80)
    own, named = ([fold(word) for word in split(name)] for name in (mention.outlet, agency))
    if not named or own[: len(named)] == named:
        return ""
    return words.say("agency", agency=agency)


def _source(mention: SourceMention, title: str, words: Localizer) -> SourceView:
    outlet = outlet_name(mention.outlet, mention.url)
    about = (words.country(mention.country), words.in_language(mention.language), _agency(mention, words))
    return SourceView(
        outlet=outlet,
        url=web_url(mention.url),
        lang_attr=lang_attr(mention.language, title or outlet, words),
        about=", ".join(part for part in about if part),
        title=title,
    )


def _model(story: EditionStory) -> str:
    return sanitize_line(story.llm_model, limit=80) or "?"


def _since(edition: Edition, words: Localizer) -> str:
    if edition.previous is None:
        return words["since_last"]
    if (edition.local_date - edition.previous).days == 1:
        return words["since_yesterday"]
    return words.say("since_day", day=words.short_date(edition.previous))


def _heights(spark: Sequence[int]) -> tuple[int, ...]:
    """Return heights from 1 to 12 for the bars, the highest 12; nothing where there is nothing to compare."""
    top = max(spark, default=0)
    return tuple(max(1, round(12 * value / top)) for value in spark) if top > 0 else ()


def coverage_line(story: EditionStory, words: Localizer) -> str:
    """
    Return "47 outlets · 14 independent · 33 agency copies folded · 9 languages": without folded ones where none is, and
    without languages where there is one.
    """
    parts = [words.say("outlets", n=story.outlets), words.say("independent", n=story.independent)]
    from_agencies = sum(copies for _, copies in story.agencies)
    if story.folded:
        parts.append(words.say("agency_copies" if from_agencies == story.folded else "folded", n=story.folded))
    if len(story.languages) > 1:
        parts.append(words.say("languages", n=len(story.languages)))
    return " · ".join(parts)


def perspective_views(story: EditionStory, words: Localizer) -> tuple[PerspectiveView, ...]:
    """Return how each country, or kind of owner, leads; the first of each to report is called so."""
    return tuple(_voice(voice, story.perspectives, words) for voice in story.perspectives[:MAX_VOICES])


def _voice(voice: Perspective, among: Iterable[Perspective], words: Localizer) -> PerspectiveView:
    mention = voice.mention
    title = shown_title(mention.title, words)
    is_country = voice.group == "country"
    before, after = words.around("leads" if is_country else "leads_kind", "headline", name=_name(voice, words))
    rivals = [other.mention.published_at for other in among if other.group == voice.group and other is not voice]
    first = words["first"] if rivals and mention.published_at < min(rivals) else ""
    only = ", ".join(name for name in (sanitize_line(name, limit=80) for name in voice.only[:MAX_ONLY]) if name)
    return PerspectiveView(
        before=before,
        headline=title,
        lang_attr=lang_attr(mention.language, title, words),
        after=after,
        cite=cite_view(mention.outlet, mention.url, mention.published_at, words),
        about=", ".join(part for part in (words.in_language(mention.language), first) if part),
        only=words.say("only_there", names=only) if only else "",
    )


def silent_lines(story: EditionStory, words: Localizer) -> tuple[str, ...]:
    """Return "Not reported in: China (4 read).": a sentence for countries, one for kinds of owners."""
    lines = []
    for group, key in (("country", "silent"), ("owner", "silent_kind")):
        those = [one for one in story.silent if one.group == group]
        shown = [_name(one, words) for one in those[:MAX_SILENT]]
        names = [
            words.say("read", name=name if group == "country" else words.say("kind", name=name), n=one.outlets)
            for name, one in zip(shown, those, strict=False)
        ]
        if len(those) > MAX_SILENT:
            names.append("…")
        if names:
            lines.append(words.say(key, names=", ".join(names)))
    return tuple(lines)


def _name(one: Perspective | MissingPerspective, words: Localizer) -> str:
    """Return the name of a country, or the settings' word for a kind of owner."""
    name = sanitize_line(one.name, limit=80)
    return words.country(name) or name if one.group == "country" else name


def correction_view(value: Correction, words: Localizer) -> CorrectionView:
    """Return one correction; the story's headline is named unless it is what has changed."""
    day = words.short_date(value.cited_on)
    about_itself = sanitize_line(value.title) == sanitize_line(value.before)
    cited = words.say("cited", day=day) if about_itself else _cited_for(value, day, words)
    before, after = (sanitize_line(text, limit=2 * MAX_TITLE) for text in (value.before, value.after))
    return CorrectionView(
        kind=words[KINDS.get(value.kind, "text_changed")],
        outlet=outlet_name(value.outlet, value.url),
        url=web_url(value.url),
        lang_attr=lang_attr(value.language, before or after, words),
        cited=cited,
        before=words.say("quoted", text=before) if before else "",
        after=words.say("quoted", text=after) if after else "",
    )


def _cited_for(value: Correction, day: str, words: Localizer) -> str:
    return words.say("cited_for", day=day, title=shown_title(value.title, words))


def shown_title(title: str, words: Localizer) -> str:
    return sanitize_line(title, limit=MAX_TITLE) or words["untitled"]


def outlet_name(name: str, url: str) -> str:
    """Return an outlet's name; its host where a source was named with nothing that can be seen."""
    return sanitize_line(name, limit=MAX_TITLE) or host_of(url) or "?"


def lang_attr(tag: str, text: str, words: Localizer) -> LangAttr:
    own = language_direction(words.language, "")
    direction = language_direction(tag, text)
    foreign = words.language_name(tag)
    return LangAttr(lang=language_tag(tag) if foreign else "", dir=direction if direction != own else "")


def cite_view(outlet: str, url: str, at: datetime, words: Localizer) -> CiteView:
    name = outlet_name(outlet, url)
    turns = language_direction(words.language, "") == "ltr" and text_direction(name) == "rtl"
    return CiteView(outlet=name, url=web_url(url), mark="\u200e" if turns else "", time=words.clock(at))


def quote_views(sentences: Sequence[Sentence], words: Localizer) -> tuple[QuoteView, ...]:
    """Return the sentences in order; those that follow each other in one report share one citation."""
    found = []
    for (url, outlet, tag, at), run in groupby(sentences, key=lambda s: (s.url, s.outlet, s.language, s.published_at)):
        text = words.join_sentences((sanitize_line(sentence.text) for sentence in run), tag)
        found.append(
            QuoteView(text=text, lang_attr=lang_attr(tag, text, words), cites=(cite_view(outlet, url, at, words),))
        )
    return tuple(found)


def llm_quotes(prose: Iterable[LlmSentence], words: Localizer) -> tuple[QuoteView, ...]:
    """Return what a model wrote, each sentence with the reports it rests on."""
    return tuple(
        QuoteView(
            text=sanitize_line(sentence.text),
            lang_attr=LangAttr(),
            cites=tuple(dict.fromkeys(cite_view(s.outlet, s.url, s.published_at, words) for s in sentence.sources))[
                :MAX_CITES
            ],
        )
        for sentence in prose
    )


def watch_line(alerts: Sequence[str], words: Localizer) -> str:
    """Return "watched: ferry, strike", or nothing."""
    named = ", ".join(word for word in (sanitize_line(alert, limit=80) for alert in alerts) if word)
    return words.say("watched", words=named) if named else ""


def brief_view(value: Brief, words: Localizer) -> BriefView:
    """Return a story in one line."""
    title, outlet = shown_title(value.title, words), outlet_name(value.outlet, value.url)
    day = words.say("day", n=value.day) if value.day > 1 else ""
    about = (words.in_language(value.language), day, watch_line(value.watched, words))
    return BriefView(
        title=title,
        url=web_url(value.url),
        lang_attr=lang_attr(value.language, title, words),
        outlet=outlet,
        outlet_lang_attr=lang_attr(value.language, outlet, words),
        about=", ".join(part for part in about if part),
        outlets=words.say("outlets", n=value.outlets),
    )
