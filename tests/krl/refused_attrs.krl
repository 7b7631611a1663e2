ruleset a { global { f = function() { event:attrs("x") } } }
// refused: Error: `event:attrs` is a Map, not a Function. Use `event:attrs{key}` instead [at line 1 col 39]
