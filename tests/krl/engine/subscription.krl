ruleset test.subscription {
  // The root and a child that subscribe to one another in every way, and part in every way.
  meta {
    use module io.picolabs.wrangler alias wrangler
    use module io.picolabs.subscription alias subs
    shares kid, known, id, both, matched, of, told
  }
  global {
    RID = "io.picolabs.subscription"
    kid = function() { wrangler:children().head(){"eci"} }
    of = function(list) { ctx:query(kid(), RID, list) }
    known = function() { of("wellKnown_Rx"){"id"} }
    id = function(list) { of(list).head(){"Id"} }
    both = function() {
      [subs:established().length(), subs:outbound().length(), subs:inbound().length()].append(
        [of("established").length(), of("outbound").length(), of("inbound").length()])
    }
    matched = function() {
      a = subs:established("Tx_role", "seller").head();
      b = of("established").head();
      [a{"Tx"} == b{"Rx"}, a{"Rx"} == b{"Tx"}, a{"Id"} == b{"Id"}, a{"Rx_role"}, b{"Tx_role"}, b{"Rx_role"}, a{"Tx_host"}]
    }
    told = function() { ctx:query(kid(), "io.picolabs.wrangler", "name") }
  }
  rule kid_event {
    select when t kid
    event:send({"eci": kid(), "domain": "wrangler", "name": event:attrs{"what"}, "attrs": event:attrs})
  }
}
// event: wrangler:new_child_request {"name": "Kid"}
// set: known test.subscription/known
// query: io.picolabs.subscription/established
// expect: []
// event: wrangler:subscription {"wellKnown_Tx": $known, "Rx_role": "buyer", "Tx_role": "seller", "name": "trade", "channel_type": "c"}
// query: test.subscription/both
// expect: [0,1,0,0,0,1]
// query: io.picolabs.subscription/outbound
// expect: [{"Id":"*","Rx":"*","wellKnown_Tx":"*","Rx_role":"buyer","Tx_role":"seller","Tx_host":null}]
// set: first test.subscription/id {"list": "inbound"}
// event: t:kid {"what": "pending_subscription_approval", "Id": $first}
// query: test.subscription/both
// expect: [1,0,0,1,0,0]
// query: test.subscription/matched
// expect: [true,true,true,"buyer","buyer","seller",null]
// event: wrangler:send_event_on_subs {"domain": "wrangler", "type": "name_changed", "Tx_role": "seller", "attrs": {"name": "told"}}
// event: wrangler:send_event_on_subs {"domain": "wrangler", "type": "name_changed", "Tx_role": "nobody", "attrs": {"name": "not told"}}
// query: test.subscription/told
// expect: "told"
// restart
// query: test.subscription/both
// expect: [1,0,0,1,0,0]
// event: wrangler:subscription_cancellation {"Id": $first}
// query: test.subscription/both
// expect: [0,0,0,0,0,0]
// event: wrangler:subscription {"wellKnown_Tx": $known, "Rx_role": "a", "Tx_role": "b"}
// set: second test.subscription/id {"list": "inbound"}
// event: t:kid {"what": "inbound_rejection", "Id": $second}
// query: test.subscription/both
// expect: [0,0,0,0,0,0]
// event: wrangler:subscription {"wellKnown_Tx": $known, "Id": "mine"}
// event: wrangler:outbound_cancellation {"Id": "mine"}
// query: test.subscription/both
// expect: [0,0,0,0,0,0]
// event: t:kid {"what": "autoAcceptConfigUpdate", "configName": "door", "password": "sesame", "regexMap": {"name": "^fr"}}
// query: test.subscription/of {"list": "autoAcceptConfig"}
// expect: {"door":{"password":"d0c04f4b1951e4aeaaec8223ed2039e542f3aae805a6fa7f6d794e5afff5d272","regexMap":{"name":"^fr"}}}
// event: wrangler:subscription {"wellKnown_Tx": $known, "name": "friend", "password": "wrong"}
// query: test.subscription/both
// expect: [0,1,0,0,0,1]
// event: wrangler:subscription {"wellKnown_Tx": $known, "name": "friend", "password": "sesame", "Tx_role": "seller"}
// query: test.subscription/both
// expect: [1,1,0,1,0,1]
// event: wrangler:cancel_subscriptions
// query: test.subscription/both
// expect: [0,0,0,0,0,0]
// event: wrangler:autoAcceptConfigUpdate {"configName": "all", "regexMap": {"name": ".*"}}
// query: io.picolabs.subscription/autoAcceptConfig
// expect: {"all":{"regexMap":{"name":".*"}}}
// event: wrangler:autoAcceptConfigUpdate {"configName": "all", "delete": true}
// query: io.picolabs.subscription/autoAcceptConfig
// expect: {}
// event: wrangler:subscription {"Rx_role": "without a channel"}
// event: wrangler:pending_subscription_approval {"Id": "nothing"}
// event: wrangler:pending_subscription_approved {"Id": "nothing", "Tx": "x"}
// event: wrangler:inbound_rejection {"Id": "nothing"}
// event: wrangler:outbound_removal {"Id": "nothing"}
// event: wrangler:inbound_removal {"Id": "nothing"}
// event: wrangler:established_removal {"Id": "nothing"}
// event: wrangler:new_subscription_request {"Id": "nothing"}
// event: wrangler:ruleset_installed {"rids": ["io.picolabs.subscription"]}
// query: test.subscription/both
// expect: [0,0,0,0,0,0]
// query: io.picolabs.subscription/inbound {"key": "Tx_role", "value": "x"}
// expect: []
// query: io.picolabs.subscription/wellKnown_Rx
// expect: {"id":"*","tags":["wellknown_rx"],"eventPolicy":{"allow":[{"domain":"wrangler","name":"new_subscription_request"},{"domain":"wrangler","name":"inbound_removal"}],"deny":[]},"queryPolicy":{"allow":[{"rid":"io.picolabs.subscription","name":"wellKnown_Rx"}],"deny":[]},"familyChannelPicoID":null}
