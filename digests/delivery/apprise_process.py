"""
The process in which Apprise runs; `digests.delivery.apprise` starts one for each message.

It reads one JSON object, the URL of a service and a message, and writes one: how sending ended. With `--check`, it
sends nothing, and writes to which server the first request would go.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import apprise
import requests
from urllib3.exceptions import MaxRetryError

PROCESS_DEADLINE_S = 60  # after it, the kernel ends this process
APPRISE_TIMEOUT_S = 30.0  # for connecting, and for each read
MAX_MEMORY_BYTES = 1 << 30  # an answer without an end ends this process, not the machine
LINE_ENDS = {"html": "<br/>\n", "markdown": "\n", "text": "\n"}
# A URL may name local files (keys, templates) and, on a desktop, programs. Only the files of the packages are read.
READABLE = tuple(
    f"{Path(root).resolve()}/"
    for root in (sys.prefix, sys.base_prefix, Path(apprise.__file__).parents[1], "/usr/share/zoneinfo")
)
PROGRAMS = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn"})
CONNECTION_EVENTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


def main(arguments: list[str]) -> None:
    """
    Read a JSON order from standard input, send it, and print the outcome; with `--check`, only see what would be sent.
    """
    answers, sys.stdout = sys.stdout, sys.stderr  # what a plug-in prints is not the answer
    signal.alarm(PROCESS_DEADLINE_S)
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    order, is_check = json.load(sys.stdin), arguments == ["--check"]
    outcome: dict[str, Any] = {"recipients": None, "is_sent": None, "is_reached": None, "status": None, "server": None}
    _record_requests(outcome, is_check=is_check)
    _guard_machine(PROGRAMS | CONNECTION_EVENTS if is_check else PROGRAMS)
    asset = apprise.AppriseAsset(app_id="Watcher", app_desc="Watcher", app_url="", storage_mode="memory")
    service = apprise.Apprise.instantiate(order["url"], asset=asset)
    if service is not None:
        # The outbox tries again, and a failure must be seen; the URL may not change either.
        service.retry, service.optional = 0, False
        outcome["recipients"] = len(service)
        # A plug-in without HTTP cannot be checked: nothing would stop its message.
        if len(service) <= 1 and (not is_check or "requests" in vars(sys.modules[type(service).__module__])):
            outcome["is_sent"] = _send_message(service, order["message"])
    print(json.dumps(outcome), file=answers, flush=True)


def _send_message(service: apprise.NotifyBase, message: dict[str, Any]) -> bool:
    """Send a message in the richest format that the service takes, as many lines as fit; return whether it was sent."""
    wanted = (form for form in ("html", "markdown") if form in message)
    form = next((form for form in wanted if service.resolve_format(form).value == form), "text")
    heading, *lines = message[form]
    title = message["title"] if service.title_maxlen > 0 and lines else ""
    body, *lines = lines if title else [heading, *lines]
    room = service.body_maxlen - (len(title) if service.overflow_amalgamate_title else 0)
    for line in lines:
        longer = body + LINE_ENDS[form] + line
        if len(longer) > room:
            break
        body = longer
    try:
        return bool(service.notify(body=body, title=title, body_format=form, overflow="truncate"))
    except Exception:  # noqa: BLE001 - of any of its plug-ins; the answer says that the message was not sent
        return False


def _record_requests(outcome: dict[str, Any], *, is_check: bool) -> None:
    """Put how the last HTTP request ended into `outcome`. Each one is bounded in time, and follows no redirect."""
    send = requests.Session.send

    def send_bounded(
        session: requests.Session, request: requests.PreparedRequest, **options: object
    ) -> requests.Response:
        """
        Send one HTTP request without redirects and note its outcome; in a check, note the server and send nothing.
        """
        outcome.update(is_reached=None, status=None)
        if is_check:
            parts = urlsplit(request.url or "")
            outcome["server"] = outcome["server"] or f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
            raise requests.ConnectionError("a check sends nothing")
        try:
            response = send(session, request, **options | {"allow_redirects": False, "timeout": APPRISE_TIMEOUT_S})
        except requests.RequestException as error:
            # urllib3 raises MaxRetryError only if there was no connection.
            outcome["is_reached"] = not any(isinstance(arg, MaxRetryError) for arg in error.args)
            raise
        outcome.update(status=response.status_code, retry_after=response.headers.get("Retry-After", ""))
        return response

    setattr(requests.Session, "send", send_bounded)  # noqa: B010 - mypy refuses an assignment


def _guard_machine(forbidden: frozenset[str]) -> None:
    """Make the events `forbidden` (of PEP 578), and opening a file outside of `READABLE`, fail in this process."""

    def refuse(event: str, values: tuple[Any, ...]) -> None:
        """Raise PermissionError if an audit event is one that a plug-in may not cause."""
        if event in forbidden:
            raise PermissionError(f"{event} is not allowed here")
        if event == "open" and not isinstance(values[0], int):
            path = os.path.realpath(os.fsdecode(values[0]))
            if not path.startswith(READABLE):
                raise PermissionError("this file may not be opened here")

    sys.addaudithook(refuse)


if __name__ == "__main__":
    main(sys.argv[1:])
