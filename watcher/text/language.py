"""The language of a text, from its script, a small offline model, and what its page and feed claim."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

UNKNOWN = "und"
SAMPLE = 1_000  # characters that are read: more do not change the answer
ENOUGH = 200  # letters from which on the text is believed, whatever is claimed
FEWEST = 3  # letters below which only a claim can tell
# Nats by which a claim is preferred where the text is short; two claims of one language count twice.
CLAIM = 6.0
# Scripts of one language in the news, as ranges; a share of LEAD of the letters is enough.
SCRIPTS = (
    ("ja", "\u3040-\u30ff"),
    ("ko", "\uac00-\ud7af\u1100-\u11ff"),
    ("th", "\u0e01-\u0e5b"),
    ("lo", "\u0e81-\u0edf"),
    ("km", "\u1780-\u17ff"),
    ("my", "\u1000-\u109f"),
    ("ka", "\u10a0-\u10ff"),
    ("hy", "\u0530-\u058f"),
    ("el", "\u0370-\u03ff"),
    ("he", "\u0590-\u05ff"),
    ("ta", "\u0b80-\u0bff"),
    ("te", "\u0c00-\u0c7f"),
    ("kn", "\u0c80-\u0cff"),
    ("ml", "\u0d00-\u0d7f"),
    ("gu", "\u0a80-\u0aff"),
    ("pa", "\u0a00-\u0a7f"),
    ("or", "\u0b00-\u0b7f"),
    ("si", "\u0d80-\u0dff"),
    ("am", "\u1200-\u137f"),
)
LEAD = 0.5
KANA_LEAD = 0.08  # Japanese headlines are mostly Han
HAN = re.compile("[\u3400-\u9fff]")
LETTER = re.compile(r"[^\W\d_]")
# What the model may answer: languages with news; it knows 140, some only from old books.
NEWS = (
    "af am ar as az be bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl gu ha he hi hr hu hy id ig is it ja "
    "ka kk km kn ko ku "
    "ky lo lt lv mk ml mn mr ms mt my ne nl no nn or pa pl ps pt ro ru rw si sk sl sn so sq sr st nso sv sw ta te "
    "tg th tk tl tr tt "
    "ug uk ur uz vi xh yo zh zu"
)
SAME = {
    "nb": "no", "nn": "no", "iw": "he", "in": "id", "cmn": "zh", "yue": "zh", "wuu": "zh", "fil": "tl", "prs": "fa",
    "arz": "ar", "ary": "ar", "sh": "sr", "mo": "ro", "pes": "fa", "ekk": "et", "lvs": "lv",
}  # fmt: skip
# Languages of few pages, to which the model gives short English, Spanish or Dutch: nats by which they must lead there.
RARE = dict.fromkeys("af cy eu ga ha ig is ku ky lb mt nso rw sn so sq st sw tk tl tt ug xh yo zu".split(), 4.0)
RARE |= {"gl": 2.0}
# Pairs that the model takes for each other in short texts: a claim of the other is believed at once.
TWINS = frozenset(
    frozenset(pair.split("/"))
    for pair in "no/da sr/hr bs/hr bs/sr id/ms cs/sk ru/bg mk/bg hi/mr hi/ne zu/xh fa/ar ur/fa".split(" ")
)


def detect(text: str, *, claims: Iterable[str | None] = ()) -> str:
    """
    Return the language of `text` as a BCP 47 primary tag, "und" if nothing tells.

    `claims` are what the page's lang attribute, its metadata and its feed say, in any spelling ("de-AT", "en_US"): they
    decide where the text is short or is one of two languages that look alike. A long text is believed against them.
    """
    said = [tag for claim in claims if (tag := primary(claim))]
    sample = text[:SAMPLE]
    letters = len(LETTER.findall(sample))
    if letters < FEWEST:
        return said[0] if said else UNKNOWN
    if (sure := _by_script(sample, letters)) is not None:
        return sure
    ranked: list[tuple[str, float]] = _model().rank(sample)
    scores: dict[str, float] = {}
    for tag, score in ranked:
        scores.setdefault(SAME.get(tag, tag), float(score) - (RARE.get(tag, 0.0) if letters < ENOUGH else 0.0))
    best = disambiguate(sample, max(scores, key=lambda tag: scores[tag]))
    if best in said or not said:
        return best
    for tag in dict.fromkeys(said):
        lead = scores[best] - scores.get(tag, float("-inf"))
        twins = frozenset((best, tag)) in TWINS
        if (twins and lead < 4 * CLAIM) or (letters < ENOUGH and lead < CLAIM * said.count(tag)):
            return tag
    return best


def primary(claim: str | None) -> str | None:
    """Return the primary tag of a language claim, None if it is none: "pt_BR" is "pt", "x-default" nothing."""
    tag = re.split(r"[-_,; ]", (claim or "").strip().lower())[0]
    tag = SAME.get(tag, tag)
    return tag if 2 <= len(tag) <= 3 and tag.isascii() and tag.isalpha() and tag not in ("und", "mul", "zxx") else None


def _by_script(sample: str, letters: int) -> str | None:
    """Return the language whose script this is, where a script has one; Han without kana is Chinese."""
    if max(sample) < "\u0370":
        return None
    for language, pattern in _scripts():
        share = len(pattern.findall(sample)) / letters
        if share >= (KANA_LEAD if language == "ja" else LEAD):
            return language
    return "zh" if len(HAN.findall(sample)) >= LEAD * letters else None


@lru_cache(maxsize=1)
def _scripts() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((language, re.compile(f"[{letters}]")) for language, letters in SCRIPTS)


@lru_cache(maxsize=1)
def _model() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model = LanguageIdentifier.from_model_file(MODEL_FILE)
    model.set_languages(sorted(set(NEWS.split()) & set(model.labels)))
    return model


WORD = re.compile(r"[^\W\d_]+")
# Serbian says "vreme" where Croatian and Bosnian say "vrijeme".
_EKAVIAN = """vreme vremena reka reke reku mesto mesta mestu deca dece deci dete lepo pre posle gde ovde svet sveta
    svetu svetski svetskog vest vesti cena cene cenu ceo celo cele celoj deo delu vek veka bezbednost bezbednosti
    uvek sednica sednici sednicu predsednik predsednika predsednica ponedeljak ponedeljka sreda sredu nedelja
    nedelje nedelju mleko telo tela čovek čoveka povređen povređenih povređena hleb hleba obezbediti delujemo
    delovati primer posledice"""
_IJEKAVIAN = """vrijeme vremena rijeka rijeke rijeku mjesto mjesta mjestu djeca djece djeci dijete lijepo prije
    poslije gdje ovdje svijet svijeta svijetu svjetski svjetskog vijest vijesti cijena cijene cijenu cijeli cijelo
    cijele cijeloj dio dijelu uvijek sjednica sjednici sjednicu predsjednik predsjednika predsjednica ponedjeljak
    ponedjeljka srijeda srijedu nedjelja nedjelje nedjelju mlijeko tijelo tijela čovjek čovjeka djelovati primjer
    posljedice vijeće vijeća"""
_EASTERN = """hiljada hiljade hiljadu fudbal fudbaler fudbalera fudbaleri evropa evrope evropi evropske evropski
    uhapšen uhapšena uhapšeni saobraćaj saobraćajnoj ko januara februara marta aprila maja juna jula avgusta augusta
    septembra oktobra novembra decembra uslovi uslova spisak voz vozova istorija historija muzika pozorište"""
_CROATIAN = """tisuća tisuće tisuću nogomet nogometaš nogometaši europa europe europi europske europski uhićen
    uhićena uhićeni promet prometnoj tko siječnja veljače ožujka travnja svibnja lipnja srpnja kolovoza rujna
    listopada studenoga studenog prosinca uvjeti uvjeta popis vlak vlakova povijest glazba kazalište tijekom unatoč
    tjedan tjedna kruh kruha zrakoplov sveučilište ozlijeđen ozlijeđena ozlijeđenih glede ravnatelj županija
    županije gospodarstvo"""
_WORDS: Mapping[str, str] = {
    "sr": f"{_EKAVIAN} {_EKAVIAN} {_EASTERN}",
    "hr": f"{_IJEKAVIAN} {_CROATIAN} {_CROATIAN}",
    "bs": f"{_IJEKAVIAN} {_EASTERN} hljeb povrijeđen povrijeđenih sedmica sedmice",
    "no": """etter ble opp nå uten av strømprisen sykehus seg selv hvordan hvorfor hva når mot språk gjøre bare noen
    norsk norske kroner oslo kommune politiet frem fram fortsatt pågrepet skadd skadde slik åpner skole saken""",
    "da": """efter blev op nu uden af elprisen sygehus sig selv hvordan hvorfor hvad når mod sprog gøre kun nogen
    nogle dansk danske kommune politiet frem fortsat anholdt kvæstet sådan åbner skole sagen folketinget""",
    "id": """polisi pemerintah karena kantor pekan perusahaan kasus uang senin kamis jumat pria warga usai bisa
    mobil ujar tewas gubernur bupati kecamatan wib rupiah indonesia gempa umumkan sakit beri bahwa listrik
    mengaku""",
    "ms": """baharu polis kerajaan kerana pejabat hujung syarikat kes wang isnin khamis jumaat ahad lelaki boleh
    kereta beliau iaitu ialah maklumat hospital kemalangan ringgit malaysia perdana selepas bahawa elektrik mahkamah
    berkenaan gegar""",
}
_TABLE = {language: words.split() for language, words in _WORDS.items()}
# The likelier of two that are told apart by nothing stands first.
GROUPS = (("sr", "hr", "bs"), ("no", "da"), ("id", "ms"))
_WEIGHTS = {language: Counter(words) for language, words in _TABLE.items()}


def disambiguate(text: str, language: str) -> str:
    """Return the twin of `language` whose own words `text` holds most of; `language` where none is ahead of it."""
    group = next((group for group in GROUPS if language in group), None)
    if group is None:
        return language
    words = [word.lower() for word in WORD.findall(text)]
    scores = {twin: sum(_WEIGHTS[twin][word] for word in words) for twin in group}
    best = max(group, key=lambda twin: scores[twin])
    if language == "bs" and scores[best]:  # what Bosnian shares with both is one of theirs more often
        return best
    return best if scores[best] > scores[language] else language
