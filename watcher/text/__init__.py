"""Pure helpers on text: URLs, dates, language, words, hashes."""
