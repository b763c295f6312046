"""Languages that look alike in a short text, told by words that only one of them has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

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


def settle(text: str, language: str) -> str:
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
