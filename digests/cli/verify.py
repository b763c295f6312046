"""`watcher verify`: whether an edition or a file is what was made, and true of the articles; where a quote stands."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from sqlalchemy import Engine
from typer import Argument, Option

from digests import edition_json
from digests.cli.editions import file_suffixes
from digests.cli.lookup import find_digest, parse_date
from digests.cli.pack import check_pack, format_pack, is_pack
from digests.edition.compare import compare_files, find_missing_texts
from digests.edition.evidence import verify_with_store
from digests.edition.publish import render_files
from digests.errors import DigestError
from digests.mcp.quotes import check_quote
from digests.model.edition import Edition
from digests.render.forms import FORMATS
from digests.render.pack import SUMS
from digests.settings.digests import DIGEST_NAME, DigestSettings, digests_of, folder_of
from digests.store import editions
from digests.store.editions import EditionRow
from digests.summarise.checks import translations_of
from watcher.cli.commands import DONE, FAILED, PARTLY
from watcher.cli.options import Config, Json, closing_store, load_settings
from watcher.cli.output import print_result
from watcher.settings.models import Settings
from watcher.store.writer import read
from watcher.text.format import format_count

MAX_DIFFERENCES = 8  # of a file, that are shown
FORMATS_BY_SUFFIX = {Path(pattern).suffix: form for form, pattern in FORMATS.items()}
OF_SEVERAL = ("atom", "ics")  # formats whose file has the same name in all editions
EDITION_CHANGED = "the stored edition has been changed since it was made"
NOT_SHOWN = (
    "the articles do not show which stories and sentences were chosen, in which order, which outlets do not report a "
    "story, and how many entries, pages and sources there were"
)


def verify(
    edition: Annotated[
        str | None,
        Argument(
            metavar="EDITION",
            help="A date, a file, a digest, a quote, or a pack; by default, the first digest's latest edition.",
        ),
    ] = None,
    day: Annotated[str | None, Option("--date", help="Date of the edition; by default, the latest one.")] = None,
    article: Annotated[
        str | None, Option("--article", help="Id or URL of the article to look for a quote in; by default, any.")
    ] = None,
    everything: Annotated[bool, Option("--all", help="Check every stored edition of every digest.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Check an edition, one of its files, or a quote.

    Of an edition, two questions are answered. Is it the edition that was made? And is it true of the stored articles?
    The headlines, sentences, sources, counts, times and places are compared with them. A file is also compared with
    the stored edition. The output says what was checked, and what could not be.

    A quote, such as a sentence, is looked up in the stored articles, word for word.

    The pack of a story (watcher story STORY --pack FOLDER), a folder or a zip file, is checked without a store or
    settings: each of its files, and each quotation.
    """
    if edition is not None and _is_path(edition) and not Path(edition).exists():
        hint = "watcher verify takes a file of an edition, or the pack of a story: a folder or zip file"
        raise DigestError(f"there is no file or folder {edition}", hint=hint)
    if edition is not None and is_pack(Path(edition)):
        sums_hash, faults = check_pack(Path(edition))
        values = {"file": edition, "sha256": sums_hash, "faults": faults}
        print_result(values, format_pack(edition, sums_hash, faults), json=json)
        return FAILED if faults else DONE
    settings = load_settings(config)
    with closing_store(editions.open_digests(settings.store.url, make=False)) as engine:
        if edition is not None and (article is not None or _is_quote(edition)):
            quote = read(engine, check_quote, edition, article)
            print_result(quote, _format_places(quote), json=json, links=True)
            return DONE if quote["verdict"] == "verbatim" else FAILED
        if everything:
            verdicts = [_check_row(engine, row) for row in read(engine, editions.edition_rows)]
        elif edition is not None and _is_path(edition):
            verdicts = [_check_file(engine, settings, Path(edition))]
        else:
            name, day = (None, edition) if edition is not None and is_date(edition) else (edition, day)
            verdicts = [_check_row(engine, _find_edition_row(engine, find_digest(settings, name).name, day))]
    print_result(verdicts if everything else verdicts[0], _format_verdicts(verdicts), json=json, links=True)
    if any(verdict.faults for verdict in verdicts):
        return FAILED
    return DONE if all(verdict.is_stored for verdict in verdicts) else PARTLY


def _is_quote(text: str) -> bool:
    """Whether an argument is neither a date, nor a file, nor the name of a digest."""
    return not (DIGEST_NAME.fullmatch(text) or is_date(text) or _is_path(text))


def _is_path(text: str) -> bool:
    try:
        is_file = Path(text).is_file()
    except (OSError, ValueError):  # a quote may be too long for a path
        return False
    return is_file or (text.isascii() and not re.search(r"\s", text) and ("/" in text or bool(Path(text).suffix)))


def is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _format_places(answer: dict[str, Any]) -> Iterator[str]:
    """Yield where a quote stands in the stored articles; `answer` is the answer of `check_quote`."""
    match answer["verdict"]:
        case "verbatim":
            yield f"verbatim in {format_count(len(answer['places']), 'place')}"
        case "same_words":
            yield "not verbatim: these articles have its words, with other signs or capitals"
        case _:
            yield "not found in a stored article"
    for place in answer["places"]:
        source = place["source"]
        where = f", {place['part']}, {place['version']}, from character {place['offset']}" if "offset" in place else ""
        yield f"  {source['outlet']}, article {place['article']}{where}: {source['url']}"
        yield f"    …{source['text']}…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answers about an edition or a file. `is_as_made`: it is what was made; None if that cannot be known."""

    digest: str
    date: date
    number: int
    file: str | None = None
    is_stored: bool = True  # False for a file whose edition is not stored
    is_as_made: bool | None
    as_made: str  # the first answer in words
    is_true: bool  # what it says is what the stored articles say, as far as that was checked
    is_file_compared: bool = False  # with the articles; else the stored edition was
    headlines: int
    sentences: int
    sources: int
    translations: int
    faults: tuple[str, ...]
    unchecked: tuple[str, ...]


def _find_edition_row(engine: Engine, digest: str, day: str | None) -> EditionRow:
    """Return the row of a date's edition, by default of the latest. Errors: DigestError, if there is none."""
    wanted_date = parse_date(day, option="--date") if day else None
    row = read(engine, editions.find_row, digest, wanted_date)
    if row is None:
        raise DigestError(
            f"no edition of {digest}{f' for {wanted_date}' if wanted_date else ''} is stored; watcher digest makes one"
        )
    return row


def _check_row(engine: Engine, row: EditionRow) -> Verdict:
    """Check a stored edition: whether it is the one that was made, and whether it is true of the articles."""
    stored, hashes = read(engine, editions.load_hashes, row)
    stored_hash = hashes.get("json")
    if stored_hash is None:
        words = "cannot be said: no hash of it was stored, as it is of an earlier version of Watcher"
    elif stored == stored_hash:
        words = "yes: the stored edition has the hash that was stored when it was made"
    else:
        words = f"no: {EDITION_CHANGED}"
    verdict = _check_edition(
        engine, read(engine, editions.load_edition, row), None if stored_hash is None else stored == stored_hash
    )
    changed = (EDITION_CHANGED,) if stored_hash not in (None, stored) else ()
    return replace(verdict, as_made=words, faults=(*changed, *verdict.faults))


def _check_edition(engine: Engine, edition: Edition, is_as_made: bool | None = None) -> Verdict:
    """Check whether an edition is true of the stored articles."""
    faults = read(engine, verify_with_store, edition, is_original=is_as_made is not False)
    lines = [(fault.is_certain, f"{fault.where}: {fault.message}: {fault.text}") for fault in faults]
    titles_at_top = sum(line.offset is None for line in edition.at_a_glance)
    sentences_at_top = len(edition.at_a_glance) - titles_at_top
    sentences_to_come = sum(len(event.sentences) for event in edition.coming_up)
    return Verdict(
        digest=edition.digest,
        date=edition.local_date,
        number=edition.number,
        is_as_made=is_as_made,
        as_made="",
        is_true=not any(is_certain for is_certain, _ in lines),
        headlines=len(edition.stories) + len(edition.all_briefs) + titles_at_top,
        sentences=sum(len(story.quoted) for story in edition.stories) + sentences_at_top + sentences_to_come,
        sources=sum(len(story.mentions) for story in edition.stories),
        translations=len(translations_of(edition)),
        faults=tuple(line for is_certain, line in lines if is_certain),
        unchecked=tuple(line for is_certain, line in lines if not is_certain),
    )


def _format_verdicts(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield the lines on each verdict: is it what was made, is it true, what was not checked, and the problems."""
    for verdict in verdicts:
        outcome = format_count(len(verdict.faults), "problem") if verdict.faults else "all verbatim"
        checked = f"{format_count(verdict.sentences, 'sentence')} checked"
        yield f"{verdict.digest} no. {verdict.number}, {verdict.date}: {checked}, {outcome}"
        yield f"  Is it the edition that was made? {verdict.as_made[:1].upper()}{verdict.as_made[1:]}."
        what = f"{format_count(verdict.headlines, 'headline')}, {format_count(verdict.sentences, 'sentence')}"
        what += f", {format_count(verdict.sources, 'source')}, {format_count(verdict.translations, 'translation')}"
        which = (
            f"the {'file' if verdict.is_file_compared else 'stored edition'} has {what}, and counts, times and places"
        )
        yield f"  Is it true of the stored articles? {'Yes' if verdict.is_true else 'No'}: {which}."
        unchecked = (*verdict.unchecked, *(() if verdict.is_as_made else (NOT_SHOWN,)))
        yield from (f"  Not checked: {line}" for line in unchecked)
        yield from verdict.faults


def _check_file(engine: Engine, settings: Settings, path: Path) -> Verdict:
    """Check a file: whether it is what was made of its edition, and whether that is true of the articles."""
    if path.is_dir():
        raise DigestError(f"{path} is not a pack: the folder has no {SUMS}")
    form = FORMATS_BY_SUFFIX.get(path.suffix)
    if form in (None, *OF_SEVERAL):
        taken = ", ".join(ending for ending, form in FORMATS_BY_SUFFIX.items() if form not in OF_SEVERAL)
        why = (
            "feeds and calendars are of several editions"
            if form
            else f"{path.suffix or 'a file without an ending'} is not a format"
        )
        raise DigestError(f"{path} cannot be checked: {why}; expected a file that ends with one of {taken}")
    try:
        body = path.read_bytes()
    except OSError as error:
        raise DigestError(f"{path} cannot be read: {error.strerror}") from error
    if form == "json":
        return _check_json(engine, path, body)
    compared = [
        (row, _compare_with_row(engine, row, form, body, digest, suffix=path.stem[10:]))
        for row, digest in _rows_of_file(engine, settings, path)
    ]
    row, comparison = min(compared, key=lambda pair: len(pair[1].differences))
    return _with_comparison(_check_row(engine, row), path, comparison)


def _check_json(engine: Engine, path: Path, body: bytes) -> Verdict:
    """Check the JSON of an edition, which names its edition: what it says is compared with the articles."""
    edition = edition_json.load(body)
    rows = read(engine, editions.edition_rows, edition.digest, day=edition.local_date)
    if not rows:
        missing = f"the store has no edition of {edition.digest} for {edition.local_date}"
        verdict = _check_edition(engine, edition)
        return replace(
            verdict, file=str(path), is_stored=False, is_file_compared=True, as_made=f"cannot be said: {missing}"
        )
    compared = [(row, _compare_with_row(engine, row, "json", body)) for row in rows]
    row, comparison = min(compared, key=lambda pair: (len(pair[1].differences), pair[0].number != edition.number))
    verdict = _check_row(engine, row)
    if comparison.differences:  # the articles show which of them make it wrong
        verdict = replace(_check_edition(engine, edition, is_as_made=False), is_file_compared=True)
    return _with_comparison(verdict, path, comparison)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How a file compares with its stored edition. `has_hash`: it has the hash of the file that was made."""

    words: str
    has_hash: bool = False
    differences: tuple[str, ...] = ()


def _with_comparison(verdict: Verdict, path: Path, comparison: Comparison) -> Verdict:
    """Return the verdict on a stored edition as that on a file of it."""
    is_as_made = False if comparison.differences else comparison.has_hash or verdict.is_as_made
    words = f"{'no' if is_as_made is False else 'yes'}: {path} {comparison.words}"
    if verdict.is_as_made is False and not comparison.differences:
        words += f", but {EDITION_CHANGED}"
    shown = comparison.differences[:MAX_DIFFERENCES]
    if len(comparison.differences) > len(shown):
        shown += (f"and {len(comparison.differences) - len(shown)} more differences",)
    faults = (*shown, *verdict.faults)
    return replace(verdict, file=str(path), is_as_made=is_as_made, as_made=words, faults=faults)


def _compare_with_row(
    engine: Engine, row: EditionRow, form: str, body: bytes, digest: DigestSettings | None = None, *, suffix: str = ""
) -> Comparison:
    """Compare a file with what was made of an edition, by its hash, then with what the edition gives now."""
    _, hashes = read(engine, editions.load_hashes, row)
    if editions.sha256(body) == hashes.get(form):
        return Comparison(words="is byte for byte the file that was made", has_hash=True)
    edition = read(engine, editions.load_edition, row)
    ours = edition_json.dump(edition)
    if digest is not None:
        ours = render_files(engine, edition, digest, (form,), suffix=suffix)[0].body
    if ours == body:
        return Comparison(words="is byte for byte what the stored edition gives")
    if form == "json" and form not in hashes and edition_json.dump(edition_json.load(body)) == ours:
        return Comparison(words="has the values of the stored edition")  # an earlier version wrote fewer fields
    differences = tuple(compare_files(ours, body, form)) or (
        "the bytes of the file differ from its edition, its texts do not",
    )
    if form == "json" or editions.sha256(ours) == hashes.get(form):
        return Comparison(words="differs from the file that was made", differences=differences)
    texts = _shown_texts(edition)
    missing = find_missing_texts(texts, body, form)
    count = f"{len(texts) - len(missing)} of the {len(texts)} headlines and sentences of the edition are in it"
    lost = tuple(f"not in the file: {text}" for text in missing)
    since = "have changed since it was made" if form in hashes else "may have changed since it was made"
    why = f"the templates, the settings or Watcher {since}, so that lines can differ for this reason"
    words = f"differs from what the stored edition gives now; {why}; {count}"
    return Comparison(words=words, differences=(*lost, *differences))


def _shown_texts(edition: Edition) -> list[str]:
    """Return the headlines and sentences that each file of an edition shows."""
    texts = [line.shown_text for line in edition.at_a_glance]
    texts += [event.last_said.shown_text for event in edition.coming_up if event.is_shown]
    texts += [*(story.headline for story in edition.stories), *(brief.headline for brief in edition.briefs)]
    for story in edition.stories:
        texts += [sentence.text for sentence in story.llm_sentences] or [
            sentence.shown_text for sentence in story.summary
        ]
        texts += [mention.title for mention in (*story.headlines, story.latest) if mention]
        texts += [sentence.shown_text for sentence in (*story.updates, *(turn.sentence for turn in story.turns))]
    return texts


def _rows_of_file(engine: Engine, settings: Settings, path: Path) -> list[tuple[EditionRow, DigestSettings]]:
    """Return the editions that a file may belong to: several, if it is in no digest's folder. Errors: DigestError."""
    day, suffix = path.stem[:10], path.stem[10:]
    known = digests_of(settings)
    home = [digest for digest in known if folder_of(digest, settings).resolve() == path.parent.resolve()]
    if not is_date(day):
        hint = "give the file the name that Watcher gave it, such as 2026-11-24.md"
        raise DigestError(f"{path} is not a file of an edition: its name does not begin with a date", hint=hint)
    matches = []
    for digest in home or known:
        if rows := read(engine, editions.edition_rows, digest.name, day=date.fromisoformat(day)):
            matches += [(row, digest) for row, behind in file_suffixes(rows).items() if behind == suffix]
    if not matches:
        hint = 'watcher verify "A sentence of it."  # looks for a quote in the stored articles'
        raise DigestError(
            f"{path}: no edition with this file name is stored, so nothing of it can be checked as a whole", hint=hint
        )
    return matches
