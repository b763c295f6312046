"""The values that the packages of `digests` exchange: stories, editions, rendered forms and messages."""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Annotated

from pydantic import Field, PlainSerializer, PlainValidator

from watcher.failure_messages import Reason

MERGED, SPLIT = "merged", "split"  # what can become of a story


@dataclass(frozen=True, slots=True, kw_only=True)
class WireGroup:
    """Articles that carry one text: the origin first, then its copies, whole or rewritten, in time order."""

    articles: tuple[str, ...]  # article ids
    agency: str | None = None
    rewritten_from: str | None = None  # origin of the group that its text is rewritten from, until they are joined

    @property
    def origin(self) -> str:
        return self.articles[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The articles on one event. `id` is from the earliest; tracking replaces it, and sets `thread` and the rest."""

    id: str
    articles: tuple[str, ...]  # article ids, in time order
    wire_groups: tuple[WireGroup, ...]  # they partition `articles`
    thread: str = ""  # id shared by the stories that follow each other over days
    began_at: datetime | None = None  # when the first article of the thread was published
    merged_ids: tuple[str, ...] = ()  # ids of stories that were merged into it


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTerm:
    """One term of a story's score: value × weight, with words for a reader."""

    name: str
    value: float
    weight: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """A headline or sentence in a language that the reader reads; the original stands where this is attached."""

    text: str
    source: Annotated[str, Field(alias="from")]  # language of the original
    to: str  # language of `text`
    by: str  # engine: firefox, libretranslate


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence quoted from an article: `article.text[offset:offset + len(text)] == text`."""

    text: str
    article_id: str
    offset: int
    outlet: str
    url: str
    published_at: datetime  # when the article was published
    language: str
    translation: Translation | None = None

    @property
    def shown_text(self) -> str:
        return self.translation.text if self.translation else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMention:
    """One outlet's report in a story's list of sources. `shows_title` is set if the title is in another language."""

    outlet: str
    url: str
    language: str
    country: str | None
    title: str
    published_at: datetime
    article_id: str
    agency: str | None = None  # whose text the report copies
    via: str | None = None  # the source whose feed had its link, if its outlet's own feed had not
    shows_title: bool = False  # show the title too


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """A story in one line."""

    id: str
    title: str
    url: str
    outlet: str
    language: str
    outlets: int
    independent: int
    headline_only: int = 0  # of the outlets, those that have it by headline alone; never independent
    article_ids: tuple[str, ...]
    thread: str = ""
    status: str = ""  # quiet (shown before, and nothing is new), foreign (in no language that the reader reads), gone
    places: tuple[str, ...] = ()  # names of countries in the edition's language
    day: int = 0  # of its thread, 1 on the first; 0 if it is not shown
    watched: tuple[str, ...] = ()  # words that the reader watches
    translation: Translation | None = None  # of the title
    quiet_days: Annotated[int | None, Field(exclude_if=lambda days: days is None)] = None  # if it is followed

    @property
    def headline(self) -> str:
        return self.translation.text if self.translation else self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberChange:
    """A number that has changed in the reports: "59 → 78 people". Both sentences are verbatim."""

    before: str  # as the earlier sentence writes it
    after: str
    what: str  # the unit of the new number, as `sentence_after` writes it; may be empty
    sentence_before: Sentence
    sentence_after: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """A figure or a name as reports have it. `text` is in the first of `sentences`, each of another report."""

    text: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The figures that reports have for one quantity, if they differ (`disagrees`); else the one that one alone has."""

    details: tuple[Detail, ...]
    disagrees: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Perspective:
    """A headline that leads with another aspect of a story than the other reports do."""

    group: str  # "outlet", or "country" if two of its outlets or more lead with it
    name: str  # of the outlet, or ISO code of the country
    outlets: int
    mention: SourceMention  # the report


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingPerspective:
    """A country or kind of owner whose outlets were read, but do not report a story."""

    group: str  # "country" or "owner"
    name: str
    outlets: int  # read up to the window's end, and with an article in it
    nearest: str = ""  # the id of their article that is most like the story
    likeness: float = 0.0  # of that article and the story, 0 to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmSentence:
    """One sentence of a summary by a model, and the sentences of the reports that support it."""

    text: str
    sources: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one day's reports say of a thread, in one sentence."""

    day: date  # in the digest's time zone
    sentence: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionStory:
    """A story as an edition shows it. `independent + folded == outlets`, always."""

    number: int  # 1 is the lead
    id: str
    anchor: str  # unique in the edition, ASCII letters, digits and hyphens
    title: str
    title_language: str
    url: str  # of the report whose headline this is
    places: tuple[str, ...]  # names of countries in the edition's language; may be empty
    status: str  # new, developing, quiet
    day: int  # 1 on the first day of its thread
    first_seen_at: datetime  # when the first article of its thread was published
    updated_at: datetime
    summary: tuple[Sentence, ...]
    updates: tuple[Sentence, ...]  # what is new since the last edition; empty if the story is new
    articles: int
    outlets: int
    independent: int
    folded: int
    headline_only: int = 0  # of `folded`: the outlets that have it by headline alone
    agencies: tuple[tuple[str, int], ...]  # agency, copies
    mentions: tuple[SourceMention, ...]  # one an outlet, the summary's first
    languages: tuple[str, ...]
    countries: tuple[str, ...]  # ISO codes of the outlets; those of `places` are in `place_codes`
    article_ids: tuple[str, ...]
    sparkline: tuple[int, ...]  # articles in each eighth of the window
    trend: str  # rising, steady, fading; empty for too few articles
    score: float
    score_terms: tuple[ScoreTerm, ...]
    thread: str = ""  # id of the stories that follow each other over days
    place_codes: tuple[str, ...] = ()  # ISO codes of the countries it is about, as `places` names them
    number_changes: tuple[NumberChange, ...] = ()  # numbers that have changed since the last edition
    new_outlets: tuple[str, ...] = ()  # that report it since the last edition; empty if the story is new
    related: tuple[Brief, ...] = ()  # other stories of its thread or event, listed under it
    differences: tuple[Difference, ...] = ()  # those that disagree, then those of one report
    perspectives: tuple[Perspective, ...] = ()
    silent: tuple[MissingPerspective, ...] = ()
    watched: tuple[str, ...] = ()  # words that the reader watches, as the settings have them
    earlier_story: str = ""  # the id of the story in an earlier edition that it continues
    llm_sentences: tuple[LlmSentence, ...] = ()  # a model's summary, checked; shown instead of `summary`
    llm_model: str = ""  # the model's name
    translation: Translation | None = None  # of the title
    turns: tuple[Turn, ...] = ()  # of a weekly digest: its thread, day by day; then `summary` and `updates` are empty
    turn_figures: tuple[NumberChange, ...] = ()  # numbers that changed from the first to the last of `turns` with one
    ended_on: date | None = None  # of a weekly digest: the day of the last report, if there was none for two days

    @property
    def quoted(self) -> tuple[Sentence, ...]:
        """The sentences that tell it: the summary, what is new, and the turns of its week."""
        return (*self.summary, *self.updates, *(turn.sentence for turn in self.turns))

    @property
    def headline(self) -> str:
        return self.translation.text if self.translation else self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of an edition: a region, a section of the sources, or the stories that the reader follows."""

    title: str
    anchor: str
    stories: tuple[EditionStory, ...]  # may be empty if `followed`: then the edition has briefs of them
    followed: Annotated[bool, Field(exclude_if=lambda is_followed: not is_followed)] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A change that an outlet made to a report after an edition cited it."""

    kind: str  # headline, figures, text, retracted, gone
    article_id: str
    outlet: str
    url: str
    language: str
    cited_on: date  # date of the edition that cited it
    story: str  # the story's id and headline in that edition
    title: str
    before: str  # from the stored article
    after: str  # from the page at the recheck; "" if the page is gone
    noticed_at: datetime


def parse_reason(value: object) -> Reason:
    """Return the reason that `Reason.to_dict` wrote. Errors: ValueError."""
    try:
        return Reason.from_dict(value)  # type: ignore[arg-type]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a reason: {value!r}") from error


StoredReason = Annotated[Reason, PlainValidator(parse_reason), PlainSerializer(Reason.to_dict)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingSource:
    name: str
    reason: StoredReason | None


class LeftOutKind(StrEnum):
    """Why entries, articles, pages or stories are left out of an edition."""

    DUPLICATE_ENTRY = "duplicate_entry"
    OUT_OF_WINDOW = "out_of_window"
    LANGUAGE = "language"
    NO_TITLE = "no_title"
    COLLECTION = "collection"  # a live blog or a round-up: on many events
    LITTLE_TEXT = "little_text"
    MUTED = "muted"
    DUPLICATE_ARTICLE = "duplicate_article"
    WITHDRAWN = "withdrawn"
    PAGE_FAILED = "page_failed"
    PAGE_WAITING = "page_waiting"
    OTHER_REGION = "other_region"
    SIBLING = "sibling"  # on the event of another story that is shown
    SINGLE_OUTLET = "single_outlet"
    LOWER_RANK = "lower_rank"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """How many entries, articles, pages or stories were left out for one cause. `reason`: why their pages failed."""

    kind: LeftOutKind
    count: int
    reason: StoredReason | None = None
    rule: str = ""  # what the rule that muted articles looks for; "" for a list of phrases


class LlmStop(StrEnum):
    """Why a model was asked for no further summaries."""

    TIME = "time"
    TOKENS = "tokens"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmOutcome:
    """How many summaries a model wrote, and how many of its answers had no sentence that the reports support."""

    model: str
    written: int
    rejected: int
    stop: LlmStop | None = None
    error: str = ""  # the message of `LlmStop.ERROR`


class TranslationFault(StrEnum):
    """Why a text is without a translation although there is a model for its language."""

    TEXT_TOO_LONG = "text_too_long"  # the engine is not asked
    OUT_OF_TIME = "out_of_time"  # the time for an edition is over
    ENGINE_FAILED = "engine_failed"
    LENGTH = "length"  # the translation is empty, or much longer than the text
    MARKUP = "markup"  # markup, an address or a quotation was added or lost
    SAME_WORDS = "same_words"  # mostly the words of the text
    LANGUAGE = "language"  # it is in another language than the one that was asked for
    NEGATION = "negation"
    NUMBERS = "numbers"
    NAMES = "names"


@dataclass(frozen=True, slots=True, kw_only=True)
class Untranslated:
    """How many texts of an edition are without a translation for one reason."""

    kind: TranslationFault
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationOutcome:
    """How many texts of an edition are translated, and why others are not."""

    by: str  # the engine
    translated: int  # headlines and sentences that are shown
    dropped: int  # texts without a translation although there is a model: the sum of `untranslated`
    untranslated: tuple[Untranslated, ...] = ()  # empty in an edition of 0.1.0
    missing: tuple[str, ...] = ()  # languages that there is no model for
    error: str = ""  # why the engine was asked no more


@dataclass(frozen=True, slots=True, kw_only=True)
class LargestStory:
    """The story with the most reports of a window. `is_oversized`: so many that it probably holds several events."""

    id: str
    articles: int
    reports: int
    of_reports: int  # in the window
    share: float  # of the reports, 0 to 1
    is_oversized: bool
    title: str = ""  # its headline


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The number of entries and sources that an edition is based on, and what was missing."""

    entries_seen: int = 0  # entries new in the window
    left_out: tuple[LeftOut, ...] = ()
    sources_total: int = 0  # `sources_ok`, `sources_unread` and those of `failing` together
    sources_ok: int = 0  # read since the window began, and without a fault
    sources_unread: int = 0  # without a fault, but not read since the window began
    failing: tuple[FailingSource, ...] = ()
    network_down_since: datetime | None = None  # None if our own network was not down at the end of the window
    polling_stopped_since: datetime | None = None  # None if this machine could poll at the end of the window
    polling_stop_reason: StoredReason | None = None  # what it lacked: file descriptors or processes
    late_s: float = 0.0  # how long after its time the edition was built
    longer_window: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger(Intake):
    """The intake of an edition, and how much of it is shown."""

    articles: int  # cleaned articles in the window
    doubtful: int = 0  # of them, those whose text is probably not the article's: they are not quoted
    headline_only: int = 0  # of them, those without a text: they are not quoted
    outlets: int
    languages: int
    countries: int
    stories_found: int
    stories_shown: int
    briefs_shown: int
    largest: LargestStory | None = None
    llm: LlmOutcome | None = None  # None if no model was used
    translation: TranslationOutcome | None = None  # None if nothing was to be translated

    @property
    def counts(self) -> dict[str, int]:
        """The numbers that forms and commands show, by name; each story found is shown, in one line, or left out."""
        names = ("articles", "outlets", "languages", "stories_found", "stories_shown", "briefs_shown")
        left_out = self.stories_found - self.stories_shown - self.briefs_shown
        return {name: getattr(self, name) for name in names} | {"stories_left_out": left_out}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One issue of a digest, complete: it is rendered, stored and replayed."""

    digest: str  # the digest's name in the settings
    title: str  # "World Digest"
    number: int
    local_date: date
    timezone: str
    language: str
    window_start: datetime
    window_end: datetime
    made_at: datetime
    previous: date | None
    sections: tuple[Section, ...]
    briefs: tuple[Brief, ...]
    ledger: Ledger
    reading_minutes: int  # to read
    note: str = ""  # Markdown of the settings, shown at the top
    corrections: tuple[Correction, ...] = ()  # of what earlier editions cited
    ended: tuple[Brief, ...] = ()  # stories of the last edition that nobody reports any longer
    at: time | None = None  # its time of day, if it is a scheduled edition but not the first of its date
    previous_at: time | None = None  # the same of the previous edition

    @property
    def suffix(self) -> str:
        """What follows the date in the names of its files and in its ids; of an edition on demand, see `EditionKey`."""
        return f"-{self.at:%H%M}" if self.at else ""

    @property
    def stories(self) -> tuple[EditionStory, ...]:
        """The stories of all sections, by their number."""
        return tuple(sorted((s for section in self.sections for s in section.stories), key=lambda s: s.number))

    @property
    def all_briefs(self) -> tuple[Brief, ...]:
        """All stories in one line: the briefs, those that have ended, and those that are listed under others."""
        return (*self.briefs, *self.ended, *(brief for story in self.stories for brief in story.related))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """An edition in one form. `name` is the file's name: "2024-05-28.md"."""

    format: str  # markdown, html, text, eml, json, atom, epub
    name: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundMessage:
    """The forms of an edition that one recipient gets by one channel."""

    channel: str  # its name in the settings
    recipient: str  # a mail address, a folder, or a name for a URL: never a secret
    forms: tuple[Rendered, ...]
