ruleset test.wrangler {
  // The wrangler: children, rulesets and channels by events, as rulesets for the official engine use it.
  meta {
    use module io.picolabs.wrangler alias wrangler
    shares kids, heard, channels, mine, kid, asked, parent
  }
  global {
    kids = function() { wrangler:children().map(function(c) { [c{"name"}, ctx:children >< c{"eci"}, c{"parent_eci"}.typeof()] }) }
    heard = function() { ent:heard.defaultsTo([]) }
    channels = function(tags) { wrangler:channels(tags).map(function(c) { c{"tags"} }) }
    mine = function() { me = wrangler:myself(); [me.keys(), me{"id"} == wrangler:id(), me{"name"}, wrangler:name(), wrangler:parent_eci()] }
    first = function() { wrangler:children().head(){"eci"} }
    kid = function(name) { wrangler:picoQuery(first(), "io.picolabs.wrangler", name, {}) }
    asked = function() {
      [wrangler:skyQuery(first(), "io.picolabs.wrangler", "name", {}),
        wrangler:picoQuery("eci", "rid", "name", {"a": 1}, _host="https://example.com"),
        wrangler:picoQuery("eci", "rid", "missing", {}, "https://example.com")]
    }
    parent = function() { kid("parent_eci").typeof() }
  }
  rule hear {
    select when wrangler new_child_created or wrangler child_deleted or wrangler ruleset_installed
      or wrangler ruleset_uninstalled or wrangler rulesets_flushed or wrangler channel_created
      or wrangler channel_deleted
    fired { ent:heard := heard().append([[event:name, event:attrs{"name"} || event:attrs{"rids"} || event:attrs{"rid"} || event:attrs{["channel", "tags"]}]]) }
  }
  rule name_kid { select when t name event:send({"eci": first(), "domain": "wrangler", "name": "name_changed", "attrs": {"name": event:attrs{"name"}}}) }
  rule act {
    select when t act
    every {
      wrangler:createChannel(["made"]) setting(channel)
      wrangler:deleteChannel(channel{"id"})
      send_directive("made", {"tags": channel{"tags"}})
    }
  }
  rule new { select when t new always { raise wrangler event "new_channel_request" attributes {"tags": ["asked"]} } }
  rule drop {
    select when t drop
    always { raise wrangler event "channel_deletion_request" attributes {"eci": wrangler:channels("asked").head(){"id"}} }
  }
  rule kid_goes { select when t leave always { raise wrangler event "child_deletion_request" attributes {"eci": first()} } }
}
ruleset test.extra {
  meta {
    name "Extra"
    shares one
  }
  global {
    one = function() { 1 }
  }
}
// query: io.picolabs.wrangler/children
// expect: []
// event: wrangler:new_child_request {"name": "Ann"}
// query: test.wrangler/kids
// expect: [["Ann",true,"String"]]
// query: test.wrangler/kid {"name": "name"}
// expect: "Ann"
// query: test.wrangler/kid {"name": "installedRIDs"}
// expect: ["io.picolabs.wrangler","io.picolabs.pico-engine-ui","io.picolabs.pds","io.picolabs.subscription"]
// query: test.wrangler/parent
// expect: "String"
// query: test.wrangler/asked
// expect: asked GET https://example.com/sky/cloud/eci/rid/name?a=1
// expect: asked GET https://example.com/sky/cloud/eci/rid/missing
// expect: ["Ann",{"method":"GET","body":"","follow":true,"User-Agent":"pico-engine-core-http"},{"error":"the other engine answered 404","httpStatus":404}]
// event: t:name {"name": "Anna"}
// query: test.wrangler/kids
// expect: [["Anna",true,"String"]]
// event: wrangler:child_name_changed {"name": "Mallory"}
// event: wrangler:child_initialized {"eci": "x", "name": "Mallory"}
// event: wrangler:ready_for_deletion
// event: wrangler:ready_for_deletion_reported
// event: wrangler:child_deletion_due {"eci": "x"}
// event: wrangler:intent_to_delete
// query: test.wrangler/kids
// expect: [["Anna",true,"String"]]
// event: t:leave
// query: test.wrangler/kids
// expect: []
// event: wrangler:new_child_request {"name": "Bob"}
// event: wrangler:child_deletion_request {"name": "Bob"}
// query: io.picolabs.wrangler/children
// expect: []
// event: wrangler:child_deletion_request {"name": "nobody"}
// event: wrangler:name_changed {"name": "Root"}
// query: io.picolabs.wrangler/name
// expect: "Root"
// query: test.wrangler/mine
// expect: [["name","id","eci"],true,"Root","Root",null]
// query: io.picolabs.wrangler/parent_eci
// expect: null
// event: wrangler:uninstall_ruleset_request {"rid": "test.extra"}
// query: io.picolabs.wrangler/rulesetMeta {"rid": "test.extra"}
// expect: null
// event: wrangler:install_ruleset_request {"url": "hanse:///files/test.extra.krl", "config": {"a": 1}}
// query: io.picolabs.wrangler/rulesetConfig {"rid": "test.extra"}
// expect: {"a":1}
// query: io.picolabs.wrangler/rulesetMeta {"rid": "test.extra"}
// expect: {"name":"Extra","shares":["one"],"provides":[]}
// event: wrangler:install_ruleset_request {"absoluteURL": "hanse:///files", "rid": "test.extra"}
// event: wrangler:install_ruleset_request {"absoluteURL": "hanse:///files", "rid": "nowhere"}
// expect: error Error: there is no ruleset hanse:///files/nowhere.krl
// event: wrangler:install_ruleset_request
// event: wrangler:rulesets_need_flushing
// query: io.picolabs.wrangler/installedRIDs
// expect: ["io.picolabs.wrangler","io.picolabs.pds","io.picolabs.subscription","io.picolabs.pico-engine-ui","io.picolabs.did-o","test.wrangler","test.extra"]
// event: t:new
// query: test.wrangler/channels {"tags": "asked"}
// expect: [["asked"]]
// query: test.wrangler/channels
// expect: [["wellknown_rx"],["engine","ui"],["asked"]]
// event: t:drop
// query: test.wrangler/channels {"tags": ["asked"]}
// expect: []
// event: wrangler:new_channel_request {"tags": "asked"}
// expect: error TypeError: Channel `tags` must be an array of non-empty strings.
// event: wrangler:channel_deletion_request {"eci": "nobody"}
// expect: error Error: ECI not found nobody
// event: t:act
// expect: directive made {"tags":["made"]}
// query: test.wrangler/heard
// expect: [["new_child_created","Ann"],["child_deleted","Anna"],["new_child_created","Bob"],["child_deleted","Bob"],["ruleset_uninstalled","test.extra"],["ruleset_installed",["test.extra"]],["ruleset_installed",["test.extra"]],["rulesets_flushed",null],["channel_created",["asked"]],["channel_deleted",null]]
// query: io.picolabs.wrangler/picoQuery {"eci": "nobody", "mod": "a", "func": "b"}
// expect: Error: ECI not found nobody
// query: io.picolabs.wrangler/skyQuery {"eci": "nobody", "mod": "a", "func": "b"}
// expect: Error: ECI not found nobody
// query: io.picolabs.wrangler/channels {"tags": "nothing"}
// expect: []
// query: io.picolabs.wrangler/myself
// expect: {"name":"Root","id":"*","eci":"*"}
// query: io.picolabs.wrangler/id
// expect: "*"
// event: wrangler:pico_created {"name": "Root"}
// event: wrangler:pico_initialized
