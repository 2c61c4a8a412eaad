source("../golden_lib.R")
# Bollen's (1989) 75 countries as distributed with lavaan: regressions among factors, with covariates, among observed variables only
write.csv(PoliticalDemocracy, "data.csv", row.names = FALSE); d <- read.csv("data.csv")
m <- "ind60 =~ x1 + x2 + x3\ndem60 =~ y1 + y2 + y3 + y4\ndem65 =~ y5 + y6 + y7 + y8"; writeLines(m, "model.lav")
models <- list(
  "democracy" = "ind60 =~ x1 + x2 + x3
dem60 =~ y1 + a*y2 + b*y3 + c*y4
dem65 =~ y5 + a*y6 + b*y7 + c*y8
dem60 ~ p*ind60
dem65 ~ q*ind60 + r*dem60
y1 ~~ y5
y2 ~~ y4 + y6
y3 ~~ y7
y4 ~~ y8
y6 ~~ y8
pr := p*r
tot := q + p*r",
  "a covariate among factors" = "ind60 =~ x1 + x2 + x3\ndem60 =~ y1 + y2 + y3\ndem60 ~ ind60 + y5\ny7 ~ dem60 + ind60\ny8 ~ dem60",
  "two covariates" = "dem60 =~ y1 + y2 + y3\ny5 ~ dem60 + x1\ny7 ~ y5 + x2\ny8 ~ x1",
  "observed variables only" = "y1 ~ x1 + x2\ny5 ~ y1 + x3\ny6 ~ y1",
  "outcomes, two of them observed, whose disturbances correlate" = "ind60 =~ x1 + x2 + x3\ndem60 =~ y1 + y2 + y3 + y4\ndem60 ~ ind60\ny5 ~ ind60\ny6 ~ ind60")
write_golden(".", meta("political_democracy", "lavaan::PoliticalDemocracy (Bollen 1989)", "lavaan is GPL (>= 2)"),
  list(n_rows = nrow(d), n_complete = sum(complete.cases(d)), items = names(d), regressions = regressions(models, d)))
