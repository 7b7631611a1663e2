ruleset a { global { x = re#(# } }
// refused: SyntaxError: Invalid regular expression: /(/: Unterminated group [at line 1 col 26]
