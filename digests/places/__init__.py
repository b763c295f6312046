"""The countries that a story is about, found in its texts by names in each article's language."""

from digests.places.find import countries
from digests.places.regions import REGIONS, country_name, region_of, region_title

__all__ = ["REGIONS", "countries", "country_name", "region_of", "region_title"]
