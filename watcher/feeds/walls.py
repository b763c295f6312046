"""Bot walls: pages that a guard puts before a site, named so that a reader knows why a feed fails."""

from __future__ import annotations

import re

WALL = "a bot wall"  # how a fault begins that names one
LOOKED_AT_BYTES = 16_384

MARKS: tuple[tuple[bytes, str], ...] = (
    (
        rb"<title>\s*Just a moment\.\.\.\s*</title>|/cdn-cgi/challenge-platform/|_cf_chl_opt",
        "Cloudflare: Just a moment…",
    ),
    (rb"<title>\s*Attention Required! \| Cloudflare", "Cloudflare: Attention Required"),
    (rb"<title>\s*DDoS-Guard|/\.well-known/ddos-guard/", "DDoS-Guard"),
    (rb"_Incapsula_Resource|Incapsula incident ID", "Imperva Incapsula"),
    (rb"captcha-delivery\.com", "DataDome"),
    (rb"window\._pxAppId|px-captcha", "HUMAN (PerimeterX)"),
    (rb"AwsWafIntegration|awswaf\.com", "AWS WAF"),
    (rb"<title>\s*Access Denied\s*</title>[\s\S]{0,2000}?errors\.edgesuite\.net", "Akamai: Access Denied"),
    (rb"/\.within\.website/x/cmd/anubis/|Making sure you(?:'|&#39;)re not a bot!", "Anubis"),
    (rb"sucuri_cloudproxy_js|Sucuri WebSite Firewall", "Sucuri"),
    (rb"<title>[^<]{0,80}(?:Are you a robot|Robot Check|Verify you are human|Security Check)", "a robot check"),
)
COMPILED = tuple((re.compile(pattern, re.IGNORECASE), name) for pattern, name in MARKS)


def bot_wall(body: bytes) -> str | None:
    """Return the name of the wall that a page is, or None."""
    head = body[:LOOKED_AT_BYTES]
    return next((name for pattern, name in COMPILED if pattern.search(head)), None)
