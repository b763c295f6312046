"""Writes the site as static files with relative links; the same store gives the same bytes."""

import posixpath
import re
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

from starlette.routing import compile_path

from watcher.errors import WatcherError
from watcher.web import sources
from watcher.web.app import FILES, handle_page
from watcher.web.site import HTML, PageRequest, PageResponse, Site

MARK = ".watcher-site"  # lists the files of the last export
ENDING = re.compile(r"\.[a-z]{2,4}$")
SAFE = re.compile(r"(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+|/", re.ASCII)
LINK = re.compile(r' (href|src)="(/[^"?#]*)(\?[^"#]*)?(#[^"]*)?"')


def export_site(site: Site, folder: Path) -> tuple[int, int, int]:
    """Write the site into `folder`, and return the numbers of pages, other files and bytes. Errors: WatcherError."""
    before = read_manifest(folder)
    of_plugins = (plugin.paths(site) for plugin in site.plugins)
    every = chain((page.path for page in FILES), sources.source_paths(site), *of_plugins)
    paths = {path: file_name(path) for path in dict.fromkeys(every) if SAFE.fullmatch(path)}
    made = {path: reply for path in paths if (reply := render_path(site, path)).status == 200}
    known = {path: paths[path] for path in made}
    pages, size = 0, 0
    try:
        for path, reply in made.items():
            body = make_links_relative(reply, known, at=paths[path])
            target = folder / paths[path]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(body)
            pages += reply.media_type == HTML
            size += len(body)
        for gone in before - set(known.values()):
            (folder / gone).unlink(missing_ok=True)
        (folder / MARK).write_text("".join(f"{name}\n" for name in sorted(known.values())), encoding="utf-8")
    except OSError as error:
        raise WatcherError(f"{folder}: the site cannot be written: {error.strerror}") from error
    return pages, len(made) - pages, size


def read_manifest(folder: Path) -> set[str]:
    """Return the files of the last export. Errors: WatcherError if the folder has other contents."""
    mark = folder / MARK
    try:
        if mark.is_file():
            return {name for name in mark.read_text("utf-8").splitlines() if SAFE.fullmatch(f"/{name}")}
        if folder.exists() and any(folder.iterdir()):
            raise WatcherError(f"{folder}: the folder contains other files", hint="watcher site NEW-FOLDER")
    except OSError as error:
        raise WatcherError(f"{folder}: cannot be read: {error.strerror}") from error
    return set()


def render_path(site: Site, path: str) -> PageResponse:
    for page in (*FILES, *sources.PAGES, *site.pages):
        pattern, _, _ = compile_path(page.path)
        if page.method == "GET" and (match := pattern.match(path)):
            return handle_page(site, page, PageRequest(params=match.groupdict()))
    return PageResponse(status=404)


def file_name(path: str) -> str:
    """Return the file name for a path: "/story/s1" → "story/s1.html"."""
    if path == "/":
        return "index.html"
    return path[1:] if ENDING.search(path) else f"{path[1:]}.html"


def make_links_relative(reply: PageResponse, known: Mapping[str, str], *, at: str) -> bytes:
    """Return a page with relative links to the files of `known` paths, without other links; other replies unchanged."""
    body = reply.body if isinstance(reply.body, bytes) else reply.body.encode()
    if reply.media_type != HTML:
        return body
    folder = posixpath.dirname(at) or "."

    def relative(match: re.Match[str]) -> str:
        target = known.get(match[2])
        return f' {match[1]}="{posixpath.relpath(target, folder)}{match[4] or ""}"' if target else ""

    return LINK.sub(relative, body.decode()).encode()
