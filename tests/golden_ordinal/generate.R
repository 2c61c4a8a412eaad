# Awkward ordered answers and what lavaan says of them: Rscript generate.R, in this folder.
# Made with R 4.2.2, lavaan 0.6-14 and semTools 0.5-6. The data are simulated here and free to use; those of weak.csv were drawn by numpy.
suppressMessages(library(lavaan))
figures <- NULL
keep <- function(case, kind, name, value) figures <<- rbind(figures, data.frame(case, kind, name, value = signif(value, 13)))

make <- function(case, n, loadings, phi, cuts, seed, syntax, codes = NULL) {
  set.seed(seed); p <- length(unlist(loadings)); k <- length(loadings)
  L <- matrix(0, p, k); row <- 1
  for (f in 1:k) for (l in loadings[[f]]) { L[row, f] <- l; row <- row + 1 }
  P <- matrix(phi, k, k); diag(P) <- 1
  y <- matrix(rnorm(n * k), n) %*% chol(P) %*% t(L) + matrix(rnorm(n * p), n) %*% diag(sqrt(1 - rowSums(L^2)))
  d <- as.data.frame(sapply(1:p, function(i) {
    v <- findInterval(y[, i], cuts[[(i - 1) %% length(cuts) + 1]]) + 1
    if (is.null(codes)) v else codes[[(i - 1) %% length(codes) + 1]][v] }))
  names(d) <- paste0("v", 1:p)
  write.csv(d, paste0(case, ".csv"), row.names = FALSE, quote = FALSE)
  r <- unclass(lavCor(d, ordered = names(d), output = "cor")); th <- lavCor(d, ordered = names(d), output = "th")
  pair <- which(lower.tri(r), arr.ind = TRUE)
  keep(case, "polychoric", paste(rownames(r)[pair[, 2]], rownames(r)[pair[, 1]]), r[pair])
  keep(case, "threshold", names(th), as.numeric(th))
  f <- suppressWarnings(cfa(syntax, d, ordered = names(d), estimator = "WLSMV"))
  g <- lavInspect(f, "gamma"); keep(case, "gamma", rownames(g), diag(g))
  m <- fitMeasures(f); m <- m[!is.na(m)]; keep(case, "fit", names(m), as.numeric(m))
  pe <- parameterEstimates(f); s <- standardizedSolution(f); id <- paste(pe$lhs, pe$op, pe$rhs)
  keep(case, "estimate", id, pe$est); keep(case, "se", id, pe$se)
  id <- paste(s$lhs, s$op, s$rhs); keep(case, "std", id, s$est.std); keep(case, "std_se", id, s$se)
  m <- modificationIndices(f); id <- paste(m$lhs, m$op, m$rhs)
  keep(case, "mi", id, m$mi); keep(case, "epc", id, m$epc)
  if (case %in% c("binary", "skewed")) {  # whole numbers without gaps, which semTools supposes
    o <- suppressMessages(semTools::reliability(f)); for (of in c("omega", "alpha", "avevar")) keep(case, of, colnames(o), o[of, ])
  }
}
two <- "A =~ v1+v2+v3\nB =~ v4+v5+v6"
make("binary", 300, list(c(.8, .7, -.6), c(.7, .75, .8)), .4, list(.3, -.6, 1.1), 1, two, list(c(0, 1)))
make("hole", 60, list(c(.9, .9, -.9), c(.7, .75, .8)), .4, list(.9, -.9, 1.2), 7, two)
make("mixed", 350, list(c(.8, .7, -.6, .6), c(.7, .75, .8)), -.5, list(c(-.5, .5), c(-1, 0, 1), .2, c(-1, -.3, .4, 1.2)), 2,
     "A =~ v1+v2+v3+v4\nB =~ v5+v6+v7", list(c(0, 1, 2), c(-1, 0, 1, 2), c(3, 9), c(1, 2, 4, 5, 8)))
make("skewed", 400, list(c(.85, .8, .8, .7), c(.7, .75, .8, .9), c(.6, .6, .7)), .3,
     list(c(1, 1.6, 2.2), c(.8, 1.4, 1.9, 2.4)), 3, "A =~ v1+v2+v3+v4\nB =~ v5+v6+v7+v8\nC =~ v9+v10+v11")
make("second", 400, list(c(.85, .8, .8), c(.7, .75, .8), c(.6, .6, .7), c(.7, .8, .6)), .5, list(c(-1, 0, 1)), 4,
     "A =~ v1+v2+v3\nB =~ v4+v5+v6\nC =~ v7+v8+v9\nD =~ v10+v11+v12\nG =~ A+B+C+D\nv1 ~~ v4")
make("equal", 200, list(c(.85, .8, .8), c(.99, .99, .8)), .3, list(c(-1, 0, 1)), 6,
     "A =~ NA*v1+a*v1+a*v2+a*v3\nA~~1*A\nB =~ v4+v5+v6")
write.csv(figures, "figures.csv", row.names = FALSE, quote = FALSE)
