"""The sections of an edition: those the settings name, in their order, else the regions that its stories are about."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

from digests.model import Story
from digests.places.regions import REGIONS, region_of, region_title
from digests.wishes import SectionRule, ruled
from watcher.model import Article
from watcher.text.words import fold


def section_of(
    story: Story,
    articles: Mapping[str, Article],
    places: Sequence[str],
    *,
    wanted: Sequence[str],
    language: str,
    rules: Sequence[SectionRule] = (),
) -> str:
    """
    Return the title of the section that a story belongs to.

    Args:
        places: ISO codes of the countries it is about, first first.
        wanted: The settings' sections: names of sections of sources, or of regions; empty for regions only.
        rules: The reader's own: the first that fits decides.
    """
    if rules and (own := ruled(rules, [articles[key] for key in story.articles if key in articles], places)):
        return own
    region = region_of(places[0] if places else None)
    if wanted:
        names = {_plain(name): name for name in wanted}
        counts = Counter(
            names[_plain(article.section)]
            for article in (articles[key] for key in story.articles if key in articles)
            if article.section and _plain(article.section) in names
        )
        if counts:
            return min(counts, key=lambda name: (-counts[name], wanted.index(name)))
        for spelling in (region, region_title(region, language), region_title(region, "en")):
            if _plain(spelling) in names:
                return names[_plain(spelling)]
    return region_title(region, language)


def section_order(titles: Sequence[str], *, wanted: Sequence[str], language: str) -> list[str]:
    """
    Return the distinct titles in the order that an edition has them.

    `titles` are those of its stories, best first. Without wishes the lead's section is first and the others follow by
    their best story, the world's last; with wishes theirs comes first.
    """
    found = list(dict.fromkeys(titles))
    if wanted:
        return [name for name in wanted if name in found] + [name for name in found if name not in set(wanted)]
    rest = region_title(REGIONS[-1], language)
    return found[:1] + [name for name in found[1:] if name != rest] + [name for name in found[1:] if name == rest]


def section_anchor(title: str, taken: set[str]) -> str:
    """Return an ASCII anchor for a section, and note it in `taken`."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", plain))
    slug = slug if slug[:1].isalpha() else f"section-{slug or len(taken) + 1}"
    found, number = slug, 2
    while found in taken:
        found, number = f"{slug}-{number}", number + 1
    taken.add(found)
    return found


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", fold(name)).strip()
