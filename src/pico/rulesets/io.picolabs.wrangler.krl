// What every pico can do for its owner: children, rulesets, channels, and to ask other picos.
// The names of queries and events are those that rulesets for the official engine use.
ruleset io.picolabs.wrangler {
  meta {
    name "Wrangler"
    version "1.0.0"
    description <<Children, rulesets and channels of a pico>>
    author "Hanse"
    provides picoQuery, skyQuery, channels, rulesetConfig, rulesetMeta, installedRIDs, children,
      parent_eci, name, myself, id, createChannel, deleteChannel
    shares picoQuery, skyQuery, channels, rulesetConfig, rulesetMeta, installedRIDs, children, parent_eci,
      name, myself, id
  }
  global {
    DELETION_WAIT = {"seconds": 10}

    // --- other picos ---

    // The value of another pico's query: on this engine at once, else over HTTP. Where it cannot
    // be had the map has "error", and "httpStatus" where there was an answer.
    picoQuery = function(eci, mod, func, params, _host, _path, _root_url) {
      host = _host.defaultsTo(meta:host);
      host == meta:host && _path.isnull() && _root_url.isnull()
        => ctx:query(eci, mod, func, params.defaultsTo({}))
        | httpQuery(eci, mod, func, params.defaultsTo({}), host, _path, _root_url)
    }
    httpQuery = function(eci, mod, func, params, host, _path, _root_url) {
      path = _path.defaultsTo("/sky/cloud/");
      base = _root_url.defaultsTo(host + path);
      response = http:get(base + eci + "/" + mod + "/" + func, qs=params);
      value = response{"content"}.decode();
      response{"status_code"} != 200 => queryError(response, "the other engine answered " + response{"status_code"})
        | value.typeof() == "Map" && value >< "error" => value.put("httpStatus", response{"status_code"})
        | value
    }
    queryError = function(response, sentence) {
      {"error": sentence, "httpStatus": response{"status_code"}}
    }
    // The older name, whose first argument was always of this engine.
    skyQuery = function(eci, mod, func, params, _host, _path, _root_url) {
      picoQuery(eci, mod, func, params, _host, _path, _root_url)
    }

    // --- channels ---

    // All channels but those to parent and children; with tags (an array, or a text with commas),
    // those that have all of them.
    channels = function(tags) {
      wanted = tags.isnull() => [] | tags.typeof() == "Array" => tags | tags.split(",");
      clean = wanted.map(function(t) { t.trim().lc() });
      ctx:channels.filter(function(c) {
        c{"familyChannelPicoID"}.isnull() && clean.difference(c{"tags"}).length() == 0
      })
    }
    createChannel = defaction(tags, eventPolicy, queryPolicy) {
      ctx:newChannel(tags, eventPolicy, queryPolicy) setting(channel)
      return channel
    }
    deleteChannel = defaction(eci) {
      ctx:delChannel(eci)
    }

    // --- rulesets ---

    installed = function(rid) {
      ctx:rulesets.filter(function(r) { r{"rid"} == rid }).head()
    }
    rulesetConfig = function(rid) { installed(rid){"config"} }
    rulesetMeta = function(rid) { installed(rid){["meta", "krlMeta"]} }
    installedRIDs = function() { ctx:rulesets.map(function(r) { r{"rid"} }) }
    // Another ruleset that comes with the engine: it lies beside this one.
    bundled = function(rid) { ctx:rid_url.replace("io.picolabs.wrangler", rid) }
    urlOf = function(attrs) {
      attrs{"url"} || (attrs{"absoluteURL"} => attrs{"absoluteURL"}.replace(re#/*$#, "/") + attrs{"rid"} + ".krl" | null)
    }

    // --- the family ---

    children = function() {
      ctx:children.map(function(eci) {
        known = ent:children{eci}.defaultsTo({});
        {"eci": eci, "name": known{"name"}, "parent_eci": known{"parent_eci"}}
      })
    }
    isChild = function(eci) { ctx:children >< eci }
    childOf = function(attrs) {
      isChild(attrs{"eci"}) => attrs{"eci"}
        | ent:children.defaultsTo({}).filter(function(c) { c{"name"} == attrs{"name"} && attrs{"eci"}.isnull() }).keys().head()
    }
    parent_eci = function() { ctx:parent }
    name = function() { ent:name }
    id = function() { ctx:picoId }
    myself = function() { {"name": ent:name, "id": ctx:picoId, "eci": ctx:channels.head(){"id"}} }
    childName = function(attrs) {
      attrs{"name"} || random:word()
    }
  }

  // --- children are made ---

  rule make_child {
    select when wrangler new_child_request
    pre {
      child_name = childName(event:attrs)
    }
    every {
      ctx:newPico([
        {"url": ctx:rid_url, "config": {}},
        {"url": bundled("io.picolabs.pico-engine-ui"), "config": {}}
      ]) setting(eci)
      ctx:eventQuery(eci, "engine_ui", "setup", event:attrs.delete("_headers").put({"name": child_name}),
        "io.picolabs.pico-engine-ui", "uiECI", {}) setting(uiEci)
      ctx:event(eci, "wrangler", "pico_created", event:attrs.delete("_headers").put({"name": child_name, "rs_attrs": event:attrs.delete("_headers")}))
    }
    fired {
      ent:children := ent:children.defaultsTo({}).put([eci], {"name": child_name});
      raise wrangler event "new_child_created" attributes event:attrs.put({"name": child_name, "eci": eci, "uiEci": uiEci})
    }
  }
  // In the child.
  rule begin {
    select when wrangler pico_created
    every {
      ctx:install(bundled("io.picolabs.pds"))
      ctx:install(bundled("io.picolabs.subscription"))
    }
    fired {
      ent:name := event:attrs{"name"};
      raise wrangler event "pico_initialized" attributes event:attrs
    }
  }
  rule tell_parent {
    select when wrangler pico_initialized
    if ctx:parent then
      event:send({"eci": ctx:parent, "domain": "wrangler", "name": "child_initialized",
        "attrs": {"eci": event:eci, "name": ent:name, "rs_attrs": event:attrs{"rs_attrs"}}})
  }
  // In the parent: event:eci is the channel that only this child may use.
  rule child_is_ready {
    select when wrangler child_initialized
    if isChild(event:attrs{"eci"}) then noop()
    fired {
      ent:children := ent:children.defaultsTo({}).put([event:attrs{"eci"}], {"name": event:attrs{"name"}, "parent_eci": event:eci})
    }
  }
  rule change_name {
    select when wrangler name_changed where event:attrs{"name"}
    always {
      ent:name := event:attrs{"name"}
    }
  }
  rule tell_parent_the_name {
    select when wrangler name_changed where event:attrs{"name"} && ctx:parent
    event:send({"eci": ctx:parent, "domain": "wrangler", "name": "child_name_changed",
      "attrs": {"name": event:attrs{"name"}}})
  }
  rule child_changes_name {
    select when wrangler child_name_changed
    pre {
      eci = ent:children.defaultsTo({}).filter(function(c) { c{"parent_eci"} == event:eci }).keys().head()
    }
    if eci then noop()
    fired {
      ent:children{[eci, "name"]} := event:attrs{"name"}
    }
  }

  // --- children are deleted ---

  // The child first takes leave of those that it knows, then asks to be deleted; one that cannot,
  // or does not, is deleted when it had the time to.
  rule ask_child_to_leave {
    select when wrangler child_deletion_request
    pre {
      eci = childOf(event:attrs)
    }
    if eci then
      ctx:event(eci, "wrangler", "intent_to_delete", {})
    fired {
      schedule wrangler event "child_deletion_due" at time:add(time:now(), DELETION_WAIT) attributes {"eci": eci}
    }
  }
  rule leave {
    select when wrangler intent_to_delete where ctx:parent
    always {
      raise wrangler event "ready_for_deletion_reported"
    }
  }
  rule report_leave {
    select when wrangler ready_for_deletion_reported where ctx:parent
    event:send({"eci": ctx:parent, "domain": "wrangler", "name": "ready_for_deletion", "attrs": {}})
  }
  rule delete_child_that_left {
    select when wrangler ready_for_deletion
    pre {
      eci = ent:children.defaultsTo({}).filter(function(c) { c{"parent_eci"} == event:eci }).keys().head()
    }
    if eci && isChild(eci) then
      ctx:delPico(eci)
    fired {
      raise wrangler event "child_deleted" attributes {"eci": eci, "name": ent:children{[eci, "name"]}};
      ent:children := ent:children.delete([eci])
    }
  }
  rule delete_child_that_is_due {
    select when wrangler child_deletion_due
    pre {
      eci = event:attrs{"eci"}
    }
    if isChild(eci) then
      ctx:delPico(eci)
    fired {
      raise wrangler event "child_deleted" attributes {"eci": eci, "name": ent:children{[eci, "name"]}};
      ent:children := ent:children.delete([eci])
    }
  }

  // --- rulesets ---

  rule install_ruleset {
    select when wrangler install_ruleset_request
    pre {
      url = urlOf(event:attrs)
    }
    if url then
      ctx:install(url, event:attrs{"config"}.defaultsTo({})) setting(rid)
    fired {
      raise wrangler event "ruleset_installed" attributes event:attrs.put({"rids": [rid]})
    } else {
      error error "wrangler:install_ruleset_request needs url, or absoluteURL and rid"
    }
  }
  rule uninstall_ruleset {
    select when wrangler uninstall_ruleset_request
    pre {
      rid = event:attrs{"rid"}
    }
    if installed(rid) then
      ctx:uninstall(rid)
    fired {
      raise wrangler event "ruleset_uninstalled" attributes event:attrs
    }
  }
  rule flush_rulesets {
    select when wrangler rulesets_need_flushing
    foreach ctx:rulesets.filter(function(r) { event:attrs{"rids"}.isnull() || event:attrs{"rids"} >< r{"rid"} }) setting(ruleset)
    ctx:flush(ruleset{"url"})
    fired {
      raise wrangler event "rulesets_flushed" attributes event:attrs on final
    }
  }

  // --- channels ---

  rule new_channel {
    select when wrangler new_channel_request
    createChannel(event:attrs{"tags"}, event:attrs{"eventPolicy"}, event:attrs{"queryPolicy"}) setting(channel)
    fired {
      raise wrangler event "channel_created" attributes event:attrs.put({"channel": channel})
    }
  }
  rule delete_channel {
    select when wrangler channel_deletion_request
    deleteChannel(event:attrs{"eci"})
    fired {
      raise wrangler event "channel_deleted" attributes event:attrs
    }
  }
}
