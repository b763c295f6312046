"""Translation of headlines and sentences: engines, Firefox's models, and the limits of an edition."""
