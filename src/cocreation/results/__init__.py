"""How a result looks: tables in APA style for terminal, notebook, Markdown, LaTeX and Word, and path diagrams."""

from .display import house_style

__all__ = ["house_style"]
