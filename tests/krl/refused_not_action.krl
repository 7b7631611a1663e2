ruleset a { global { f = function() { 1 } } rule r { select when a b f() } }
// refused: Error: Not an action: Function [at line 1 col 70]
