"""A paper's printed figures against each other: what is possible, and what reconciles the rest."""
