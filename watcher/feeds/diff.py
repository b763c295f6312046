"""Compares the entries of a poll with the known ones."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from watcher.model import Entry, EntryChanges, ParsedFeed
from watcher.text.urls import host_of, normalize_url


def diff_entries(
    parsed: ParsedFeed,
    known: Mapping[str, str],
    known_links: Collection[str],
    *,
    first_poll: bool,
    first_poll_entries: int = 20,
) -> EntryChanges:
    """
    Return the new entries, newest first, and those whose content has changed.

    An entry with a new GUID and a known link is the same article with another GUID and is held back. A link that
    several entries share (a front page, a live blog) is ignored. The first poll returns the newest `first_poll_entries`
    and holds back the rest. The caller must store all entries of `parsed` as known, also those held back.

    `known` maps the GUIDs of known entries to their `content_hash`; with an empty hash, an entry counts as unchanged.
    `known_links` are the normalised links (`normalize_url`) of the known entries.
    """
    links = {entry.guid: normalize_url(entry.url) for entry in parsed.entries if entry.url}
    times_used = Counter(links.values())
    fresh: list[Entry] = []
    changed: list[Entry] = []
    unchanged = held_back = 0
    for entry in parsed.entries:
        link = links.get(entry.guid)
        if entry.guid in known:
            if known[entry.guid] and known[entry.guid] != entry.content_hash:
                changed.append(entry)
            else:
                unchanged += 1
        elif link is not None and times_used[link] == 1 and link in known_links:
            held_back += 1
        else:
            fresh.append(entry)
    ordered = _sort_newest_first(fresh, parsed.entries)
    if first_poll:
        held_back += max(len(ordered) - first_poll_entries, 0)
        ordered = ordered[:first_poll_entries]
    return EntryChanges(new=tuple(ordered), changed=tuple(changed), unchanged=unchanged, suppressed=held_back)


def limit_new_hosts(changes: EntryChanges, known: Collection[str], *, limit: int) -> tuple[EntryChanges, int]:
    """Return `changes` with new entries of at most `limit` hosts not in `known`, and the number of entries left out."""
    seen: set[str] = set()
    allowed: list[Entry] = []
    for entry in changes.new:
        host = host_of(entry.url) if entry.url else ""
        if host and host not in known and host not in seen:
            if len(seen) == limit:
                continue
            seen.add(host)
        allowed.append(entry)
    return replace(changes, new=tuple(allowed)), len(changes.new) - len(allowed)


def _sort_newest_first(entries: Sequence[Entry], in_feed_order: Sequence[Entry]) -> list[Entry]:
    """Return `entries`, newest first; one without a date gets that of the entry before it, or the feed's first date."""
    inherited = next(filter(None, map(date_of, in_feed_order)), None)
    if inherited is None:
        return list(entries)
    moments: dict[str, datetime] = {}
    for entry in in_feed_order:
        inherited = moments[entry.guid] = date_of(entry) or inherited
    return sorted(entries, key=lambda entry: moments[entry.guid], reverse=True)


def date_of(entry: Entry) -> datetime | None:
    return entry.published_at or entry.updated_at
