"""The small figures of a story and an edition: sparkline, trend, minutes to read, anchors."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from digests.analysis.country_names import country_name
from digests.analysis.coverage import Coverage
from digests.analysis.perspectives import OutletGroups, find_missing_perspectives, find_perspectives
from digests.analysis.select import LoadFullTexts
from digests.compose import changes
from digests.compose.rank import RankedStory
from digests.model import Brief, Edition, EditionStory, Sentence, SourceMention, Story
from digests.summarise.agreement import Agreement, DocumentFrequencies, measure_agreement
from digests.summarise.headline import Headline, choose_headline
from digests.summarise.lead import choose_summary
from watcher.model import Article
from watcher.text.words import words

EIGHTHS = 8
RISING, FADING = 1.25, 0.75  # the last quarter's pace to the pace since the story began
FEW = 4  # articles from which a trend can be told
WORDS_A_MINUTE = 230
UNSPACED_A_WORD = 2.2  # characters of a script without spaces that are read in the time of a word
ANCHOR_WORDS, ANCHOR_CHARS = 6, 48
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def count_eighths(times: Iterable[datetime], *, start: datetime, end: datetime) -> tuple[int, ...]:
    """Return how many of `times` lie in each eighth of the window; what lies outside counts to the nearest."""
    counts = [0] * EIGHTHS
    span = max((end - start).total_seconds(), 1.0)
    for time in times:
        at = int((time - start).total_seconds() / span * EIGHTHS)
        counts[min(max(at, 0), EIGHTHS - 1)] += 1
    return tuple(counts)


def classify_trend(counts: Sequence[int]) -> str:
    """
    Return "rising", "steady" or "fading": the pace of the window's last quarter against the pace since the story
    began; nothing where too few articles tell.
    """
    began = next((at for at, count in enumerate(counts) if count), None)
    if began is None or sum(counts) < FEW:
        return ""
    if began >= EIGHTHS - 2:
        return "rising"
    pace = sum(counts[began:]) / (EIGHTHS - began)
    last = sum(counts[-2:]) / 2
    return "rising" if last >= RISING * pace else "fading" if last <= FADING * pace else "steady"


def reading_time(texts: Iterable[str]) -> int:
    """Return how long it takes to read `texts`, in minutes, at least 1."""
    total = 0.0
    for text in texts:
        unspaced = len(UNSPACED.findall(text))
        total += unspaced / UNSPACED_A_WORD + len(words(UNSPACED.sub(" ", text)))
    return max(1, math.ceil(total / WORDS_A_MINUTE))


def make_anchor(title: str, key: str, taken: set[str]) -> str:
    """
    Return an anchor of ASCII letters, digits and hyphens, and note it in `taken`.

    The first words of the title where they are Latin, then a piece of the story's id: so it holds while the headline
    changes little, and two stories never share one.
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    parts = re.findall(r"[a-z0-9]+", re.sub(r"['’]", "", plain))[:ANCHOR_WORDS]
    slug = "-".join(parts)[:ANCHOR_CHARS].strip("-")
    ident = re.sub(r"[^a-z0-9]", "", key.lower()) or "x"
    for length in (6, len(ident)):
        found = "-".join(filter(None, (slug if slug[:1].isalpha() else f"story-{slug}".strip("-"), ident[:length])))
        if found not in taken:
            break
    number = 2
    while found in taken:
        found, number = f"{found}-{number}", number + 1
    taken.add(found)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeContext:
    """What all stories of an edition share."""

    language: str
    timezone: str
    local_date: date
    window_start: datetime
    window_end: datetime
    earlier_editions: tuple[Edition, ...]  # the last ones, the latest first
    frequencies: DocumentFrequencies
    earlier_articles: Mapping[str, Article]  # articles from before the window, by id
    load_full_texts: LoadFullTexts  # articles of the window, and from before, with all of their text
    owner_kinds: Mapping[str, str]  # the kind of owner of an outlet
    outlets_read: OutletGroups  # the outlets of the window
    find_countries: Callable[[Story], tuple[str, ...]]  # ISO codes of the countries that a story is about


def compose_story(
    ranked: RankedStory, articles: Mapping[str, Article], frame: ComposeContext, *, taken: set[str]
) -> EditionStory | None:
    """
    Return `ranked` as the edition shows it, without a number yet; None if no article of it has a title.

    Args:
        taken: The anchors that are in use; the story's is added.
    """
    story, covered = ranked.story, ranked.coverage
    places = frame.find_countries(story)
    known = frame.load_full_texts(key for key in story.articles if key in articles or key in frame.earlier_articles)
    own = {key: known[key] for key in in_window(story, articles)}
    agreed = measure_agreement(story, own, frame.frequencies)
    title = choose_headline(story, own, language=frame.language, known=frame.frequencies, agreed=agreed)
    if title is None:
        return None
    summary = choose_summary(
        story, own, language=frame.language, title=title.text, known=frame.frequencies, agreed=agreed
    )
    moved = _moved(story, {**frame.earlier_articles, **known}, articles, frame, summary, agreed)
    summary = _without_new(summary, moved.updates)
    codes = places or moved.place_codes
    present = list(own.values())
    counts = count_eighths((a.published_at for a in present), start=frame.window_start, end=frame.window_end)
    return EditionStory(
        number=0,
        id=story.id,
        anchor=make_anchor(title.text, story.id, taken),
        title=title.text,
        title_language=title.article.language,
        url=title.article.url,
        places=tuple(country_name(code, frame.language) for code in codes),
        status=moved.status,
        day=moved.day,
        first_seen_at=moved.first_seen_at,
        updated_at=max(article.published_at for article in present),
        summary=summary,
        updates=moved.updates,
        articles=len(present),
        outlets=len(covered.outlets),
        independent=len(covered.independent),
        folded=len(covered.folded),
        agencies=covered.agencies,
        mentions=source_mentions(story, own, covered, frame.language, first=_lead_outlet(summary, title)),
        languages=covered.languages,
        countries=covered.countries,
        article_ids=tuple(article.id for article in present),
        thread=story.thread,
        sparkline=counts,
        trend=classify_trend(counts),
        score=ranked.score,
        score_terms=ranked.score_terms,
        place_codes=codes,
        earlier_story=moved.earlier_story or "",
        number_changes=moved.number_changes,
        new_outlets=moved.new_outlets,
        perspectives=find_perspectives(story, own, covered, frame.owner_kinds),
        silent=find_missing_perspectives(frame.outlets_read, covered, places),
        watched=ranked.watched,
    )


def _moved(
    story: Story,
    told: Mapping[str, Article],
    articles: Mapping[str, Article],
    frame: ComposeContext,
    summary: tuple[Sentence, ...],
    agreed: Agreement,
) -> changes.StoryChange:
    """
    Return what moved in a story since the last editions.

    Args:
        told: Its articles, and those of the last editions, with all of their text.
    """
    return changes.compare_with_earlier(
        story,
        told,
        frame.earlier_editions,
        language=frame.language,
        timezone=frame.timezone,
        local_date=frame.local_date,
        inside=articles.keys(),
        window_end=frame.window_end,
        places=frame.find_countries(story),
        shown=summary,
        known=frame.frequencies,
        agreed=agreed,
    )


def compose_brief(ranked: RankedStory, articles: Mapping[str, Article], frame: ComposeContext) -> Brief | None:
    """Return `ranked` as one line; None if no article of it has a title."""
    own = frame.load_full_texts(in_window(ranked.story, articles))
    title = choose_headline(ranked.story, own, language=frame.language, known=frame.frequencies)
    if title is None:
        return None
    return Brief(
        id=ranked.story.id,
        title=title.text,
        url=title.article.url,
        outlet=title.article.outlet,
        language=title.article.language,
        outlets=len(ranked.coverage.outlets),
        independent=len(ranked.coverage.independent),
        article_ids=in_window(ranked.story, articles),
        thread=ranked.story.thread,
        watched=ranked.watched,
    )


def in_window(story: Story, articles: Mapping[str, Article]) -> tuple[str, ...]:
    """Return the ids of those of a story's articles that are of the window."""
    return tuple(key for key in story.articles if key in articles)


def source_mentions(
    story: Story, articles: Mapping[str, Article], covered: Coverage, language: str, *, first: str | None
) -> tuple[SourceMention, ...]:
    """
    Return one mention an outlet: the summary's first, then the independent ones so that each brings a new country or
    language as long as there is one, then the folded ones in time order.
    """
    agencies = {key: report.agency for report in story.reports for key in report.articles}
    origins = frozenset(covered.origins)
    of_outlet: dict[str, list[Article]] = {outlet: [] for outlet in covered.outlets}
    for key in story.articles:
        if key in articles:
            of_outlet[articles[key].outlet].append(articles[key])
    chosen = {
        outlet: min(own, key=lambda a: (a.id not in origins, a.language != language, a.published_at, a.id))
        for outlet, own in of_outlet.items()
    }
    order = [outlet for outlet in (first,) if outlet in chosen]
    order += _spread([o for o in covered.independent if o not in order], chosen)
    order += [outlet for outlet in covered.folded if outlet not in order]
    return tuple(
        SourceMention(
            outlet=article.outlet,
            url=article.url,
            language=article.language,
            country=article.country,
            title=article.title,
            published_at=article.published_at,
            article_id=article.id,
            agency=agencies.get(article.id),
            shows_title=article.language != language,
        )
        for article in (chosen[outlet] for outlet in order)
    )


def _without_new(summary: tuple[Sentence, ...], new: tuple[Sentence, ...]) -> tuple[Sentence, ...]:
    """Return the summary without the sentences that are told as new."""
    return tuple(sentence for sentence in summary if sentence not in new)


def _spread(outlets: list[str], chosen: Mapping[str, Article]) -> list[str]:
    """Return `outlets` with those first that bring a country or language not yet seen."""
    seen: set[tuple[str | None, str]] = set()
    fresh: list[str] = []
    rest: list[str] = []
    for outlet in outlets:
        key = (chosen[outlet].country, chosen[outlet].language)
        (rest if key in seen else fresh).append(outlet)
        seen.add(key)
    return fresh + rest


def _lead_outlet(summary: tuple[Sentence, ...], title: Headline) -> str:
    return summary[0].outlet if summary else title.article.outlet
