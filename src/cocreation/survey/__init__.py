"""The synthetic study: the population, its respondents, a draw, the shipped data sets."""
