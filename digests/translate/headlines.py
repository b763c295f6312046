"""The headlines of search results, translated where a model is installed."""

from collections.abc import Iterable

from sqlalchemy import Engine

from digests.settings.digests import digests_of
from digests.settings.translate import TranslateSettings
from digests.translate.translator import Translator
from watcher.settings.models import Settings
from watcher.store.search import Hit


def translate_headlines(settings: Settings, store: Engine, hits: Iterable[Hit]) -> dict[str, str]:
    """Return by article the headline in the first language of the reader; only of those in another one."""
    read_languages = digests_of(settings)[0].read_languages
    translator = Translator(settings.section(TranslateSettings), read_languages[0], store)
    translations = {
        hit.id: translator("headlines", hit.title, hit.language)
        for hit in hits
        if hit.title and hit.language not in read_languages and translator.can_translate(hit.language)
    }
    return {key: translation.text for key, translation in translations.items() if translation}
