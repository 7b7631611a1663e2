ruleset test.family {
  // Children: made with rulesets and their settings, asked, told, and deleted.
  meta {
    shares kids, told, up, config, ask
    configure using word = "none"
  }
  global {
    kids = function() { ctx:children.length() }
    told = function() { ent:told.defaultsTo([]) }
    up = function() { ctx:parent.isnull() }
    config = function() { [word, ctx:rid_config] }
    ask = function(name) { ctx:query(ent:kid, "test.family", name) }
  }
  rule bear {
    select when f bear
    ctx:newPico(rulesets=[{"url": ctx:rid_url, "config": {"word": "given"}}]) setting(eci)
    fired { ent:kid := eci }
  }
  rule call {
    select when f call
    every {
      ctx:event(ent:kid, "f", "tell", {"x": 1}) setting(eid)
      ctx:eventQuery(eci=ent:kid, domain="f", name="tell", attrs={"x": 2}, rid="test.family", queryName="told") setting(said)
      event:send({"eci": ent:kid, "domain": "f", "type": "tell", "attrs": {"x": 3}})
      event:send({"eci": ent:kid, "domain": "f", "name": "tell"})
      event:send({"sub": {"Tx": ent:kid, "Tx_host": null}, "domain": "f", "name": "tell", "attrs": {"x": 4}}) setting(sent)
      send_directive("sent", {"sent": sent.match(re#^c[a-z0-9]{24}$#)})
      send_directive("said", {"said": said, "eid": eid.match(re#^c[a-z0-9]{24}$#)})
    }
  }
  rule tell {
    select when f tell
    fired { ent:told := ent:told.defaultsTo([]).append(event:attrs{"x"}) }
  }
  rule bury {
    select when f bury
    ctx:delPico(event:attrs{"eci"} || ent:kid)
  }
  rule wrong {
    select when f wrong
    ctx:event(event:attrs{"eci"}, "f", "tell")
  }
  rule nobody {
    select when f nobody
    event:send({"eci": "nobody", "domain": "f", "name": "tell"}) setting(sent)
    fired { log info sent }
  }
  rule pair { select when f pair event:send({"eci": ent:kid, "domain": "f", "name": "tell", "attrs": [1]}) }
}
// query: test.family/kids
// expect: 0
// query: test.family/up
// expect: true
// event: f:bear
// query: test.family/kids
// expect: 1
// query: test.family/ask {"name": "config"}
// expect: ["given",{"word":"given"}]
// query: test.family/ask {"name": "up"}
// expect: false
// event: f:call
// expect: directive sent {"sent":true}
// expect: directive said {"said":[2],"eid":true}
// query: test.family/ask {"name": "told"}
// expect: [2,1,3,null,4]
// query: test.family/ask {"name": "none"}
// expect: Error: Ruleset test.family does not have query function "none"
// query: test.family/told
// expect: []
// event: f:wrong {"eci": 5}
// expect: error TypeError: eci was 5 instead of a string
// event: f:nobody
// event: f:pair
// expect: error Error: Expected a JSON map for event.data.attrs
// restart
// query: test.family/ask {"name": "told"}
// expect: [2,1,3,null,4]
// event: f:bury
// query: test.family/kids
// expect: 0
// event: f:bury {"eci": "nobody"}
// expect: error Error: ECI not found nobody
