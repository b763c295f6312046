"""What many titles of a feed end in: the name of its outlet, which no host may spell ("… - РБК" on rbc.ru)."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from watcher.model import Entry
from watcher.text.page_kind import classify_kind
from watcher.text.urls import host_of, is_channel_host

TITLE_END = re.compile(r" [|–—-] ([^\s|–—][^|–—]{1,49})$")
MIN_ENDING_TITLES, MIN_NAME_TITLES = 5, 3  # of a feed, that end alike; a name may be known by three, if they are half
# Of all its titles: less than half may end in who says so ("- Pentagon"), unless it has two capitals ("- The Age").
MIN_ENDING_SHARE, MIN_NAME_SHARE = 1 / 2, 1 / 8
MIN_CHARS_LEFT = 15  # that must be left


def drop_repeated_endings(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """
    Return the entries of a feed without the ending that many of their titles share behind a separator.

    An ending that says of what kind the report is ("- live") stays, and so does the name of a channel on a platform,
    as there it tells whose report it is.
    """
    if len(entries) < MIN_NAME_TITLES:
        return tuple(entries)
    found = {entry.title: match[1] for entry in entries if (match := TITLE_END.search(entry.title))}
    counts = Counter(found.values())
    titles = len({entry.title for entry in entries})
    repeated = {ending for ending, count in counts.items() if _is_repeated(ending, count, titles)}
    return tuple(_drop_ending(entry) if found.get(entry.title) in repeated else entry for entry in entries)


def _is_repeated(ending: str, count: int, titles: int) -> bool:
    """Whether so many of a feed's `titles` have an ending that it is no part of any of them."""
    is_name = _is_name(ending)
    if count >= MIN_ENDING_SHARE * titles:
        return count >= (MIN_NAME_TITLES if is_name else MIN_ENDING_TITLES)
    return is_name and count >= max(MIN_ENDING_TITLES, MIN_NAME_SHARE * titles)


def _is_name(ending: str) -> bool:
    """Whether an ending may be a name of several words, each with a capital or in a script without."""
    words = ending.split()
    return len(words) > 1 and not any(word[0].islower() for word in words)


def _drop_ending(entry: Entry) -> Entry:
    title = TITLE_END.sub("", entry.title)
    if len(title) < MIN_CHARS_LEFT or classify_kind(title) != classify_kind(entry.title):
        return entry
    return entry if entry.url and is_channel_host(host_of(entry.url)) else replace(entry, title=title)
