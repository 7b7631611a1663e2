ruleset a { global { x = 1 x = 2 } }
// refused: Error: Duplicate declaration: x [at line 1 col 28]
