"""What an instructor runs: notebooks, the book, the student editions."""
