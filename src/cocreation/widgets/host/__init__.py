"""What carries live exercises in the pages of the book: see :mod:`.live`."""
