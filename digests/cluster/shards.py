"""Shards: a window cut by language, each part grouped by itself; then stories are joined by a few articles of each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from digests.cluster.duplicates import report
from digests.cluster.item import Item, moment
from digests.cluster.parts import Part
from digests.cluster.rules import Rules
from digests.cluster.stories import Grouping, story
from digests.model import Report, Story

MOST_SPEAKERS = 5  # of a story; conflicts are seen from four on (docs/decisions/0025)
FAMILIES = {  # languages that spell many words alike: in one shard, if there is room
    language: family
    for family, languages in {
        "arabic": "ar fa ur ps ckb sd",
        "baltic": "lt lv",
        "chinese": "zh yue ja",
        "cyrillic": "ru uk be bg mk kk ky tg mn",
        "germanic": "en de nl af lb fy",
        "indic": "hi mr ne bh sa",
        "malay": "id ms jv su",
        "nordic": "da no nb nn sv is fo",
        "romance": "es pt fr it ro ca gl oc ast",
        "slavic": "pl cs sk sl hr bs sr sh",
        "turkic": "tr az uz tk",
        "uralic": "fi et",
    }.items()
    for language in languages.split()
}


def shards_of(counts: Mapping[str, int], most: int) -> tuple[tuple[str, ...], ...]:
    """
    Return the languages of each shard, the largest shard first; the same for any order of `counts`.

    A shard has at most `most` articles, but that no language is cut. A family stays together where it fits, then as
    much of it as does; what is left of the room goes to languages of few articles.

    Args:
        counts: How many articles there are of each language.
    """
    by_family: defaultdict[str, list[str]] = defaultdict(list)
    for language in sorted(counts):
        by_family[FAMILIES.get(language, language)].append(language)
    units: list[tuple[str, ...]] = []
    for languages in by_family.values():
        whole = sum(counts[language] for language in languages) <= most
        units += [tuple(languages)] if whole else [(language,) for language in languages]
    shards: list[list[str]] = []
    for unit in sorted(units, key=lambda unit: (-size_of(unit, counts), unit)):
        fits = [shard for shard in shards if size_of(shard, counts) + size_of(unit, counts) <= most]
        kin = [shard for shard in fits if {family_of(each) for each in shard} & {family_of(unit[0])}]
        if chosen := [*kin, *fits][:1]:
            chosen[0].extend(unit)
        else:
            shards.append(list(unit))
    return tuple(sorted((tuple(sorted(shard)) for shard in shards), key=lambda s: (-size_of(s, counts), s)))


def family_of(language: str) -> str:
    return FAMILIES.get(language, language)


def size_of(languages: Iterable[str], counts: Mapping[str, int]) -> int:
    """Return how many articles there are of some languages."""
    return sum(counts[language] for language in languages)


def cut(ordered: Sequence[Item], most: int) -> list[list[Item]]:
    """Return the items of each shard, in their order."""
    shards = shards_of(Counter(item.language for item in ordered), most)
    number = {language: i for i, languages in enumerate(shards) for language in languages}
    found: list[list[Item]] = [[] for _ in shards]
    for item in ordered:
        found[number[item.language]].append(item)
    return found


def speakers(
    shards: Sequence[Grouping], items: Mapping[str, Item], *, most: int, ruled: Collection[str] = ()
) -> dict[str, Part]:
    """
    Return the articles that speak for stories of shards before those of other shards, with the story of each.

    Up to `MOST_SPEAKERS` of a story, spread evenly over its time: each speaks for a report and votes. A live blog that
    stands alone speaks for itself, a round-up never does.

    Args:
        most: Articles in all. Stories of which a rule speaks come first, then the largest, then the latest.
        ruled: Articles that a reader's corrections name.
    """
    found = []
    for number, shard in enumerate(shards):
        for n, each in enumerate(shard.stories):
            if chosen := spread(voices(each, items), MOST_SPEAKERS):
                rank = (
                    any(article in ruled for article in each.articles),
                    len(each.reports),
                    moment(items[chosen[-1]]),
                )
                found.append((rank, Part(number, n), chosen))
    found.sort(key=lambda row: row[0], reverse=True)
    parts: dict[str, Part] = {}
    for _, part, chosen in found:
        if len(parts) + len(chosen) > most:
            break
        parts.update(dict.fromkeys(chosen, part))
    return parts


def voices(each: Story, items: Mapping[str, Item]) -> list[str]:
    """Return the earliest voting article of each of a story's reports, in time order; or its live blog."""
    earliest = [min((items[a] for a in one.articles), key=lambda i: (i.is_silent, moment(i))) for one in each.reports]
    heard = [item for item in earliest if not item.is_silent] or [item for item in earliest if item.kind == "live"]
    return [item.article_id for item in sorted(heard, key=moment)]


def spread(ids: Sequence[str], most: int) -> list[str]:
    """Return at most `most` of `ids`, evenly spread from the first to the last."""
    if len(ids) <= most:
        return list(ids)
    return [ids[i * (len(ids) - 1) // (most - 1)] for i in range(most)]


def rules_across(rules: Rules, shards: Sequence[Grouping], parts: Mapping[str, Part]) -> Rules:
    """Return `rules` for the speakers of the stories that hold the articles they name."""
    named = {a for members in rules.together for a in members} | {a for pair in rules.apart for s in pair for a in s}
    if not named:
        return Rules()
    spoken: defaultdict[Part, list[str]] = defaultdict(list)
    for article, part in parts.items():
        spoken[part].append(article)
    of = {
        article: spoken[Part(number, n)]
        for number, shard in enumerate(shards)
        for n, each in enumerate(shard.stories)
        for article in each.articles
        if article in named
    }

    def of_all(articles: Iterable[str]) -> list[str]:
        return sorted({speaker for article in articles for speaker in of.get(article, ())})

    return Rules(
        together=tuple(tuple(of_all(members)) for members in rules.together),
        apart=tuple((frozenset(of_all(ours)), frozenset(of_all(theirs))) for ours, theirs in rules.apart),
    )


def joined(
    shards: Sequence[Grouping], across: Grouping, parts: Mapping[str, Part], ordered: Sequence[Item]
) -> Grouping:
    """
    Return the stories of all shards, those whose speakers are of one story `across` them as one.

    Speakers of one text make one report of theirs. An article that nothing was near in its shard has the link that it
    has across.

    Args:
        ordered: All articles, in time order.
    """
    place = {item.article_id: number for number, item in enumerate(ordered)}
    alone = {Part(i, n): each for i, shard in enumerate(shards) for n, each in enumerate(shard.stories)}
    stories = []
    for each in across.stories:
        own = [alone.pop(part) for part in sorted({parts[article] for article in each.articles})]
        stories.append(own[0] if len(own) == 1 else as_one(own, each.reports, place, ordered))
    stories += alone.values()
    known = {link.article: link for group in (across, *shards) for link in group.links}
    return Grouping(
        stories=tuple(sorted(stories, key=lambda each: place[each.articles[0]])),
        links=tuple(known[article] for article in sorted(known, key=place.__getitem__)),
    )


def as_one(own: Sequence[Story], spoken: Iterable[Report], place: dict[str, int], ordered: Sequence[Item]) -> Story:
    """Return several stories as one; reports that are of one text, as `spoken` says, become one."""
    report_of = {article: number for number, each in enumerate(reports_of(own)) for article in each.articles}
    found: dict[int, list[Report]] = {number: [each] for number, each in enumerate(reports_of(own))}
    for one in spoken:
        first, *others = sorted({report_of[article] for article in one.articles})
        for number in others:
            found[first] += found.pop(number)
    reports = [each[0] if len(each) == 1 else folded(each, place, ordered) for each in found.values()]
    return story(sorted(reports, key=lambda each: min(place[a] for a in each.articles)), place)


def reports_of(stories: Iterable[Story]) -> Iterator[Report]:
    for each in stories:
        yield from each.reports


def folded(reports: Iterable[Report], place: Mapping[str, int], ordered: Sequence[Item]) -> Report:
    """Return reports of one text as one."""
    return report([ordered[i] for i in sorted(place[article] for each in reports for article in each.articles)])
