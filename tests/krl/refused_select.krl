ruleset a { rule r { } }
// refused: Error: rule r is missing a `select` [at line 1 col 13]
