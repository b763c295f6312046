"""Pure functions on text: URLs, dates, language, words, sentences, search."""
