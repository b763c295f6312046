"""One story as all forms show it: its facts, its words, what is new in it, and who reports it."""

from __future__ import annotations

from collections.abc import Sequence

from digests.model import Edition, EditionStory, Figure, Mention
from digests.render import safe
from digests.render.citing import (
    MAX_TITLE,
    brief,
    cite,
    headline,
    outlet_name,
    quotes,
    tongue,
    watched,
    written,
)
from digests.render.coverage import coverage, silent, voices
from digests.render.view import Quote, SourceLine, StoryView, Tongue
from digests.render.words import Words
from watcher.text.words import fold
from watcher.text.words import words as split

MAX_SOURCES = 8  # a story's outlets by name; the others are counted
MAX_HEADLINES = 5  # in languages other than the digest's
MAX_FIGURES = 4
MAX_NEW_OUTLETS = 6  # by name
MAX_RELATED = 6
TRENDS = frozenset({"rising", "steady", "fading"})


def story_view(story: EditionStory, edition: Edition, words: Words) -> StoryView:
    """Return what `edition` shows of a story."""
    title = headline(story.title, words)
    plain = _sources(story, [each for each in story.mentions if not _title(each, story)], MAX_SOURCES, words)
    foreign = _sources(story, [each for each in story.mentions if _title(each, story)], MAX_HEADLINES, words)
    updated = words.say("updated", time=words.clock(story.updated_at, zone=True))
    is_new = story.status == "new" and edition.previous is not None  # in a first edition, the word would say nothing
    return StoryView(
        number=story.number,
        anchor=safe.anchor(story.anchor, story.number),
        title=title,
        tongue=tongue(story.title_language, title, words),
        url=safe.web_url(story.url),
        in_language=words.in_language(story.title_language),
        places=" · ".join(safe.inert(place) for place in story.places),
        is_new=is_new,
        day=words["new"] if is_new else "" if edition.previous is None else words.say("day", n=story.day),
        alerts=watched(story.alerts, words),
        rest=" · ".join([words["quiet"], updated] if story.status == "quiet" else [updated]),
        summary=written(story.prose, words) if story.prose else quotes(story.summary, words),
        written=words.say("written", model=_model(story)) if story.prose else "",
        grounds=quotes(tuple(dict.fromkeys(s for told in story.prose for s in told.sources)), words),
        since_label=_since(edition, words),
        since=_moved(story, words),
        coverage=coverage(story, words),
        sources=plain,
        outlets=max(story.outlets, len(story.mentions)) if story.mentions else 0,
        headlines=foreign,
        voices=voices(story, words),
        silent=silent(story, words),
        related=tuple(brief(one, words) for one in story.related[:MAX_RELATED]),
        spark=_heights(story.spark) if story.trend in TRENDS else (),
        trend=words[story.trend] if story.trend in TRENDS else "",
        country=next(iter(story.place_codes), ""),
        first_place=safe.inert(next(iter(story.places), "")),
    )


def _moved(story: EditionStory, words: Words) -> tuple[Quote, ...]:
    """Return what is new: numbers given anew, then sentences, then outlets."""
    figures = tuple(_figure(figure, words) for figure in story.figures[:MAX_FIGURES])
    if not story.new_outlets:
        return figures + quotes(story.since, words)
    count = len(story.new_outlets)
    named = ", ".join(safe.inert(name, limit=MAX_TITLE) for name in story.new_outlets[:MAX_NEW_OUTLETS])
    named += ", …" if count > MAX_NEW_OUTLETS else ""
    joined = Quote(text=words.say("new_outlets", n=count, names=named), tongue=Tongue(), cites=())
    return (*figures, *quotes(story.since, words), joined)


def _figure(figure: Figure, words: Words) -> Quote:
    """Return "59 → 78 people" and where the new number stands."""
    before, after, what = (safe.inert(text, limit=120) for text in (figure.before, figure.after, figure.what))
    now = figure.now
    arrow = words.arrow_in(now.language, what) if what else words.arrow
    return Quote(
        text=f"{before} {arrow} {after} {what}".rstrip(),
        tongue=tongue(now.language, what, words) if what else Tongue(),
        cites=(cite(now.outlet, now.url, now.at, words),),
    )


def _title(mention: Mention, story: EditionStory) -> str:
    """
    Return the headline of a report that is shown by it: one in another language than the digest's, unless the story
    stands under it.
    """
    is_own = (mention.url, mention.language) == (story.url, story.title_language) and story.title in mention.title
    if is_own or not mention.headline:
        return ""
    return safe.inert(mention.title, limit=MAX_TITLE)


def _sources(story: EditionStory, mentions: Sequence[Mention], most: int, words: Words) -> tuple[SourceLine, ...]:
    """Return the first of `mentions` as they are shown."""
    return tuple(_source(each, _title(each, story), words) for each in mentions[:most])


def _agency(mention: Mention, words: Words) -> str:
    """Return "AFP text", or nothing where it is nobody's or the agency's own site has it: "Reuters", "AP News"."""
    agency = safe.inert(mention.agency or "", limit=80)
    own, named = ([fold(word) for word in split(name)] for name in (mention.outlet, agency))
    if not named or own[: len(named)] == named:
        return ""
    return words.say("agency", agency=agency)


def _source(mention: Mention, title: str, words: Words) -> SourceLine:
    outlet = outlet_name(mention.outlet, mention.url)
    about = (words.country(mention.country), words.in_language(mention.language), _agency(mention, words))
    return SourceLine(
        outlet=outlet,
        url=safe.web_url(mention.url),
        tongue=tongue(mention.language, title or outlet, words),
        about=", ".join(part for part in about if part),
        title=title,
    )


def _model(story: EditionStory) -> str:
    return safe.inert(story.prose_by, limit=80) or "?"


def _since(edition: Edition, words: Words) -> str:
    if edition.previous is None:
        return words["since_last"]
    if (edition.local_date - edition.previous).days == 1:
        return words["since_yesterday"]
    return words.say("since_day", day=words.short_date(edition.previous))


def _heights(spark: Sequence[int]) -> tuple[int, ...]:
    """Return heights from 1 to 12 for the bars, the highest 12; nothing where there is nothing to compare."""
    top = max(spark, default=0)
    return tuple(max(1, round(12 * value / top)) for value in spark) if top > 0 else ()
