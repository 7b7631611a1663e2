ruleset io.test-grammar.a1 {
  version "2.0"
  /* Every form of the grammar that the other programs do not have; no /* in one. */
  meta {
    name "Grammar" description <<all of it>> author "us" logging on
    share first, second, maps, early, dots
    provide first
    configure using limit = 3; word = "w"
  }
  global {
    first = function(a, b = a + 1, c = b * 2,) { d = a + b; return d + c; };
    second = function() { [first(1), first(1, 1), first(1, c = 0), first(a = 2, c = 1), 2.first(), limit, word,] }
    act = defaction(x = 1) { y = x + 1 if y > 1 then every { send_directive("act", {"y": y}); noop() } return y }
    early = function() { late() } late = function() { limit = 9; limit }
    maps = function() { {"a": 1, "b": {"c": [1, 2,],},} }
    dots = function() { .5 + 007 }
  }
  rule plain is active { select when g:plain send_directive("plain") }
  rule none { select when g none notfired { ent:x := 1 } else { log warn "else" } finally { log debug "finally" } }
  rule not_fired { select when g notfired if false then noop() notfired { log error "notfired" } else { log info "no" } }
  rule chosen { select when g chosen choose (event:attrs{"w"}.lc()) { x => act() } fired { log info "fired" } }
  rule labels { select when g labels
    if true then every { one => act(x = 2) setting(r); two => noop() }
    always { log info r if r > 2; log info "no" if r > 9; q = r * 2; log info q } }
  rule list_and { select when and(g a1, g a2) send_directive("list and") }
  rule list_or { select when or(g o1, g o2) send_directive("list or") }
  rule list_then { select when then(g t1, g t2) send_directive("list then") }
  rule list_after { select when after(g f1, g f2) send_directive("list after") }
  rule loose { select when g l1 or g l2 and g l3 before g l4 send_directive("loose") }
  rule early_where { select when g ew x re#(.)# where event:attrs{"x"} > 1 setting(v) send_directive("where", {"v": v}) }
  rule two { select when g two x re#^(a)# y re#(b)$#i setting(p, q) send_directive("two", {"p": p, "q": q}) }
  rule third { select when g third foreach [7] setting(v, i, z) send_directive("third", {"v": v, "i": i, "z": z.isnull()}) }
  rule raised { select when g raise always { raise g event "heard" for "io.test-grammar.a1" attributes {"a": 1};
    raise event "g:" + "heard" for "another.ruleset" } }
  rule heard { select when g heard send_directive("heard", event:attrs) }
  rule errors { select when g errors always { error info "i"; error debug "d" } }
  rule seen { select when system error send_directive("seen", {"level": event:attrs{"level"}}) }
  rule last { select when g last pre { x = 1 } always { last if x == 1; log info "never" } }
  rule behind { select when g last send_directive("never") }
}
// query: first {"a": 1}
// expect: 7
// query: second
// expect: [7,4,3,6,11,3,"w"]
// query: maps
// expect: {"a":1,"b":{"c":[1,2]}}
// query: early
// expect: 9
// query: dots
// expect: 7.5
// event: g:plain
// expect: directive plain {}
// event: g:none
// expect: log warn "else"
// expect: log debug "finally"
// event: g:notfired
// expect: log error "notfired"
// event: g:chosen {"w": "X"}
// expect: directive act {"y":2}
// expect: log info "fired"
// event: g:chosen {"w": "Y"}
// expect: log info "fired"
// event: g:labels
// expect: directive act {"y":3}
// expect: log info 3
// expect: log info 6
// event: g:a2
// event: g:a1
// expect: directive list and {}
// event: g:o2
// expect: directive list or {}
// event: g:t1
// event: g:t2
// expect: directive list then {}
// event: g:f2
// event: g:f1
// expect: directive list after {}
// event: g:l1
// expect: directive loose {}
// event: g:l3
// event: g:l4
// event: g:l2
// expect: directive loose {}
// event: g:ew {"x": 1}
// event: g:ew {"x": 2}
// expect: directive where {"v":"2"}
// event: g:two {"x": "ab", "y": "aB"}
// expect: directive two {"p":"a","q":"B"}
// event: g:two {"x": "ba", "y": "aB"}
// event: g:third
// expect: directive third {"v":7,"i":0,"z":true}
// event: g:raise
// expect: raise g:heard {"a":1}
// expect: raise g:heard {}
// expect: directive heard {"a":1}
// expect: directive heard {}
// event: g:errors
// expect: raise system:error {"level":"info","data":"i","rid":"io.test-grammar.a1","rule_name":"errors","genus":"user"}
// expect: raise system:error {"level":"debug","data":"d","rid":"io.test-grammar.a1","rule_name":"errors","genus":"user"}
// expect: directive seen {"level":"info"}
// expect: directive seen {"level":"debug"}
// event: g:last
