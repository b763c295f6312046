"""Numbers in texts: how they are found and normalized, and which of them are significant."""

import re

NUMBER_IN_TEXT = re.compile(r"\d+(?:[.,\u00a0\u202f ]\d{3})*(?:[.,]\d+)?")
MIN_NUMBER = 10  # smaller numbers say little by themselves, and so do years
YEAR_VALUE = re.compile(r"(?:19|20)\d\d$")


def significant_numbers(text: str) -> set[str]:
    """Return the significant numbers of `text`, normalized; years and numbers below `MIN_NUMBER` are left out."""
    values = map(normalize, NUMBER_IN_TEXT.findall(text))
    return {value for value in values if not YEAR_VALUE.match(value) and float(value) >= MIN_NUMBER}


def normalize(number: str) -> str:
    """Return `number` without thousands separators and with a decimal point."""
    return re.sub(r"[.,\u00a0\u202f ](?=\d{3}(?!\d))", "", number).replace(",", ".")
