ruleset test.channels {
  // Channels: made, changed, found by their tags, and deleted; policies and tags that cannot be.
  meta {
    shares list, one
  }
  global {
    plain = function() { ctx:channels.filter(function(c) { c{"familyChannelPicoID"}.isnull() && c{"tags"} >< "test" }) }
    list = function() { plain().map(function(c) { c.delete("id") }) }
    one = function() { plain().map(function(c) { c.keys() }) }
    only = {"allow": [{"domain": "c", "name": "*"}], "deny": [{"domain": "c", "name": "no"}]}
    queries = {"allow": [{"rid": "test.channels", "name": "list"}], "deny": []}
  }
  rule new {
    select when c new
    ctx:newChannel(["Test", " Some tag "], only, queries) setting(channel)
    fired { ent:eci := channel{"id"}; log info channel }
  }
  rule put {
    select when c put
    ctx:putChannel(ent:eci, ["test", "put"], {"allow": [], "deny": []}, queries) setting(channel)
  }
  rule upsert {
    select when c upsert
    every {
      ctx:upsertChannel(tags=["put", "test"], queryPolicy={"allow": [], "deny": []}) setting(first)
      ctx:upsertChannel(["test", "other"]) setting(second)
      send_directive("upserted", {"same": first{"id"} == ent:eci, "other": second{"id"} == ent:eci})
    }
  }
  rule drop { select when c drop ctx:delChannel(event:attrs{"eci"} || ent:eci) }
  rule tags { select when c tags ctx:newChannel(event:attrs{"tags"}) }
  rule policy { select when c policy ctx:newChannel(["test"], event:attrs{"policy"}) }
  rule self { select when c self ctx:delChannel(ctx:picoId) }
}
// event: c:new
// query: test.channels/one
// expect: [["id","tags","eventPolicy","queryPolicy","familyChannelPicoID"]]
// query: test.channels/list
// expect: [{"tags":["test","some-tag"],"eventPolicy":{"allow":[{"domain":"c","name":"*"}],"deny":[{"domain":"c","name":"no"}]},"queryPolicy":{"allow":[{"rid":"test.channels","name":"list"}],"deny":[]},"familyChannelPicoID":null}]
// event: c:put
// query: test.channels/list
// expect: [{"tags":["test","put"],"eventPolicy":{"allow":[],"deny":[]},"queryPolicy":{"allow":[{"rid":"test.channels","name":"list"}],"deny":[]},"familyChannelPicoID":null}]
// event: c:upsert
// expect: directive upserted {"same":true,"other":false}
// query: test.channels/list
// expect: [{"tags":["put","test"],"eventPolicy":{"allow":[],"deny":[]},"queryPolicy":{"allow":[],"deny":[]},"familyChannelPicoID":null},{"tags":["test","other"],"eventPolicy":{"allow":[{"domain":"*","name":"*"}],"deny":[]},"queryPolicy":{"allow":[{"rid":"*","name":"*"}],"deny":[]},"familyChannelPicoID":null}]
// event: c:drop
// query: test.channels/list
// expect: [{"tags":["test","other"],"eventPolicy":{"allow":[{"domain":"*","name":"*"}],"deny":[]},"queryPolicy":{"allow":[{"rid":"*","name":"*"}],"deny":[]},"familyChannelPicoID":null}]
// event: c:drop {"eci": "nobody"}
// expect: error Error: ECI not found nobody
// event: c:tags {"tags": "test"}
// expect: error TypeError: Channel `tags` must be an array of non-empty strings.
// event: c:tags {"tags": ["test", " "]}
// expect: error TypeError: Channel tag cannot be a blank string.
// event: c:tags {"tags": ["test", "system"]}
// expect: error TypeError: Cannot tag channel as "system".
// event: c:policy {"policy": {"allow": []}}
// expect: error TypeError: EventPolicy expects {allow: EventPolicyRule[], deny: EventPolicyRule[]}
// event: c:policy {"policy": {"allow": [{"domain": "a"}], "deny": []}}
// expect: error TypeError: EventPolicyRule expects {domain: string, name: string}
// event: c:self
// expect: error Error: Cannot delete family channels.
