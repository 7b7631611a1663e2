ruleset test.didcomm {
  // The root and a child that come to know one another by an invitation, and send and ask by DIDs.
  meta {
    use module io.picolabs.wrangler alias wrangler
    use module io.picolabs.did-o alias didx
    shares met, rotations, asked, prepared, told, channels, away, ask_away
  }
  global {
    RID = "io.picolabs.did-o"
    kid = function() { wrangler:children().head(){"eci"} }
    of = function(list) { ctx:query(kid(), RID, list) }
    theirs = function() { didx:didMap().keys().head() }
    // What each has for the other is what the other has for itself.
    met = function() {
      mine = didx:didMap();
      other = of("didMap");
      [mine.keys().length(), other.keys().length(), mine.keys() == other.values(), mine.values() == other.keys()]
    }
    rotations = function() { [didx:pendingRotations().length(), of("pendingRotations").length(), didx:didDocs().length(), of("didDocs").length()] }
    channels = function() { [ctx:channels.filter(function(c) { c{"tags"} >< "did_invite" }).length(), didx:routes().keys() == of("routes").keys()] }
    asked = function(rid, name, args) { didx:sendQuery(theirs(), {"rid": rid, "name": name, "args": args}) }
    prepared = function() { dido:prepareQuery(theirs(), {"rid": "io.picolabs.wrangler", "name": "name"}) }
    told = function() { ctx:query(kid(), "io.picolabs.wrangler", "name") }
    away = function() { ent:own{["service", 0, "type"]} }
    // By a key that is in the document of a channel of another engine, or of another agent.
    elsewhere = function(uri) {
      own = ent:own;
      own.put("service", [{"id": "s", "type": "DIDCommMessaging", "serviceEndpoint": {"uri": uri}}])
    }
    note = function() { {"id": "1", "type": "t://note", "body": {}} }
    ask_away = function() { [dido:sendQuery(ent:own{"id"}, note()), dido:sendQuery("did:none", note())] }
  }
  rule kid_event {
    select when t kid
    event:send({"eci": kid(), "domain": event:attrs{"of"}, "name": event:attrs{"what"}, "attrs": event:attrs})
  }
  rule meet {
    select when t meet
    pre { invite = didx:generate_invitation() }
    event:send({"eci": kid(), "domain": "dido", "name": "receive_invite", "attrs": {"invite": invite}})
  }
  rule tell {
    select when t tell
    pre { sent = didx:sendEvent(theirs(), {"domain": "wrangler", "name": "name_changed", "attrs": {"name": "told"}}) }
  }
  rule ping_back {
    select when t ping_back
    event:send({"eci": kid(), "domain": "dido", "name": "send_trust_ping", "attrs": {"did": didx:didMap().values().head()}})
  }
  // --- a DID of this ruleset ---
  rule own {
    select when t own
    pre { did = dido:generateDID() }
    fired { ent:own := did }
  }
  rule self {
    select when t self
    pre {
      own = ent:own{"id"}
      m = dido:generateMessage({"type": "https://picolabs.io/" + event:attrs{"kind"} + "/1.0/" + event:attrs{"kind"}, "from": own, "to": [own], "body": event:attrs{"body"}})
      answer = dido:route(event:attrs{"plain"} => m | dido:pack(m, own, own))
    }
    send_directive("routed", {"answer": answer})
  }
  rule heard { select when t heard send_directive("heard", event:attrs) }
  rule known { select when t known pre { nothing = dido:mapDid(ent:own{"id"}, ent:own{"id"}) } }
  rule at {
    select when t at
    pre {
      doc = dido:updateDID(ent:own{"id"}, elsewhere(event:attrs{"uri"}))
      sent = dido:send(ent:own{"id"}, note())
    }
  }
  rule nowhere { select when t nowhere pre { sent = [dido:send("did:none", note()), dido:send(ent:own{"id"}, {})] } send_directive("sent", {"nothing": sent}) }
}
// event: wrangler:new_child_request {"name": "Kid"}
// event: t:kid {"of": "wrangler", "what": "install_ruleset_request", "url": "hanse:///io.picolabs.did-o.krl"}
// event: t:meet
// query: test.didcomm/met
// expect: [1,1,true,true]
// query: test.didcomm/rotations
// expect: [1,0,3,2]
// query: test.didcomm/channels
// expect: [1,true]
// restart
// event: t:tell
// query: test.didcomm/told
// expect: "told"
// query: test.didcomm/asked {"rid": "io.picolabs.wrangler", "name": "name"}
// expect: "told"
// query: test.didcomm/asked {"rid": "io.picolabs.wrangler", "name": "channels", "args": {"tags": ["none"]}}
// expect: []
// query: test.didcomm/asked {"rid": "io.picolabs.wrangler", "name": "nothing"}
// expect: "Unable to query: Error: Ruleset io.picolabs.wrangler does not have query function \"nothing\""
// query: test.didcomm/prepared
// expect: "told"
// event: t:ping_back
// query: test.didcomm/met
// expect: [1,1,true,true]
// query: test.didcomm/rotations
// expect: [0,0,2,2]
// query: test.didcomm/channels
// expect: [0,true]
// event: t:tell
// query: io.picolabs.did-o/routes
// expect: {"https://didcomm.org/trust_ping/2.0/ping":{"domain":"dido","name":"receive_trust_ping"},"https://didcomm.org/trust_ping/2.0/ping_response":{"domain":"dido","name":"receive_trust_ping_response"},"https://didcomm.org/trust_ping/2.0/ping-response":{"domain":"dido","name":"receive_trust_ping_response"}}
// query: io.picolabs.did-o/pendingRotations
// expect: {}
// query: io.picolabs.did-o/didMap
// expect: {"did:peer:2.Ez6LS...
// query: io.picolabs.did-o/didDocs
// expect: {"did:peer:2.Ez6LS...
// event: dido:new_invitation
// expect: directive invitation {"invite":"http://example.com/invite?_oob=...
// event: dido:receive_invite {"invite": "http://example.com/invite?_oob=e30="}
// event: dido:send_trust_ping {"did": "did:none"}
// event: dido:receive_trust_ping {"message": {"from": "did:none", "to": ["did:none"], "id": "1"}}
// event: dido:didcommv2_message {"nonsense": 1}
// event: t:own
// event: t:self {"kind": "event", "body": {"domain": "t", "name": "heard", "attrs": {"a": 1}}}
// expect: directive routed {"answer":null}
// event: t:self {"kind": "query", "body": {"rid": "test.didcomm", "name": "away"}}
// expect: directive routed {"answer":null}
// event: t:known
// event: t:self {"kind": "event", "body": {"domain": "t", "name": "heard", "attrs": {"a": 1}}}
// expect: directive routed {}
// expect: directive heard {"a":1}
// event: t:self {"kind": "event", "plain": true, "body": {"domain": "t", "name": "heard", "attrs": {"a": 1}}}
// expect: directive routed {"answer":null}
// event: t:self {"kind": "query", "body": {"rid": "test.didcomm", "name": "away"}}
// expect: directive routed {"answer":"DIDCommMessaging"}
// event: t:self {"kind": "query", "body": {"rid": "test.didcomm", "name": "nothing"}}
// expect: directive routed {"answer":"Unable to query: Error: Ruleset test.didcomm does not have query function \"nothing\""}
// event: t:self {"kind": "query", "body": {"rid": "test.nobody", "name": "x"}}
// expect: directive routed {"answer":"Unable to query: Error: Pico doesn't have test.nobody installed."}
// event: t:at {"uri": "http://there.test/sky/event/abc/none/dido/didcommv2_message"}
// expect: asked POST http://there.test/c/abc/event/dido/didcommv2_message {"protected":...
// query: test.didcomm/ask_away
// expect: asked POST http://there.test/sky/event/abc/none/dido/didcommv2_message {"protected":...
// expect: [null,null]
// event: t:at {"uri": "https://agent.test/in"}
// expect: asked POST https://agent.test/in {"protected":...
// event: t:nowhere
// expect: directive sent {"nothing":[null,null]}
// event: t:at {"uri": "https://nobody.test/in"}
// expect: asked POST https://nobody.test/in {"protected":...
// query: test.didcomm/ask_away
// expect: asked POST https://nobody.test/in {"protected":...
// expect: ["Query timed out",null]
