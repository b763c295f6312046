"""The names of the months, as news pages in many languages write them in dates."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

MONTHS = (
    (
        "january jan januar janner janvier janv enero ene janeiro gennaio gen januari tammikuu tammikuuta "
        "styczen stycznia sty leden ledna januara januar ianuarie ian sijecanj sijecnja януари январь января "
        "янв січень січня січ ocak oca ιανουαριος ιανουαριου ιαν jaanuar janvaris janvari sausis sausio sau "
        "يناير جانفي ژانویه جنوری ינואר जनवरी জানুয়ারি জানুয়ারী มกราคม มค"
    ),
    (
        "february feb februar feber fevrier fevr fev febrero fevereiro febbraio februari helmikuu helmikuuta "
        "luty lutego lut unor unora februara februarie veljaca veljace февруари февраль февраля фев лютий "
        "лютого лют subat şub φεβρουαριος φεβρουαριου φεβ veebruar februaris februari vasaris vasario vas "
        "فبراير فيفري فوریه فروری פברואר फरवरी फ़रवरी ফেব্রুয়ারি กุมภาพันธ์ กพ"
    ),
    (
        "march mar marz maerz mrz mars marzo março maart mrt maaliskuu maaliskuuta marzec marca brezen "
        "brezna marec marcius martie ozujak ozujka mart марта март мар березень березня бер μαρτιος μαρτιου "
        "μαρ martsi marts kovas kovo kov مارس مارچ מרץ मार्च মার্চ มีนาคม มีค marts mac"
    ),
    (
        "april apr avril avr abril abr aprile huhtikuu huhtikuuta kwiecien kwietnia kwi duben dubna aprila "
        "aprilis aprilie travanj travnja април апрель апреля апр квітень квітня кві nisan nis απριλιος "
        "απριλιου απρ aprill aprilis balandis balandzio bal أبريل ابريل أفريل آوریل اپریل אפריל अप्रैल "
        "এপ্রিল เมษายน เมย"
    ),
    (
        "may mai mayo mayis maio mag maggio mei maj maja toukokuu toukokuuta kveten kvetna majus svibanj "
        "svibnja май мая травень травня тра μαιος μαιου μαι maijs maija geguze geguzes geg مايو ماي مه مئی "
        "מאי मई মে พฤษภาคม พค"
    ),
    (
        "june jun juni juin junio junho giugno giu kesakuu kesakuuta czerwiec czerwca cze cerven cervna juna "
        "junius iunie iun lipanj lipnja юни июнь июня июн червень червня чер haziran haz ιουνιος ιουνιου "
        "ιουν juuni junijs junija birzelis birzelio bir يونيو جوان ژوئن جون יוני जून জুন มิถุนายน มิย"
    ),
    (
        "july jul juli juillet juil julio julho luglio lug heinakuu heinakuuta lipiec lipca lip cervenec "
        "cervence jula julius iulie iul srpanj srpnja юли июль июля июл липень липня лип temmuz tem ιουλιος "
        "ιουλιου ιουλ juuli julijs julija liepa liepos lie يوليو جويلية ژوئیه جولای جولائی יולי जुलाई জুলাই "
        "กรกฎาคม กค"
    ),
    (
        "august aug aout agosto ago augustus elokuu elokuuta sierpien sierpnia sie srpen srpna augusta "
        "augusztus kolovoz kolovoza август августа авг серпень серпня сер agustos agu αυγουστος αυγουστου "
        "αυγ augusts augusta rugpjutis rugpjucio rgp أغسطس اغسطس أوت اوت اگست אוגוסט अगस्त আগস্ট สิงหาคม สค "
        "agustus ogos"
    ),
    (
        "september sep sept septembre septiembre setiembre setembro set settembre syyskuu syyskuuta wrzesien "
        "wrzesnia wrz zari septembra szeptember septembrie rujan rujna септември сентябрь сентября сен сент "
        "вересень вересня вер eylul eyl σεπτεμβριος σεπτεμβριου σεπ septembris septembri rugsejis rugsejo "
        "rgs سبتمبر سپتامبر ستمبر ספטמבר सितंबर सितम्बर সেপ্টেম্বর กันยายน กย"
    ),
    (
        "october oct oktober okt octobre octubre outubro out ottobre ott lokakuu lokakuuta pazdziernik "
        "pazdziernika paz rijen rijna oktobra octombrie oktobar октомври октябрь октября окт жовтень жовтня "
        "жов ekim eki οκτωβριος οκτωβριου οκτ oktoober oktobris oktobri spalis spalio spa أكتوبر اكتوبر "
        "اکتبر اکتوبر אוקטובר अक्टूबर अक्तूबर অক্টোবর ตุลาคม ตค"
    ),
    (
        "november nov novembre noviembre novembro marraskuu marraskuuta listopad listopada lis novembra "
        "noiembrie studeni studenoga ноември ноябрь ноября ноя нояб листопад листопада лис kasim kasım kas "
        "νοεμβριος νοεμβριου νοε novembris novembri lapkritis lapkricio lap نوفمبر نوامبر نومبر נובמבר नवंबर "
        "नवम्बर নভেম্বর พฤศจิกายน พย"
    ),
    (
        "december dec dezember dez decembre diciembre dic dezembro dicembre joulukuu joulukuuta grudzien "
        "grudnia gru prosinec prosince decembra decembrie prosinac prosinca декември декабрь декабря дек "
        "грудень грудня гру aralik aralık ara δεκεμβριος δεκεμβριου δεκ detsember decembris decembri gruodis "
        "gruodzio grd ديسمبر دسامبر دسمبر דצמבר दिसंबर दिसम्बर ডিসেম্বর ธันวาคม ธค disember desember des"
    ),
)


def month_number(word: str) -> int | None:
    """Return the number of the month that `word` names, 1 to 12, or None: "Mai", "мая", "févr.", "ตุลาคม"."""
    return _numbers().get(_plain(word))


@lru_cache(maxsize=1)
def _numbers() -> dict[str, int]:
    numbers: dict[str, int] = {}
    for number, words in enumerate(MONTHS, start=1):
        for word in words.split(" "):
            numbers.setdefault(_plain(word), number)
    return numbers


@lru_cache(maxsize=2048)
def _plain(word: str) -> str:
    """Return a word without accents, dots and case."""
    parts = unicodedata.normalize("NFKD", word.casefold().replace("ı", "i"))
    return "".join(char for char in parts if not unicodedata.combining(char) and char != ".")
