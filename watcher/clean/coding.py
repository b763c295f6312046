"""The coding of bytes that say nothing, or only a server's default, of it: by the letters that they make commonest."""

from __future__ import annotations

import re
from collections import Counter

SAMPLE = 60_000  # bytes that are read
LEAST = 15  # bytes beyond ASCII: fewer tell nothing
SURE = 0.55  # of the share that a coding's commonest letters have in real text
SEEN = 0.2  # the same where windows-1252 could be none of it
AHEAD = 1.1  # times the next best, else nothing is told
MARKUP = re.compile(rb"<script.*?</script>|<style.*?</style>|<[^>]{0,2000}>", re.DOTALL | re.IGNORECASE)
# Coding: its commonest letters (of each language between bars), and what share of the letters beyond ASCII they are.
COMMON: dict[str, tuple[str, float]] = {
    "cp1251": ("оеаинтсрвлкмдпу", 0.76),
    "koi8-r": ("оеаинтсрвлкмдпу", 0.76),
    "cp866": ("оеаинтсрвлкмдпу", 0.76),
    "iso-8859-5": ("оеаинтсрвлкмдпу", 0.76),
    "cp1256": ("اليمنورتبةعدسفهكقح", 0.90),
    "cp1255": ("יוהלאמרתבשנכעדחק", 0.90),
    "cp1253": ("αοιετσνρκπυλμηάόίέή", 0.82),
    "cp874": ("านรกอเง่วมยลดต้ทสัีะ", 0.72),
    "gb18030": ("的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出年月日会新市", 0.24),
    "big5hkscs": ("的一是在不了有和人這中大為上個國我以要他時來用們生到作地於出年月日會新市", 0.24),
    "cp932": ("のにはをたがでてとしれさいるなんーもらかス", 0.42),
    "euc-jp": ("のにはをたがでてとしれさいるなんーもらかス", 0.42),
    "cp949": ("이다의는에을를하고한가도로지사기은인정대", 0.34),
    "cp1250": ("ąćęłńóśźż|áčďéěíňóřšťúůýžľĺŕäô|áéíóöőúüű|čćđšž|ăâîşţ", 0.93),
    "cp1254": ("ğışçöüİâ’“”", 0.95),
    "cp1252": ("äöüßéèêëàâçîïôûñóíáúãõåæøœìòù’“”–—„«»…€°|áéíóúýþæöð„“–", 0.98),
}
LATIN = frozenset(("cp1250", "cp1252", "cp1254"))


def guess(body: bytes) -> str:
    """Return the codec whose letters `body` is most like text in, "cp1252" if none stands out."""
    sample = MARKUP.sub(b" ", body[:SAMPLE])
    beyond = sum(byte > 0x7F for byte in sample)
    if beyond < LEAST:
        return "cp1252"
    plain = sum(0x61 <= byte | 0x20 <= 0x7A for byte in sample)
    latin = beyond < plain  # a few letters with marks among plain ones, or a script of its own
    codecs = [codec for codec in COMMON if (codec in LATIN) == latin]
    scores = {codec: _score(sample, codec, *COMMON[codec]) for codec in codecs}
    best, second = sorted(scores, key=lambda codec: scores[codec], reverse=True)[:2]
    is_sure = scores[best] >= (SURE if latin else SEEN) and scores[best] >= AHEAD * scores[second]
    return best if is_sure else "cp1252"


def _score(sample: bytes, codec: str, letters: str, share: float) -> float:
    """Return how near the share of `letters` is to what it is in text, 0 where the bytes do not fit the coding."""
    text = sample.decode(codec, "replace")
    beyond = [char for char in text if char > "\x7f"]
    bad = text.count("\ufffd")
    if not beyond or bad * 50 > len(beyond):
        return 0.0
    counts = Counter(beyond)
    common = max(sum(counts[char] for char in of_one) for of_one in letters.split("|"))
    return min(1.0, common / len(beyond) / share)
