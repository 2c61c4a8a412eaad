# lavaan 0.6-14 stops short of the likelihood's maximum for the pair x, y: two items of the public UTAUT2 file
# (github.com/sem-in-r/coa_framework_paper), as counts in table.csv; z and w are drawn here to go with them.
source("../golden/golden_lib.R")
RNGversion("4.2.0"); set.seed(8)
t <- read.csv("table.csv"); d <- t[rep(seq_len(nrow(t)), t$n), 1:2]; n <- nrow(d)
cut7 <- function(v) pmin(7, pmax(1, round(v)))
d$z <- cut7(1.5 + .4 * d$x + .3 * d$y + rnorm(n)); d$w <- cut7(2 + .3 * d$x + .3 * d$y + rnorm(n))
rownames(d) <- NULL; write.csv(d, "data.csv", row.names = FALSE); d <- read.csv("data.csv")
m <- "use =~ x + y + z + w"; writeLines(m, "model.lav")
it <- names(d); sc <- parse_factors(m)
write_golden(".", meta("utaut_pair", "UTAUT2 survey, github.com/sem-in-r/coa_framework_paper: counts of two items; the others simulated", "as published with the paper; simulated items CC0"),
  list(n_rows = nrow(d), n_complete = n, items = it, reliability = rel_scales(d, sc), ordinal = ordinal_block(m, d)))
