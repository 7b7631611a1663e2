ruleset test.rulesets {
  // Rulesets of the pico: what is there, and what is installed, flushed and uninstalled by KRL.
  meta {
    name "Rulesets"
    shares rids, of, logged
  }
  global {
    rids = function() { ctx:rulesets.map(function(r) { r{"rid"} }).filter(function(r) { not r.match(re#^io\.#) }) }
    of = function(rid) {
      r = ctx:rulesets.filter(function(r) { r{"rid"} == rid }).head();
      meta = r{"meta"};
      [r.keys(), meta.keys(), meta{"krlMeta"}, meta{["compiler", "warnings"]}, meta{"hash"}.match(re#^[0-9a-f]{64}$#), r{"config"}]
    }
    logged = function() { ctx:logs().filter(function(l) { l{"msg"} == "here" || l{"val"} == "here" }).length() > 0 }
  }
  rule add {
    select when r add
    ctx:install("hanse:///files/test.other.krl", {"a": 1}) setting(rid)
    fired { ent:rid := rid }
  }
  rule anew {
    select when r anew
    ctx:flush(event:attrs{"url"}) setting(flushed)
    fired { log info flushed{"rid"} }
  }
  rule remove {
    select when r remove
    ctx:uninstall(rid="test.other") setting(gone)
    fired { log info gone }
  }
  rule wrong { select when r wrong ctx:install(event:attrs{"url"}) }
  rule logs { select when r log always { log info "here" } }
}
ruleset test.other {
  meta {
    name "Other"
    provides one
    shares one
  }
  global {
    one = function() { 1 }
  }
}
// query: test.rulesets/rids
// expect: ["test.rulesets","test.other"]
// query: test.rulesets/of {"rid": "test.other"}
// expect: [["rid","url","config","meta"],["krl","krlMeta","hash","flushed","compiler"],{"name":"Other","shares":["one"],"provides":["one"]},[],true,{}]
// event: r:remove
// query: test.rulesets/rids
// expect: ["test.rulesets"]
// event: r:add
// query: test.rulesets/of {"rid": "test.other"}
// expect: [["rid","url","config","meta"],["krl","krlMeta","hash","flushed","compiler"],{"name":"Other","shares":["one"],"provides":["one"]},[],true,{"a":1}]
// event: r:anew {"url": "hanse:///files/test.other.krl"}
// event: r:anew {"url": "hanse:///files/nowhere.krl"}
// expect: error Error: there is no ruleset hanse:///files/nowhere.krl
// event: r:anew {"url": "file:///test.other.krl"}
// expect: error Error: this engine reads no files
// event: r:anew
// expect: error TypeError: Expected string for url but got Null
// event: r:remove
// event: r:remove
// event: r:wrong {"url": "https://example.com/x.krl"}
// expect: asked GET https://example.com/x.krl
// expect: error Error: this is no ruleset
// event: r:wrong {"url": 5}
// expect: error TypeError: Expected string for url but got Number
// event: r:wrong {"url": "https://example.com/missing.krl"}
// expect: asked GET https://example.com/missing.krl
// expect: error Error: Got a statusCode=404 for: https://example.com/missing.krl
// event: r:log
// query: test.rulesets/logged
// expect: true
