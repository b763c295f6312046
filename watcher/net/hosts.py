"""Pace per host, as plain state: when a host may be asked again, and what one answer teaches about all of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from watcher.text.urls import host_of

# Platforms whose customers' subdomains are one set of machines: politeness is kept for the platform.
SHARED = frozenset(
    [
        "blogspot.com", "wordpress.com", "substack.com", "tumblr.com", "medium.com", "ghost.io", "beehiiv.com",
        "livejournal.com", "typepad.com", "github.io", "gitlab.io", "netlify.app", "pages.dev", "vercel.app",
        "wixsite.com", "weebly.com", "feedburner.com", "hatenablog.com", "over-blog.com", "canalblog.com",
        "libsyn.com", "podbean.com", "buttondown.email", "micro.blog", "bearblog.dev", "reddit.com",
    ]
)  # fmt: skip
LONGEST_HOLD = timedelta(hours=72)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPace:
    """What is known of a host. `held_until`: it asked to be left alone, feeds and pages alike."""

    last_asked_at: datetime | None = None
    held_until: datetime | None = None
    failures: int = 0  # connections that failed in a row, whatever was asked


def host_key(url: str) -> str:
    """Return what politeness is kept for: the host with its port, or the platform that serves the host."""
    host = host_of(url)
    name, _, port = host.partition(":")
    labels = name.split(".")
    for start in range(len(labels) - 1):
        if (platform := ".".join(labels[start:])) in SHARED:
            return f"{platform}:{port}" if port else platform
    return host


def next_allowed_at(pace: HostPace, now: datetime, *, delay_s: float = 0.0) -> datetime:
    """
    Return when the host may be asked next, `now` at the earliest. `delay_s`: between two requests (settings,
    robots.txt).
    """
    moments = [now]
    if pace.last_asked_at is not None and pace.last_asked_at <= now:
        moments.append(pace.last_asked_at + timedelta(seconds=delay_s))
    if pace.held_until is not None:
        moments.append(min(pace.held_until, now + LONGEST_HOLD))
    return max(moments)


def asked(pace: HostPace, now: datetime) -> HostPace:
    """Return the state after a request went out."""
    return replace(pace, last_asked_at=now)


def answered(pace: HostPace, now: datetime, *, retry_after_s: float | None = None) -> HostPace:
    """
    Return the state after an answer, good or bad; its Retry-After holds the whole host and is never shortened by
    another.
    """
    if retry_after_s is None or retry_after_s <= 0:
        return replace(pace, failures=0)
    until = now + min(timedelta(seconds=retry_after_s), LONGEST_HOLD)
    return replace(pace, failures=0, held_until=max(until, pace.held_until) if pace.held_until else until)


def unanswered(pace: HostPace) -> HostPace:
    """Return the state after a connection that brought no answer."""
    return replace(pace, failures=pace.failures + 1)
