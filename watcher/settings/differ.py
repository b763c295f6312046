"""What is different in settings that are read anew: sources by their URL, everything else by its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from watcher.settings.model import Settings
from watcher.settings.section import Part, Rows

TABLE = object()  # stands for a table of a list


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """URLs of sources, and the names of other settings: "poll.every", "digests.world.at"; never a value."""

    sources_added: tuple[str, ...] = ()
    sources_removed: tuple[str, ...] = ()
    sources_changed: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


def difference(before: Settings, after: Settings) -> Difference:
    """Return what is different in `after`. A source that is switched off counts as removed."""
    old = {source.url: source for source in before.active_sources()}
    new = {source.url: source for source in after.active_sources()}
    was, now = dict(flat(before)), dict(flat(after))
    names = [name for name in {**was, **now} if was.get(name, ...) != now.get(name, ...)]
    tables = tuple(f"{name}." for name in names if (was | now)[name] is TABLE)  # new or gone as a whole
    return Difference(
        sources_added=tuple(url for url in new if url not in old),
        sources_removed=tuple(url for url in old if url not in new),
        sources_changed=tuple(url for url, source in new.items() if url in old and old[url] != source),
        settings=tuple(name for name in names if not name.startswith(tables)),
    )


def flat(part: Part, above: str = "") -> Iterator[tuple[str, object]]:
    """Yield each setting but the sources, with its dotted name; a table of a list goes by its name or its number."""
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        key = f"{above}{field.alias or name}"
        if key == "sources" and not above:
            continue
        rows = value.root if isinstance(value, Rows) else value
        if isinstance(value, Part):
            yield from flat(value, f"{key}.")
        elif isinstance(rows, tuple) and any(isinstance(row, Part) for row in rows):
            for number, row in enumerate(rows, 1):
                table = f"{key}.{getattr(row, 'name', None) or number}"
                yield table, TABLE
                yield from flat(row, f"{table}.")
        else:
            yield key, value
