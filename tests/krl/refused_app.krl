ruleset a { rule r { select when a b always { app:x := 1 } } }
// refused: Error: PersistentVariableAssignment - only works on ent:* variables [at line 1 col 53]
