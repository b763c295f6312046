"""The pages of a story and of an article: thread, coverage, reports, cleaned text; and user corrections."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from functools import partial
from typing import Any

from sqlalchemy import Connection

from digests.analysis.country_names import country_name
from digests.cluster.explain import describe_copy
from digests.errors import DigestError
from digests.model.kept_item import ARTICLE, STORY
from digests.model.story import WireGroup
from digests.render.edition_view import Views, describe_event_day
from digests.render.escape import language_tag, safe_anchor, sanitize_line, sanitize_paragraphs, web_url
from digests.render.localizer import Localizer, english, language_direction
from digests.store.editions import editions_with_story
from digests.store.stories import load_corrections
from digests.store.story_rows import StoryMember, StoryRow, load_members, resolve_merged, story_members
from digests.stories.agenda import events_of_story
from digests.stories.earlier import find_earlier
from digests.stories.follows import load_followed, set_followed
from digests.stories.history import StoryDetails, describe_change, link_reasons, load_story_details
from digests.stories.user_corrections import join, split
from digests.web.editions import format_edition_date
from digests.web.send import load_actions
from watcher.model import Article, RemovedBlock
from watcher.store.articles import articles_by_id
from watcher.store.pages import revisions_of
from watcher.store.writer import read, write
from watcher.text.page_kind import DOUBTFUL
from watcher.web.site import NotFound, PageRequest, PageResponse, Site, render_page

PAGE_ARTICLES = 40
THREAD_STORIES = 30
MAX_OUTLETS_NAMED = 12  # of a language
MIN_SPARK_REPORTS = 8  # fewer are read faster in the list itself
MAX_BARS = 24  # of the sparkline: a bar is an hour for up to a day
SPARK_PIXELS = 14
HOUR_S = 3600
TEXT_BYTES = 60_000
MAX_RULES, REMOVED_CHARS = 40, 300
RELATED_ARTICLES = 12
PAGE_TITLE_CHARS = 300


def story_page(site: Site, ask: PageRequest) -> PageResponse:
    """Return a story's page: the story as the last edition with it tells it, its thread, changes and some reports."""
    page, zone = ask.page(), site.zone
    details, reports, total = read(site.engine, _load_story_page, zone, ask.params["story"][:200], page)
    row = details.row
    ids = {row.id, details.asked.id, *row.merged_ids}
    in_editions = read(site.engine, editions_with_story, ids, start=row.first_at, end=row.last_at)
    edition_row, edition, shown = in_editions[0] if in_editions else (None, None, None)
    words = english(zone)
    return render_page(
        site,
        "story.html.j2",
        package="digests.web",
        has_form=True,
        f=details,
        row=row,
        actions=load_actions(site, STORY, row.id),
        followed_since=next((at for _, at, one in read(site.engine, load_followed) if one.thread == row.thread), None),
        title=sanitize_line(row.title, limit=PAGE_TITLE_CHARS) or "Untitled",
        lang=language_tag(row.language),
        dir=language_direction(row.language, row.title),
        places=" · ".join(country_name(code, "en") for code in details.places),
        day=(row.last_at.astimezone(zone).date() - details.thread_began_at.astimezone(zone).date()).days + 1,
        view=Views(edition).story(shown) if edition and shown else None,
        edition=edition,
        edition_row=edition_row,
        in_editions=[(key, each, safe_anchor(one.anchor, one.number)) for key, each, one in in_editions],
        date_of=format_edition_date,
        spark=_spark([article.published_at for article in details.articles.values()], zone),
        outlets=_outlets_by_language(details.articles.values(), words) if page == 1 else (),
        coming_up=read(site.engine, events_of_story, site.settings, row),
        day_of=partial(describe_event_day, words=words),
        link=web_url,
        tag=language_tag,
        direction=language_direction,
        thread=_nearby_thread(details),
        earlier=read(site.engine, find_earlier, row) if page == 1 else (),
        changes=[(change.at, describe_change(change)) for change in details.changes],
        reports=reports,
        done=read(site.engine, _load_done, ask.query["done"]) if "done" in ask.query else None,
        at=page,
        first=(page - 1) * PAGE_ARTICLES + 1,
        last=min(page * PAGE_ARTICLES, total),
        total=total,
    )


def _load_done(connection: Connection, number: str) -> dict[str, Any] | None:
    """Return what a correction did that holds, and the story of what it moved; None if there is none of this number."""
    stored = next((correction for correction in load_corrections(connection) if str(correction.number) == number), None)
    if stored is None or stored.revoked_at is not None:
        return None
    moved = stored.correction.articles
    member = load_members(connection, moved[:1]).get(moved[0])
    return {
        "number": number,
        "kind": stored.correction.kind,
        "count": len(moved),
        "story": member and member.story_id,
    }


def split_story(site: Site, ask: PageRequest) -> PageResponse:
    done = write(site.engine, split, ask.params["story"], ask.form.get("article", "").split(), now=site.now())
    return PageResponse(redirect_to=f"/story/{done.stories[0].id}?done={done.number}")


def join_stories(site: Site, ask: PageRequest) -> PageResponse:
    other = ask.form.get("other", "").strip().rpartition("/")[2]
    done = write(site.engine, join, ask.params["story"], other, now=site.now())
    return PageResponse(redirect_to=f"/story/{done.stories[0].id}?done={done.number}")


def follow_story(site: Site, ask: PageRequest) -> PageResponse:
    wanted = ask.form.get("follow") == "yes"
    row, _ = write(site.engine, set_followed, ask.params["story"], followed=wanted, now=site.now())
    return PageResponse(redirect_to=f"/story/{row.id}")


def _load_story_page(
    connection: Connection, zone: tzinfo, story: str, page: int
) -> tuple[StoryDetails, list[dict[str, Any]], int]:
    """Return a story's details, its reports on `page`, and how many articles all pages have. Errors: NotFound."""
    on_page = partial(_page_of_reports, page=page)
    try:
        details = load_story_details(connection, story, compare=on_page)
    except DigestError as error:
        raise NotFound(str(error)) from error
    shown = on_page(details.story.wire_groups)
    if not shown and page > 1:
        raise NotFound("This story has fewer pages.")
    total = sum(len(report.articles) for report in details.story.wire_groups)
    return details, [_report_details(details, report, zone) for report in shown], total


def _page_of_reports(reports: tuple[WireGroup, ...], page: int) -> tuple[WireGroup, ...]:
    """Return the reports on `page`, 1 for the first, each with its origin and only those copies that are on it."""
    first, last, place = (page - 1) * PAGE_ARTICLES, page * PAGE_ARTICLES, 0
    shown = []
    for report in reports:
        start, end = max(first - place, 0), min(last - place, len(report.articles))
        place += len(report.articles)
        if start < end:
            ids = report.articles[start:end]
            shown.append(WireGroup(articles=ids if start == 0 else (report.origin, *ids), agency=report.agency))
    return tuple(shown)


def _report_details(details: StoryDetails, report: WireGroup, zone: tzinfo) -> dict[str, Any]:
    """Return a report of a story for its page: the first article, its copies, and why it is in the story."""
    copies = ((details.articles[key], details.copies.get(key)) for key in report.articles[1:])
    return {
        "origin": _article_row(details.articles[report.origin], zone),
        "agency": sanitize_line(report.agency or "", limit=80),
        "copies": [_article_row(article, zone, describe_copy(copy) if copy else "") for article, copy in copies],
        "why": [sanitize_line(each) for each in link_reasons(details, report)],
    }


def _spark(times: Sequence[datetime], zone: tzinfo) -> dict[str, Any] | None:
    """Return bars with the number of reports in each hour, or few hours, and the highest; None for few reports."""
    hours = [int(at.timestamp()) // HOUR_S for at in times]
    if len(hours) < MIN_SPARK_REPORTS:
        return None
    first, span = min(hours), max(hours) - min(hours) + 1
    step = -(-span // MAX_BARS)
    counts = Counter((hour - first) // step for hour in hours)
    busiest = max(counts, key=lambda n: (counts[n], -n))
    start, end = (datetime.fromtimestamp((first + n * step) * HOUR_S, zone) for n in (busiest, busiest + 1))
    heights = (max(1, round(SPARK_PIXELS * counts[n] / counts[busiest])) for n in range(-(-span // step)))
    return {
        "heights": [height if counts[n] else 0 for n, height in enumerate(heights)],
        "most": f"{counts[busiest]} on {start.day} {start:%b}, {start:%H:%M}–{end:%H:%M}",
    }


def _outlets_by_language(articles: Iterable[Article], words: Localizer) -> list[tuple[str, str]]:
    """Return the languages of a story's articles, those of most outlets first, each with the names of its outlets."""
    names: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for article in articles:
        names[article.language][sanitize_line(article.outlet, limit=100)] += 1
    by_size = sorted(names.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        (
            "English" if tag == "en" else words.language_name(tag) or "Not known",
            words.list_names([name for name, _ in outlets.most_common()], MAX_OUTLETS_NAMED),
        )
        for tag, outlets in by_size
    ]


def _nearby_thread(details: StoryDetails) -> tuple[StoryRow, ...]:
    """Return up to `THREAD_STORIES` stories of the thread around this one; empty if it is the only one."""
    if len(details.thread) < 2:
        return ()
    at = next((n for n, row in enumerate(details.thread) if row.id == details.row.id), 0)
    start = max(0, min(at - THREAD_STORIES // 2, len(details.thread) - THREAD_STORIES))
    return details.thread[start : start + THREAD_STORIES]


def _article_row(article: Article, zone: tzinfo, differs: str = "") -> dict[str, Any]:
    """Return an article for a list of a page; `differs` says how a copy differs from its report's origin."""
    words = english(zone)
    title = sanitize_line(article.title, limit=PAGE_TITLE_CHARS) or "Untitled"
    return {
        "id": article.id,
        "title": title,
        "lang": language_tag(article.language),
        "dir": language_direction(article.language, title),
        "outlet": sanitize_line(article.outlet, limit=100),
        "about": words.join(
            (
                words.country(article.country),
                words.in_language(article.language),
                _describe_via(article, words),
                "headline only" if article.is_headline_only else "",
            )
        ),
        "at": article.published_at,
        "differs": differs,
    }


def _describe_via(article: Article, words: Localizer) -> str:
    """Return "by way of Example Links"; "" for an article that its outlet's own feed has."""
    return words.say("via", source=sanitize_line(article.via, limit=100)) if article.via else ""


def article_page(site: Site, ask: PageRequest) -> PageResponse:
    """Return the page of a stored article."""
    article, known = read(site.engine, load_details, ask.params["article"], site.zone)
    paragraphs, bytes_left = sanitize_paragraphs(article.text, max_bytes=TEXT_BYTES)
    return render_page(
        site,
        "article.html.j2",
        package="digests.web",
        **known,
        a=article,
        title=sanitize_line(article.title, limit=PAGE_TITLE_CHARS) or "Untitled",
        url=web_url(article.url),
        lang=language_tag(article.language),
        dir=language_direction(article.language, article.title or article.text[:200]),
        about=byline(article, english(site.zone)),
        paragraphs=paragraphs,
        left=bytes_left,
        removed=_removed_by_rule(article.removed),
        actions=load_actions(site, ARTICLE, article.id),
        has_form=True,
    )


def load_details(connection: Connection, key: str, zone: tzinfo) -> tuple[Article, dict[str, Any]]:
    """Return an article, and what the store knows about it: changes, story, related articles. Errors: NotFound."""
    article = articles_by_id(connection, [key]).get(key)
    if article is None:
        raise NotFound("This article is not stored.")
    member = load_members(connection, [key]).get(key)
    story = resolve_merged(connection, member.story_id) if member else None
    related = _related_articles(connection, story, member, zone) if member and story else ()
    return article, {"revisions": revisions_of(connection, [key]).get(key, ()), "story": story, "related": related}


def _related_articles(
    connection: Connection, story: StoryRow, member: StoryMember, zone: tzinfo
) -> list[tuple[dict[str, Any], float | None]]:
    """Return a story's articles nearest to one, each with its link's score or None: linked ones, copies, others."""
    others = [each for each in story_members(connection, story.id) if each.article_id != member.article_id]
    scores: dict[str, float] = {}
    if member.nearest and member.evidence:
        scores[member.nearest] = float(member.evidence["score"])
    for each in others:
        if each.nearest == member.article_id and each.evidence:
            scores[each.article_id] = max(scores.get(each.article_id, 0.0), float(each.evidence["score"]))

    def rank(each: StoryMember) -> tuple[float, bool, str]:
        return -scores.get(each.article_id, 0.0), each.report != member.report, each.article_id

    chosen = [other.article_id for other in sorted(others, key=rank)[:RELATED_ARTICLES]]
    articles = articles_by_id(connection, chosen)
    return [(_article_row(articles[key], zone), scores.get(key)) for key in chosen if key in articles]


def byline(article: Article, words: Localizer) -> str:
    """Return the line below a title: country, language, authors, agency, and what limits the text."""
    parts = (
        words.country(article.country),
        words.in_language(article.language),
        _describe_via(article, words),
        ", ".join(sanitize_line(author, limit=80) for author in article.authors[:6]),
        sanitize_line(article.agency or "", limit=80) if article.agency not in article.authors else "",
        sanitize_line(article.dateline or "", limit=80),
        {"article": "", DOUBTFUL: "text doubtful, not quoted"}.get(article.kind, article.kind),
        "only the beginning of the text" if article.is_truncated else "",
        "headline only" if article.is_headline_only else "text from the feed" if article.from_feed else "",
    )
    return " · ".join(part for part in parts if part)


def _removed_by_rule(removed: Sequence[RemovedBlock]) -> list[tuple[str, list[str], int]]:
    """Return (rule, some of the removed texts, number of them) for each cleaning rule that removed something."""
    blocks: dict[str, list[str]] = {}
    for block in removed:
        blocks.setdefault(block.rule, []).append(sanitize_line(block.text, limit=REMOVED_CHARS))
    share = max(3, MAX_RULES // max(1, len(blocks)))
    shown = list(blocks.items())[:MAX_RULES]
    return [(sanitize_line(rule, limit=100), texts[:share], len(texts)) for rule, texts in shown]
