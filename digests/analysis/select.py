"""Selects the articles of the window that take part in an edition, and counts the others by reason."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from digests.analysis.preferences import MuteRule, find_mute_rule
from digests.model.ledger import LeftOut, LeftOutKind
from digests.model.story import Story
from watcher.model import Article
from watcher.text.page_kind import COLLECTIONS, COUNTED_OPINION, DOUBTFUL, NO_REPORTS, OPINION, SERVICE, WITHHELD
from watcher.text.words import fold

MIN_TEXT = 30  # width of title and text together; less cannot be grouped,
MIN_ARTICLE_TITLE_WIDTH = 15  # unless the title alone has it: "Hamas attacks Israel", but not "Live" or "Weather"
COMPARED_TEXT_CHARS = 400  # characters of two texts that must be the same, for these to be compared
FLAGGED_KINDS = NO_REPORTS | WITHHELD | {"video", DOUBTFUL, COUNTED_OPINION}
# Why an article of this kind is left out if no report of its event is in the window.
APART = {OPINION: LeftOutKind.OPINION, "gallery": LeftOutKind.GALLERY}
# By id; other articles may have only the beginnings of their texts.
LoadFullTexts: TypeAlias = Callable[[Iterable[str]], Mapping[str, Article]]
Cause: TypeAlias = tuple[LeftOutKind, str]  # why something is left out, and the rule that muted it or ""
DENSE = re.compile("[\u1100-\ud7ff]")


def select_articles(
    articles: Sequence[Article],
    *,
    start: datetime,
    end: datetime,
    load_full_texts: LoadFullTexts,
    mute_rules: Sequence[MuteRule] = (),
    followed: Container[str] = (),  # ids of articles: only a rule that mutes an outlet as a whole leaves them out
    languages: Sequence[str] = (),  # primary tags; empty for all
    omits_opinion: bool = False,
) -> tuple[tuple[Article, ...], dict[str, Cause]]:
    """
    Return the articles published in [start, end) that can be grouped and read, by time; and why others are not.

    The causes are by article id.
    """
    ordered = sorted(articles, key=lambda a: (a.published_at, a.id))
    reasons = {a.id: (kind, "") for a in ordered if (kind := _exclusion(a, start, end, omits_opinion))}
    readable = (a for a in ordered if mute_rules and a.id not in reasons)
    outlet_rules = [rule for rule in mute_rules if rule.is_of_outlets_alone]
    muted = ((a.id, find_mute_rule(outlet_rules if a.id in followed else mute_rules, a)) for a in readable)
    reasons |= {key: (LeftOutKind.MUTED, rule.label) for key, rule in muted if rule}
    repeated = _find_repeated([a for a in ordered if a.id not in reasons], load_full_texts)
    reasons |= dict.fromkeys(repeated, (LeftOutKind.DUPLICATE_ARTICLE, ""))
    foreign = (a.id for a in ordered if languages and a.language not in languages)
    reasons = dict.fromkeys(foreign, (LeftOutKind.LANGUAGE, "")) | reasons  # the reasons found above take precedence
    return tuple(a for a in ordered if a.id not in reasons), reasons


def leave_out_apart(
    articles: Sequence[Article], stories: Iterable[Story]
) -> tuple[tuple[Article, ...], dict[str, Cause]]:
    """Return the articles without opinion pieces and galleries on whose story there is no report; and those, by id."""
    reports = {article.id for article in articles if article.kind not in APART}
    reported = {key for story in stories if not reports.isdisjoint(story.articles) for key in story.articles}
    apart = {a.id: (APART[a.kind], "") for a in articles if a.kind in APART and a.id not in reported}
    return tuple(article for article in articles if article.id not in apart), apart


def is_flagged(article: Article) -> bool:
    """Whether an article's text is not quoted: it is no report of one event, a caption, or may not be the article's."""
    return article.kind in FLAGGED_KINDS


def can_be_quoted(article: Article) -> bool:
    return not (article.is_headline_only or is_flagged(article))


def _exclusion(article: Article, start: datetime, end: datetime, omits_opinion: bool) -> LeftOutKind | None:
    """Return why an edition leaves out an article by itself, whatever its story; None if it may be in."""
    if not start <= article.published_at < end:
        return LeftOutKind.OUT_OF_WINDOW
    if not article.title.strip():
        return LeftOutKind.NO_TITLE
    if article.kind in COLLECTIONS:
        return LeftOutKind.COLLECTION
    if article.kind == SERVICE:
        return LeftOutKind.SERVICE
    if omits_opinion and article.kind == OPINION:
        return LeftOutKind.OPINION
    title = display_length(article.title)
    if title < MIN_ARTICLE_TITLE_WIDTH and title + display_length(article.text[:MIN_TEXT]) < MIN_TEXT:
        return LeftOutKind.LITTLE_TEXT
    return None


def count_left_out(causes: Iterable[Cause]) -> tuple[LeftOut, ...]:
    """Return the number of items of each cause, a kind with the rule that muted them, the most frequent first."""
    rows = sorted(Counter(causes).items(), key=lambda row: (-row[1], row[0]))
    return tuple(LeftOut(kind=kind, count=count, rule=rule) for (kind, rule), count in rows)


def _find_repeated(articles: Iterable[Article], load_full_texts: LoadFullTexts) -> Iterator[str]:
    """Yield the id of each article with the same outlet, title and full text as an earlier one."""
    alike: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for article in articles:
        alike[article.outlet, fold(article.title), article.text[:COMPARED_TEXT_CHARS]].append(article.id)
    for ids in alike.values():
        if len(ids) > 1:  # then their full texts are compared
            whole = load_full_texts(ids)
            texts = [whole[key].text for key in ids]
            yield from (key for n, key in enumerate(ids) if texts[n] in texts[:n])


def display_length(text: str) -> int:
    """Return the display width of `text`: characters of scripts such as Chinese and Korean count two."""
    return len(text) if text.isascii() else len(text) + len(DENSE.findall(text))
