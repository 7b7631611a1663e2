// Relationships between picos: each side has a channel (Rx) for the other, and knows the other's (Tx).
//
// One side asks at the other's well known channel; the other side approves or rejects, itself or by
// its rules for accepting. A bus is {Id, Tx, Rx, Tx_role, Rx_role, Tx_host}; while it is pending it
// has wellKnown_Tx in the place of Tx on the side that asked.
ruleset io.picolabs.subscription {
  meta {
    name "Subscription"
    version "1.0.0"
    description <<Relationships between picos, asked for and approved>>
    author "Hanse"
    use module io.picolabs.wrangler alias wrangler
    provides established, outbound, inbound, wellKnown_Rx, autoAcceptConfig
    shares established, outbound, inbound, wellKnown_Rx, autoAcceptConfig
  }
  global {
    WELL_KNOWN_TAGS = ["wellknown_rx"]
    WELL_KNOWN_EVENTS = {"allow": [
        {"domain": "wrangler", "name": "new_subscription_request"},
        {"domain": "wrangler", "name": "inbound_removal"}
      ], "deny": []}
    WELL_KNOWN_QUERIES = {"allow": [{"rid": "io.picolabs.subscription", "name": "wellKnown_Rx"}], "deny": []}

    chosen = function(buses, key, value) {
      list = buses.defaultsTo({}).values();
      key.isnull() => list | list.filter(function(bus) { bus{key} == value })
    }
    established = function(key, value) { chosen(ent:established, key, value) }
    outbound = function(key, value) { chosen(ent:outbound, key, value) }
    inbound = function(key, value) { chosen(ent:inbound, key, value) }
    wellKnown_Rx = function() { wrangler:channels(WELL_KNOWN_TAGS).head() }
    autoAcceptConfig = function() { ent:autoAccept.defaultsTo({}) }

    tagsOf = function(attrs) {
      name = attrs{"name"}.defaultsTo("").as("String").replace(re#[^A-Za-z0-9_-]+#g, "-").replace(re#^-+|-+$#g, "");
      name == "" || name.lc() == "system" => ["subscription"] | ["subscription", name]
    }
    // Of the established buses, the one that the attributes name.
    busOf = function(attrs) {
      attrs{"Id"} => ent:established{[attrs{"Id"}]}
        | attrs{"Rx"} => established("Rx", attrs{"Rx"}).head()
        | established("Tx", attrs{"Tx"}).head()
    }
    hostOf = function(bus) { bus{"Tx_host"} => bus{"Tx_host"} | null }
    // What a bus says of itself in the events of this side.
    told = function(bus, attrs) { attrs.delete("_headers").put(bus).put({"bus": bus}) }
    passes = function(config, attrs) {
      password = config{"password"} => math:hash("sha256", attrs{"password"}.defaultsTo("")) == config{"password"} | true;
      rules = config{"regexMap"}.defaultsTo({});
      named = config{"password"} || rules.keys().length() > 0;
      named && password && rules.all(function(pattern, key) { attrs{key}.defaultsTo("").as("String").match(pattern.as("RegExp")) })
    }
    accepted = function(attrs) { autoAcceptConfig().any(function(config) { passes(config, attrs) }) }

    // event:send of this engine or another.
    tell = defaction(eci, host, name, attrs) {
      event:send({"eci": eci, "domain": "wrangler", "name": name, "attrs": attrs}, host)
    }
  }

  rule open_well_known {
    select when wrangler ruleset_installed where event:attrs{"rids"} >< meta:rid
      or wrangler pico_initialized
      or engine_ui setup
      or engine started
    if wellKnown_Rx().isnull() then
      ctx:newChannel(WELL_KNOWN_TAGS, WELL_KNOWN_EVENTS, WELL_KNOWN_QUERIES)
  }

  // --- asking ---

  rule ask {
    select when wrangler subscription
    pre {
      id = event:attrs{"Id"} || random:uuid()
      to = event:attrs{"wellKnown_Tx"}
      host = event:attrs{"Tx_host"}
    }
    if to && ent:established{[id]}.isnull() && ent:outbound{[id]}.isnull() then every {
      ctx:newChannel(tagsOf(event:attrs)) setting(channel)
      tell(to, host, "new_subscription_request", event:attrs.delete("_headers").delete("wellKnown_Tx").put({
        "Id": id,
        "Tx": channel{"id"},
        "Tx_role": event:attrs{"Rx_role"},
        "Rx_role": event:attrs{"Tx_role"},
        "Tx_host": host => meta:host | null
      }))
    }
    fired {
      bus = {"Id": id, "Rx": channel{"id"}, "wellKnown_Tx": to, "Rx_role": event:attrs{"Rx_role"},
        "Tx_role": event:attrs{"Tx_role"}, "Tx_host": host};
      ent:outbound := ent:outbound.defaultsTo({}).put([id], bus);
      raise wrangler event "outbound_pending_subscription_added" attributes told(bus, event:attrs)
    } else {
      raise wrangler event "subscription_not_asked" attributes event:attrs.delete("_headers")
    }
  }
  rule be_asked {
    select when wrangler new_subscription_request
    pre {
      id = event:attrs{"Id"}
    }
    if id && event:attrs{"Tx"} && ent:established{[id]}.isnull() && ent:inbound{[id]}.isnull() then
      ctx:newChannel(tagsOf(event:attrs)) setting(channel)
    fired {
      bus = {"Id": id, "Tx": event:attrs{"Tx"}, "Rx": channel{"id"}, "Rx_role": event:attrs{"Rx_role"},
        "Tx_role": event:attrs{"Tx_role"}, "Tx_host": event:attrs{"Tx_host"}};
      ent:inbound := ent:inbound.defaultsTo({}).put([id], bus);
      raise wrangler event "inbound_pending_subscription_added" attributes told(bus, event:attrs).delete("password");
      raise wrangler event "pending_subscription_approval" attributes {"Id": id} if accepted(event:attrs)
    }
  }

  // --- yes ---

  rule approve {
    select when wrangler pending_subscription_approval
    pre {
      bus = ent:inbound{[event:attrs{"Id"}]}
    }
    if bus then
      tell(bus{"Tx"}, hostOf(bus), "pending_subscription_approved", {"Id": bus{"Id"}, "Tx": bus{"Rx"}})
    fired {
      ent:established := ent:established.defaultsTo({}).put([bus{"Id"}], bus);
      ent:inbound := ent:inbound.delete([bus{"Id"}]);
      raise wrangler event "subscription_added" attributes told(bus, {})
    }
  }
  rule be_approved {
    select when wrangler pending_subscription_approved
    pre {
      asked = ent:outbound{[event:attrs{"Id"}]}
    }
    if asked && event:eci == asked{"Rx"} then noop()
    fired {
      bus = asked.delete("wellKnown_Tx").put({"Tx": event:attrs{"Tx"}});
      ent:established := ent:established.defaultsTo({}).put([bus{"Id"}], bus);
      ent:outbound := ent:outbound.delete([bus{"Id"}]);
      raise wrangler event "subscription_added" attributes told(bus, {})
    }
  }

  // --- no ---

  rule reject {
    select when wrangler inbound_rejection
    pre {
      bus = ent:inbound{[event:attrs{"Id"}]}
    }
    if bus then every {
      tell(bus{"Tx"}, hostOf(bus), "outbound_removal", {"Id": bus{"Id"}})
      ctx:delChannel(bus{"Rx"})
    }
    fired {
      ent:inbound := ent:inbound.delete([bus{"Id"}]);
      raise wrangler event "inbound_subscription_cancelled" attributes told(bus, {})
    }
  }
  rule be_rejected {
    select when wrangler outbound_removal
    pre {
      bus = ent:outbound{[event:attrs{"Id"}]}
    }
    if bus && event:eci == bus{"Rx"} then
      ctx:delChannel(bus{"Rx"})
    fired {
      ent:outbound := ent:outbound.delete([bus{"Id"}]);
      raise wrangler event "outbound_subscription_cancelled" attributes told(bus, {})
    }
  }
  rule withdraw {
    select when wrangler outbound_cancellation
    pre {
      bus = ent:outbound{[event:attrs{"Id"}]}
    }
    if bus then every {
      tell(bus{"wellKnown_Tx"}, hostOf(bus), "inbound_removal", {"Id": bus{"Id"}})
      ctx:delChannel(bus{"Rx"})
    }
    fired {
      ent:outbound := ent:outbound.delete([bus{"Id"}]);
      raise wrangler event "outbound_subscription_cancelled" attributes told(bus, {})
    }
  }
  // The well known channel is open to everybody: the Id, which is chance, is what the other knows.
  rule be_withdrawn {
    select when wrangler inbound_removal
    pre {
      bus = ent:inbound{[event:attrs{"Id"}]}
    }
    if bus then
      ctx:delChannel(bus{"Rx"})
    fired {
      ent:inbound := ent:inbound.delete([bus{"Id"}]);
      raise wrangler event "inbound_subscription_cancelled" attributes told(bus, {})
    }
  }

  // --- the end ---

  rule cancel {
    select when wrangler subscription_cancellation
    pre {
      bus = busOf(event:attrs)
    }
    if bus then every {
      tell(bus{"Tx"}, hostOf(bus), "established_removal", {"Id": bus{"Id"}})
      ctx:delChannel(bus{"Rx"})
    }
    fired {
      ent:established := ent:established.delete([bus{"Id"}]);
      raise wrangler event "subscription_removed" attributes told(bus, {})
    }
  }
  rule be_cancelled {
    select when wrangler established_removal
    pre {
      bus = ent:established{[event:attrs{"Id"}]}
    }
    if bus && event:eci == bus{"Rx"} then
      ctx:delChannel(bus{"Rx"})
    fired {
      ent:established := ent:established.delete([bus{"Id"}]);
      raise wrangler event "subscription_removed" attributes told(bus, {})
    }
  }
  rule cancel_all {
    select when wrangler cancel_subscriptions
      or wrangler intent_to_delete
    foreach established() setting(bus)
    always {
      raise wrangler event "subscription_cancellation" attributes {"Id": bus{"Id"}}
    }
  }
  rule withdraw_all {
    select when wrangler cancel_subscriptions
      or wrangler intent_to_delete
    foreach outbound() setting(bus)
    always {
      raise wrangler event "outbound_cancellation" attributes {"Id": bus{"Id"}}
    }
  }
  rule reject_all {
    select when wrangler cancel_subscriptions
      or wrangler intent_to_delete
    foreach inbound() setting(bus)
    always {
      raise wrangler event "inbound_rejection" attributes {"Id": bus{"Id"}}
    }
  }

  // --- the rest ---

  rule configure {
    select when wrangler autoAcceptConfigUpdate
    pre {
      config_name = event:attrs{"configName"} || "default"
      password = event:attrs{"password"} => math:hash("sha256", event:attrs{"password"}) | null
    }
    if event:attrs{"delete"} then noop()
    fired {
      ent:autoAccept := autoAcceptConfig().delete([config_name])
    } else {
      ent:autoAccept := autoAcceptConfig().put([config_name], {"password": password, "regexMap": event:attrs{"regexMap"}.defaultsTo({})})
    } finally {
      raise wrangler event "autoAcceptConfig_updated" attributes {"configName": config_name}
    }
  }
  rule send_on_subscriptions {
    select when wrangler send_event_on_subs
    foreach established().filter(function(bus) {
      by_id = event:attrs{"subID"}.isnull() || bus{"Id"} == event:attrs{"subID"};
      by_tx = event:attrs{"Tx_role"}.isnull() || bus{"Tx_role"} == event:attrs{"Tx_role"};
      by_rx = event:attrs{"Rx_role"}.isnull() || bus{"Rx_role"} == event:attrs{"Rx_role"};
      by_id && by_tx && by_rx
    }) setting(bus)
    event:send({"eci": bus{"Tx"}, "domain": event:attrs{"domain"}, "name": event:attrs{"type"} || event:attrs{"name"},
      "attrs": event:attrs{"attrs"}.defaultsTo({})}, hostOf(bus))
  }
}
