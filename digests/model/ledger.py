"""The ledger of an edition: what it is based on, what was left out, and why."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator

from watcher.failure_messages import Reason


def _parse_reason(value: object) -> Reason:
    """Return the reason that `Reason.to_dict` wrote. Errors: ValueError."""
    try:
        return Reason.from_dict(value)  # type: ignore[arg-type]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a reason: {value!r}") from error


StoredReason = Annotated[Reason, PlainValidator(_parse_reason), PlainSerializer(Reason.to_dict)]


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
    OPINION = "opinion"  # all of them if the settings say so, else those on whose story there is no report
    SERVICE = "service"
    GALLERY = "gallery"  # on whose story there is no report
    LITTLE_TEXT = "little_text"
    MUTED = "muted"
    DUPLICATE_ARTICLE = "duplicate_article"
    WITHDRAWN = "withdrawn"
    PAGE_FAILED = "page_failed"
    PAGE_WAITING = "page_waiting"
    NO_ARTICLE = "no_article"  # entries of which nothing is stored
    OTHER_REGION = "other_region"
    OTHER_TOPIC = "other_topic"
    TOLD_BEFORE = "told_before"
    ENOUGH_SHOWN = "enough_shown"
    SIBLING = "sibling"  # on the event of another story that is shown
    SINGLE_OUTLET = "single_outlet"
    LOWER_RANK = "lower_rank"


# What counts stories; the others count entries, articles and pages.
STORY_KINDS = frozenset(
    {
        LeftOutKind.OTHER_REGION,
        LeftOutKind.OTHER_TOPIC,
        LeftOutKind.TOLD_BEFORE,
        LeftOutKind.ENOUGH_SHOWN,
        LeftOutKind.SIBLING,
        LeftOutKind.SINGLE_OUTLET,
        LeftOutKind.LOWER_RANK,
    }
)


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
    paused: tuple[str, ...] = ()  # outlets of `sources_ok` whose feeds had nothing new for unusually long
    network_down_since: datetime | None = None  # None if our own network was not down at the end of the window
    polling_stopped_since: datetime | None = None  # None if this machine could poll at the end of the window
    polling_stop_reason: StoredReason | None = None  # what it lacked: file descriptors or processes
    late_articles: int = 0  # used although they were published before the window: too late for the last edition
    late_s: float = 0.0  # how long after its time the edition was built
    longer_window: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger(Intake):
    """The intake of an edition, and how much of it is shown."""

    articles: int  # cleaned articles in the window
    # Articles, used or left out, without a new entry of the window: imported, or of an entry that came before or after.
    other_articles: int = 0
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
