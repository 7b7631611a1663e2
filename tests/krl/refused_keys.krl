ruleset a { meta { keys x "y" } }
// refused: Error: RulesetMetaProperty not supported: keys [at line 1 col 20]
