ruleset com.example.hello {
  meta {
    name "Hello"
    shares greeted
  }
  global {
    greeted = function() { ent:greeted.defaultsTo(0) }
  }
  rule greet {
    select when say hello
    pre {
      name = event:attrs{"name"}.defaultsTo("world")
    }
    send_directive("say", {"something": "Hello " + name})
    fired {
      ent:greeted := ent:greeted.defaultsTo(0) + 1
    }
  }
}
