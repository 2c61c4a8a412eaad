# lavaan's side of the comparison. One R process: it loads lavaan, reads the data once and then does each job it is told
# on a line of its own, so that neither start-up nor reading is timed.
#   Rscript lavaan.R ORDINAL.csv ORDINAL.lav FIML.csv FIML.lav
suppressWarnings(suppressMessages(library(lavaan)))
given <- commandArgs(trailingOnly = TRUE)
text <- function(path) paste(readLines(path), collapse = "\n")
data <- lapply(given[c(1, 3)], read.csv)
model <- lapply(given[c(2, 4)], text)
ordered <- unique(lavaanify(model[[1]])$rhs[lavaanify(model[[1]])$op == "=~"])

# what a report holds: estimates with errors and intervals, standardized solution, fit measures
report <- function(fit) { parameterEstimates(fit); standardizedSolution(fit); fitMeasures(fit); fit }
jobs <- list(
  ordinal = function() report(cfa(model[[1]], data[[1]], ordered = ordered, estimator = "WLSMV")),
  ordinal_fit = function() cfa(model[[1]], data[[1]], ordered = ordered, estimator = "WLSMV"),
  fiml = function() report(cfa(model[[2]], data[[2]], missing = "fiml")),
  fiml_fit = function() cfa(model[[2]], data[[2]], missing = "fiml"))

cat(R.version.string, "lavaan", as.character(packageVersion("lavaan")), "\n")
flush(stdout())
lines <- file("stdin", open = "r")
while (length(job <- readLines(lines, n = 1)) == 1) {
  fit <- suppressWarnings(jobs[[job]]())
  cat(formatC(fitMeasures(fit, if (grepl("ordinal", job)) "chisq.scaled" else "chisq"), digits = 12), "\n")
  flush(stdout())
}
