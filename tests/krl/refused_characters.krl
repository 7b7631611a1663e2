ruleset a { global { x = 1 ~ 2 } }
// refused: ParseError: Unsupported characters [at line 1 col 28]
