source("../golden_lib.R")
# The section "regressions" of this set: its factors explained by each other, complete cases
syntax <- paste(readLines("model.lav"), collapse = "\n"); d <- read.csv("data.csv")
d <- na.omit(d[, unlist(parse_factors(syntax), use.names = FALSE)])
add_section(".", "regressions", regressions(list("three factors of personality" = paste0(syntax, "\nExtra ~ Consc\nNeuro ~ Consc + Extra")), d))
