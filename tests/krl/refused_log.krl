ruleset a { rule r { select when a b always { log "x" } } }
// refused: ParseError: Expected error or warn or info or debug [at line 1 col 51]
