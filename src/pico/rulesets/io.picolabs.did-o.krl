// Picos that know one another by DIDs: invitations, messages, events and queries over DIDComm.
// The names of functions and events are those that rulesets for the official engine use; what the
// module dido keeps is in the entity variables of this ruleset.
ruleset io.picolabs.did-o {
  meta {
    name "did-o"
    version "2.0.0"
    description <<DIDComm between picos: invitations, messages, events and queries by DID>>
    author "Hanse"
    provides addRoute, routes, send, sendEvent, sendQuery, didMap, clearDidMap, didDocs, clearDidDocs,
      pendingRotations, clearPendingRotations, generate_invitation
    shares routes, didDocs, didMap, pendingRotations
  }
  global {
    PING = "https://didcomm.org/trust_ping/2.0/ping"
    PING_RESPONSES = ["https://didcomm.org/trust_ping/2.0/ping_response", "https://didcomm.org/trust_ping/2.0/ping-response"]

    // --- what is known ---

    routes = function() { ent:routes }
    // Documents by DID.
    didDocs = function() { ent:didDocs }
    // {their DID: the DID of this pico that only they know}
    didMap = function() { ent:didMap }
    // {new DID: what the other side is told of the old one}
    pendingRotations = function() { ent:pendingRotations }
    clearDidDocs = function() { dido:clearDidDocs() }
    clearDidMap = function() { dido:clearDidMap() }
    clearPendingRotations = function() { dido:clearPendingRotations() }
    // Messages of the type become this event, with the attributes message and metadata.
    addRoute = function(type, _domain, name) { dido:addRoute(type, _domain, name) }

    // --- messages ---

    messageTo = function(did, type, body, thid) {
      dido:generateMessage({"type": type, "body": body, "from": ent:didMap{did}, "to": [did], "thid": thid})
    }
    send = function(did, message) { dido:send(did, message) }
    // {"domain", "name", "attrs"}
    sendEvent = function(did, event) {
      dido:send(did, messageTo(did, "https://picolabs.io/event/1.0/event", event))
    }
    // {"rid", "name", "args"}; the value of the other pico's query.
    sendQuery = function(did, _query) {
      dido:sendQuery(did, messageTo(did, "https://picolabs.io/query/1.0/query", _query))
    }
    // An address, for whoever shall know this pico.
    generate_invitation = function() {
      did = dido:generateDID(true){"id"};
      invitation = dido:generateMessage({
        "type": "https://didcomm.org/out-of-band/2.0/invitation",
        "from": did,
        "body": {"goal_code": "exchange-did", "goal": "ExchangeDid", "label": "PicoInvite", "accept": ["didcomm/v2"]}
      });
      dido:createInviteUrl(math:base64encode(invitation.encode()))
    }
    inviter = function(url) { math:base64decode(url.split("_oob=")[1]).decode(){"from"} }
  }

  rule begin {
    select when wrangler ruleset_installed where event:attrs{"rids"} >< meta:rid
      or engine_ui setup
    pre {
      ping = dido:addRoute(PING, "dido", "receive_trust_ping")
      responses = PING_RESPONSES.map(function(type) { dido:addRoute(type, "dido", "receive_trust_ping_response") })
    }
  }
  rule route_message {
    select when dido didcommv2_message
    pre {
      answer = dido:route(event:attrs.delete("_headers"))
    }
    if not answer.isnull() then send_directive("response", answer)
  }

  // --- invitations ---

  rule invite {
    select when dido new_invitation
    send_directive("invitation", {"invite": generate_invitation()})
  }
  rule receive_invite {
    select when dido receive_invite where event:attrs{"invite"}
    pre {
      theirs = inviter(event:attrs{"invite"})
      document = dido:storeDidDoc(theirs)
      mine = document => dido:generateDID(){"id"} | null
      known = mine => dido:mapDid(theirs, mine) | null
    }
    if document then noop()
    fired {
      raise dido event "send_trust_ping" attributes event:attrs.put("did", theirs)
    }
  }

  // --- trust ping ---

  rule send_trust_ping {
    select when dido send_trust_ping where event:attrs{"did"}
    pre {
      did = event:attrs{"did"}
      sent = dido:send(did, messageTo(did, PING, {"response_requested": true}))
    }
  }
  // Who answers an invitation gets a DID of his own.
  rule receive_trust_ping {
    select when dido receive_trust_ping
    pre {
      message = event:attrs{"message"}
      theirs = message{"from"}
      rotated = dido:rotateInviteDID(message{["to", 0]}, theirs)
      sent = dido:send(theirs, messageTo(theirs, PING_RESPONSES.head(), {}, message{"id"}))
    }
  }
}
