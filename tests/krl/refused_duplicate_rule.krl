ruleset a { rule r { select when a b } rule r { select when a b } }
// refused: Error: Duplicate rule name: r [at line 1 col 40]
