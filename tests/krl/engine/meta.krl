ruleset test.inner {
  meta {
    provides where
  }
  global {
    where = function() {
      [meta:rid, ctx:rid, meta:ruleName, meta:inEvent, meta:inQuery, meta:eci, meta:txnId, event:attrs, event:name, meta:picoId == ctx:picoId]
    }
  }
}
ruleset test.meta {
  // Where a ruleset runs: meta, event and the plain parts of ctx, in queries, in rules and in modules.
  meta {
    name "Meta" version "1.2" description <<All of it>> author "Us"
    use module test.inner alias inner
    shares asked, about, within
  }
  global {
    asked = function() {
      [meta:rid, meta:ruleName, meta:inEvent, meta:inQuery, meta:host, meta:rid_url, meta:rulesetURI, meta:rulesetConfig]
    }
    about = function() {
      [ctx:rid, ctx:rid_url, ctx:rid_config, ctx:rid_version, ctx:rid_name, ctx:rid_description, ctx:rid_author, ctx:parent]
    }
    within = function() { inner:where() }
    same = function() { [meta:picoId == ctx:picoId, meta:eci == event:eci, meta:txnId.typeof(), event:eid, event:time] }
  }
  rule tell {
    select when t tell
    every {
      send_directive("meta", {"rid": meta:rid, "rule": meta:ruleName, "event": meta:inEvent, "query": meta:inQuery})
      send_directive("event", {"domain": event:domain, "name": event:name, "attrs": event:attrs, "a": event:attr("a")})
      send_directive("same", {"is": same()})
      send_directive("inner", {"is": inner:where()})
    }
  }
}
// query: test.meta/asked
// expect: ["test.meta",null,false,true,"http://localhost:3000","hanse:///files/test.meta.krl","hanse:///files/test.meta.krl",{}]
// query: test.meta/about
// expect: ["test.meta","hanse:///files/test.meta.krl",{},"1.2","Meta","All of it","Us",null]
// query: test.meta/within
// expect: ["test.inner","test.inner",null,false,false,null,null,null,null,true]
// event: t:tell {"a": 1}
// expect: directive meta {"rid":"test.meta","rule":"tell","event":true,"query":false}
// expect: directive event {"domain":"t","name":"tell","attrs":{"a":1},"a":1}
// expect: directive same {"is":[true,true,"String","none",1764000001000]}
// expect: directive inner {"is":["test.inner","test.inner",null,false,false,null,null,null,null,true]}
