ruleset a { meta { nope "y" } }
// refused: ParseError: Unsupported meta key: nope [at line 1 col 20]
