"""Notices: reports of a story that their outlets say to correct or take back, and the reports that this concerns."""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime
from functools import cache

from digests.analysis.country_names import load_data
from digests.analysis.rejections import find_rejected_claims
from digests.model.edition_story import Notice
from digests.model.story import Story
from watcher.model import Article
from watcher.text.page_kind import NO_REPORTS, REJECTED, WITHDRAWN
from watcher.text.sentences import sentences
from watcher.text.words import fold

NOTICE_CHARS = 600  # of a text, in which a notice is looked for: it stands at the beginning
NOTICE_KINDS = ("withdrawn", "corrected")
NO_TIMES: Mapping[str, datetime] = {}


def withhold_reports(
    stories: Iterable[Story], articles: Mapping[str, Article], changed_at: Mapping[str, datetime] = NO_TIMES
) -> tuple[dict[str, Article], dict[str, tuple[Notice, ...]]]:
    """
    Return `articles` with their kinds changed where they may be neither headline nor quote, and the notices by story.

    Args:
        changed_at: When the page of an article was last found changed, by the article's id.
    """
    marked, notices = dict(articles), dict[str, tuple[Notice, ...]]()
    for story in stories:
        rejected = find_rejected_claims(story, articles)
        if found := find_notices(story, articles, changed_at):
            notices[story.id] = found
        for kind, ids in ((REJECTED, rejected), (WITHDRAWN, {key for notice in found for key in notice.withheld})):
            marked |= {key: replace(articles[key], kind=kind) for key in ids}
    return marked, notices


def find_notices(
    story: Story, articles: Mapping[str, Article], changed_at: Mapping[str, datetime] = NO_TIMES
) -> tuple[Notice, ...]:
    """
    Return the notices of a story, in time order, each with the ids of the reports that may not be told because of it.

    These are the earlier reports of the outlet, and of the agency whose text the notice is, and all copies of them. A
    notice that is a title is withheld itself: its own words are what the story shows of it. Only if nothing else is
    left, a report with "corrected" in its title is told.
    """
    known = [articles[key] for key in story.articles if key in articles and articles[key].kind not in NO_REPORTS]
    texts = {article.id: notice_text for article in known if (notice_text := _find_text(article))}
    if not texts:
        return ()
    groups = {key: group for group in story.wire_groups for key in group.articles}
    agencies = {key: group.agency or "" for key, group in groups.items()}
    notices: list[Notice] = []
    for article in (each for each in known if each.id in texts):
        kind, text, offset = texts[article.id]
        at = changed_at.get(article.id, article.published_at)
        before = {each.id for each in known if each.id not in texts and each.published_at < at}
        names = _source_names(article, agencies)
        earlier = {each.id for each in known if each.id in before and _source_names(each, agencies) & names}
        copies = {key for one in earlier if one in groups for key in groups[one].articles}
        copies |= before.intersection(groups[article.id].articles if article.id in groups else ())
        withheld = {each.id for each in known if each.id in earlier | copies and each.id not in texts}
        if offset is None or kind == "withdrawn":
            withheld.add(article.id)
        notices.append(
            Notice(
                kind=kind,
                text=text,
                offset=offset,
                article_id=article.id,
                outlet=article.outlet,
                url=article.url,
                language=article.language,
                published_at=at,
                withheld=tuple(each.id for each in known if each.id in withheld),
            )
        )
    if {key for notice in notices for key in notice.withheld} >= {article.id for article in known}:
        notices = [_without_itself(notice) if notice.kind == "corrected" else notice for notice in notices]
    return tuple(sorted(notices, key=lambda notice: (notice.published_at, notice.article_id)))


def _without_itself(notice: Notice) -> Notice:
    return replace(notice, withheld=tuple(key for key in notice.withheld if key != notice.article_id))


def _source_names(article: Article, agencies: Mapping[str, str]) -> Set[str]:
    """Return the names of an article's outlet and of its agency; "AP News" is AP."""
    agency = fold(article.agency or agencies.get(article.id, ""))
    outlet = fold(article.outlet)
    return {outlet, outlet.removesuffix(" news"), agency} - {""}


def _find_text(article: Article) -> tuple[str, str, int | None] | None:
    """Return the kind of a notice with its words, a title or a sentence with its place; None if it is no notice."""
    title = article.title.strip()
    for kind in NOTICE_KINDS:
        if any(pattern.search(title) for pattern in _title_patterns(kind)):
            return kind, title, None
    lead = article.text[:NOTICE_CHARS]
    spans: Sequence[tuple[int, int]] = [span for span in sentences(lead, article.language) if span[1] < NOTICE_CHARS]
    for kind in NOTICE_KINDS:
        for start, end in spans:
            if _text_pattern(kind).match(lead[start:end]):
                return kind, lead[start:end], start
    return None


@cache
def _title_patterns(kind: str) -> tuple[re.Pattern[str], ...]:
    """Return the patterns of a title that begins with a word of a notice, or has it in brackets at an end."""
    words = "|".join(load_data("notices")[kind]["words"])
    capitals = {"corrected": "CORRECTED|CORRECTION|REFILE", "withdrawn": "WITHDRAWN|KILL"}[kind]
    in_brackets = rf"[(\[【［（<〈](?:{words})[)\]】］）>〉]"
    return (
        re.compile(rf"^\W{{0,3}}(?:{words})(?:\s?[:：|–—]|\s-\s)", re.IGNORECASE),
        re.compile(rf"^{in_brackets}|{in_brackets}$", re.IGNORECASE),
        re.compile(rf"^(?:(?:UPDATE|WRAPUP) \d+\s?-\s?)?(?:{capitals})(?:\s?\(.{{0,9}}\))?\s?[-:]"),
    )


@cache
def _text_pattern(kind: str) -> re.Pattern[str]:
    return re.compile("|".join(load_data("notices")[kind]["texts"]), re.IGNORECASE)
