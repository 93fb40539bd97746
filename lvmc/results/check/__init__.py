"""What a reader sees of a check: sentences, one JSON document, one page."""

from lvmc.results.check.document import document_of
from lvmc.results.check.numbers import duration, figure, percent
from lvmc.results.check.page import About, page_of, size_words
from lvmc.results.check.passes import passes_said
from lvmc.results.check.words import Said, answer_word, band, said

__all__ = [
    "About",
    "Said",
    "answer_word",
    "band",
    "document_of",
    "duration",
    "figure",
    "page_of",
    "passes_said",
    "percent",
    "said",
    "size_words",
]
