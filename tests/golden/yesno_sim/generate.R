source("../golden_lib.R")
# 2 negatively correlated factors x 4, 3 items of yes and no, n = 600, one item keyed the other way, some answers missing, three groups: CC0
RNGversion("4.2.0"); set.seed(1226); n <- 600; l <- c(.80, .70, -.65, .75, .85, .60, .70)
L <- matrix(0, 7, 2); L[1:4, 1] <- l[1:4]; L[5:7, 2] <- l[5:7]; S <- L %*% matrix(c(1, -.4, -.4, 1), 2) %*% t(L); diag(S) <- 1
Z <- matrix(rnorm(n * 7), n) %*% chol(S); d <- as.data.frame(1 * sweep(Z, 2, c(-.8, -.3, 0, .4, -.5, .2, .9), ">")); names(d) <- paste0("yes", 1:7)
for (v in c("yes2", "yes5", "yes7")) d[sample(n, 25), v] <- NA
d$region <- sample(1:3, n, TRUE)
write.csv(d, "data.csv", row.names = FALSE); d <- read.csv("data.csv")
m <- "Uses =~ yes1 + yes2 + yes3 + yes4\nDoubts =~ yes5 + yes6 + yes7"; writeLines(m, "model.lav")
write_golden(".", meta("yesno_sim", "simulated in generate.R", "CC0 (made for this project)"), standard(d, m, 2, group = "region", ordinal = TRUE, fiml = TRUE, boot = 200))
