"""Cleans one page into one article: calls the steps, which are in modules of their own, in order."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from watcher.clean.agency_lines import credited_agencies
from watcher.clean.article_body import add_missing_paragraphs
from watcher.clean.content import extract_content, pruned_blocks
from watcher.clean.furniture import ArticleContext, drop_furniture
from watcher.clean.html import InlineMarkup, parse, read_inline_markup, text_to_html, visible_text
from watcher.clean.metadata import Metadata, classify_page, read_metadata
from watcher.clean.reject import Paywall, is_doubtful, is_truncated, paywall_of, rejection_reason
from watcher.clean.site_memory import SiteMemory, block_hashes
from watcher.clean.site_rules import SiteRules, apply_rules, rules_for
from watcher.clean.title import choose_title
from watcher.clean.wire import read_wire, strip_credits
from watcher.errors import CleanError
from watcher.failure_messages import PageKind, Reason
from watcher.model import Block, Entry, ExtractedArticle, RemovedBlock
from watcher.text.language import UNKNOWN_LANGUAGE, detect_language, primary_tag
from watcher.text.page_kind import DOUBTFUL, REPORTS
from watcher.text.urls import host_of
from watcher.text.words import normalize_key

NO_ENTRY = Entry(guid="", url=None, title="")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageExtract:
    """The data extracted from one page without feed entry and site memory: the result of the first half of `clean`."""

    url: str
    blocks: tuple[Block, ...]
    markup: InlineMarkup
    metadata: Metadata
    hashes: tuple[int, ...]
    sources: tuple[str, ...] = ()  # agencies that the page names outside its text
    paywall: Paywall = ""  # how the page states that the rest is for subscribers
    dropped: tuple[RemovedBlock, ...] = ()  # blocks removed by the site rules


def clean(
    html: str,
    *,
    url: str,
    memory: SiteMemory | None = None,
    entry: Entry = NO_ENTRY,
    source_language: str | None = None,
    languages: Mapping[str, int] | None = None,
    now: datetime | None = None,
    sites: tuple[SiteRules, ...] = (),
) -> ExtractedArticle:
    """
    Return the article in a page. Errors: CleanError if there is none.

    Args:
        memory: That of the site's other articles (`build_site_memory`); None to use the page alone.
        source_language: As the settings give it.
        languages: How many of the feed's earlier articles are in which language.
        sites: The user's site rules (`load_user_rules`); they take precedence over the built-in rules.
        now: Dates later than this (plus a tolerance) are ignored.
    """
    page = extract_page(html, url=url, now=now, sites=sites)
    return finish_article(page, memory=memory, entry=entry, source_language=source_language, languages=languages)


def extract_page(html: str, *, url: str, now: datetime | None = None, sites: tuple[SiteRules, ...] = ()) -> PageExtract:
    """Return the data of a page without feed entry and site memory. Errors: CleanError if it has no article."""
    tree = parse(text_to_html(html))
    if tree is None:
        raise CleanError(url, Reason(PageKind.EMPTY_PAGE))
    site = apply_rules(tree, rules_for(host_of(url), sites))
    metadata = read_metadata(tree, url=url, now=now)
    if site.published_at is not None:
        metadata = replace(metadata, published_at=site.published_at)
    page, main = extract_content(site.body, summaries=metadata.summaries)
    blocks = add_missing_paragraphs(main.blocks, metadata.body, tree)
    if kind := rejection_reason(blocks, title=metadata.title, bare="" if blocks else visible_text(tree)):
        raise CleanError(url, Reason(kind))
    return PageExtract(
        url=url,
        blocks=blocks,
        # Blocks that were added from the metadata may stand outside the main text's element: then the whole page is
        # read, from its first element on.
        markup=read_inline_markup(page, main.frame if blocks == main.blocks else 0, url=url),
        metadata=metadata,
        hashes=block_hashes(block.text for block in blocks),
        sources=credited_agencies(
            tree, blocks, url=url, fields=metadata.possible_writers, language=primary_tag(metadata.language)
        ),
        paywall=paywall_of(tree, blocks),
        dropped=site.dropped,
    )


def unselected_blocks(html: str, *, url: str, sites: tuple[SiteRules, ...] = ()) -> tuple[RemovedBlock, ...]:
    """Return the blocks inside the article's element that were not used as its text, to show them to a user."""
    tree = parse(text_to_html(html))
    if tree is None:
        return ()
    return pruned_blocks(*extract_content(apply_rules(tree, rules_for(host_of(url), sites)).body))


def finish_article(
    page: PageExtract,
    *,
    memory: SiteMemory | None = None,
    entry: Entry = NO_ENTRY,
    source_language: str | None = None,
    languages: Mapping[str, int] | None = None,
) -> ExtractedArticle:
    """Return the article. Reads credits and dateline before it drops furniture, as both recur across a site."""
    metadata = page.metadata
    wire = read_wire(page.blocks, fields=metadata.credit, url=page.url, named=page.sources)
    context = ArticleContext(
        titles=frozenset(normalize_key(title) for title in (*metadata.titles, metadata.title, entry.title)) - {""},
        summary=normalize_key(entry.summary),
        body=metadata.body,
        authors=metadata.authors,
        markup=page.markup,
        memory=memory,
    )
    blocks, removed = drop_furniture(wire.blocks, context)
    credited, blocks, credits_cut = strip_credits(blocks)  # credits that are last only after the furniture was dropped
    text = "\n".join(block.text for block in blocks)
    title = choose_title(metadata.title, entry.title, metadata.titles)
    claims = (metadata.language, entry.language)
    language = detect_language(f"{title}\n{text}", claims=claims, setting=source_language, history=languages)
    is_cut = is_truncated(blocks, paywall=page.paywall, raw=page.blocks)
    kind = classify_page(metadata, blocks, url=page.url)
    announced = " ".join((metadata.title, *metadata.summaries[:1]))
    if (
        kind in REPORTS
        and not is_cut
        and is_doubtful(text, announced, word_count=metadata.word_count, language=language)
    ):
        kind = DOUBTFUL
    return ExtractedArticle(
        url=metadata.url,
        title=title,
        blocks=blocks,
        language=None if language == UNKNOWN_LANGUAGE else language,
        authors=metadata.authors,
        agency=wire.agency or credited,
        dateline=wire.dateline,
        image=metadata.image,
        published_at=metadata.published_at.astimezone(UTC) if metadata.published_at else None,
        modified_at=metadata.modified_at.astimezone(UTC) if metadata.modified_at else None,
        section=metadata.section,
        kind=kind,
        is_truncated=is_cut,
        removed=(*page.dropped, *wire.removed, *removed, *credits_cut),
        block_hashes=page.hashes,
    )
