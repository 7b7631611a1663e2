ruleset test.user {
  // Rulesets that use others: aliases, settings of each, functions, actions, and variables of their own.
  meta {
    name <<User>> version "3"
    configure using bang = "!"
    use module test.lib
    use module test.lib alias polite with greeting = "Good day" and mark = "."
    use module test.lib alias loud with
      mark = "!" + bang
      greeting = "HEY"
    shares all, kept, wrong, none, seen, names
  }
  global {
    all = function() {
      lib = 5;
      [polite:greet("Ann"), loud:greet(name = "Bob"), "Eve".polite:greet(), ["x", "y"].map(loud:greet), lib]
    }
    kept = function() { [polite:kept(), ent:kept] }
    wrong = function() { polite:secret() }
    none = function() { nobody:greet("x") }
    seen = function() { [polite:seen(), meta:rid, polite:rid(), polite:answer] }
    names = function() { polite:typed() }
  }
  rule act {
    select when m act
    every {
      polite:say("one") setting(said)
      loud:say(text = "two")
      send_directive("three", {"said": said{"options"}})
    }
    fired { ent:kept := "mine"; log info said{"name"} }
  }
  rule keeps { select when m keep always { ent:kept := 2 } }
  rule no_action { select when m wrong polite:greet("x") }
}
ruleset test.lib {
  meta {
    provides greet, say, kept, seen, rid, answer, typed
    configure using greeting = "Hello"
      mark = ""
  }
  global {
    greet = function(name) { greeting + " " + name + mark }
    say = defaction(text) {
      words = greet(text)
      send_directive("said", {"words": words}) setting(d)
      return d
    }
    kept = function() { ent:kept }
    seen = function() { event:attrs }
    rid = function() { meta:rid }
    typed = function() { [typeof(greet), typeof(say), typeof(secret)] }
    secret = function() { "secret" }
    answer = 42
  }
  rule keep { select when m keep always { ent:kept := 1 } }
}
// query: all
// expect: ["Good day Ann.","HEY Bob!!","Good day Eve.",["HEY x!!","HEY y!!"],5]
// query: test.lib/greet
// expect: error Error: Ruleset test.lib does not have query function "greet"
// query: wrong
// expect: error TypeError: polite:secret is not a function
// query: none
// expect: error TypeError: nobody:greet is not a function
// query: names
// expect: ["Function","Action","Function"]
// query: seen
// expect: [null,"test.user","test.lib",42]
// event: m:keep
// query: kept
// expect: [1,2]
// event: m:act {"x": 1}
// expect: directive said {"words":"Good day one."}
// expect: directive said {"words":"HEY two!!"}
// expect: directive three {"said":{"words":"Good day one."}}
// expect: log info "said"
// query: kept
// expect: [1,"mine"]
// event: m:wrong
// expect: error TypeError: [Function] is not an action
