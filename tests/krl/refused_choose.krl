ruleset a { rule r { select when a b choose event:attrs{"a"} { } } }
// refused: ParseError: Expected Identifier [at line 1 col 57]
