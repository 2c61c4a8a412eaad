"""The proof against R: every figure of a golden set beside lavaan's, psych's and semTools'."""
