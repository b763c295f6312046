"""When an article was published and changed: which of the dates that a page states and shows is the article's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from lxml import etree
from lxml.etree import _Element

from watcher.clean import page_data
from watcher.clean.page_data import PageElements, ancestors, in_furniture, in_other_article, is_furniture_element
from watcher.clean.phrases import CLASS_NAMES, PHRASES
from watcher.text.dates import DateMatch, date_in_url, find_dates, is_believable
from watcher.text.urls import host_of

STATED = (
    "article:published_time article:published og:published_time og:article:published_time datepublished "
    "published_time publish_date publish-date publishdate publication_date pubdate parsely-pub-date sailthru.date "
    "cxenseparse:recs:publishtime cxenseparse:publishtime dc.date.issued dcterms.created dc.date.created "
    "dcterms.issued article.published article_date_original citation_publication_date date_published "
    "originalpublicationdate bt:pubdate rnews:datepublished"
).split(" ")
LOOSE = ("dc.date", "dcterms.date", "date", "datecreated", "created", "last-published")  # often of the last change
MODIFIED = "article:modified_time datemodified og:updated_time modified last-modified dcterms.modified lastmod".split(
    " "
)
CHANGED = re.compile(PHRASES["changed"], re.IGNORECASE)
SAYS = re.compile(PHRASES["says_published"], re.IGNORECASE)
DATED_CLASS = re.compile(CLASS_NAMES["dated"], re.IGNORECASE)
MARKUP = "datePublished"  # of an element of the page
SAYS_PUBLISHED, DATED, BARE = 3, 2, 1  # how surely a line shows the date of publication
BEFORE_DATE = 30  # characters before a date in which it is said to be that of a change
NEAR = 3  # lines from the headline in which a date that says nothing of itself is the article's
BARE_REST = 40  # characters that may stand beside a date in a line that says nothing of itself
MAX_SCRIPT = 500_000  # characters
IN_SCRIPT = re.compile(
    r"(?:date_?published|published_?(?:at|date|time|on)|publish_?(?:date|time|at|ed)|publication_?date|pub_?date"
    r"|first-?publi\w+|publishedfirst|(?<![a-z])(?:deploy|reg(?:ist(?:er|ration)?)?)_?(?:dt|date))\\?[\"']?\s*[:=]\s*\\?[\"']([^\"'\\]{8,40})",
    re.IGNORECASE,
)
DATING = ("ubli", "Dt", "_dt", "egDate", "reg_date")  # one of these stands in each of the names above
AMERICAN = frozenset("com org net gov edu us news info co tv mil".split(" "))  # domains of no country but the USA
RENEWED = timedelta(days=2)  # behind the day in the address
SAME_MOMENT = timedelta(hours=2)  # between two spellings of one date


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """The dates of an article, each in the zone that its readers live in; `source` says where it was read."""

    published_at: datetime | None = None
    modified_at: datetime | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DateCandidate:
    """A date and who tells it."""

    source: str
    match: DateMatch

    @property
    def moment(self) -> datetime:
        return self.match.moment


def extract_dates(
    elements: PageElements, headline: _Element | None, lines: tuple[ShortLine, ...], *, url: str, now: datetime | None
) -> Dates:
    """Return when the article of a page was published and changed; None for what the page does not say."""
    texts = tuple(_stated_dates(elements, headline))
    month_first = _is_american(elements, url)
    stated = tuple(_parse_candidates(texts, now, month_first))
    changed = next(_parse_candidates(_modified_dates(elements), now, month_first), None)
    shown = _visible_date(lines, now, month_first)
    day = _date_in_address(url, now)
    loose = tuple(_parse_candidates(_loose_dates(elements, headline), now, month_first))
    published: DateCandidate | None
    if stated and not (stated[0].source == MARKUP and _is_overruled(stated[0], shown, loose)):
        published = _in_reader_zone(stated, shown, day)
    elif shown is not None:
        published = _add_time_of_day(shown, loose)
    elif loose or day is not None:
        published = _resolve_day_and_month(loose[0], elements, now) if loose else day
    elif any(True for _, text in texts for _ in find_dates(text)):
        published = None  # a page whose own dates cannot be says nothing better elsewhere
    else:
        published = _search_page(elements, headline, now, month_first) or _date_in_title(elements, url, now) or changed
    if published and day and published is not shown and published.moment - day.moment > RENEWED:
        published = day  # the page was published again under its old address
    return Dates(
        published_at=published.moment if published else None,
        modified_at=changed.moment if changed and (not published or changed.moment >= published.moment) else None,
        source=published.source if published else "",
    )


def _is_american(elements: PageElements, url: str) -> bool:
    """Whether "05/06/2024" is of May: in English, on a site that is of no other country."""
    return elements.language.lower().startswith("en") and host_of(url).rsplit(".", 1)[-1] in AMERICAN


def _date_in_address(url: str, now: datetime | None) -> DateCandidate | None:
    moment = date_in_url(url)
    if moment is None or not is_believable(moment, now=now):
        return None
    return DateCandidate(source="address", match=DateMatch(moment=moment, at=0, end=0))


def _resolve_day_and_month(candidate: DateCandidate, elements: PageElements, now: datetime | None) -> DateCandidate:
    """Return a date whose day and month may be the other way round as it stands in some line of the page."""
    if candidate.match.other is None:
        return candidate
    days = {candidate.moment.date(): candidate.moment, candidate.match.other.date(): candidate.match.other}
    matches = (
        match for line in all_short_lines(elements.tree) for match in find_dates(line.text) if match.other is None
    )
    return next(
        (_with_moment(candidate, days[match.moment.date()]) for match in matches if match.moment.date() in days),
        candidate,
    )


def _stated_dates(elements: PageElements, headline: _Element | None) -> Iterator[tuple[str, str]]:
    """Yield what the page's data and tags say, the most trustworthy first."""
    yield STATED[0], elements.metas.get(STATED[0], "")
    yield "JSON-LD datePublished", page_data.json_text(elements.node.get("datePublished"))
    for name in STATED[1:]:
        yield name, elements.metas.get(name, "")
    around = ancestors(headline)
    for time in elements.times:
        if time.is_sure and not in_furniture(time.element, around):
            yield MARKUP, time.text


def _loose_dates(elements: PageElements, headline: _Element | None) -> Iterator[tuple[str, str]]:
    for name in LOOSE:
        yield name, elements.metas.get(name, "")
    yield "JSON-LD dateCreated", page_data.json_text(elements.node.get("dateCreated"))
    if len(elements.times) == 1 and not in_furniture(elements.times[0].element, ancestors(headline)):
        yield "time", elements.times[0].text


def _modified_dates(elements: PageElements) -> Iterator[tuple[str, str]]:
    yield "JSON-LD dateModified", page_data.json_text(elements.node.get("dateModified"))
    for name in MODIFIED:
        yield name, elements.metas.get(name, "")


def _parse_candidates(
    texts: Iterable[tuple[str, str]], now: datetime | None, month_first: bool = False
) -> Iterator[DateCandidate]:
    for source, text in texts:
        match = next(find_dates(text, month_first=month_first), None) if text else None
        if match is not None and is_believable(match.moment, now=now):
            yield DateCandidate(source=source, match=match)


def _is_overruled(stated: DateCandidate, shown: DateCandidate | None, loose: tuple[DateCandidate, ...]) -> bool:
    """Whether an element's date is another's, of a picture: what the page shows and its tags agree on another day."""
    return shown is not None and any(
        candidate.moment.date() == shown.moment.date() != stated.moment.date() for candidate in loose
    )


def _visible_date(
    lines: Iterable[ShortLine], now: datetime | None, month_first: bool, *, changed: bool = False
) -> DateCandidate | None:
    """
    Return the date that the page shows in `lines`: the surest, of these the first.

    Args:
        changed: Whether dates of a change count too.
    """
    best: DateCandidate | None = None
    most = 0.0
    for line in lines:
        sure = _confidence(line)
        matches = sorted(find_dates(line.text, month_first=month_first, short=sure > BARE), key=lambda match: match.at)
        match = next((one for one in matches if is_believable(one.moment, now=now)), None)
        if match is None or (not changed and CHANGED.search(line.text[: match.at][-BEFORE_DATE:])):
            continue
        if not _is_of_date(line, match, sure):
            continue
        value = sure if line.place > 0 else sure - 0.5
        if value > most:
            best, most = DateCandidate(source="beside the headline", match=match), value
    return best


def _is_of_date(line: ShortLine, match: DateMatch, sure: int) -> bool:
    """Whether a line is there to say a date, and does not only mention one."""
    if line.is_opening:
        return match.at <= 1 or bool(SAYS.search(line.text[: match.at]))
    if sure > BARE:
        return True
    return len(line.text) - (match.end - match.at) <= BARE_REST and -NEAR <= line.place <= 2 * NEAR


def _confidence(line: ShortLine) -> int:
    if line.is_opening:
        return BARE
    if SAYS.search(line.name) or SAYS.search(line.text):
        return SAYS_PUBLISHED
    return DATED if DATED_CLASS.search(line.name) else BARE


def _in_reader_zone(
    stated: tuple[DateCandidate, ...], shown: DateCandidate | None, day: DateCandidate | None
) -> DateCandidate:
    """
    Return the first of what is stated, in the zone of its readers where it is written in UTC.

    That is the zone of another date of the page for the same moment, else one in which the day is the one that the page
    shows beside its headline, else the one of the address.
    """
    first = stated[0]
    if first.moment.utcoffset():
        return first
    for other in stated[1:]:
        if other.moment.utcoffset() and abs(other.moment - first.moment) < SAME_MOMENT:
            return _with_moment(first, first.moment.astimezone(other.moment.tzinfo))
    days = [
        moment
        for candidate in (shown, day)
        if candidate
        for moment in (candidate.moment, candidate.match.other)
        if moment
    ]
    if any(moment.date() == first.moment.date() for moment in days):
        return first
    local = next((local for moment in days if (local := _shift_to_day(first.moment, moment))), None)
    return _with_moment(first, local) if local else first


def _shift_to_day(moment: datetime, day: datetime) -> datetime | None:
    """Return a moment in UTC in the nearest zone where it is on `day`, None if there is none."""
    ahead = (day.date() - moment.date()).days
    hours = 24 - moment.hour if ahead == 1 else -1 - moment.hour
    if abs(ahead) != 1 or not -12 <= hours <= 14:
        return None
    return moment.astimezone(timezone(timedelta(hours=hours)))


def _with_moment(candidate: DateCandidate, moment: datetime) -> DateCandidate:
    return replace(candidate, match=replace(candidate.match, moment=moment))


def _add_time_of_day(shown: DateCandidate, loose: tuple[DateCandidate, ...]) -> DateCandidate:
    """Return a date that is shown, with the time of day that the page's data give it where they agree on the day."""
    for reading in (shown.moment, shown.match.other):
        for candidate in loose:
            if reading and reading.date() in (
                candidate.moment.date(),
                *((candidate.match.other.date(),) if candidate.match.other else ()),
            ):
                return candidate if candidate.moment.date() == reading.date() else _with_moment(shown, reading)
    return shown


def _search_page(
    elements: PageElements, headline: _Element | None, now: datetime | None, month_first: bool
) -> DateCandidate | None:
    """Return the date of an element that is made for dates, or of a line of the whole page; not of other articles."""
    around = ancestors(headline)
    times = [time for time in elements.times if not in_furniture(time.element, around)]
    if candidate := next(_parse_candidates((("time", time.text) for time in times), now), None) or _date_in_scripts(
        elements, now
    ):
        return candidate
    lines = all_short_lines(elements.tree)
    sure = (
        (MARKUP, time.text) for time in elements.times if time.is_sure and not in_other_article(time.element, around)
    )
    return (
        _visible_date(lines, now, month_first)
        or next(_parse_candidates(sure, now), None)
        or _visible_date(lines, now, month_first, changed=True)
    )


def _date_in_scripts(elements: PageElements, now: datetime | None) -> DateCandidate | None:
    """Return the date in the data of a page's own scripts, if they hold one only."""
    found: dict[str, None] = {}
    for script in elements.tree.iter("script"):
        text = script.text or ""
        if any(word in text for word in DATING) and len(text) <= MAX_SCRIPT:
            found.update(dict.fromkeys(IN_SCRIPT.findall(text)))
    candidate = list(_parse_candidates((("script", text) for text in found), now))
    days = {one.moment.date() for one in candidate}
    return candidate[0] if len(days) == 1 else None


def _date_in_title(elements: PageElements, url: str, now: datetime | None) -> DateCandidate | None:
    """Return the date that the page's title or the end of its address begins with: "28.05.2024 | Bridge to close"."""
    for text in (elements.title, *(heading for heading, _ in elements.headings), url.rstrip("/").rsplit("/", 1)[-1]):
        match = next(find_dates(text), None)
        if match and match.at <= 1 and not match.other and is_believable(match.moment, now=now):
            return DateCandidate(source="title", match=match)
    return None


LONG = 160  # characters: a line is shorter, what is longer is a paragraph
PARAGRAPHS = 2  # of the body that are read behind a headline
BEFORE = 8  # lines before a headline
OPENING = 60  # characters of a paragraph that are read: "(28 May 2024) The bridge"
AFTER = 40  # lines behind it
EVENTS = 1_500  # steps through the tree in each direction
PAGE_EVENTS = 20_000  # steps through a whole page
BREAKS = frozenset(
    "p div li ul ol dl dt dd section header article main h1 h2 h3 h4 h5 h6 table tr td th br address hr blockquote"
    " figure".split(" ")
)
SILENT = frozenset(
    "script style template noscript svg figure figcaption iframe select option button textarea video audio picture"
    " aside footer nav form".split(" ")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortLine:
    """A short line. `name` holds the class names, ids and properties that it stands in; `place` is below 0 before."""

    text: str
    name: str
    place: int
    is_opening: bool = False  # the beginning of a paragraph


def lines_near_headline(headline: _Element) -> tuple[ShortLine, ...]:
    """Return the short lines behind a headline, to the second paragraph of the body, and then those before it."""
    after: list[ShortLine] = []
    paragraphs = 0
    for text, name in _split_lines(_elements_behind(headline), first=""):
        if len(text) > LONG:
            paragraphs += 1
            after.append(ShortLine(text=text[:OPENING], name=name, place=len(after) + 1, is_opening=True))
            if paragraphs >= PARAGRAPHS:
                break
        else:
            after.append(ShortLine(text=text, name=name, place=len(after) + 1))
        if len(after) >= AFTER:
            break
    return (*after, *_lines_before(headline))


def all_short_lines(tree: _Element) -> tuple[ShortLine, ...]:
    """Return the short lines of a whole page, but for those of other articles, of comments and of the site."""
    body = next(iter(tree.iter("body")), tree)
    found = (
        ShortLine(text=text, name=name, place=1) for text, name in _split_lines(iter(body), first="", limit=PAGE_EVENTS)
    )
    return tuple(line for line in found if len(line.text) <= LONG)


def _lines_before(headline: _Element) -> Iterator[ShortLine]:
    """Yield the lines before a headline, the nearest first."""
    place = 0
    here = headline
    for _ in range(4):
        for sibling in here.itersiblings(preceding=True):
            found = [(text, name) for text, name in _split_lines(iter((sibling,)), first="") if len(text) <= LONG]
            for text, name in reversed(found[-BEFORE:]):
                place -= 1
                yield ShortLine(text=text, name=name, place=place)
                if place <= -BEFORE:
                    return
        parent = here.getparent()
        if parent is None or parent.tag in ("body", "html"):
            return
        here = parent


def _elements_behind(element: _Element) -> Iterator[_Element]:
    """Yield the subtrees that follow an element, in the order of the page."""
    here: _Element | None = element
    while here is not None and here.tag not in ("body", "html"):
        yield from here.itersiblings()
        here = here.getparent()


def _split_lines(roots: Iterator[_Element], *, first: str, limit: int = EVENTS) -> Iterator[tuple[str, str]]:
    """Yield the lines of subtrees, each with the names of the elements that it stands in."""
    parts: list[str] = [first]
    names: list[str] = []
    steps = 0
    for root in roots:
        if not isinstance(root.tag, str):
            continue
        walk = etree.iterwalk(root, events=("start", "end"))
        for event, element in walk:
            steps += 1
            if steps > limit:
                return
            tag = element.tag
            breaks = tag in BREAKS
            if breaks and (text := " ".join("".join(parts).split())):
                yield text, " ".join(names)
            if breaks:
                parts.clear()
                names = []
            if event == "start":
                if tag in SILENT or not isinstance(tag, str) or is_furniture_element(element):
                    walk.skip_subtree()
                    continue
                names.append(_element_names(element, with_parent=breaks))
                parts.append(element.text or "")
            else:
                parts.append(element.tail or "")
    if text := " ".join("".join(parts).split()):
        yield text, " ".join(names)


def _element_names(element: _Element, *, with_parent: bool) -> str:
    names = (element.tag, element.get("class"), element.get("id"), element.get("itemprop"), element.get("rel"))
    own = " ".join(name for name in names if name)
    parent = element.getparent() if with_parent else None
    return f"{own} {parent.get('class') or ''}" if parent is not None else own
