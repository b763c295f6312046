"""What a title or an address says of the kind of a page: a live blog, a round-up, a gallery, a video."""

from __future__ import annotations

import re

SAYS_LIVE = re.compile(
    r"(?-i:^LIVE\b)|^live ?[:|–—-]|\blive[ -]?(?:blog|ticker|updates?|kommentar|text|report\b)"
    r"|(?-i:\bLIVE ?[:|–—])|(?-i:\bLIVE - )"
    r"|\b(?:as it happened|minute by minute|minuto (?:a|per) minuto|ao minuto|minute par minute|percről percre"
    r"|dakika dakika|newsblog|newsticker|liveverslag|livestudio)\b"
    r"|^(?:en direct|direct|en vivo|en directo|directo|ao vivo|in diretta|diretta|la diretta|na żywo|relacja na żywo"
    r"|živě|uživo|élőben?|на живо|онлайн|наживо|canlı|ζωντανά|مباشر|تغطية (?:مباشرة|حية)|लाइव|trực tiếp"
    r"|langsung) ?[:|–—-]"
    r"|^(?:suivez |volg |följ |følg )(?:en direct|live|här|her)\b|[|–—:-] ?(?:live|en direct|en vivo|ao vivo"
    r"|in diretta)$"
    r"|^(?:en direct|relacja live)\b ?[.,]|relacja na żywo|canlı (?:anlatım|blog|yayın)|онлайн-?(?:трансляция"
    r"|репортаж)"
    r"|текстов(?:ая|а) трансляці?я?|لحظة بلحظة|لحظه به لحظه|लाइव अपडेट"
    r"|速報中|ライブ更新|[\[【](?:ライブ|随時更新|実況|直播|실시간|라이브)[\]】]"
    r"|(?:文字|图文|圖文)直播|^直播[:：|]|实时更新|實時更新|滚动更新|滾動更新|실시간 (?:중계|상황|업데이트)",
    re.IGNORECASE,
)
LIVE_ADDRESS = re.compile(
    r"/(?:live|live-?blog|live-?updates?|live-?ticker|ticker|direct|en-direct|en-vivo|en-directo|ao-vivo|ao-minuto"
    r"|diretta"
    r"|minuto-a-minuto|liveverslag)"
    r"(?:[/_.-]|$)"
)
_COUNT = r"(?:\d{1,2}|three|four|five|six|seven|eight|nine|ten)"
# By such a name a page is one; within a sentence it is what somebody holds, or cancels.
_SHEET = r"(?:morning|midday|evening|daily|weekly|weekend) (?:briefing|brief|digest|roundup|round-up|edition|headlines)"
_DAY = r"(?:\d|(?:mon|tues|wednes|thurs|fri|satur|sun)day)"
SAYS_ROUNDUP = re.compile(
    rf"\b{_SHEET}(?= ?[:|–—(]| - )"
    rf"|(?:^|[:|–—] |- )(?:the |your |our )?{_SHEET}(?=,| (?:for |of )?{_DAY}|$)"
    r"|^(?:(?:world |local )?news in brief|news briefs?)\b|^briefs? ?(?:[:|–—]|- |$)"
    r"|^(?:today['’]s )?top stories\b|[:|–—] ?(?:today['’]s )?top stories$"
    r"|\b(?:news roundup|today['’]s (?:headlines|papers)"
    r"|what we know today|today in history|week in review|news summary)\b"
    rf"|\b{_COUNT} things (?:\w+ ){{0,5}}to know (?:\w+ ){{0,2}}(?:today|this (?:morning|week)|(?:mon|tues|wednes"
    rf"|thurs|fri)day)"
    r"|\b(?:morgen|abend)-?(?:briefing|update)\b|\b(?:der tag (?:im überblick|kompakt)|das war der tag|presseschau"
    r"|kurz notiert|kurzmeldungen|kurznachrichten|nachrichten am (?:morgen|abend)|die lage am (?:morgen|abend)"
    r"|news des tages|was (?:heute|morgen) wichtig (?:ist|war|wird)|wochenrückblick)\b"
    r"|\bl['’]essentiel de l['’]actu|\b(?:revue de presse|press review|le fil info|les infos à retenir"
    r"|l['’]actu en bref)\b"
    r"|\b(?:resumen (?:de noticias|del día|de la semana)|las (?:noticias|claves) del día|titulares (?:de hoy|del día)"
    r"|noticias más importantes)\b|\b(?:resumo (?:do dia|da semana|das notícias)|notícias do dia)\b"
    r"|\b(?:rassegna stampa|le notizie (?:del giorno|di oggi))\b|\b(?:kort nieuws|nieuwsoverzicht"
    r"|het nieuws van de dag)\b"
    r"|\b(?:nyheterna i korthet|dagens viktigaste|nyhetsoversikt|nyhedsoverblik|przegląd (?:prasy|dnia)"
    r"|přehled (?:tisku|dne)"
    r"|lapszemle|hírösszefoglaló|revista presei|преглед на печата)\b"
    r"|\bглавные новости(?:(?: \w+)? (?:дня|часа|утра|вечера|недели|за|к|на|\d)|$)|^главные новости\b"
    r"|\b(?:обзор прессы|итоги дня|главное за (?:день|ночь|неделю)|головне за (?:день|добу|тиждень)"
    r"|головні новини|підсумки дня)\b|^(?:дайджест|günün (?:özeti|manşetleri)|gazete manşetleri)\b"
    r"|موجز (?:الأنباء|الأخبار)|جولة (?:في )?الصحافة|خلاصه اخبار|مرور روزنامه"
    r"|(?:今日|きょう|昨日)のニュース|ニュースまとめ"
    r"|(?:今日|每日|一周|昨夜今晨)(?:要闻|要聞|新闻|新聞)|新闻早餐|뉴스 ?브리핑|오늘의 뉴스|뉴스 요약",
    re.IGNORECASE,
)
ROUNDUP_ADDRESS = re.compile(
    r"/(?:newsletters?|briefings?|news-?briefs?|news-in-brief|kurzmeldungen|presseschau|en-bref|kort-nieuws"
    r"|rassegna-stampa)/"
)
_PHOTOS = (
    r"in pictures|in photos|photos|pictures|gallery|photo gallery|photo essay|en images|en photos|bilder"
    r"|bildergalerie|fotos"
    r"|fotostrecke|galería|galeria|galerie|fotogalerie|fotogalería|fotogallery|fotogaleria|in beeld|bildspel|kuvat"
    r"|képgaléria"
    r"|фото|фотогалерея|фоторепортаж|галерея|foto galeri|صور|بالصور|گزارش تصویری|तस्वीरें"
)
SAYS_GALLERY = re.compile(
    rf"^(?:{_PHOTOS}) ?[:|–—]"
    r"|[\[【［(（](?:写真特集|写真|写真集|フォト|フォトギャラリー"
    r"|组图|組圖|高清组图|포토|화보|gallery|photos|photo gallery)[\]】］)）]"
    r"|[:|–—-] ?(?:in pictures|in photos|photo essay|photo gallery|photos|bildergalerie|fotostrecke|in bildern"
    r"|en images"
    r"|en fotos|en imágenes|fotogalerie|fotogallery|фоторепортаж|گزارش تصویری)$|\b(?:photos|pictures"
    r"|bilder) (?:of the (?:day|week)|des tages)\b",
    re.IGNORECASE,
)
_FILM = (
    r"videos?|vídeo|vidéo|watch|film|wideo|videó|видео|відео|βίντεο|فيديو|شاهد|بالفيديو|ویدئو|ویدیو|वीडियो"
    r"|動画|视频|視頻|影片|영상|วิดีโอ"
)
SAYS_VIDEO = re.compile(
    rf"^(?:{_FILM}) ?[:：|–—]|^[\[【［(（](?:{_FILM})[\]】］)）]"
    rf"|[\[【［(（](?:{_FILM})[\]】］)）]$|[|–—] ?(?:{_FILM})$",
    re.IGNORECASE,
)


def says_live(title: str) -> bool:
    """Whether a title calls its page a live blog."""
    return SAYS_LIVE.search(title.strip()) is not None


def is_live_address(url: str) -> bool:
    """Whether an address is that of a live blog; a word for the eye, not a proof: some sites keep all pages there."""
    return LIVE_ADDRESS.search(url.lower()) is not None


def says_roundup(title: str) -> bool:
    """Whether a title calls its page a round-up of many things."""
    return SAYS_ROUNDUP.search(title.strip()) is not None


def is_roundup_address(url: str) -> bool:
    """Whether an address is one of round-ups; a word for the eye, as that of live blogs."""
    return ROUNDUP_ADDRESS.search(url.lower()) is not None


def says_gallery(title: str) -> bool:
    """Whether a title calls its page a gallery."""
    return SAYS_GALLERY.search(title.strip()) is not None


def says_video(title: str) -> bool:
    """Whether a title says that its page is about a video; the text may still be an article."""
    return SAYS_VIDEO.search(title.strip()) is not None


def kind_by_title(title: str) -> str:
    """Return "live", "roundup", "gallery" or "article", as far as the title says."""
    for says, kind in ((says_live, "live"), (says_roundup, "roundup"), (says_gallery, "gallery")):
        if says(title):
            return kind
    return "article"
