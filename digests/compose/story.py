"""One story as an edition shows it: in full or as a brief, with its sparkline, trend and anchor."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from digests.analysis.country_names import country_name
from digests.analysis.select import is_flagged
from digests.analysis.silence import find_missing_perspectives
from digests.analysis.story_countries import select_sure, select_told
from digests.analysis.story_coverage import Coverage, find_comments, find_copies, measure_coverage
from digests.analysis.titles import title_without_outlet
from digests.compose.changes import StoryChange, compare_with_earlier
from digests.compose.context import ComposeContext
from digests.compose.rank import NO_NEIGHBOURS, RankedStory
from digests.compose.told import was_told
from digests.model.edition_story import Brief, EditionStory, FigureChange, Sentence, SourceMention
from digests.model.story import Story, WireGroup
from digests.settings.topics import LIGHT_TOPICS
from digests.summarise.agreement import Agreement, measure_agreement
from digests.summarise.background import is_background
from digests.summarise.differences import find_aspects, find_differences
from digests.summarise.figures import exceeding_figures, find_figure_changes, stated_figures, superseded_by_figures
from digests.summarise.headline import (
    Headline,
    choose_headline,
    choose_headlines,
    has_title_in,
    tells_news,
)
from digests.summarise.latest import Told, choose_latest
from digests.summarise.lead import choose_summary, make_sentence
from digests.summarise.openings import mention_report
from watcher.model import Article
from watcher.text.page_kind import NO_REPORTS, REJECTED, WITHHELD
from watcher.text.words import stems

EIGHTHS = 8
RISING, FADING = 1.25, 0.75  # thresholds for the last quarter's rate of articles, divided by the whole rate
MIN_TREND_ARTICLES = 4
ANCHOR_WORDS, ANCHOR_CHARS = 6, 48
OF_CHANGE = ("status", "day", "first_seen_at", "number_changes", "new_outlets")  # as `StoryChange` has it


def count_in_eighths(times: Iterable[datetime], *, start: datetime, end: datetime) -> tuple[int, ...]:
    """Return the number of `times` in each eighth of the window; times outside it count in the nearest eighth."""
    span = max(end - start, timedelta(seconds=1))
    counts = Counter(min(max(int((time - start) / span * EIGHTHS), 0), EIGHTHS - 1) for time in times)
    return tuple(counts[at] for at in range(EIGHTHS))


def classify_trend(counts: Sequence[int]) -> str:
    """
    Return "rising", "steady" or "fading"; "" for fewer than `MIN_TREND_ARTICLES` articles.

    The rate of articles in the window's last quarter is compared with the rate since the story began. `counts` are the
    articles in each eighth of the window (`count_in_eighths`).
    """
    began = next((at for at, count in enumerate(counts) if count), None)
    if began is None or sum(counts) < MIN_TREND_ARTICLES:
        return ""
    if began >= EIGHTHS - 2:
        return "rising"
    pace = sum(counts[began:]) / (EIGHTHS - began)
    last = sum(counts[-2:]) / 2
    return "rising" if last >= RISING * pace else "fading" if last <= FADING * pace else "steady"


def _make_anchor(title: str, key: str, taken: set[str]) -> str:
    """
    Return an anchor of ASCII letters, digits and hyphens, and add it to `taken`.

    It has the title's first Latin words and part of the story's id: it stays the same if the end of the headline
    changes, and is unique.
    """
    slug = "-".join(latin_words(re.sub(r"['’]", "", title))[:ANCHOR_WORDS])[:ANCHOR_CHARS].strip("-")
    slug = slug if slug[:1].isalpha() else f"story-{slug}".strip("-")
    ident = re.sub(r"[^a-z0-9]", "", key.lower()) or "x"
    short = f"{slug}-{ident[:6]}"
    return add_distinct(short if short not in taken else f"{slug}-{ident}", taken)


def latin_words(text: str) -> list[str]:
    """Return the Latin words and numbers of `text`, in lower case and without accents."""
    return re.findall(r"[a-z0-9]+", unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower())


def add_distinct(anchor: str, taken: set[str]) -> str:
    """Return `anchor`, with a number appended if it is taken, and add the result to `taken`."""
    found, number = anchor, 2
    while found in taken:
        found, number = f"{anchor}-{number}", number + 1
    taken.add(found)
    return found


def _load_known(story: Story, context: ComposeContext) -> Mapping[str, Article]:
    """Return the story's articles with full texts: those of the window, and earlier ones that are still stored."""
    return context.load_full_texts(
        key for key in story.articles if key in context.articles or key in context.earlier_articles
    )


def _find_figure_changes(
    story: Story, own: Mapping[str, Article], known: Mapping[str, Article], context: ComposeContext
) -> tuple[FigureChange, ...]:
    """Return the figures that reports of this window give otherwise than those before it."""
    before = {
        key: article
        for key, article in known.items()
        if key not in own and article.kind not in NO_REPORTS and article.published_at < context.window_start
    }
    return find_figure_changes(story, own, before, context.can_read)


def _choose_headline(
    story: Story,
    own: Mapping[str, Article],
    agreed: Agreement,
    changes: Sequence[FigureChange],
    context: ComposeContext,
) -> Headline | None:
    """Return the headline, one without a figure that a newer one replaces if a title that can be shown has none."""
    languages = context.languages_for("headlines", own)
    readable = {key: article for key, article in own.items() if article.language in languages}
    # The newest figure may stand only in titles that cannot be shown: then it is the newest of those that can be.
    for known, found in ((changes, own), ((), readable)):
        is_old = superseded_by_figures(known, story, found)
        current = {key: each for key, each in own.items() if not is_old(make_sentence(each, 0, each.title))}
        title = choose_headline(story, current, agreed, languages=languages)
        if title is not None and (title.article.language in languages or len(current) == len(own)):
            return title
    return choose_headline(story, own, agreed, languages=languages)


def _choose_readable_summary(
    story: Story,
    articles: Mapping[str, Article],
    agreed: Agreement,
    title: Headline,
    changes: Sequence[FigureChange],
    context: ComposeContext,
) -> tuple[Sentence, ...]:
    """
    Return the summary of sentences that can be shown, in the headline's language if any of them is in it.

    Sentences with a figure that a newer one replaces or that is above the headline's, and those on what happened before
    the window, are used only if there are no others.
    """
    languages, is_old = context.languages_for("sentences", articles), superseded_by_figures(changes, story, articles)
    is_more = exceeding_figures(make_sentence(title.article, 0, title.text))
    languages.sort(key=lambda tag: tag != title.article.language)
    choose = partial(choose_summary, story, articles, agreed, languages=languages, title=title.text)
    # `frequencies` tell which of its words tell the headline apart.
    choose = partial(choose, whole=context.whole, frequencies=context.frequencies)

    def is_current(sentence: Sentence) -> bool:
        return not (is_old(sentence) or is_more(sentence) or is_background(sentence, context.window_start))

    chosen = choose(can_show=lambda sentence: context.can_show(sentence) and is_current(sentence))
    if not context.readable_beginning(chosen):
        chosen = choose(can_show=context.can_show)
    return chosen[: len(context.readable_beginning(chosen))]  # translations come when the updates are taken out


def _choose_latest(
    story: Story,
    told: Mapping[str, Article],
    title: Headline,
    shown: Sequence[Sentence | Article],
    changes: Sequence[FigureChange],
    context: ComposeContext,
) -> Article | None:
    """
    Return the report whose headline is later than what tells a story, and of the same state in its figures: one of the
    story, its margin among them, or one that grouping keeps apart and that is near it. A copy is not later than its
    origin, nor is what the last edition told of whatever story.
    """
    of_window = {**context.select_in_window(told), **_find_near_reports(story, context)}
    is_old, before = superseded_by_figures(changes, story, of_window), context.told_in(context.previous)
    copies = find_copies(story, told, context.measure_coverage(story).origins)
    current = (
        each
        for each in of_window.values()
        if each.id not in copies
        and not is_old(make_sentence(each, 0, each.title))
        and not was_told(title_without_outlet(each), each.language, before)
    )
    texts = [(each.title if isinstance(each, Article) else each.text, each.language) for each in shown]
    state = Told(
        shown=[(title.text, title.article.language), *texts],
        since=max((title.article.published_at, *(each.published_at for each in shown))),
        reports=len(context.present(story)),
        near=context.neighbours.get(story.id, NO_NEIGHBOURS).articles,
        news_values=context.news_values,
    )
    return choose_latest(current, state, context.can_read, context.frequencies)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Telling:
    """What tells a story: its headline and sentences, or other headlines if there are none, and what came later."""

    title: Headline
    summary: tuple[Sentence, ...]
    others: tuple[Article, ...]  # reports whose headlines stand in the place of sentences
    latest: Article | None
    change: StoryChange
    figure_changes: tuple[FigureChange, ...]

    @property
    def quoted(self) -> tuple[Sentence, ...]:
        return *self.summary, *self.change.updates


def _tell(
    story: Story, own: Mapping[str, Article], known: Mapping[str, Article], context: ComposeContext
) -> _Telling | None:
    """Return what tells a story by its articles, its `own` and all that are `known`; None if none has a title."""
    title = find_headline(story, context)
    if title is None:
        return None
    agreed = measure_agreement(story, _select_tellers(story, own), context.frequencies)
    of_window = _select_tellers(story, context.select_in_window(own))
    changes = _find_figure_changes(story, own, known, context)
    summary = _choose_readable_summary(story, of_window, agreed, title, changes, context)
    is_old = superseded_by_figures(changes, story, of_window)
    earlier = {**context.earlier_texts, **known}
    change = compare_with_earlier(story, earlier, summary, agreed, context, title=title.text, is_old=is_old)
    summary = context.readable_beginning([sentence for sentence in summary if sentence not in change.updates])
    change = replace(change, updates=context.readable_beginning(change.updates))
    told = _without_withheld(own)
    others = () if summary or change.updates else choose_headlines(story, told, title, context.can_read)
    is_light = context.find_topic(story) in LIGHT_TOPICS  # its later headlines say the same in a livelier way
    shown: list[Sentence | Article] = [*summary, *change.updates, *others]
    latest = None if is_light else _choose_latest(story, told, title, shown, changes, context)
    is_old_title = is_old(make_sentence(title.article, 0, title.text))
    if latest and is_old_title and any(figure.is_title for figure in stated_figures(latest)):
        title = Headline(title_without_outlet(latest), latest)  # the newer figure stands above
    return _Telling(title=title, summary=summary, others=others, latest=latest, change=change, figure_changes=changes)


def _without_withheld(articles: Mapping[str, Article]) -> dict[str, Article]:
    """Return the articles that may be shown: what is withheld differs from nothing, and is no other angle."""
    return {key: article for key, article in articles.items() if article.kind not in WITHHELD}


def compose_story(ranked: RankedStory, context: ComposeContext, *, taken: set[str]) -> EditionStory | None:
    """Return `ranked` as shown, numbered 0, and add its anchor to `taken`; None if no article has a title."""
    story, covered, language = ranked.story, ranked.coverage, context.digest.language
    known = _load_known(story, context)
    own = {article.id: known[article.id] for article in context.present(story)}
    telling = _tell(story, own, known, context)
    if telling is None:
        return None
    title, change, changes, latest = telling.title, telling.change, telling.figure_changes, telling.latest
    places = context.find_countries(story)
    above = (title.text, title.article.language), *((each.text, each.language) for each in telling.quoted)
    place_codes = select_told(places, above) or (change.earlier.place_codes if change.earlier else ())
    times = [article.published_at for article in own.values()]
    counts = count_in_eighths(times, start=context.window_start, end=context.window_end)
    told = _without_withheld(own)
    covered_told = replace(covered, origins=tuple(key for key in covered.origins if key in told))
    lead_outlet = telling.summary[0].outlet if telling.summary else title.article.outlet
    return EditionStory(
        number=0,
        id=story.id,
        anchor=_make_anchor(title.text, story.id, taken),
        title=title.text,
        title_language=title.article.language,
        url=title.article.url,
        places=tuple(country_name(code, language) for code in place_codes),
        updated_at=max(times),
        summary=telling.summary,
        updates=change.updates,
        articles=len(own),
        outlets=len(covered.outlets),
        independent=len(covered.independent),
        folded=len(covered.folded),
        headline_only=len(covered.headline_only),
        is_least=ranked.is_least or (latest is not None and latest.outlet not in covered.outlets),
        agencies=covered.agencies,
        mentions=_source_mentions(story, own, covered, language, title, first=lead_outlet),
        headlines=tuple(mention_report(article, agency=None, shows_title=True) for article in telling.others),
        latest=mention_report(latest, agency=None, shows_title=True) if latest else None,
        comments=tuple(
            mention_report(article, agency=None, shows_title=False)
            for article in find_comments(story, context.articles)
        ),
        languages=covered.languages,
        countries=covered.countries,
        article_ids=tuple(own),
        thread=story.thread,
        sparkline=counts,
        trend=classify_trend(counts),
        score=ranked.score,
        score_terms=ranked.score_terms,
        place_codes=place_codes,
        topic=context.find_topic(story),
        earlier_story=change.earlier.id if change.earlier else "",
        figure_changes=changes,
        differences=find_differences(
            told, covered_told, title, context.can_read, changed=[each.quantity for each in changes]
        ),
        perspectives=find_aspects(
            story,
            told,
            covered_told,
            title,
            context.can_read,
            is_old=superseded_by_figures(changes, story, own),
            quoted=telling.quoted,
        ),
        silent=find_missing_perspectives(
            context.groups,
            context.outlets_read,
            covered,
            places,
            context.nearest.to(story.articles),
            outlets_with_it={context.items[key].outlet for key in story.articles if key in context.items},
        ),
        notices=context.notices.get(story.id, ()),
        rejected=tuple(key for key, article in own.items() if article.kind == REJECTED),
        watched=ranked.watched,
        translation=context.translate("headlines", title.text, title.article.language),
        **{name: getattr(change, name) for name in OF_CHANGE},
    )


def _find_near_reports(story: Story, context: ComposeContext) -> Mapping[str, Article]:
    """Return the reports of the window outside a story that are near it (`Neighbours.articles`), with full texts."""
    near = context.neighbours.get(story.id, NO_NEIGHBOURS).articles
    reports = (context.articles[key] for key in near if context.articles[key].kind not in NO_REPORTS | WITHHELD)
    return context.load_full_texts(
        each.id for each in reports if context.window_start <= each.published_at < context.window_end
    )


def _select_tellers(story: Story, articles: Mapping[str, Article]) -> dict[str, Article]:
    """Return the articles that tell a story: those outside of its margin, if any of them has a title that tells."""
    core = {key: article for key, article in articles.items() if key not in story.margin}
    return core if any(map(tells_news, core.values())) else dict(articles)


def find_headline(story: Story, context: ComposeContext) -> Headline | None:
    """Return the headline of a story: the same wherever an edition shows it; None if no article has a title."""
    if story.id not in context.headlines:  # several rules of choosing ask for it
        context.headlines[story.id] = _make_headline(story, context)
    return context.headlines[story.id]


def _make_headline(story: Story, context: ComposeContext) -> Headline | None:
    """Return the headline that a story gets by its reports in the window, None if none of them has a title."""
    known = _load_known(story, context)
    own = {article.id: known[article.id] for article in context.present(story)}
    of_window = _select_tellers(story, context.select_in_window(own))
    if len(of_window) == 1:  # there is nothing to choose
        (only,) = of_window.values()
        has_title = only.title.strip() and only.kind not in WITHHELD
        return Headline(title_without_outlet(only), only) if has_title else None
    agreed = measure_agreement(story, _select_tellers(story, own), context.frequencies)
    changes = _find_figure_changes(story, own, known, context)
    return _choose_headline(story, of_window, agreed, changes, context)


def is_headline_readable(story: Story, context: ComposeContext) -> bool:
    """Whether the reader can surely read the headline of a story: a quarter of the work of `find_headline`."""
    present = context.present(story)
    readable = [context.can_read(article.language) for article in present]
    if all(readable) or not any(readable) or context.translations is not None:
        return all(readable)  # whichever of the titles it is
    known = _load_known(story, context)
    of_window = _select_tellers(story, context.select_in_window({article.id: known[article.id] for article in present}))
    return has_title_in(context.digest.read_languages, story, of_window)


def compose_brief(ranked: RankedStory, context: ComposeContext) -> Brief | None:
    """Return `ranked` as one line; None if no article of it has a title."""
    title, story, covered = find_headline(ranked.story, context), ranked.story, ranked.coverage
    if title is None:
        return None
    if newer := _find_newer_title(story, title, context):
        title = newer
        own = WireGroup(articles=(newer.article.id,))
        story = replace(story, articles=(*story.articles, own.origin), wire_groups=(*story.wire_groups, own))
        covered = measure_coverage(story, context.articles)
    translation = context.translate("headlines", title.text, title.article.language)
    present = context.present(story)
    places = select_sure(context.find_countries(ranked.story), present)
    return Brief(
        id=story.id,
        title=title.text,
        url=title.article.url,
        outlet=title.article.outlet,
        language=title.article.language,
        outlets=len(covered.outlets),
        independent=len(covered.independent),
        headline_only=len(covered.headline_only),
        is_least=ranked.is_least,
        article_ids=tuple(article.id for article in present),
        thread=story.thread,
        watched=ranked.watched,
        status="" if translation or context.can_read(title.article.language) else "foreign",
        places=tuple(country_name(code, context.digest.language) for code in places),
        translation=translation,
    )


def _find_newer_title(story: Story, title: Headline, context: ComposeContext) -> Headline | None:
    """
    Return the title of a near report that is later than the headline of a line; None if there is none.

    It has the newest figure where the headline has an older one: the reports of a story may have it only in titles that
    the reader cannot read. Or it tells what has happened since, as below a story told in full (`_choose_latest`).
    """
    near = _find_near_reports(story, context)
    if not near:
        return None
    own = {article.id: article for article in context.present(story)}
    is_old = superseded_by_figures((), story, {**context.select_in_window(own), **near})
    if is_old(make_sentence(title.article, 0, title.text)):
        newer = [
            Headline(title_without_outlet(article), article)
            for article in sorted(near.values(), key=lambda each: (each.published_at, each.id), reverse=True)
            if context.can_read(article.language) and any(figure.is_title for figure in stated_figures(article))
        ]
        return next((each for each in newer if not is_old(make_sentence(each.article, 0, each.text))), None)
    if context.find_topic(story) in LIGHT_TOPICS or not context.can_read(title.article.language):
        return None
    later = _choose_latest(story, _load_known(story, context), title, (), (), context)
    return Headline(title_without_outlet(later), later) if later is not None and later.id in near else None


def _source_mentions(
    story: Story,
    articles: Mapping[str, Article],
    covered: Coverage,
    language: str,
    headline: Headline,
    *,
    first: str | None,
) -> tuple[SourceMention, ...]:
    """
    Return one mention per outlet: of the outlet `first`, then of the independent ones, those with most words of the
    headline first, but news before analysis and one of each country and language before the others, then of those
    that only copied a text, then of those that have a headline alone, then of those that only analyse or ask.
    """
    agencies = {key: report.agency for report in story.wire_groups for key in report.articles}
    chosen = _choose_of_outlets(story, articles, covered, language, headline, first=first)
    common_words = {outlet: _count_common_words(article, headline) for outlet, article in chosen.items()}
    independent = [outlet for outlet in covered.independent if outlet != first]
    independent.sort(key=lambda outlet: (not tells_news(chosen[outlet]), -common_words[outlet]))
    of_kind: dict[tuple[str | None, str], str] = {}
    for outlet in independent:
        of_kind.setdefault((chosen[outlet].country, chosen[outlet].language), outlet)
    folded = sorted(covered.folded, key=lambda outlet: outlet in covered.headline_only)
    folded.sort(key=lambda outlet: outlet not in covered.headline_only and not tells_news(chosen[outlet]))
    order = dict.fromkeys((first, *of_kind.values(), *independent, *folded))
    named = {article.id for article in chosen.values()}
    copies_of = find_copies(story, articles, covered.origins)
    # The report that is quoted is named, also if it is a copy.
    origin_of = {
        copy: origin for copy, origin in copies_of.items() if origin in named and articles[copy].outlet != first
    }
    return tuple(
        mention_report(
            article,
            agency=agencies.get(article.id),
            shows_title=article.language != language,
            copy_of=origin_of.get(article.id, ""),
        )
        for article in (chosen[outlet] for outlet in order if outlet in chosen)
    )


def _choose_of_outlets(
    story: Story,
    articles: Mapping[str, Article],
    covered: Coverage,
    language: str,
    headline: Headline,
    *,
    first: str | None,
) -> dict[str, Article]:
    """
    Return the article that each outlet is named with.

    Of an outlet's articles one that is no copy is preferred, then one that can be quoted (no video), one with a text,
    one in `language`, the one with most words of the headline, and the newest: an older one may tell what the headline
    has overtaken. Of the outlet `first`, the earliest is preferred.
    """
    of_outlet: dict[str, list[Article]] = {outlet: [] for outlet in covered.outlets}
    for key in story.articles:
        if key in articles and articles[key].outlet in of_outlet:  # not under a second name of an outlet
            of_outlet[articles[key].outlet].append(articles[key])
    origins = frozenset(covered.origins)
    return {
        outlet: min(
            sorted(own, key=lambda a: (a.published_at, a.id), reverse=outlet != first),
            key=lambda a: (
                a.id not in origins,
                is_flagged(a),
                a.is_headline_only,
                a.language != language,
                -_count_common_words(a, headline),
            ),
        )
        for outlet, own in of_outlet.items()
    }


def _count_common_words(article: Article, headline: Headline) -> int:
    """Return how many stems of the headline are in an article's title, 0 in another language."""
    if article.language != headline.article.language:
        return 0
    return len(headline.stems.intersection(stems(article.title, article.language)))
