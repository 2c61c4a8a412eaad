"""``python -m cocreation`` is the command line ``cocreation``."""

from .cli import main

main()
