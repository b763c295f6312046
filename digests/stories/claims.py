"""Who reports a claim: the stored stories that are on it, and what their reports have otherwise."""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice

from sqlalchemy import Connection, select

from digests.analysis.corrections import NO_CITATION, find_corrections
from digests.analysis.country_names import languages_in
from digests.analysis.story_coverage import Coverage, measure_coverage, with_owners
from digests.cluster.item import ClusterItem
from digests.cluster.likeness import Window
from digests.cluster.pair_model import models_for
from digests.errors import DigestError
from digests.model.edition import Correction
from digests.model.story import Story, WireGroup
from digests.store.maintenance import load_owners
from digests.store.story_rows import load_members, load_story, story_members
from digests.stories.history import story_of
from digests.stories.meaning import MeaningSearch
from digests.stories.window import load_items
from digests.summarise.claims import (
    CLAIM_CHARS,
    Claim,
    Comparison,
    add_telling_words,
    compare_claim,
    find_known_names,
    forgive_names,
    parse_claim,
)
from watcher.features.embedders import with_vector
from watcher.features.extract import extract_features
from watcher.feeds.health import find_paused, is_read_up_to
from watcher.model import Article
from watcher.store.articles import articles_by_id
from watcher.store.features import count_features, lacks_sketches, lacks_vector
from watcher.store.feeds import feed_states
from watcher.store.full_text import Filters, full_text_index
from watcher.store.pages import revisions_of
from watcher.store.schema import articles as article_table
from watcher.store.search import count_missing
from watcher.text.format import format_count
from watcher.text.language import detect_language
from watcher.text.page_kind import NO_REPORTS
from watcher.text.search_query import parse_query
from watcher.text.words import stems

REPORTED, BY_ONE, OTHERWISE, NOT_FOUND = "reported", "by_one", "otherwise", "not_in_your_sources"
ANSWERS = {
    REPORTED: "reported by {} independently",
    BY_ONE: "reported by one",
    OTHERWISE: "reported otherwise",
    NOT_FOUND: "not in your sources",
}
DEFAULT_WINDOW = "7d"  # before now
MAX_CLAIM_STORIES = 3
MATCH = 0.2  # of the probability that a report is on the claim's event
NEAR_CHANCE = 0.01  # of it, from which on a story is shown; below `MATCH` it may be on something else
# In log-odds below a story's likeliest report: one that is less likely, and more likely not on the event, is left out.
CLOSE_ODDS = 2.5
AGREES_BONUS = 0.7  # in log-odds, of a report without a difference when stories are ordered
CANDIDATES = 80  # articles by meaning, and as many by words
CONTEXT_ARTICLES = 500  # newest articles, which show what is common in each language
MAX_WORDS, MAX_WORD_HITS = 16, 500  # of a claim that are looked for, and articles with each
MAX_NAMED = 10  # sources that were not read
MIN_READ_SHARE = 0.8  # of the sources: with fewer, that none of them reports a claim cannot be said


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimStory:
    """A story on a claim: who has the claim as it stands, who has it otherwise, and what was corrected since."""

    id: str | None  # None if its articles are not grouped yet
    title: str
    probability: float  # of its likeliest report
    agreeing: tuple[Comparison, ...]  # in time order
    others: tuple[Comparison, ...]  # that have something else, or may be on another event
    coverage: Coverage  # by the agreeing reports; by all if there is none
    corrections: tuple[Correction, ...]
    group: Story  # of these reports

    @property
    def is_match(self) -> bool:
        """Whether it is on the claim's event; else it is only the nearest that there is."""
        return self.probability >= MATCH

    @property
    def first(self) -> Article:
        """The first report that has the claim as it stands, else the first of all."""
        return (self.agreeing or self.others)[0].article


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesRead:
    outlets: int
    countries: int
    unread: tuple[str, ...]

    @property
    def description(self) -> str:
        """How many outlets were read, and which were not, as a phrase."""
        unread, countries = self.unread, format_count(self.countries, "country", "countries")
        more = f" and {len(unread) - MAX_NAMED} more" if len(unread) > MAX_NAMED else ""
        not_read = f"; not read: {', '.join(unread[:MAX_NAMED])}{more}" if unread else ""
        return f"{format_count(self.outlets, 'outlet')} of {countries}{not_read}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimAnswer:
    """The answer to a claim. `answer`: one of the four; it never says whether the claim is true."""

    language: str
    answer: str
    independent: int  # outlets that report it as it stands
    stories: tuple[ClaimStory, ...]
    since: datetime
    until: datetime
    sources: SourcesRead

    @property
    def description(self) -> str:
        """The answer as a phrase."""
        return ANSWERS[self.answer].format(self.independent)


def check_claim(
    connection: Connection,
    text: str,
    meaning: MeaningSearch,
    *,
    since: datetime,
    until: datetime,
    language: str | None = None,
    hidden: Collection[str] = (),
) -> ClaimAnswer:
    """
    Return which stories of the articles published in [since, until) are on a claim, and who reports it.

    Args:
        hidden: Articles that are left out.

    Errors: DigestError for an empty claim, and instead of `NOT_FOUND` if sources were not read or articles not indexed.
    """
    text = " ".join(text.split())[:CLAIM_CHARS]
    language = language or detect_language(text)
    if not stems(text, language):
        raise DigestError("the claim has no word to look for", hint="write a sentence, such as a headline")
    features = extract_features("claim", title=text, text="", language=language)
    if not meaning.why_off:
        features = with_vector(features, *meaning.embed(text))
    item = ClusterItem(article_id="", title=text, language=language, features=features)
    sources = _sources_read(connection, since=since, until=until)
    near = _find_candidates(connection, item, meaning, since=since, until=until)
    at = article_table.c.published_at
    newest = select(article_table.c.id).where(at >= since, at < until).order_by(at.desc()).limit(CONTEXT_ARTICLES)
    stored = articles_by_id(connection, {*near, *connection.scalars(newest)}.difference(hidden))
    items = load_items(connection, stored.values())
    odds = _find_odds(connection, item, items, near, hidden=hidden)
    stored |= articles_by_id(connection, odds.keys() - stored.keys())
    capital = languages_in("capital_nouns")
    names = find_known_names([each.features for each in items.values() if each.language not in capital])
    likely = [stored[key] for key, value in odds.items() if value >= _log_odds(NEAR_CHANCE)]
    reports = [each for each in likely if each.kind not in NO_REPORTS and since <= each.published_at < until]
    claim = add_telling_words(parse_claim(text, language, names), reports)
    owners = load_owners(connection, {article.outlet for article in reports})
    compared = [compare_claim(claim, article) for article in with_owners(reports, owners)]
    stories = _group_stories(connection, claim, compared, odds)
    independent = _count_independent(stories)
    is_matched = any(story.is_match for story in stories)
    if not is_matched:
        _require_complete(connection, item, sources, since=since)
    answer = REPORTED if independent > 1 else BY_ONE if independent else OTHERWISE if is_matched else NOT_FOUND
    return ClaimAnswer(
        language=language,
        answer=answer,
        independent=independent,
        # What is on another event is shown only if there is nothing else.
        stories=tuple(story for story in stories if story.is_match) or stories,
        since=since,
        until=until,
        sources=sources,
    )


def _find_candidates(
    connection: Connection, item: ClusterItem, meaning: MeaningSearch, *, since: datetime, until: datetime
) -> set[str]:
    """Return the ids of the articles that are nearest to a claim, by meaning and by the rarity of shared words."""
    found: set[str] = set()
    if item.features.vector and item.features.vector_model:
        vector = item.features.vector, item.features.vector_model, item.language
        found.update(meaning.find_nearest(connection, *vector, limit=CANDIDATES, since=since, until=until))
    weights: Counter[str] = Counter()
    for word in list(dict.fromkeys(stems(item.title, item.language)))[:MAX_WORDS]:
        hits = full_text_index(connection).matching(parse_query(f"{word}*"), Filters(since=since, until=until))
        ids = list(islice(hits, MAX_WORD_HITS))
        weights.update(dict.fromkeys(ids, math.log1p(MAX_WORD_HITS / max(1, len(ids)))))
    return found.union(sorted(weights, key=lambda key: (-weights[key], key))[:CANDIDATES])


def _find_odds(
    connection: Connection,
    claim: ClusterItem,
    items: Mapping[str, ClusterItem],
    near: Collection[str],
    *,
    hidden: Collection[str],
) -> dict[str, float]:
    """
    Return the log-odds that the articles `near` a claim are on its event, and those of further ones of the
    likeliest one's story, the likeliest first.

    A claim in the words of one report has few words of another, and none of one in another language. So if the
    likeliest report is more likely than not on the claim's event, those of its story that are probably on its event
    are nearly as likely. Not those of further stories, whose likeliest report is rather on a neighbouring event: they
    would be counted as having the claim.
    """
    odds = {key: value for key, value in _match_odds(claim, items.values()).items() if key in near}
    first = min(odds, key=lambda each: (-odds[each], each), default="")
    member = load_members(connection, [first]).get(first)
    if member and odds[first] >= 0:
        own = {each.article_id for each in story_members(connection, member.story_id)} - {first, *hidden}
        more = load_items(connection, articles_by_id(connection, own - items.keys()).values())
        others = [each for key, each in {**items, **more}.items() if key != first]
        for key, value in _match_odds(items[first], others).items():
            if key in own and value >= 0:
                odds[key] = max(min(value, odds[first]), odds.get(key, -math.inf))
    return dict(sorted(odds.items(), key=lambda each: (-each[1], each[0])))


def _match_odds(claim: ClusterItem, items: Collection[ClusterItem]) -> dict[str, float]:
    """Return the log-odds that articles are on the event of a claim, or of a report that stands for one."""
    rows = [replace(each, published_at=None) for each in (*items, claim)]
    pairs = Window(rows).measure(len(items))
    chances = models_for(rows).event.probabilities(pairs).tolist()
    return {rows[row].article_id: _log_odds(chance) for row, chance in zip(pairs.first.tolist(), chances, strict=True)}


def _log_odds(chance: float) -> float:
    return math.log(max(chance, 1e-9) / max(1 - chance, 1e-9))


def _group_stories(
    connection: Connection, claim: Claim, compared: Iterable[Comparison], odds: Mapping[str, float]
) -> tuple[ClaimStory, ...]:
    """Return the likeliest stories of the compared articles."""
    by_id = {each.article.id: each for each in compared}
    members = load_members(connection, by_id)
    by_story: defaultdict[str, list[Comparison]] = defaultdict(list)
    for key, each in by_id.items():
        by_story[members[key].story_id if key in members else key].append(each)
    settled = {story: _settle(claim, those, odds) for story, those in by_story.items()}

    def order(story: str) -> tuple[float, str]:
        agreeing, others = settled[story]
        chances = [odds[each.article.id] + AGREES_BONUS for each in agreeing]
        return -max([*chances, *(odds[each.article.id] for each in others)]), story

    likeliest = []
    for story in sorted(settled, key=order)[:MAX_CLAIM_STORIES]:
        agreeing, others = settled[story]
        articles = {each.article.id: each.article for each in (*agreeing, *others)}
        if row := load_story(connection, story):
            group = story_of(row, [members[key] for key in articles], articles)
        else:
            group = Story(id=story, articles=(story,), wire_groups=(WireGroup(articles=(story,)),))
        cited = {each.article.id: replace(NO_CITATION, texts=(each.nearest.text,)) for each in (*agreeing, *others)}
        changed = revisions_of(connection, articles)
        likeliest.append(
            ClaimStory(
                id=row.id if row else None,
                title=row.title if row else articles[story].title,
                probability=round(1 / (1 + math.exp(-max(odds[key] for key in articles))), 3),
                agreeing=agreeing,
                others=others,
                coverage=measure_coverage(group, {each.article.id: each.article for each in agreeing or others}),
                corrections=find_corrections(cited, articles, changed, since=datetime.min.replace(tzinfo=UTC)),
                group=group,
            )
        )
    return tuple(likeliest)


def _settle(
    claim: Claim, those: Sequence[Comparison], odds: Mapping[str, float]
) -> tuple[tuple[Comparison, ...], tuple[Comparison, ...]]:
    """
    Return the reports of a story that have the claim as it stands, and the others, each in time order.

    A stored story may have reports on a neighbouring event too, which are much less likely. They are left out.
    """
    least = min(0.0, max(odds[each.article.id] for each in those) - CLOSE_ODDS)
    close = [each for each in those if odds[each.article.id] >= least]
    ordered = sorted(close, key=lambda each: (each.article.published_at, each.article.id))
    matching = [each for each in ordered if odds[each.article.id] >= _log_odds(MATCH)]
    settled = {each.article.id: each for each in forgive_names(claim, matching)}
    agreeing = tuple(each for each in settled.values() if not each.differences)
    shown = [settled.get(each.article.id, each) for each in ordered]
    return agreeing, tuple(each for each in shown if each not in agreeing)


def _count_independent(stories: Sequence[ClaimStory]) -> int:
    """Return how many outlets have the claim as it stands; one, or an agency, in two of the stories counts once."""
    agreeing = {each.article.id: each.article for story in stories for each in story.agreeing}
    articles = tuple(key for story in stories for key in story.group.articles)
    reports = tuple(report for story in stories for report in story.group.wire_groups)
    return len(measure_coverage(Story(id="", articles=articles, wire_groups=reports), agreeing).independent)


def _sources_read(connection: Connection, *, since: datetime, until: datetime) -> SourcesRead:
    """Return whose feeds were read up to `until` and go on, and the outlets of articles that are no source."""
    feeds = [state.feed for state in feed_states(connection, counted=False)]
    unread = {feed.source.name for feed in feeds if not is_read_up_to(feed, until)} | find_paused(feeds, until)
    c = article_table.c
    rows = connection.execute(
        select(c.outlet, c.country).where(c.published_at >= since, c.published_at < until).distinct()
    ).all()
    country = {feed.source.name: feed.source.country for feed in feeds} | {row.outlet: row.country for row in rows}
    read = {name: code for name, code in country.items() if name not in unread}
    countries = len({code for code in read.values() if code})
    return SourcesRead(outlets=len(read), countries=countries, unread=tuple(sorted(unread)))


def _require_complete(connection: Connection, item: ClusterItem, sources: SourcesRead, *, since: datetime) -> None:
    """Refuse to say that no source has a claim if that is not known. Errors: DigestError."""
    total = sources.outlets + len(sources.unread)
    if sources.outlets < max(1, MIN_READ_SHARE * total):
        words = f"no report was found, but only {sources.outlets} of {total} outlets could be read"
        raise DigestError(words, hint="watcher status  # shows which sources fail and why")
    model = item.features.vector_model
    waiting = count_missing(connection) or (model and count_features(connection, lacks_vector(model), since=since))
    if waiting or (model and lacks_sketches(connection)):
        words = f"no report was found, but {waiting or 'some'} articles are not indexed yet"
        raise DigestError(words, hint="watcher run indexes them in the background; ask again later")
