ruleset a { meta { shares x } }
// refused: Error: Trying to share: x but it's not defined in global [at line 1 col 27]
