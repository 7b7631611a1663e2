ruleset test.rules {
  meta {
    name "Rules"
    shares hello, number
    provides hello
    configure using greeting = "Hi"
  }
  global {
    hello = function(name = "you") { greeting + " " + name }
    number = function() { ent:count.defaultsTo(0) }
    say = defaction(what) {
      every { send_directive("say", {"text": what}) }
      return what + "!"
    }
  }
  rule hello {
    select when echo hello name re#(.+)# setting(who)
    pre { text = hello(who) }
    say(text) setting(said)
    fired { ent:count := number() + 1; log info said }
  }
  rule guarded {
    select when echo guarded
    if event:attrs{"n"} > 5 then
      send_directive("big")
    fired { raise echo event "more" attributes {"n": event:attrs{"n"}} }
    else { raise event "echo:less" }
    finally { ent:last{["n", "value"]} := event:attrs{"n"} }
  }
  rule more { select when echo more or echo less
    send_directive(event:name, event:attrs) }
  rule chosen { select when echo choose
    choose event:attr("what") { a => send_directive("A") b => say("B") } }
  rule loops { select when echo loop
    foreach [1,2] setting(x, i)
      foreach {"p":10,"q":20} setting(y, k)
      pre { z = x + y; f = function() { z } }
      if x > 1 then send_directive("z", {"z": f(), "i": i, "k": k})
      always { ent:sum := ent:sum.defaultsTo(0) + z; log info ent:sum on final; ent:n := x if y == 20 } }
  rule nothing { select when echo loop foreach 5 setting(x) send_directive("never") }
  rule letters { select when echo letters foreach "ab" setting(c) send_directive(c) }
  rule stops { select when echo stop  send_directive("one") fired { last } }
  rule stopped { select when echo stop  send_directive("two") }
  rule clears { select when echo clear
    always { clear ent:last{["n"]}; clear ent:count; log info ent:last; log info ent:count } }
  rule fails { select when echo fail fired { error warn "oops" } }
  rule aborts { select when echo abort fired { error error {"x":1}; log info "unreached" } }
  rule not_reached { select when echo abort send_directive("unreached") }
  rule system { select when system error  send_directive("error", event:attrs) }
  rule plan { select when echo plan
    fired { schedule echo event "later" at "2030-01-01" attributes {"a":1} setting(e); log info e{"type"}
            schedule event "echo:often" repeat "* * * * *" } }
  rule sends { select when echo send
    event:send({"eci":"abc","domain":"d","type":"t","attrs":{"x":1}}) }
  rule throws { select when echo throw pre { x = "a" - 1 } }
  rule all_of_them { select where event:domain == "any"  send_directive("any", {"name": event:name}) }
  rule sampled { select when echo sample sample { send_directive("s") } }
  rule off is inactive { select when echo hello send_directive("off") }
}
// query: hello {"name": "Ada"}
// expect: "Hi Ada"
// query: hello
// expect: "Hi you"
// query: hello {"name": null}
// expect: "Hi null"
// query: nope
// expect: error Error: Ruleset test.rules does not have query function "nope"
// event: echo:hello {"name":"Ada"}
// expect: directive say {"text":"Hi Ada"}
// expect: log info "Hi Ada!"
// event: echo:hello
// query: number
// expect: 1
// event: echo:guarded {"n": 9}
// expect: directive big {}
// expect: raise echo:more {"n":9}
// expect: directive more {"n":9}
// event: echo:guarded {"n": 1}
// expect: raise echo:less {}
// expect: directive less {}
// event: echo:choose {"what": "b"}
// expect: directive say {"text":"B"}
// event: echo:choose {"what": "c"}
// event: echo:loop
// expect: directive z {"z":12,"i":1,"k":"p"}
// expect: directive z {"z":22,"i":1,"k":"q"}
// expect: log info 66
// event: echo:letters
// expect: directive a {}
// expect: directive b {}
// event: echo:stop
// expect: directive one {}
// event: echo:clear
// expect: log info {}
// expect: log info null
// event: echo:fail
// expect: raise system:error {"level":"warn","data":"oops","rid":"test.rules","rule_name":"fails","genus":"user"}
// expect: directive error {"level":"warn","data":"oops","rid":"test.rules","rule_name":"fails","genus":"user"}
// event: echo:abort
// expect: raise system:error {"level":"error","data":{"x":1},"rid":"test.rules","rule_name":"aborts","genus":"user"}
// expect: directive error {"level":"error","data":{"x":1},"rid":"test.rules","rule_name":"aborts","genus":"user"}
// event: echo:plan
// expect: schedule at 2030-01-01 echo:later {"a":1}
// expect: log info "at"
// expect: schedule repeat * * * * * echo:often {}
// event: echo:send
// expect: send abc d:t {"x":1}
// event: echo:throw
// expect: error TypeError: 1 cannot be subtracted from a
// event: any:thing
// expect: directive any {"name":"thing"}
// event: echo:sample
// expect: directive s {}
