"""The page that checks a claim: one of four answers, and the stories with their reports."""

from digests.stories.claims import DEFAULT_WINDOW, ClaimAnswer, check_claim
from digests.stories.meaning import MeaningSearch
from digests.summarise.claims import CLAIM_CHARS
from digests.web.search import PERIODS
from watcher.errors import WatcherError
from watcher.settings.types import parse_duration
from watcher.store.writer import read
from watcher.web.site import PageRequest, PageResponse, Site, render_page

CLAIM_FIELDS = ("claim", "since")  # of the query
CLAIM_SPANS = {value: name for value, (name, _) in PERIODS.items() if value}
MAX_CLAIM_REPORTS = 8  # of each kind of a story


def claim_page(site: Site, ask: PageRequest, *, meaning: MeaningSearch) -> PageResponse:
    """Return the page that checks a claim: the form, and the answer if a claim was entered."""
    claim = ask.query.get("claim", "")[:CLAIM_CHARS].strip()
    since = ask.query.get("since", DEFAULT_WINDOW)
    since = since if since in CLAIM_SPANS else DEFAULT_WINDOW
    answer: ClaimAnswer | None = None
    failure = ""
    if claim:
        try:
            start, now = site.now() - parse_duration(since), site.now()
            answer = read(site.engine, check_claim, claim, meaning, since=start, until=now)
        except WatcherError as error:
            failure = str(error)
    return render_page(
        site,
        "check.html.j2",
        package="digests.web",
        claim=claim,
        since=since,
        spans=CLAIM_SPANS,
        found=answer,
        failure=failure,
        limit=MAX_CLAIM_REPORTS,
    )
