// What a pico knows: items by namespace and key, a profile, and the settings of rulesets.
ruleset io.picolabs.pds {
  meta {
    name "Personal data store"
    version "1.0.0"
    description <<Items by namespace and key, a profile, settings of rulesets>>
    author "Hanse"
    provides items, get_keys, profile, settings
    shares items, get_keys, profile, settings
  }
  global {
    // All of a namespace, or one item of it; without a namespace, everything.
    items = function(namespace, key) {
      all = ent:general.defaultsTo({});
      namespace.isnull() => all
        | key.isnull() => all{[namespace]}
        | all{[namespace, key]}
    }
    get_keys = function(namespace) {
      namespace.isnull() => ent:general.defaultsTo({}).keys() | ent:general.defaultsTo({}){[namespace]}.keys()
    }
    profile = function(key) {
      key.isnull() => ent:profile.defaultsTo({}) | ent:profile.defaultsTo({}){[key]}
    }
    // Of all rulesets; of one; one of them.
    settings = function(setRID, setName) {
      all = ent:settings.defaultsTo({});
      setRID.isnull() => all
        | setName.isnull() => all{[setRID]}
        | all{[setRID, setName]}
    }
    namespaceOf = function(attrs) { attrs{"namespace"}.defaultsTo("").as("String") }
    keyOf = function(attrs) { attrs{"key"} || attrs{"keyvalue"} }
    plain = function(attrs) { attrs.delete("_headers") }
  }
  rule keep_item {
    select when pds new_data_available
    pre {
      namespace = namespaceOf(event:attrs)
      key = keyOf(event:attrs)
    }
    if key then noop()
    fired {
      ent:general := ent:general.defaultsTo({}).put([namespace, key], event:attrs{"value"});
      raise pds event "data_added" attributes {"namespace": namespace, "keyvalue": key}
    }
  }
  rule change_item {
    select when pds updated_data_available
    pre {
      namespace = namespaceOf(event:attrs)
      key = keyOf(event:attrs)
    }
    if key then noop()
    fired {
      ent:general := ent:general.defaultsTo({}).put([namespace, key], event:attrs{"value"});
      raise pds event "data_updated" attributes {"namespace": namespace, "keyvalue": key}
    }
  }
  rule remove_item {
    select when pds remove_old_data
    pre {
      namespace = namespaceOf(event:attrs)
      key = keyOf(event:attrs)
    }
    if key then noop()
    fired {
      ent:general := ent:general.defaultsTo({}).delete([namespace, key]);
      raise pds event "data_deleted" attributes {"namespace": namespace, "keyvalue": key}
    }
  }
  rule remove_namespace {
    select when pds remove_namespace
    pre {
      namespace = namespaceOf(event:attrs)
    }
    always {
      ent:general := ent:general.defaultsTo({}).delete([namespace]);
      raise pds event "namespace_deleted" attributes {"namespace": namespace}
    }
  }
  // Many items of a namespace at once.
  rule map_items {
    select when pds map_item
    pre {
      namespace = namespaceOf(event:attrs)
      values = event:attrs{"mapvalues"}
    }
    if values.typeof() == "Map" then noop()
    fired {
      ent:general := ent:general.defaultsTo({}).put([namespace], ent:general{[namespace]}.defaultsTo({}).put(values));
      raise pds event "data_added" attributes {"namespace": namespace, "keyvalue": values.keys()}
    }
  }
  rule change_profile {
    select when pds updated_profile
    always {
      ent:profile := ent:profile.defaultsTo({}).put(plain(event:attrs));
      raise pds event "profile_updated" attributes plain(event:attrs)
    }
  }
  rule keep_settings {
    select when pds add_settings
    pre {
      rid = event:attrs{"setRID"}
      name = event:attrs{"setName"}
    }
    if rid && name then noop()
    fired {
      ent:settings := ent:settings.defaultsTo({}).put([rid, name], plain(event:attrs));
      raise pds event "settings_added" attributes plain(event:attrs)
    }
  }
  rule clear {
    select when pds clear_all_data
    always {
      clear ent:general;
      clear ent:profile;
      clear ent:settings;
      raise pds event "data_cleared"
    }
  }
}
