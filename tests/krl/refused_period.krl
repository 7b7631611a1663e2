ruleset a { rule r { select when a b within 5 eons } }
// refused: ParseError: Expected time period: [day,days,hour,hours,minute,minutes,month,months,second,seconds,week,weeks,year,years] [at line 1 col 47]
