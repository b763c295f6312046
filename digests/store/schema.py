"""The tables of the digests: editions, deliveries, stories, user corrections, follows, marks, translations."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from digests.store.keys import Slot, parse_slot
from watcher.store.schema import INITIAL_ROWS, NAMING, PROCESS_STATE, JsonTuple, RowId, UtcDateTime, run_after_create

metadata = MetaData(naming_convention=NAMING)


class SlotText(TypeDecorator[Slot]):
    """A slot, stored as `str(slot)`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Slot | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Slot | None:
        return None if value is None else parse_slot(value)


digests = Table(
    "digests",
    metadata,
    Column("name", Text, primary_key=True),
    Column("first_seen_at", UtcDateTime, nullable=False),  # no edition is due for an earlier time
)

editions = Table(
    "editions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("local_date", Date, nullable=False),
    Column("slot", SlotText, nullable=False),
    Column("number", Integer, nullable=False),
    Column("window_start", UtcDateTime, nullable=False),
    Column("window_end", UtcDateTime, nullable=False),
    Column("made_at", UtcDateTime),  # None: claimed, being built
    Column("claimed_at", UtcDateTime, nullable=False),
    Column("claimed_by", Text, nullable=False),  # machine:process:mark of its start
    Column("payload", LargeBinary),  # zlib, `edition_json`
    # SHA-256 of the edition and of its files as they were made, by format; None: made before they were recorded
    Column("hashes", JSON(none_as_null=True)),
    UniqueConstraint("digest", "local_date", "slot"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("local_date", Date, nullable=False),
    # One of four keys (`keys.DeliveryKey`), the columns of the other three are None: of an edition,
    Column("slot", SlotText),
    # of an alert on a story,
    Column("about", Text),  # the id of the story, or the kind of a correction and the id of its article
    Column("rule", Text),  # a hash of the rule's label
    # of a story or an article that is sent on ("story s1f2e3d4c5b"),
    Column("item", Text),
    # or of an alert on a failure.
    Column("failure", Text),
    Column("failure_at", UtcDateTime),
    Column("is_over", Boolean),
    Column("channel", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("state", Text, nullable=False),  # waiting, sending, unknown, sent, failed (`outbox`)
    Column("attempts", Integer, nullable=False),
    Column("next_try_at", UtcDateTime, nullable=False),
    Column("give_up_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),  # when it was sent or given up
    Column("response", Text, nullable=False),  # the server's answer, or the error
    Column("hint", Text),  # what the user can do about the error
    Column("lease_by", Text, info={PROCESS_STATE: True}),  # machine:process:mark of its start
    Column("lease_until", UtcDateTime, info={PROCESS_STATE: True}),
    Column("payload", LargeBinary),  # zlib of JSON, `packed`; None once it is sent
    UniqueConstraint("digest", "local_date", "slot", "channel", "recipient"),
    UniqueConstraint("digest", "local_date", "about", "rule", "channel", "recipient"),
    UniqueConstraint("failure", "failure_at", "is_over", "channel", "recipient"),
    UniqueConstraint("item", "channel", "recipient"),
    Index(None, "state", "next_try_at"),
)

stories = Table(
    "stories",
    metadata,
    Column("id", Text, primary_key=True),  # never reused for another story
    Column("thread", Text, nullable=False),
    Column("title", Text, nullable=False),  # its headline in the last edition with it, else its first report's title
    Column("language", Text, nullable=False),
    Column("size", Integer, nullable=False),  # articles
    Column("first_at", UtcDateTime, nullable=False),  # when its first article was published; `last_at`: its last
    Column("last_at", UtcDateTime, nullable=False),
    Column("began_at", UtcDateTime, nullable=False),  # when the first article of its thread was published
    Column("merged_ids", JsonTuple, nullable=False),  # ids of the stories that were merged into it
    Column("merged_into", Text),
    Column("profile", LargeBinary),  # packed features that say what it is about; None for a single article
    Column("vector", LargeBinary),
    Column("vector_model", Text),
    Index(None, "thread"),
    Index(None, "last_at"),
)

story_articles = Table(
    "story_articles",
    metadata,
    Column("article_id", Text, primary_key=True),
    Column("story_id", Text, nullable=False),
    Column("report", Text, nullable=False),  # the first article of its report
    Column("agency", Text),  # of the report
    Column("nearest", Text),  # its nearest article in another report of the story
    Column("evidence", JSON),  # the score of `nearest`; in older rows all of `cluster.explain.Evidence`
    Index(None, "story_id"),
)

story_changes = Table(
    "story_changes",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", Text, nullable=False),  # merged, split, moved, follows, left
    Column("story_id", Text, nullable=False),
    Column("other_id", Text, nullable=False),
    Column("articles", JsonTuple, nullable=False),  # ids
    Column("reason", Text, nullable=False),
    Index(None, "story_id"),
    Index(None, "other_id"),
)

corrections = Table(
    "corrections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("made_at", UtcDateTime, nullable=False),
    Column("kind", Text, nullable=False),  # join, split
    Column("articles", JsonTuple, nullable=False),  # ids
    Column("others", JsonTuple, nullable=False),  # ids
    Column("description", Text, nullable=False),  # the reader's request in words
    Column("revoked_at", UtcDateTime),
)

follows = Table(
    "follows",
    metadata,
    Column("story_id", Text, primary_key=True),  # its id when the reader followed it; its thread is followed
    Column("since", UtcDateTime, nullable=False),
)

marks = Table(
    "marks",  # what the reader keeps; pins keep its articles
    metadata,
    Column("kind", Text, primary_key=True),  # story, article
    Column("key", Text, primary_key=True),  # the id of the article, or that of the story when it was kept
    Column("kept_at", UtcDateTime, nullable=False),
    Column("tags", JsonTuple, nullable=False),
    Column("note", Text, nullable=False),  # the reader's own words
)

translations = Table(
    "translations",
    metadata,
    Column("key", Text, primary_key=True),  # a hash of the model, the language and the original
    Column("text", Text, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Index(None, "made_at"),
)

clustering_runs = Table(
    "clustering_runs",
    metadata,
    Column("id", Integer, primary_key=True),  # 1: there is one row
    Column("version", Integer, nullable=False),  # how often stories were saved
    Column("until", UtcDateTime),  # time up to which articles are grouped
    Column("made_at", UtcDateTime),
    info={INITIAL_ROWS: 1},
)
run_after_create(clustering_runs, "INSERT INTO clustering_runs (id, version) VALUES (1, 0)")
