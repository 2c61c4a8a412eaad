"""How a result looks: tables in APA style for terminal, notebook, Markdown, LaTeX and Word, and path diagrams."""
