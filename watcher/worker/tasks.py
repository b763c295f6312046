"""
The tasks of worker processes: cleaning a page, embedding texts. Plain functions of plain values.

The main process imports this module too. The modules for cleaning and features are imported in the functions: they
cost 0.7 s of CPU and the memory of lxml and numpy, which only the worker processes need. The patterns of kinds take
40 ms to compile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from watcher.errors import CleanError, EmbedderError, PluginError
from watcher.failure_messages import PageKind, Reason
from watcher.model import MIN_FEED_TEXT_CHARS, Block, Entry, ExtractedArticle, PackedFeatures, Response
from watcher.text.encoding import decode_page
from watcher.text.language import UNKNOWN_LANGUAGE, detect_language
from watcher.text.urls import host_of

if TYPE_CHECKING:
    from watcher.clean.site_memory import SiteMemory
    from watcher.clean.site_rules import SiteRules
    from watcher.features.embedders import Embedder, EmbedderConfig

LARGE_SITE = 50  # articles; the site memory of 200 takes a second to build
MAX_NEW_ARTICLES = 10
SITES_KEPT = 32  # by each worker process
# Of this process, by host: the block hashes of the newest article, and the site memory.
SITE_MEMORIES: dict[str, tuple[tuple[int, ...], SiteMemory | None]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessedPage:
    """The cleaned article of a page, its features, and the page as it was fetched, if that is kept."""

    cleaned: ExtractedArticle
    packed: PackedFeatures
    page_record: bytes = b""


def load_cleaner() -> None:
    """Import the modules for cleaning and features: 0.7 s of CPU, half a minute on an overloaded machine."""
    from watcher.clean import article, reject
    from watcher.features import extract

    assert reject and article and extract


def clean_page(
    page: Response,
    entry: Entry,
    source_language: str | None,
    languages: Mapping[str, int],
    site: tuple[tuple[int, ...], ...],
    rules: tuple[SiteRules, ...],
    now: datetime,
    is_own: bool = True,
    keeps_page: bool = False,
) -> ProcessedPage:
    """
    Return the article of a page. Errors: CleanError.

    Args:
        source_language: As the settings give it.
        languages: How many of the feed's earlier articles are in which language.
        site: Block hashes of the page's site.
        rules: The user's own.
        is_own: Whether the entry is in a feed of the page's outlet. Another feed says nothing of its title and date.
        keeps_page: Whether to return the page as it was fetched too.
    """
    from watcher.clean import article, reject

    cleaned = article.clean(
        decode_page(page.body, page.header("content-type")),
        url=page.url,
        memory=load_site_memory(host_of(page.url), site),
        entry=entry if is_own else article.NO_ENTRY,
        source_language=source_language,
        languages=languages,
        now=now,
        sites=rules,
    )
    language = cleaned.language or "und"
    if not reject.matches_feed_entry(cleaned.text, title=entry.title, summary=entry.summary, language=language):
        raise CleanError(page.url, Reason(PageKind.OTHER_SUBJECT))
    packed, page_record = _article_features(cleaned.title, cleaned.text, language), b""
    if keeps_page:
        from watcher.worker.page_record import make_page_record

        page_record = make_page_record(page, now)
    return ProcessedPage(cleaned=cleaned, packed=packed, page_record=page_record)


def load_site_memory(host: str, site: tuple[tuple[int, ...], ...]) -> SiteMemory | None:
    """Return a site's memory, None if it has no articles. It is cached for large sites."""
    from watcher.clean.site_memory import build_site_memory

    newest, memory = SITE_MEMORIES.pop(host, ((), None))
    if memory is None or len(site) < LARGE_SITE or newest not in site[:MAX_NEW_ARTICLES]:
        newest, memory = (site[0], build_site_memory(site)) if site else ((), None)
    SITE_MEMORIES[host] = newest, memory
    while len(SITE_MEMORIES) > SITES_KEPT:
        SITE_MEMORIES.pop(next(iter(SITE_MEMORIES)))
    return memory


def clean_entry(entry: Entry, url: str, source_language: str | None, languages: Mapping[str, int]) -> ProcessedPage:
    """
    Return the article made from an entry's text in the feed, else from its summary; arguments as `clean_page`.

    It has no text if the feed's has less than `MIN_FEED_TEXT_CHARS` besides the title: that is a teaser, and credits no
    agency. Nor has it one if the feed's is that of a wall, which the maker of the feed got instead of the article.
    """
    from watcher.clean import reject, wire
    from watcher.text.page_kind import classify_kind

    lines = [" ".join(line.split()) for line in (entry.text or entry.summary).split("\n")]
    blocks = tuple(Block(text=line) for line in lines if line)
    credit = wire.read_wire(blocks, fields=entry.authors, url=url)
    text = "\n".join((entry.title, *(block.text for block in credit.blocks)))
    language = detect_language(text, claims=(entry.language,), setting=source_language, history=languages)
    is_teaser = _length_besides(entry.title, "\n".join(block.text for block in credit.blocks)) <= MIN_FEED_TEXT_CHARS
    if is_teaser or reject.rejection_reason(blocks, title="", bare="") not in (None, PageKind.NO_TEXT):
        credit = wire.WireInfo(agency=None, dateline=None, blocks=(), removed=())
    cleaned = ExtractedArticle(
        url=url,
        title=entry.title,
        blocks=credit.blocks,
        agency=credit.agency,
        dateline=credit.dateline,
        removed=credit.removed,
        kind=classify_kind(entry.title, url=url, text="\n".join(lines)),
        language=None if language == UNKNOWN_LANGUAGE else language,
        authors=entry.authors,
        image=entry.image,
    )
    return ProcessedPage(cleaned=cleaned, packed=_article_features(cleaned.title, cleaned.text, language))


def _length_besides(title: str, text: str) -> int:
    """Return how many characters a text has, without the title at its beginning."""
    beginning, bare = " ".join(text.split()), " ".join(title.split()).rstrip(".")
    return len(beginning) - len(bare) if bare and beginning.casefold().startswith(bare.casefold()) else len(text) + 1


def _article_features(title: str, text: str, language: str) -> PackedFeatures:
    from watcher.features import extract

    features = extract.extract_features("", title=title, text=text, language=language)  # the id is not in the payload
    return PackedFeatures(version=features.version, payload=extract.encode(features))


def detect_languages(rows: tuple[tuple[str, str, str, dict[str, int]], ...]) -> dict[str, str]:
    """Return the languages of articles by id; each row is (id, title, text, languages of its outlet's articles)."""
    return {key: detect_language(f"{title}\n{text}", history=history) for key, title, text, history in rows}


def pack_features(rows: tuple[tuple[str, str, str, str], ...]) -> dict[str, PackedFeatures]:
    """Return the packed features of stored articles by id; each row is (id, title, text, language)."""
    return {key: _article_features(title, text, language) for key, title, text, language in rows}


@lru_cache(maxsize=1)
def embedder(choice: EmbedderConfig) -> Embedder:
    """Return the chosen embedder, loaded once per process. Errors: PluginError."""
    from watcher.features.embedders import load_embedder

    loaded = load_embedder(choice.setting, choice.endpoint)
    if loaded is None:
        raise PluginError(f"[semantic] embedder {choice.setting!r} returns no embedder")
    return loaded


def embed(choice: EmbedderConfig, texts: tuple[str, ...]) -> list[bytes]:
    """Return the vector of each text. Errors: EmbedderError."""
    from watcher.features.embedders import validate_vectors

    model = embedder(choice)
    try:
        return validate_vectors(model.embed(texts), count=len(texts), name=model.name)
    except EmbedderError as error:
        if error.permanent:
            embedder.cache_clear()  # after a fix, of the key's file for example, no restart is needed
        raise
    except Exception as error:
        words = f'embedder "{model.name}" failed: {type(error).__name__}: {error}'
        raise EmbedderError(words, caused_by_input=True) from error


def embedder_name(choice: EmbedderConfig) -> str:
    return embedder(choice).name
