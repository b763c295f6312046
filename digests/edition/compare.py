"""Compares a file of an edition with what the edition gives: which lines or values differ, each with its place."""

import email
import html
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from email import policy
from itertools import islice
from typing import Any

CONTEXT_CHARS = 40  # characters shown before and after a difference
MAX_DIFFERENCE_CHARS = 400  # shown of a text that differs
MAX_BOOK_BYTES = 64 << 20  # of all files in a book together
ANY_TAG = re.compile(r"<[^<>]*>")
MISSING = object()


def compare_files(ours: bytes, theirs: bytes, form: str) -> Iterator[str]:
    """Yield the differences of two files of a format: `ours` is what the edition gives. Empty if only bytes differ."""
    if form == "json":
        yield from _compare_values(json.loads(ours), json.loads(theirs), "")
        return
    old, new = _read_parts(ours, form), _read_parts(theirs, form)
    for name in dict.fromkeys((*old, *new)):
        place = f"{name}, " if name else ""
        if name not in new:
            yield f"{place}missing in the file"
        elif name not in old:
            yield f"{place}only in the file: {new[name][:MAX_DIFFERENCE_CHARS]}"
        else:
            yield from _compare_lines(old[name].splitlines(), new[name].splitlines(), place)


def _read_parts(data: bytes, form: str) -> dict[str, str]:
    """Return the texts of a file by name: the parts of a mail, the files of a book; else the whole file as ""."""
    if form == "epub":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as book:
                if sum(member.file_size for member in book.infolist()) <= MAX_BOOK_BYTES:
                    return {member.filename: book.read(member).decode("utf-8", "replace") for member in book.infolist()}
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError):
            pass
        return {"": "not a book"}
    if form != "eml":
        return {"": data.decode("utf-8", "replace")}
    message = email.message_from_bytes(data, policy=policy.default)
    # The type of the whole names a boundary, which is made from the parts.
    head = (f"{name}: {value}" for name, value in message.items() if name.lower() != "content-type")
    parts = {"the head of the mail": "\n".join(head)}
    for number, part in enumerate(message.walk(), 1):
        if not part.is_multipart():
            payload = part.get_payload(decode=True)
            text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else str(payload)
            parts[f"part {number} of the mail, {part.get_content_type()}"] = text
    return parts


def find_missing_texts(texts: Iterable[str], data: bytes, form: str) -> list[str]:
    """Return those of an edition's `texts` whose words do not follow each other anywhere in a file."""
    whole = "\n".join(_read_parts(data, form).values())
    shown_text = f" {_words(html.unescape(ANY_TAG.sub(' ', whole)) if '</' in whole else whole)} "
    return [text for text in texts if f" {_words(text)} " not in shown_text]


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text))


def _compare_lines(old: Sequence[str], new: Sequence[str], place: str) -> Iterator[str]:
    """Yield the lines that differ, in words; `place` is put before each, such as "part 2 of the mail, "."""
    for kind, a, a_end, b, b_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        paired = min(a_end - a, b_end - b)
        for index in range(paired):
            yield f"{place}line {b + index + 1}: {_show_change(old[a + index], new[b + index])}"
        for line in islice(old, a + paired, a_end):
            yield f"{place}missing in the file: {line[:MAX_DIFFERENCE_CHARS]}"
        for index, line in enumerate(islice(new, b + paired, b_end), b + paired + 1):
            yield f"{place}line {index}, only in the file: {line[:MAX_DIFFERENCE_CHARS]}"


def _compare_values(ours: Any, theirs: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Yield the values that differ between two JSON documents, each with its path, such as "stories[2].title"."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in dict.fromkeys((*ours, *theirs)):
            yield from _compare_values(ours.get(key, MISSING), theirs.get(key, MISSING), f"{path}.{key}".lstrip("."))
    elif isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            yield f"{path}: {len(ours)} in the edition, {len(theirs)} in the file"
        for index, (one, other) in enumerate(zip(ours, theirs, strict=False)):
            yield from _compare_values(one, other, f"{path}[{index}]")
    elif type(ours) is not type(theirs) or ours != theirs:
        one, other = ("" if value is MISSING else json.dumps(value, ensure_ascii=False) for value in (ours, theirs))
        yield f"{path}: {_show_change(one, other)}"


def _show_change(before: str, after: str) -> str:
    """Return two texts from a little before the first place where they differ to a little behind the last."""
    shorter = min(len(before), len(after))
    start = next((index for index in range(shorter) if before[index] != after[index]), shorter)
    same_end = next(
        (index for index in range(shorter - start) if before[-1 - index] != after[-1 - index]), shorter - start
    )
    return (
        " in the edition, ".join(_cut(text, start, len(text) - same_end) for text in (before, after)) + " in the file"
    )


def _cut(text: str, start: int, end: int) -> str:
    first = max(0, start - CONTEXT_CHARS)
    last = min(len(text), end + CONTEXT_CHARS, first + MAX_DIFFERENCE_CHARS)
    shown = f"{'…' if first else ''}{text[first:last]}{'…' if last < len(text) else ''}"
    return f"“{shown}”" if text else "nothing"
