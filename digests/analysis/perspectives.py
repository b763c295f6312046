"""Perspectives: how the outlets of each country and kind of owner tell a story, and whose outlets do not report it."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import cache
from itertools import islice
from typing import TypeAlias

from digests.analysis.coverage import Coverage
from digests.analysis.numbers import all_numbers, numbers_with_units
from digests.cluster.nearest import FAR, NearReport
from digests.model import MissingPerspective, Perspective, SourceMention, Story
from watcher.model import Article
from watcher.text.sentences import sentences
from watcher.text.words import fold, stem, words

MAX_GROUPS = 4  # groups of one kind that are shown
MIN_REPORTS = 3  # independent reports from which on perspectives are compared
READ_CHARS = 2000  # of a text
LEAD_SENTENCES = 3  # of a report, searched for its names and numbers
MAX_ONLY = 3  # names and numbers shown for a group
MIN_OUTLETS_CONCERNED = 2  # of a country in the story, to list it as missing: a single outlet may miss a story
MIN_OUTLETS = 4  # of any other country or kind of owner, to list it as missing
MAX_MISSING = 2  # of each kind
COUNTRY, OWNER = "country", "owner"
SHOWN = ("outlet", "url", "language", "country", "title", "published_at")  # of an article, in a mention
UPPER, LOWER = (
    "".join(filter(is_such, map(chr, range(0x41, 0x530)))) for is_such in (str.isupper, str.islower)
)  # of alphabets that have both
# Two or more capitalised words inside a sentence: names, not nouns.
NAME = re.compile(rf"(?<=[{LOWER},] )[{UPPER}][\w'’-]+(?: [{UPPER}][\w'’-]+)+")
Contents: TypeAlias = Callable[[str], set[str]]  # stems or numbers of a report by its article's id; cached
OutletGroups: TypeAlias = Mapping[tuple[str, str], Set[str]]  # outlets by (kind of group, name)


def find_perspectives(
    story: Story, articles: Mapping[str, Article], covered: Coverage, kinds: Mapping[str, str]
) -> tuple[Perspective, ...]:
    """
    Return how each group of outlets tells a story: countries first, then kinds of owner, each by first report.

    At most `MAX_GROUPS` of each, with the headline of the group's first independent report. Empty for fewer than
    `MIN_REPORTS` independent reports; a kind with one group is left out. `kinds`: kinds of owner by outlet.
    """
    origins = [articles[key] for key in covered.origins if articles[key].outlet in covered.independent]
    if len(origins) < MIN_REPORTS:
        return ()
    agencies = {key: report.agency for report in story.wire_groups for key in report.articles}
    found: list[Perspective] = []

    @cache
    def digits(key: str) -> set[str]:
        return all_numbers(f"{articles[key].title} {articles[key].text}", articles[key].language)

    @cache
    def stems(key: str) -> set[str]:
        return {stem(fold(word)) for word in {*words(f"{articles[key].title} {articles[key].text}")}}

    for group, name_of in ((COUNTRY, lambda a: a.country), (OWNER, lambda a: kinds.get(a.outlet))):
        groups: dict[str, list[Article]] = defaultdict(list)
        for article in sorted(origins, key=lambda a: (a.published_at, a.id)):
            if name := name_of(article):
                groups[name].append(article)
        if len(groups) > 1:
            largest = sorted(groups, key=lambda name: (-len(groups[name]), groups[name][0].published_at, name))
            for name in sorted(largest[:MAX_GROUPS], key=lambda name: (groups[name][0].published_at, name)):
                own, others = groups[name], [a for other, its in groups.items() if other != name for a in its]
                mention = make_mention(own[0], agency=agencies.get(own[0].id), shows_title=True)
                only, outlets = _only(own, others, digits, stems), len({article.outlet for article in own})
                found.append(Perspective(group=group, name=name, outlets=outlets, mention=mention, only=only))
    return tuple(found)


def group_outlets(articles: Iterable[Article], kinds: Mapping[str, str]) -> OutletGroups:
    """Return the outlets of `articles` by country and by kind of owner; `kinds` maps outlets to their kind of owner."""
    read: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for outlet, country in {(article.outlet, article.country) for article in articles}:
        for group, name in ((COUNTRY, country), (OWNER, kinds.get(outlet))):
            if name:
                read[group, name].add(outlet)
    return read


def find_missing_perspectives(
    groups: OutletGroups,
    read: Set[str],
    covered: Coverage,
    places: Sequence[str],
    nearest: Callable[[str, str], NearReport | None],
) -> tuple[MissingPerspective, ...]:
    """
    Return the groups that surely have no report of a story that `MIN_REPORTS` outlets have, its `places` first.

    Only the outlets in `read` count. Grouping may have missed a report: a group is returned only if even the article
    of it that is nearest to the story is far from it; those with the farthest come first.
    """
    if len(covered.independent) < MIN_REPORTS:
        return ()
    found: list[MissingPerspective] = []
    for (group, name), outlets in groups.items():
        least = MIN_OUTLETS_CONCERNED if group == COUNTRY and name in places else MIN_OUTLETS
        count = len(outlets & read)
        near = nearest(group, name) if count >= least and outlets.isdisjoint(covered.outlets) else None
        if near and near[1] < FAR:
            found.append(MissingPerspective(group=group, name=name, outlets=count, nearest=near[0], likeness=near[1]))
    found.sort(key=lambda each: (each.name not in places, each.likeness, each.name))
    return tuple(
        each for kind in (COUNTRY, OWNER) for each in [one for one in found if one.group == kind][:MAX_MISSING]
    )


def make_mention(article: Article, *, agency: str | None, shows_title: bool) -> SourceMention:
    same = {name: getattr(article, name) for name in SHOWN}
    return SourceMention(article_id=article.id, agency=agency, shows_title=shows_title, **same)


def _only(own: Sequence[Article], others: Sequence[Article], digits: Contents, stems: Contents) -> tuple[str, ...]:
    """
    Return up to `MAX_ONLY` names and numbers in the leads of `own` that `others` lack, most frequent first.

    Names are compared with reports of the same language only, because other languages spell them differently. Numbers
    come with their units; one that another report has in digits or in words is left out.
    """
    known = set().union(*(digits(other.id) for other in others))
    counts: Counter[str] = Counter()
    for article in own:
        text = article.text[:READ_CHARS]
        ends = (end for _, end in islice(sentences(text, article.language), LEAD_SENTENCES))
        lead = text[: max(ends, default=0)]
        beside = [stems(other.id) for other in others if other.language == article.language]
        for name in set(NAME.findall(lead)) if beside else ():
            parts = {stem(fold(part)) for part in name.split()}
            counts[name] += all(parts.isdisjoint(theirs) for theirs in beside)
        counts.update(
            number for number, figure in numbers_with_units(lead, article.language).items() if figure not in known
        )
    return tuple(sorted(+counts, key=lambda word: (-counts[word], word)))[:MAX_ONLY]
