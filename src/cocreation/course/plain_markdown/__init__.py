"""The notebooks in Markdown that any Jupyter renders: boxes, citations, terms, numbers and links without an extension.

The sources are MyST, which the book renders and JupyterLab does not know. When a working copy is made, each notebook is
turned into what JupyterLab, the classic notebook and editors show alike, with the words and numbers of the book:
citations by the book's own style (:mod:`.works`), terms with their meaning (:mod:`.terms`), figures and tables by the
numbers they have in the book (:mod:`.contents`). What is no MyST stays as it is, byte by byte.
"""

from .known import BOOK, START, Known, address
from .markdown import left_over, plain
from .notebooks import convert

__all__ = ["BOOK", "START", "Known", "address", "convert", "left_over", "plain"]
