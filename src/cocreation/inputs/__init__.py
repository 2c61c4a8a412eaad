"""What a user hands in: the checks of options and of tables of answers."""
