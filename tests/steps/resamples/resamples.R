# Figures of R for resamples that any program can draw alike: lavaan's refits, semTools' HTMT.
#   cd tests/resamples && Rscript resamples.R      writes hs1939.csv and likert7_sim.csv, a row a resample
suppressWarnings(suppressMessages({library(lavaan); library(semTools)}))

# Park and Miller's generator, exact in double precision: x <- 16807·x mod 2^31 − 1
drawn <- function(n, draws, x = 42) {
  rows <- matrix(0, draws, n)
  for (k in seq_len(draws)) for (j in seq_len(n)) { x <- (16807 * x) %% 2147483647; rows[k, j] <- floor(x / 2147483647 * n) + 1 }
  rows
}
root <- function(m, power) { e <- eigen(m, symmetric = TRUE); e$vectors %*% diag(e$values^power) %*% t(e$vectors) }
lower <- function(m) { m <- matrix(as.numeric(m), nrow(m)); t(m)[upper.tri(m)] }  # row by row, as numpy has it

for (name in c("hs1939", "likert7_sim")) {
  folder <- file.path("..", "golden", name)
  model <- paste(readLines(file.path(folder, "model.lav")), collapse = "\n")
  table <- lavaanify(model); table <- table[table$op == "=~", ]
  x <- na.omit(read.csv(file.path(folder, "data.csv"))[, table$rhs])
  whole <- cfa(model, x)
  n <- nrow(x); away <- scale(as.matrix(x), scale = FALSE)
  turned <- as.data.frame(away %*% root(crossprod(away) / n, -0.5) %*% root(unclass(fitted(whole)$cov)[table$rhs, table$rhs], 0.5))
  names(turned) <- table$rhs
  rows <- drawn(n, 10)
  one <- function(k) {
    f <- cfa(model, x[rows[k, ], ]); g <- cfa(model, turned[rows[k, ], ])
    stopifnot(lavInspect(f, "converged"), lavInspect(g, "converged"))
    s <- standardizedSolution(f); phi <- unclass(lavInspect(f, "cor.lv"))
    h <- lapply(c(FALSE, TRUE), function(second) unclass(htmt(model, data = x[rows[k, ], ], htmt2 = second)))
    c(chisq = fitMeasures(f)[["chisq"]], chisq_model = fitMeasures(g)[["chisq"]], loading = s$est.std[s$op == "=~"],
      phi = lower(phi), htmt = lower(h[[1]]), htmt2 = lower(h[[2]]))
  }
  found <- t(sapply(seq_len(nrow(rows)), one))
  write.csv(signif(found, 12), paste0(name, ".csv"), row.names = FALSE, quote = FALSE)
}
