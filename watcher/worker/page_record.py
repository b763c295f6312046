"""A page as it was fetched, as a record of a WARC 1.1 file; only worker processes import this."""

from datetime import datetime
from io import BytesIO

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from watcher.model import Response
from watcher.text.urls import hide_secrets

# The body is stored decoded from its content coding, and a cookie may be the key to an account.
LEFT_OUT = frozenset(("content-encoding", "content-length", "set-cookie", "set-cookie2", "transfer-encoding"))


def make_page_record(page: Response, now: datetime) -> bytes:
    """Return the response as a compressed record; such records, one after the other, are a WARC file."""
    headers = [(name, value) for name, value in page.headers if name not in LEFT_OUT]
    headers.append(("content-length", str(len(page.body))))
    packed = BytesIO()
    writer = WARCWriter(packed, gzip=True, warc_version="1.1")
    record = writer.create_warc_record(
        hide_secrets(page.url),
        "response",
        payload=BytesIO(page.body),
        length=len(page.body),
        http_headers=StatusAndHeaders(str(page.status), headers, protocol="HTTP/1.1"),
        warc_headers_dict={"WARC-Date": f"{now:%Y-%m-%dT%H:%M:%SZ}"},
    )
    writer.write_record(record)
    return packed.getvalue()
