ruleset a { global { x = return } }
// refused: ParseError: Reserved word [at line 1 col 26]
