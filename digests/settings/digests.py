"""The settings of digests: `[[digests]]` in the settings file, one table for each digest."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, StrictBool, StrictInt, Tag, model_validator

from digests.settings.alerts import StoryAlertSettings, story_alert_issues
from digests.settings.channel import Format, Formats
from digests.settings.channels import AnyDeliverSettings, cross_field_issues
from digests.settings.clock_times import ClockTimes, WeekDays, parse_days
from digests.settings.mail import Mailbox, check_mailbox
from digests.settings.topics import Topic
from watcher.settings.base import TAG_PREFIX, SettingsList, SettingsModel, ValidationIssue, find_duplicates, raw_rows
from watcher.settings.models import Settings
from watcher.settings.types import (
    Duration,
    LocalPath,
    OptionalSecret,
    Phrases,
    PositiveDuration,
    TimeZoneName,
    WebUrl,
    country_code,
    language_tag,
    matching,
    parsed_by,
    quote_value,
    within,
)
from watcher.text.format import did_you_mean
from watcher.text.linear_regex import compile_linear
from watcher.text.urls import is_web

DEFAULT_FORMATS: tuple[Format, ...] = ("markdown", "html", "text", "eml")
MIN_CATCH_UP, MAX_CATCH_UP = timedelta(minutes=30), timedelta(hours=24)


def _check_unsubscribe(value: str) -> str:
    """Return an address for unsubscribing, https: or mailto:. Errors: ValueError."""
    text = value.strip()
    scheme, _, rest = text.partition(":")
    fits = text.isascii() and text.isprintable() and not set(text) & set(' <>"') and len(text) <= 900
    if scheme.lower() == "https" and fits and is_web(text):
        return text
    if scheme.lower() == "mailto" and fits:
        check_mailbox(rest.partition("?")[0])
        return text
    raise ValueError(f'got {quote_value(value)}, expected an address such as "https://…" or "mailto:you@example.org"')


class MailSettings(SettingsModel):
    """The addresses of an edition's mail."""

    sender: Mailbox | None = Field(
        default=None, alias="from", description="Sender; by default, digest@localhost under the digest's title."
    )
    to: tuple[Mailbox, ...] = Field(default=(), description="Recipients.", max_length=1_000)
    unsubscribe: Annotated[str, AfterValidator(_check_unsubscribe)] | None = Field(
        default=None, description="Where to unsubscribe, an https or mailto address; by default, a mail to the sender."
    )
    site: WebUrl | None = Field(
        default=None,
        description="Address of the local site as the recipients open it: each story of the mail then has a link to a "
        "page that keeps it, without the token of the site.",
    )


MAX_QUIET_DAYS = 14  # without a report, after which editions list a followed story once more, then only with news
SECTION_REGIONS = ("africa", "americas", "asia-pacific", "europe", "middle-east")


def _parse_weight(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -100 <= value <= 100:
        raise ValueError(f"got {quote_value(value)}, expected a number from -100 to 100, such as 1.5")
    return float(value)


def _check_region(value: str) -> str:
    """Return a region of the world, or the code of a country. Errors: ValueError."""
    name = value.strip().lower().replace(" ", "-").replace("–", "-")
    region = name if name in SECTION_REGIONS else country_code(value)
    if region is None:
        expected = (
            f'one of {", ".join(SECTION_REGIONS)}, or a country code such as "FR"{did_you_mean(name, SECTION_REGIONS)}'
        )
        raise ValueError(f"got {quote_value(value)}, expected {expected}")
    return region


Weight = Annotated[float, BeforeValidator(_parse_weight)]
LanguageTag = Annotated[str, parsed_by(language_tag, 'a language tag such as "en" or "fr"')]
CountryCode = Annotated[str, parsed_by(country_code, 'a country code such as "FR"')]
Region = Annotated[str, AfterValidator(_check_region)]
DIGEST_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
Name = Annotated[str, matching(DIGEST_NAME, 'lower-case letters, digits, hyphens, such as "world"')]


class WeightSettings(SettingsModel):
    """Points that move a story up or down; 2 points equal twice the reports. `watcher story NUMBER --why` shows all."""

    words: dict[str, Weight] = Field(default_factory=dict, description="Points for a word or phrase in its reports.")
    countries: dict[CountryCode, Weight] = Field(default_factory=dict, description="Points for a country it is about.")
    sections: dict[str, Weight] = Field(default_factory=dict, description="Points for a section of its sources.")
    sources: dict[str, Weight] = Field(default_factory=dict, description="Points for the name of one of its sources.")
    topics: dict[Topic, Weight] = Field(default_factory=dict, description="Points for the topic that it is about.")


class SectionRuleSettings(SettingsModel):
    """Puts a story into a section: by its words, its topic, the main country that it is about, or its sources."""

    section: str = Field(description="Title of the section.", min_length=1, max_length=120)
    words: Phrases = Field(default=(), description='Words or phrases; "elect*" matches "elects", "election" and so on.')
    countries: tuple[CountryCode, ...] = Field(default=(), description="Country codes.")
    sources: Phrases = Field(default=(), description="Names of sources.")
    topics: tuple[Topic, ...] = Field(default=(), description='Topics, such as "sport".')
    most: Annotated[StrictInt, Field(ge=0, le=100)] | None = Field(
        default=None,
        description="Stories in full that the rule puts into the section, at most; by default, any number.",
    )

    @model_validator(mode="after")
    def check_anything(self) -> Self:
        if not (self.words or self.countries or self.sources or self.topics):
            raise ValueError("got a rule without a condition, expected words, countries, sources or topics")
        return self


def _check_regex(value: str) -> str:
    try:
        compile_linear(value)
    except ValueError as error:
        raise ValueError(f"got {quote_value(value)}, expected a regular expression: {error}") from None
    return value


def _parse_day(value: object) -> date:
    """Return a date, which TOML can have as a date or as a text. Errors: ValueError."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"got {quote_value(value)}, expected a date such as 2026-12-31") from None


Day = Annotated[date, BeforeValidator(_parse_day)]
MUTE_RULE_CHARS = 80  # of a rule in messages and in the ledger


class MuteSettings(SettingsModel):
    """
    Leaves out articles by words, by a regular expression or by their authors. One match is enough.

    Without these three, it leaves out all articles of its `sources` or `tags`.

    The ledger counts the articles of each rule; an article counts for the first rule that matches.
    """

    words: Phrases = Field(default=(), description='Words or phrases; "elect*" matches "elects", "election" and so on.')
    regex: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_check_regex)] | None = Field(
        default=None, description="Regular expression in the syntax of Rust, without regard to case; by default, none."
    )
    authors: Phrases = Field(default=(), description="Names of authors, in full or in part.")
    place: Literal["title", "text", "both"] = Field(
        default="title",
        alias="in",
        description="Where words and regex are searched: in the title, in the first 400 characters of the text, or in"
        " both.",
    )
    sources: Phrases = Field(default=(), description="Only articles of these sources, by name; by default, of all.")
    tags: Phrases = Field(default=(), description="Only articles of sources with one of these tags, or of `sources`.")
    unless: Phrases = Field(
        default=(), description="Not articles with one of these phrases in the title or the beginning of the text."
    )
    until: Day | None = Field(
        default=None, description="Last day of the rule, in the digest's time zone; by default, it does not end."
    )

    @model_validator(mode="before")
    @classmethod
    def read_phrase(cls, value: object) -> object:
        """Return a phrase that stands among tables as the table of this phrase."""
        return {"words": [value]} if isinstance(value, str) else value

    @model_validator(mode="after")
    def check_anything(self) -> Self:
        if not (self.words or self.regex or self.authors or self.sources or self.tags):
            raise ValueError("got a rule that mutes nothing, expected words, regex, authors, sources or tags")
        return self

    @property
    def label(self) -> str:
        """What the rule looks for, for messages and the ledger: "lottery / quiz"."""
        conditions = (*self.words, *filter(None, [self.regex]), *self.authors)
        text = " / ".join(conditions or (*self.sources, *self.tags))
        return text if len(text) <= MUTE_RULE_CHARS else f"{text[: MUTE_RULE_CHARS - 1]}…"


def _kind_of_mutes(value: object) -> str:
    rows = value if isinstance(value, list | tuple) else ()
    return f"{TAG_PREFIX}{'tables' if any(isinstance(row, Mapping | MuteSettings) for row in rows) else 'phrases'}"


class ProseSettings(SettingsModel):
    """
    A language model that writes the summaries, at an OpenAI-compatible endpoint; none by default.

    Sentences of the reports are sent to it. A sentence of its answer is shown only if the reports support it. If none
    remains, sentences of the reports are shown (docs/guides/language-model.md).
    """

    url: WebUrl = Field(description='URL of the endpoint up to "/chat/completions": "http://127.0.0.1:11434/v1".')
    model: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="Name of the model at the endpoint.")
    key: OptionalSecret = Field(default=None, description='API key, "env:NAME" or "file:PATH"; by default, none.')
    timeout: PositiveDuration = Field(default=timedelta(seconds=60), description="Longest time for one story.")
    # An edition is not given up before the time is over.
    time: Annotated[
        PositiveDuration, within("got more than 10m, expected at most 10m", limit=timedelta(minutes=10))
    ] = Field(default=timedelta(minutes=5), description="Longest time for an edition; at most 10m.")
    tokens: Annotated[StrictInt, Field(ge=1_000, le=10_000_000)] = Field(
        default=60_000, description="Most tokens for an edition, prompts and answers together; limits the cost."
    )


class DigestSettings(SettingsModel):
    """A digest, with an edition at each of its times of day."""

    name: Name = Field(default="world", description="Short name: lower-case letters, digits and hyphens.")
    title: str = Field(default="World Digest", description="Title of every edition.", min_length=1, max_length=120)
    kind: Literal["day", "week"] = Field(
        default="day",
        description='"week" makes an edition of a week, on Sunday by default: it tells each story day by day.',
    )
    at: ClockTimes = Field(
        default=(time(6, 30),),
        description='Time of day of an edition, in the digest\'s time zone, or several: ["06:30", "17:00"].',
        json_schema_extra={"default": "06:30"},
    )
    days: WeekDays = Field(
        default="mon-sun", description='Days of the week with editions, such as "mon-fri" or "mon,wed,sat-sun".'
    )
    timezone: TimeZoneName = Field(default="UTC", description="IANA time zone of the reader.")
    # At least the time that an edition takes, and at most the time to the next one.
    catch_up: Annotated[Duration, within('got "{}", expected "30m" to "24h"', MIN_CATCH_UP, MAX_CATCH_UP)] = Field(
        default=timedelta(hours=12),
        description="How late an edition may be made, such as after a sleep; later, the next one covers its time.",
    )
    window: Annotated[
        Duration, within("got a window that is too short, expected at least one minute", timedelta(minutes=1))
    ] = Field(
        default=timedelta(hours=24),
        description="How far back the first edition looks for articles, and one on demand. Each later edition begins"
        " where the last one ended.",
    )
    language: LanguageTag = Field(
        default="en",
        description="Language of headings (ar, de, en, es, fr, it, pt, ru, uk, zh; else en) and preferred headlines.",
    )
    directory: LocalPath = Field(
        default=Path("out"),
        description="Folder for the editions; a relative path starts at this file's folder. If digests have the same"
        " one, the files of the second and later ones are in a subfolder with the name of the digest.",
        json_schema_extra={"default": "out"},
    )
    formats: Formats = Field(
        default=DEFAULT_FORMATS, description="Formats to write; docs/reference/edition.md describes them.", min_length=1
    )
    templates: LocalPath | None = Field(
        default=None,
        description="Folder of your own templates, which replace built-in ones (docs/guides/templates.md).",
    )
    url: WebUrl | None = Field(
        default=None, description="Public URL of its directory, if there is one; mail and Atom feed link to it."
    )
    stories: Annotated[StrictInt, Field(ge=1, le=100)] = Field(
        default=12,
        description="Stories in full, at most. In a large edition, what is worth little beside the best has a line.",
    )
    briefs: Annotated[StrictInt, Field(ge=0, le=200)] = Field(
        default=15,
        description="Stories in one line, at most, and one more for each place in full that no story takes. One that "
        "you follow comes on top, and so do up to ten of `watch`.",
    )
    at_a_glance: Annotated[StrictInt, Field(ge=0, le=10)] = Field(
        default=5, description="Lines at the top, at most, and no more than half as many as stories in full; 0: none."
    )
    coming_up: Annotated[StrictInt, Field(ge=0, le=20)] = Field(
        default=6, description='Lines on events of the next 30 days, "Coming up", at most; 0: none.'
    )
    sections: tuple[str, ...] = Field(
        default=(), description="Sections, in order; by default, regions of the world and topics."
    )
    sources: tuple[str, ...] = Field(default=(), description="Only these sources, by name or tag; by default, all.")
    section_rules: tuple[SectionRuleSettings, ...] = Field(
        default=(), description="Rules that put stories into sections of your own; the first rule that matches is used."
    )
    languages: tuple[LanguageTag, ...] = Field(default=(), description="Only articles in these; by default, all.")
    reads: tuple[LanguageTag, ...] = Field(
        default=(),
        description="Languages that you read; by default, the digest's language. A story without a report in one of"
        " them is shown in one line with its original headline, unless it is translated.",
    )
    opinion: Literal["apart", "count", "leave-out"] = Field(
        default="apart",
        description="Opinion pieces: named in one line under their story, counted as reports, or left out.",
    )
    regions: tuple[Region, ...] = Field(
        default=(),
        description=(
            "Only stories about these: africa, americas, asia-pacific, europe, middle-east, or country codes."
            " Stories of `must` and `watch` are shown too."
        ),
    )
    topics: tuple[Topic, ...] = Field(
        default=(),
        description=(
            "Only stories on these: world, politics, business, science, technology, culture, entertainment, sport."
            " Stories of `must` and `watch` are shown too."
        ),
    )
    most: dict[Topic, Annotated[StrictInt, Field(ge=0, le=100)]] = Field(
        default_factory=dict,
        description="Stories in full of a topic, at most. By default 2 each of sport, technology and entertainment, or"
        " more if places are left.",
    )
    only: Phrases = Field(
        default=(),
        description="Only stories with one of these words or phrases in the title or the beginning of a report."
        " Stories of `must` and `watch` are shown too.",
    )
    must: Phrases = Field(default=(), description="Stories with one of these phrases are shown in full, even if small.")
    watch: Phrases = Field(default=(), description="Stories with one of these phrases are shown and marked.")
    mute: Annotated[
        Annotated[Phrases, Tag(f"{TAG_PREFIX}phrases")]
        | Annotated[tuple[MuteSettings, ...], Field(max_length=200), Tag(f"{TAG_PREFIX}tables")],
        Discriminator(_kind_of_mutes),
    ] = Field(
        default=(), description="Articles with one of these phrases in the title are left out; or tables with rules."
    )
    weights: WeightSettings = Field(default_factory=WeightSettings, description="Points that move a story up or down.")
    prose: ProseSettings | None = Field(default=None, description="Model that writes the summaries; by default, none.")
    note: str = Field(default="", description="Your own Markdown text above the stories.", max_length=20_000)
    mail: MailSettings = Field(default_factory=MailSettings, description="Addresses of the mail.")
    deliver: tuple[AnyDeliverSettings, ...] = Field(
        default=(), description="Channels by which an edition is sent, besides its files.", max_length=100
    )
    alerts: tuple[StoryAlertSettings, ...] = Field(
        default=(), description="Rules for messages about single stories, between editions.", max_length=50
    )
    send_empty: StrictBool = Field(
        default=True, description="Send editions without stories too; if false, they are stored but not sent."
    )

    @model_validator(mode="before")
    @classmethod
    def choose_week(cls, data: object) -> object:
        """Add what is the default of a weekly digest."""
        return (
            {"days": "sun", "window": "7d", **data} if isinstance(data, dict) and data.get("kind") == "week" else data
        )

    @property
    def week_days(self) -> frozenset[int]:
        """The days of the week with editions; Monday is 0."""
        return parse_days(self.days)

    @property
    def read_languages(self) -> tuple[str, ...]:
        """The primary tags of the languages that the reader reads, the preferred one first."""
        return tuple(dict.fromkeys(tag.split("-")[0] for tag in self.reads or (self.language,)))


class DigestsSection(SettingsList):
    """The digests that the daemon makes, one table each."""

    default: ClassVar[tuple[Mapping[str, object], ...]] = ({},)
    root: tuple[DigestSettings, ...]

    @classmethod
    def cross_field_issues(cls, data: object, document: Mapping[str, object]) -> Iterable[ValidationIssue]:
        """Yield the faults between digests: names that occur twice, and sources that are not in the file."""
        yield from find_duplicates(data, "name", what="name", missing="world")
        names, tags = _source_words(document.get("sources"))
        for n, row in raw_rows(data):
            for fault in _find_unknown(row, "sources", "the name or a tag of a source", names | tags):
                yield replace(fault, loc=(n, *fault.loc))
            for m, rule in raw_rows(row.get("mute")):
                for fault in (
                    *_find_unknown(rule, "sources", "the name of a source", names),
                    *_find_unknown(rule, "tags", "a tag of a source", tags),
                ):
                    yield replace(fault, loc=(n, "mute", m, *fault.loc))
            for fault in cross_field_issues(row.get("deliver"), row.get("mail"), document):
                yield replace(fault, loc=(n, "deliver", *fault.loc))
            for fault in story_alert_issues(row):
                yield replace(fault, loc=(n, "alerts", *fault.loc))


def _find_unknown(
    row: Mapping[str, object], key: str, expected: str, known: Collection[str]
) -> Iterator[ValidationIssue]:
    """Yield a fault for each word in the list `key` of a raw table that is not in `known`."""
    wanted = row.get(key)
    for n, word in enumerate(wanted if isinstance(wanted, list | tuple) else ()):
        if isinstance(word, str) and word not in known:
            message = f"got {quote_value(word)}, expected {expected}{did_you_mean(word, known)}"
            yield ValidationIssue(loc=(key, n), message=message)


def _source_words(rows: object) -> tuple[set[str], set[str]]:
    """Return the names and the tags of the raw sources; the host is the name of a source without one."""
    names: set[str] = set()
    known_tags: set[str] = set()
    for _, row in raw_rows(rows):
        name, tags, url = row.get("name"), row.get("tags"), row.get("url")
        known_tags.update(word for word in (tags if isinstance(tags, list) else ()) if isinstance(word, str))
        if isinstance(name, str):
            names.add(name)
        if not name and isinstance(url, str) and is_web(url):
            names.add(urlsplit(url).hostname or "")
    return names, known_tags


def digests_of(settings: Settings) -> tuple[DigestSettings, ...]:
    """Return the digests of `settings`; one, "world", if the file names none."""
    return settings.section(DigestsSection).root


def spoken_languages(settings: Settings) -> list[str]:
    """Return the languages of the digests, then of the sources: a reader may name languages in any of these."""
    of_sources = {source.language for source in settings.sources if source.language}
    return [*(digest.language for digest in digests_of(settings)), *sorted(of_sources)]


def folder_of(digest: DigestSettings, settings: Settings) -> Path:
    """
    Return the folder of a digest's files: its directory, or a subfolder if an earlier digest has the same one.

    The first digest keeps its folder, so that a second one moves no files.
    """
    first = next(other for other in digests_of(settings) if other.directory == digest.directory)
    return digest.directory if first.name == digest.name else digest.directory / digest.name
