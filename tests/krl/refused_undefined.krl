ruleset a { global { x = bar } }
// refused: Error: Undefined id: bar [at line 1 col 26]
