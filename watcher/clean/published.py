"""Chooses the dates of publication and change of an article from all dates in its page."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone

from watcher.clean.page_data import DateElement, PageElements, ShortLine
from watcher.clean.phrases import CLASS_NAMES, DATA_NAMES, PHRASES
from watcher.text.dates import DateMatch, date_in_url, find_dates, is_believable
from watcher.text.urls import host_of

# In lower case.
CHANGED = re.compile(PHRASES["changed"])
SAYS = re.compile(PHRASES["says_published"])
DATED_CLASS = re.compile(CLASS_NAMES["dated"])
PAGE_ELEMENT = "datePublished"  # source name for an element of the page
SAYS_PUBLISHED, DATED, BARE = 3, 2, 1  # confidence that a line shows the date of publication
BEFORE_DATE = 30  # characters before a date that may mark it as the date of a change ("updated")
HEADLINE_LINES = 3  # lines from the headline in which an unlabelled date is accepted (twice as many after it)
BARE_REST = 40  # other characters that a line with an unlabelled date may have
MAX_SCRIPT = 500_000  # characters
IN_SCRIPT = re.compile(
    r"(?:date_?published|published_?(?:at|date|time|on)|publish_?(?:date|time|at|ed)|publication_?date|pub_?date"
    r"|first-?publi\w{1,20}|publishedfirst|(?<![a-z])(?:deploy|reg(?:ist(?:er|ration)?)?)_?(?:dt|date))\\?[\"']?\s*[:=]\s*\\?[\"']([^\"'\\]{8,40})",
    re.IGNORECASE,
)
DATING = ("ubli", "Dt", "_dt", "egDate", "reg_date")  # each of the names above contains one of these
AMERICAN = frozenset("com org net gov edu us news info co tv mil".split(" "))  # top-level domains, likely American
RENEWED = timedelta(days=2)  # after the day in the URL: the page was published again
SAME_MOMENT = timedelta(hours=2)  # between two spellings of one date


@dataclass(frozen=True, slots=True, kw_only=True)
class DateCandidate:
    """A date that may be the article's, and where the page has it."""

    source: str
    moment: datetime
    swapped: datetime | None = None  # the second reading, if day and month can be swapped: 05/06

    @property
    def readings(self) -> tuple[datetime, ...]:
        return (self.moment, self.swapped) if self.swapped else (self.moment,)


def extract_dates(
    elements: PageElements, *, url: str, now: datetime | None
) -> tuple[DateCandidate | None, datetime | None]:
    """
    Return when an article was published (in the outlet's local time if shown) and last changed, None if unknown.

    The date of publication is the one stated in the page's data; else the visible one beside the headline; else a loose
    one, from fields that are often dates of something else; else the day in the URL; else any date in the page.
    """
    # "05/06/2024" is May 6 in English, on a site without the domain of another country.
    month_first = elements.language.lower().startswith("en") and host_of(url).rsplit(".", 1)[-1] in AMERICAN
    sure_times = (time for time in elements.times if time.is_sure)
    texts = (*elements.values(DATA_NAMES["published"]), *_times(elements, PAGE_ELEMENT, sure_times))
    stated = tuple(_parse_candidates(texts, now, month_first))
    changed = next(_parse_candidates(elements.values(DATA_NAMES["modified"]), now, month_first), None)
    shown = _visible_date(elements.lines, now, month_first)
    moment = date_in_url(url)
    url_day = DateCandidate(source="address", moment=moment) if moment and is_believable(moment, now=now) else None
    only_time = _times(elements, "time", elements.times if len(elements.times) == 1 else ())
    loose = tuple(_parse_candidates((*elements.values(DATA_NAMES["loosely_published"]), *only_time), now, month_first))
    published: DateCandidate | None
    if stated and not (stated[0].source == PAGE_ELEMENT and _is_overruled(stated[0], shown, loose)):
        published = _in_outlet_zone(stated, shown, url_day)
    elif shown is not None:
        published = _add_time_of_day(shown, loose)
    elif loose or url_day is not None:
        published = _resolve_day_and_month(loose[0], elements) if loose else url_day
    elif any(True for _, text in texts for _ in find_dates(text)):
        published = None  # if the stated dates are implausible, others in the page are not better
    else:
        published = _search_page(elements, now, month_first) or _date_in_title(elements, url, now) or changed
    if published and url_day and published is not shown and published.moment - url_day.moment > RENEWED:
        published = url_day  # the page was published again at its old URL
    is_later = changed and (not published or changed.moment >= published.moment)
    return published, changed.moment if changed and is_later else None


def _resolve_day_and_month(candidate: DateCandidate, elements: PageElements) -> DateCandidate:
    """Return a date with ambiguous day and month in the reading that another line of the page confirms."""
    days = {moment.date(): moment for moment in candidate.readings}
    lines = elements.all_short_lines() if candidate.swapped else ()
    matches = (match for line in lines for match in find_dates(line.text) if match.swapped is None)
    same = (days[day] for match in matches if (day := match.moment.date()) in days)
    return replace(candidate, moment=next(same, candidate.moment))


def _times(elements: PageElements, source: str, times: Iterable[DateElement]) -> Iterator[tuple[str, str]]:
    return ((source, time.text) for time in times if not elements.in_furniture(time.element))


def _parse_candidates(
    texts: Iterable[tuple[str, str]], now: datetime | None, month_first: bool = False
) -> Iterator[DateCandidate]:
    """Yield the believable dates in `texts`, which are pairs of where a text stands and the text."""
    for source, text in texts:
        match = next(find_dates(text, month_first=month_first), None)
        if match is not None and is_believable(match.moment, now=now):
            yield DateCandidate(source=source, moment=match.moment, swapped=match.swapped)


def _is_overruled(stated: DateCandidate, shown: DateCandidate | None, loose: tuple[DateCandidate, ...]) -> bool:
    """Whether a stated date is not the article's (but a picture's): visible and loose dates agree on another day."""
    return shown is not None and any(
        candidate.moment.date() == shown.moment.date() != stated.moment.date() for candidate in loose
    )


def _visible_date(
    lines: Iterable[ShortLine], now: datetime | None, month_first: bool, *, changed: bool = False
) -> DateCandidate | None:
    """Return the most certain visible date in `lines`, None without one; `changed` accepts dates of a change too."""
    best: DateCandidate | None = None
    best_score = 0.0
    for line in lines:
        confidence = _confidence(line)
        dates = find_dates(line.text, month_first=month_first, short=confidence > BARE)
        in_order = sorted(dates, key=lambda match: match.start)
        match = next((match for match in in_order if is_believable(match.moment, now=now)), None)
        if match is None or (not changed and CHANGED.search(line.text[: match.start][-BEFORE_DATE:].lower())):
            continue
        # A date before the headline is less certain: many sites show the date of today at the top.
        score = confidence if line.line_number > 0 else confidence - 0.5
        if score > best_score and _is_date_line(line, match, confidence):
            best = DateCandidate(source="beside the headline", moment=match.moment, swapped=match.swapped)
            best_score = score
    return best


def _is_date_line(line: ShortLine, match: DateMatch, confidence: int) -> bool:
    """Whether a line is there to show the date of publication, rather than one that mentions a date in prose."""
    if line.is_opening:
        return match.start <= 1 or bool(SAYS.search(line.text[: match.start].lower()))
    if confidence > BARE:
        return True
    is_near_headline = -HEADLINE_LINES <= line.line_number <= 2 * HEADLINE_LINES
    return is_near_headline and len(line.text) - (match.end - match.start) <= BARE_REST


def _confidence(line: ShortLine) -> int:
    """Return how certain it is that a date in the line is that of publication."""
    if line.is_opening:
        return BARE
    name = line.name.lower()
    if SAYS.search(name) or SAYS.search(line.text.lower()):
        return SAYS_PUBLISHED
    return DATED if DATED_CLASS.search(name) else BARE


def _in_outlet_zone(
    stated: tuple[DateCandidate, ...], shown: DateCandidate | None, url_day: DateCandidate | None
) -> DateCandidate:
    """
    Return the first stated date; if it is in UTC, in the local time zone of the outlet as far as it is known.

    The zone is that of another stated date for this moment; else one in which it is the day on the page or in the URL.
    """
    first, *others = stated
    if first.moment.utcoffset():
        return first
    for other in others:
        if other.moment.utcoffset() and abs(other.moment - first.moment) < SAME_MOMENT:
            return replace(first, moment=first.moment.astimezone(other.moment.tzinfo))
    days = [moment.date() for candidate in (shown, url_day) if candidate for moment in candidate.readings]
    if first.moment.date() in days:
        return first
    local = next((local for day in days if (local := _shift_to_day(first.moment, day))), first.moment)
    return replace(first, moment=local)


def _shift_to_day(moment: datetime, day: date) -> datetime | None:
    """Return a UTC moment in the time zone nearest to UTC in which it is on `day`, None if there is none."""
    ahead = (day - moment.date()).days
    hours = 24 - moment.hour if ahead == 1 else -1 - moment.hour
    if abs(ahead) != 1 or not -12 <= hours <= 14:
        return None
    return moment.astimezone(timezone(timedelta(hours=hours)))


def _add_time_of_day(shown: DateCandidate, loose: tuple[DateCandidate, ...]) -> DateCandidate:
    """Return the visible date, with the time of day of a loose date if both have the same day."""
    for reading in shown.readings:
        for candidate in loose:
            if candidate.moment.date() == reading.date():
                return candidate
            if candidate.swapped and candidate.swapped.date() == reading.date():
                return replace(shown, moment=reading)
    return shown


def _search_page(elements: PageElements, now: datetime | None, month_first: bool) -> DateCandidate | None:
    """Return a date from any `time` element, script or line of the page outside other articles, else None."""
    times = _parse_candidates(_times(elements, "time", elements.times), now)
    if candidate := next(times, None) or _date_in_scripts(elements, now):
        return candidate
    lines = elements.all_short_lines()
    sure_times = (
        (PAGE_ELEMENT, time.text)
        for time in elements.times
        if time.is_sure and not elements.in_other_article(time.element)
    )
    return (
        _visible_date(lines, now, month_first)
        or next(_parse_candidates(sure_times, now), None)
        or _visible_date(lines, now, month_first, changed=True)
    )


def _date_in_scripts(elements: PageElements, now: datetime | None) -> DateCandidate | None:
    """Return the date of publication in the page's scripts if all dates there have the same day, else None."""
    scripts = (script.text or "" for script in elements.tree.iter("script"))
    readable = (text for text in scripts if any(word in text for word in DATING) and len(text) <= MAX_SCRIPT)
    stamps = [("script", stamp) for text in readable for stamp in IN_SCRIPT.findall(text)]
    candidates = list(_parse_candidates(stamps, now))
    return candidates[0] if len({candidate.moment.date() for candidate in candidates}) == 1 else None


def _date_in_title(elements: PageElements, url: str, now: datetime | None) -> DateCandidate | None:
    """Return the date at the start of a title or of the URL's last part ("28.05.2024 | Bridge to close"), or None."""
    for text in (elements.title, *(heading for heading, _ in elements.headings), url.rstrip("/").rsplit("/", 1)[-1]):
        match = next(find_dates(text), None)
        if match and match.start <= 1 and not match.swapped and is_believable(match.moment, now=now):
            return DateCandidate(source="title", moment=match.moment)
    return None
