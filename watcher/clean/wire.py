"""Wire copy: finds the agency and the dateline of an article, and cuts dateline and credits from its text."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from watcher.clean.agencies import (
    agency_of_site,
)
from watcher.clean.credits import agency_in_fields, agency_of_credit, find_credit_at_end
from watcher.clean.dateline import parse_dateline
from watcher.model import Block, RemovedBlock
from watcher.text.urls import host_of

HEAD = 4  # blocks at the beginning where a dateline or credit stands
HEAD_RAW = 10  # blocks in which a dateline with an agency is looked for: title, byline, date stand before it
CREDIT_BLOCKS = 4  # blocks at the end where a credit stands
# Before the text, behind what may be the caption of a picture, "Quelle: dpa" is rather the picture's.
PICTURES_SOURCE = re.compile(r"(?:quelle|source|fuente|fonte|bron|kilde|källa|kuva)\s*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class WireInfo:
    """What an article says of where its text comes from, and its blocks without that."""

    agency: str | None
    dateline: str | None
    blocks: tuple[Block, ...]
    removed: tuple[RemovedBlock, ...]


def read_wire(blocks: tuple[Block, ...], *, fields: Iterable[str], url: str, named: Sequence[str] = ()) -> WireInfo:
    """
    Return the agency and dateline of an article, and its blocks without dateline and credits.

    A dateline that names an agency counts most, then the agency's own site, what names it beside the text, and a credit
    in the text. Beside the text, the first of `named` (from `credited_agencies`) counts; without it, an agency in
    `fields`, which hold what the page or its feed says of its authors and sources.
    """
    kept = list(blocks)
    removed: list[RemovedBlock] = []
    place, by_dateline = _take_dateline(kept, removed)
    by_credit = _take_credits(kept, removed)
    by_page = named[0] if named else agency_in_fields(fields)
    return WireInfo(
        agency=by_dateline or agency_of_site(host_of(url).partition(":")[0]) or by_page or by_credit,
        dateline=place,
        blocks=tuple(block for block in kept if block.text),
        removed=tuple(removed),
    )


def strip_credits(blocks: tuple[Block, ...]) -> tuple[str | None, tuple[Block, ...], tuple[RemovedBlock, ...]]:
    """Return the agency that the credits of an article without furniture name, its blocks without them, what went."""
    kept = list(blocks)
    removed: list[RemovedBlock] = []
    agency = _take_credits(kept, removed)
    left = tuple(block for block in kept if block.text)
    return (agency, left, tuple(removed)) if left else (None, blocks, ())


def _take_dateline(blocks: list[Block], removed: list[RemovedBlock]) -> tuple[str | None, str | None]:
    """Cut the dateline from the first paragraph that has one; return its place and agency."""
    for index, block in enumerate(blocks[:HEAD_RAW]):
        dateline = None if block.kind == "h" else parse_dateline(block.text, only_agencies=index >= HEAD)
        if dateline is not None:
            removed.append(RemovedBlock(rule="dateline", text=block.text[: dateline.end].strip()))
            blocks[index] = replace(block, text=block.text[dateline.end :])
            return dateline.place, dateline.agency
    return None, None


def _take_credits(blocks: list[Block], removed: list[RemovedBlock]) -> str | None:
    """Cut the credits that are blocks of their own or stand behind the last sentence; return the agency they name."""
    agency: str | None = None
    last = len(blocks) - 1
    for index, block in enumerate(blocks):
        if HEAD <= index <= last - CREDIT_BLOCKS or not block.text:
            continue
        is_tail = index > last - CREDIT_BLOCKS
        named = agency_of_credit(block.text, is_tail=is_tail) if last > 0 or len(block.text) < len("Reuters") else None
        if named is not None:
            removed.append(RemovedBlock(rule="credit", text=block.text))
            blocks[index] = replace(block, text="")
            named = None if not is_tail and PICTURES_SOURCE.match(block.text) else named
        elif is_tail and (end := find_credit_at_end(block.text)):
            named, start = end
            removed.append(RemovedBlock(rule="credit", text=block.text[start:].strip()))
            blocks[index] = replace(block, text=block.text[:start].rstrip())
        agency = agency or named
    return agency
