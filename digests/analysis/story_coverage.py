"""Coverage: which outlets report a story, which independently, as copies or by headline alone."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from digests.analysis.relays import find_headline_origins, relayed_agency
from digests.model.edition_story import SourceMention
from digests.model.story import Story
from watcher.feeds.ownership import is_unnamed_channel
from watcher.model import Article
from watcher.settings.outlets import find_outlet
from watcher.text.page_kind import ANALYSIS, NO_REPORTS, OPINION
from watcher.text.urls import registrable_domain
from watcher.text.words import words

OUTLET_DOMAIN = re.compile(r"[\w-]{1,60}(?:\.[\w-]{1,30}){1,3}")
GENERIC_WORDS = frozenset({"news"})
# Words of the desks and channels of one publisher: "CBS Sports" and "CBS News" are one voice under two names.
WITH_DESKS = GENERIC_WORDS | {"sport", "sports", "business", "tv", "online", "live", "official"}
MENTION_FIELDS = ("outlet", "url", "language", "country", "title", "published_at", "via")  # of an article, in a mention


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The outlets that report a story. `outlets` are divided into `independent` and `folded`; all in time order."""

    outlets: tuple[str, ...]
    independent: tuple[str, ...]
    folded: tuple[str, ...]
    headline_only: tuple[str, ...]  # of `folded`: those that have the story by headline alone
    agencies: tuple[tuple[str, int], ...]  # (agency, number of folded outlets with its text); most first
    # Article ids: one of each report, the first that counts; independent outlets first. Headlines without a text are
    # reports here only if the story has nothing else.
    origins: tuple[str, ...]
    languages: tuple[str, ...]  # those of most articles first
    countries: tuple[str, ...]  # of the outlets; those of most outlets first
    owners: int  # distinct owners of the independent outlets; an outlet without a declared owner owns itself


def measure_coverage(story: Story, articles: Mapping[str, Article]) -> Coverage:
    """
    Return the coverage of `story` by `articles`; articles missing there are ignored, as are live blogs, round-ups,
    opinion, service pieces and galleries.

    Each outlet counts once, however many articles it has. Each report belongs to its agency, also if it only says that
    it has its news from there (`relayed_agency`), else to the report whose headline it carries
    (`find_headline_origins`), else to the owner of its first outlet, else to that outlet. An outlet
    is independent if it is the first one with a report, or has an agency's text, and neither that agency nor the
    outlet's owner has been counted yet; all others are folded. So copies, other versions of an agency's text, and
    papers of one owner are folded. `independent + folded == outlets` always holds.
    An outlet of which only headlines are known is never independent: whether it reports on its own cannot be told; nor,
    where another has news, is an outlet that only analyses the event. A platform that stands for a channel whose name
    is not known is no outlet, unless there is no other report.
    An outlet under two names ("BBC News", "Bbc.com") counts under the first of them (`merge_outlet_names`).
    """
    counted = {key for key in story.articles if key in articles and articles[key].kind not in NO_REPORTS}
    counted = {key for key in counted if not is_unnamed_channel(articles[key])} or counted
    present = [articles[key] for key in story.articles if key in counted]
    names = merge_outlet_names(present)
    owners: dict[str, str] = {}
    countries: dict[str, str] = {}
    for article in present:
        publisher = _publisher_key(article.outlet, WITH_DESKS)
        owner = f"owner:{article.owner.casefold()}" if article.owner else f"outlet:{publisher}"
        owners.setdefault(names[article.outlet], owner)
        if article.country:
            countries.setdefault(names[article.outlet], article.country)
    with_text = {article.id for article in present if not article.is_headline_only}
    own_text = {names[article.outlet] for article in present if article.id in with_text}
    known = (
        [articles[key] for key in report.articles if key in (with_text or counted)] for report in story.wire_groups
    )
    reports = [(report.agency, group) for report, group in zip(story.wire_groups, known, strict=True) if group]
    news = {article.id for article in present if article.id in with_text and article.kind != ANALYSIS} or with_text
    of_news = {names[article.outlet] for article in present if article.id in news}
    telling = [(agency, [article for article in group if article.id in news]) for agency, group in reports]
    telling = [(agency, group) for agency, group in telling if group]
    owners_of_news = {name: owner for name, owner in owners.items() if name in of_news}
    independent = _independent(telling, owners_of_news, names)
    copies: dict[str, set[str]] = defaultdict(set)
    for agency, group in reports:
        if agency and with_text:
            copies[agency] |= {names[article.outlet] for article in group}.difference(independent, *copies.values())
    agencies = ((agency, len(outlets)) for agency, outlets in copies.items() if outlets)
    firsts = (
        next((a for a in group if agency and names[a.outlet] in independent), group[0]) for agency, group in reports
    )
    origins = sorted(firsts, key=lambda first: (first.outlet not in independent, first.published_at, first.id))
    return Coverage(
        outlets=tuple(owners),
        independent=independent,
        folded=tuple(outlet for outlet in owners if outlet not in independent),
        headline_only=tuple(outlet for outlet in owners if outlet not in own_text),
        agencies=tuple(sorted(agencies, key=lambda pair: (-pair[1], pair[0]))),
        origins=tuple(article.id for article in origins),
        languages=_most_common_first(article.language for article in present),
        countries=_most_common_first(countries.values()),
        owners=len({owners[outlet] for outlet in independent}),
    )


def find_copies(story: Story, articles: Mapping[str, Article], origins: Sequence[str]) -> dict[str, str]:
    """
    Return the origin of each of the story's `articles` that repeats the text of another one, by the id of the copy.

    `origins` are those of a `Coverage` of the story. A copy in another language than its origin is a report of its own.
    """
    origin_of: dict[str, str] = {}
    for report in story.wire_groups:
        members = [key for key in report.articles if key in articles]
        members.sort(key=lambda key: key not in origins)  # the rest stays in order of time
        first: dict[str, str] = {}
        for key in members:
            origin = first.setdefault(articles[key].language, key)
            if origin != key:
                origin_of[key] = origin
    return origin_of


def merge_outlet_names(articles: Iterable[Article]) -> dict[str, str]:
    """
    Return the name under which each outlet counts: the first one that differs only in "The", "News" or its domain.

    An outlet that is a source of its own, and also stands behind a link of another source, has two names. Outlets that
    are known to be of two countries stay apart, unless their sites have one name (bbc.com, bbc.co.uk); one that comes
    by way of a source has that source's country.
    """
    known: defaultdict[str, list[tuple[str, str | None, str]]] = defaultdict(list)
    names: dict[str, str] = {}
    for article in articles:
        if article.outlet in names:
            continue
        same, country = known[_publisher_key(article.outlet, GENERIC_WORDS)], None if article.via else article.country
        site = registrable_domain(f"https://{article.host}/").partition(".")[0]
        merged = (name for name, other, place in same if None in (country, other) or country == other or site == place)
        names[article.outlet] = name = next(merged, article.outlet)
        same.append((name, country, site))
    return names


@cache
def _publisher_key(outlet: str, generic: frozenset[str]) -> str:
    """Return what the names of one outlet have in common: its words without an article, a domain and generic words."""
    name = outlet.casefold()
    if OUTLET_DOMAIN.fullmatch(name):
        name = registrable_domain(f"https://{name}/").partition(".")[0]
        name = name.removeprefix("the") if len(name) > len("the") + 2 else name
    name_words = words(name)
    if name_words[:1] == ["the"] and len(name_words) > 1:
        name_words = name_words[1:]
    while len(name_words) > 1 and name_words[-1] in generic:
        name_words = name_words[:-1]
    return "".join(name_words)


def _independent(
    reports: Sequence[tuple[str | None, Sequence[Article]]],
    owners: Mapping[str, str],
    names: Mapping[str, str],
) -> tuple[str, ...]:
    """Return the independent outlets, in time order; `names` are those under which outlets count."""
    firsts = [(agency or relayed_agency(group[0]), group[0]) for agency, group in reports]
    origin_of = find_headline_origins(firsts)
    reporters: dict[tuple[int, str], list[str]] = defaultdict(list)  # by rank and outlet
    for number, (agency, group) in enumerate(reports):
        origin = number if firsts[number][0] else origin_of.get(number, number)
        source, first = firsts[origin]
        voice = f"agency:{source.casefold()}" if source else owners[names[first.outlet]]
        is_relay = agency is None and bool(source or origin != number)
        for index, article in enumerate(group if agency else group[:1]):
            rank = 2 if is_relay else 1 + min(index, 1) if agency else 0
            reporters[rank, names[article.outlet]].append(voice)
    taken: set[str] = set()
    chosen: set[str] = set()
    # Own reports; the first with an agency's text; those that relay it and others with it, if that one may not count.
    for rank in range(3):
        for outlet in owners:
            free = sorted(voice for voice in reporters[rank, outlet] if voice not in taken)
            if outlet not in chosen and free and owners[outlet] not in taken:
                chosen.add(outlet)
                taken |= {free[0], owners[outlet]}
    return tuple(outlet for outlet in owners if outlet in chosen) or tuple(owners)[:1]  # if no report has an article


def _most_common_first(values: Iterable[str]) -> tuple[str, ...]:
    counts = Counter(values)
    return tuple(sorted(counts, key=lambda value: (-counts[value], value)))


def with_owners(articles: Iterable[Article], owners: Mapping[str, str | None]) -> list[Article]:
    """
    Return articles with the owners of their outlets in `owners`; outlets missing there keep their owner.

    Where none is known, it is the one that the table of outlets has for the site: bbc.com and bbc.co.uk are one voice.
    """
    owned = ((article, owners.get(article.outlet, article.owner) or _owner_in_table(article)) for article in articles)
    return [article if article.owner == owner else replace(article, owner=owner) for article, owner in owned]


def _owner_in_table(article: Article) -> str | None:
    known = find_outlet(article.host.partition(":")[0].removeprefix("www."))
    return known.owner or None if known else None


def find_comments(story: Story, articles: Mapping[str, Article]) -> tuple[Article, ...]:
    """Return the first opinion piece of each outlet on a story, in time order."""
    comment_of_outlet: dict[str, Article] = {}
    for key in story.articles:
        if key in articles and articles[key].kind == OPINION:
            comment_of_outlet.setdefault(articles[key].outlet, articles[key])
    return tuple(comment_of_outlet.values())


def make_mention(article: Article, *, agency: str | None, shows_title: bool, copy_of: str = "") -> SourceMention:
    same = {name: getattr(article, name) for name in MENTION_FIELDS}
    return SourceMention(article_id=article.id, agency=agency, shows_title=shows_title, copy_of=copy_of, **same)
