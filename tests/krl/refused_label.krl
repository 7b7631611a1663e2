ruleset a { rule r { select when a b choose 1 { noop() } } }
// refused: Error: all actions inside a `choose` block need a label [at line 1 col 49]
