ruleset a { rule r { select when a b noop() noop() } }
// refused: ParseError: Expected `}` [at line 1 col 45]
