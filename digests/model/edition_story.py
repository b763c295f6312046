"""What an edition tells of one story, and the sentences and counts that it is made of."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from pydantic import Field


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
    copy_of: str = ""  # the id of the article among the mentions whose text it repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An outlet's words that it corrects a report of a story, or takes it back."""

    kind: str  # corrected, withdrawn
    text: str  # the title of the article, or a sentence of it
    offset: int | None  # of the sentence in the article's text; None for the title
    article_id: str
    outlet: str
    url: str
    language: str
    published_at: datetime  # of the article, or, if its page was changed later, when that was noticed
    withheld: tuple[str, ...]  # ids of the reports that may be neither headline nor quote because of it


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
    is_least: bool = False  # more outlets than `outlets` probably report it
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
    """
    A number that has changed since the reader's last edition: "59 → 78 people". Both sentences are verbatim.

    In `EditionStory.turn_figures`, it is one that changed in the week of a thread.
    """

    before: str  # as the earlier sentence writes it
    after: str
    what: str  # the unit of the new number, as `sentence_after` writes it; may be empty
    sentence_before: Sentence
    sentence_after: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureReport:
    """A figure as one report has it: "at least 15 people have been killed"."""

    text: str  # the whole phrase, word for word
    value: float
    is_least: bool  # it may be more
    mention: SourceMention  # the report
    sentence: Sentence | None  # that has `text`; None if the report's title has it


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureChange:
    """A figure of a story that changed over the period, whatever the reader saw: an earlier one, and the newest."""

    quantity: str  # killed, injured, missing, arrested, evacuated, rescued, magnitude, turnout
    before: FigureReport
    after: FigureReport
    outlets: int  # that state the newest figure, in the title or the first sentence of a report


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
    day: int  # 1 on the day of its first article
    first_seen_at: datetime  # when its first article was published
    updated_at: datetime
    summary: tuple[Sentence, ...]
    updates: tuple[Sentence, ...]  # what is new since the last edition; empty if the story is new
    articles: int
    outlets: int
    independent: int
    folded: int
    headline_only: int = 0  # of `folded`: the outlets that have it by headline alone
    is_least: bool = False  # more outlets than `outlets` probably report it
    agencies: tuple[tuple[str, int], ...]  # agency, copies
    mentions: tuple[SourceMention, ...]  # one an outlet, the summary's first
    # Further headlines that tell it, one an outlet, if it has no sentence and several outlets have a headline alone.
    headlines: tuple[SourceMention, ...] = ()
    # A later report than those that tell it, with something that they do not say; it may be outside of the story.
    latest: SourceMention | None = None
    comments: tuple[SourceMention, ...] = ()  # opinion pieces, one an outlet; not counted
    languages: tuple[str, ...]
    countries: tuple[str, ...]  # ISO codes of the outlets; those of `places` are in `place_codes`
    article_ids: tuple[str, ...]
    sparkline: tuple[int, ...]  # articles in each eighth of the window
    trend: str  # rising, steady, fading; empty for too few articles
    score: float
    score_terms: tuple[ScoreTerm, ...]
    thread: str = ""  # id of the stories that follow each other over days
    place_codes: tuple[str, ...] = ()  # ISO codes of the countries it is about, as `places` names them
    topic: str = ""  # world, politics, business, science, technology, culture, entertainment or sport; "" if unknown
    number_changes: tuple[NumberChange, ...] = ()  # numbers that have changed since the last edition
    figure_changes: tuple[FigureChange, ...] = ()  # figures that changed over the period, each with the newest
    new_outlets: tuple[str, ...] = ()  # with reports from after the last edition alone; empty if the story is new
    related: tuple[Brief, ...] = ()  # other stories of its thread or event, listed under it
    differences: tuple[Difference, ...] = ()  # those that disagree, then those of one report
    perspectives: tuple[Perspective, ...] = ()
    silent: tuple[MissingPerspective, ...] = ()
    notices: tuple[Notice, ...] = ()  # of outlets that corrected a report or took it back, in time order
    rejected: tuple[str, ...] = ()  # ids of reports not told, as others reject in their titles what they claim
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
    def is_told(self) -> bool:
        """Whether it says more than its headline."""
        return bool(self.quoted or self.headlines)

    @property
    def told_texts(self) -> tuple[str, ...]:
        """The texts below its headline, as they are shown: of `quoted`, then of `headlines` and `latest`."""
        titles = (mention.title for mention in (*self.headlines, self.latest) if mention)
        return (*(s.shown_text for s in self.quoted), *titles)

    @property
    def withheld(self) -> frozenset[str]:
        """The ids of the reports that may be neither headline nor quote."""
        return frozenset(self.rejected).union(*(notice.withheld for notice in self.notices))

    @property
    def headline(self) -> str:
        return self.translation.text if self.translation else self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class GlanceLine:
    """A line at the top of an edition: a sentence or a title that tells one of its stories, and a figure of it."""

    kind: str  # told, changed (a figure over the period, or the story since the last edition), disputed
    story: str  # the story's id
    text: str  # word for word
    offset: int | None  # of the sentence in the article's text; None for the title
    article_id: str
    outlet: str
    url: str
    language: str
    published_at: datetime
    translation: Translation | None = None
    # At most one of these, as the story has it; `text` states the figure that it ends with, or the first that differs.
    figure_change: FigureChange | None = None
    number_change: NumberChange | None = None
    difference: Difference | None = None

    @property
    def quote(self) -> Sentence:
        """The text with its source; the offset of a title is 0."""
        same = ("text", "article_id", "outlet", "url", "published_at", "language", "translation")
        return Sentence(offset=self.offset or 0, **{name: getattr(self, name) for name in same})

    @property
    def shown_text(self) -> str:
        return self.translation.text if self.translation else self.text
