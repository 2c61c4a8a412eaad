# Invariance in lavaan beyond the golden sets: missing answers, robust tests, partial invariance, three groups,
# score tests, labels, a second-order model. Rscript invariance.R writes invariance.json beside it.
suppressWarnings(suppressMessages(library(lavaan)))
num <- function(x) ifelse(is.finite(x), formatC(x, digits = 15, format = "g", width = 1), "null")
json <- function(x) {
  if (is.character(x) && length(x) == 1) return(paste0('"', x, '"'))
  if (is.character(x)) return(paste0("[", paste0('"', x, '"', collapse = ","), "]"))
  if (is.list(x) || !is.null(names(x))) return(paste0("{", paste(mapply(function(k, v) paste0('"', k, '":', json(v)), names(x), as.list(x)), collapse = ",\n"), "}"))
  paste0("[", paste(num(as.numeric(x)), collapse = ","), "]")
}
ladder <- list(configural = "", metric = "loadings", scalar = c("loadings", "intercepts"), strict = c("loadings", "intercepts", "residuals"))
climb <- function(model, data, group, ..., partial = "", levels = names(ladder)) {
  fits <- lapply(ladder[levels], function(equal) suppressWarnings(cfa(model, data, group = group, group.equal = equal, group.partial = partial, ...)))
  difference <- lapply(seq_along(fits)[-1], function(i) { d <- lavTestLRT(fits[[i - 1]], fits[[i]]); c(d[2, "Chisq diff"], d[2, "Df diff"], d[2, ncol(d)]) })
  names(difference) <- levels[-1]
  last <- fits[[length(fits)]]
  score <- suppressWarnings(lavTestScore(last)$uni)
  pe <- parameterEstimates(last, remove.nonfree = FALSE); std <- standardizedSolution(last)
  keep <- c("chisq", "df", "cfi", "tli", "rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "srmr", "aic", "bic", "gfi", "chisq.scaled", "pvalue.scaled",
    "chisq.scaling.factor", "cfi.scaled", "rmsea.scaled", "rmsea.ci.lower.scaled", "rmsea.ci.upper.scaled", "cfi.robust", "tli.robust", "rmsea.robust", "rmsea.ci.lower.robust", "rmsea.ci.upper.robust")
  list(groups = lavInspect(last, "group.label"), fit = lapply(fits, function(f) { m <- fitMeasures(f); as.list(m[intersect(keep, names(m))]) }), difference = difference,
    score = score$X2, last = list(term = paste(pe$lhs, pe$op, pe$rhs), group = pe$group, label = pe$label, est = pe$est, se = pe$se, std = std$est.std[seq_len(nrow(pe))], std_se = std$se[seq_len(nrow(pe))]))
}
read <- function(name) list(data = read.csv(file.path(name, "data.csv")), model = paste(readLines(file.path(name, "model.lav")), collapse = "\n"))
hs <- read("hs1939"); bfi <- read("bfi_nec_missing"); sim <- read("likert7_sim")
sim$data$third <- c("north", "south", "west")[(seq_len(nrow(sim$data)) - 1) %% 3 + 1]
some <- c("configural", "metric", "scalar")
found <- list(
  fiml = climb(bfi$model, bfi$data, "gender", missing = "fiml"),
  fiml_mlr = climb(bfi$model, bfi$data, "gender", missing = "fiml", estimator = "MLR"),
  mlr = climb(bfi$model, bfi$data, "gender", estimator = "MLR"),
  mlm = climb(bfi$model, bfi$data, "gender", estimator = "MLM"),
  partial = climb(hs$model, hs$data, "school", partial = c("x3~1", "x7~1", "textual=~x5", "x1~~x1")),
  three = climb(sim$model, sim$data, "third"),
  scalar = climb(hs$model, hs$data, "school", levels = some),
  labelled = climb("visual =~ x1 + a*x2 + a*x3\ntextual =~ x4 + x5 + x6\nx2 ~~ x5", hs$data, "school", levels = some),
  second_order = climb(paste0(hs$model, "\nG =~ visual + textual + speed"), hs$data, "school", levels = c("configural", "metric"))
)
writeLines(json(found), "invariance.json")
