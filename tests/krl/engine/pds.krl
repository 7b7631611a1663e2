ruleset test.pds {
  // The personal data store: what its events do, and what it raises.
  meta {
    shares heard
  }
  global {
    heard = function() { ent:heard.defaultsTo([]) }
  }
  rule hear {
    select when pds data_added or pds data_updated or pds data_deleted or pds namespace_deleted
      or pds profile_updated or pds settings_added or pds data_cleared
    fired { ent:heard := heard().append([[event:name, event:attrs{"namespace"}, event:attrs{"keyvalue"}]]) }
  }
}
// query: io.picolabs.pds/items
// expect: {}
// event: pds:new_data_available {"namespace": "a", "key": "b", "value": {"c": 1}}
// event: pds:new_data_available {"namespace": "a", "keyvalue": "d", "value": 2}
// event: pds:new_data_available {"namespace": "x"}
// query: io.picolabs.pds/items {"namespace": "a"}
// expect: {"b":{"c":1},"d":2}
// event: pds:updated_data_available {"namespace": "a", "key": "b", "value": 3}
// query: io.picolabs.pds/items {"namespace": "a", "key": "b"}
// expect: 3
// event: pds:map_item {"namespace": "m", "mapvalues": {"e": 5, "f": 6}}
// event: pds:map_item {"namespace": "m", "mapvalues": "none"}
// query: io.picolabs.pds/get_keys {"namespace": "m"}
// expect: ["e","f"]
// query: io.picolabs.pds/get_keys
// expect: ["a","m"]
// event: pds:remove_old_data {"namespace": "m", "key": "e"}
// query: io.picolabs.pds/items {"namespace": "m"}
// expect: {"f":6}
// event: pds:remove_namespace {"namespace": "a"}
// query: io.picolabs.pds/items
// expect: {"m":{"f":6}}
// event: pds:updated_profile {"name": "Ann", "mail": "a@example.com"}
// event: pds:updated_profile {"name": "Anna"}
// query: io.picolabs.pds/profile
// expect: {"name":"Anna","mail":"a@example.com"}
// query: io.picolabs.pds/profile {"key": "name"}
// expect: "Anna"
// event: pds:add_settings {"setRID": "r", "setName": "s", "value": 7}
// event: pds:add_settings {"setRID": "r"}
// query: io.picolabs.pds/settings
// expect: {"r":{"s":{"setRID":"r","setName":"s","value":7}}}
// query: io.picolabs.pds/settings {"setRID": "r"}
// expect: {"s":{"setRID":"r","setName":"s","value":7}}
// query: io.picolabs.pds/settings {"setRID": "r", "setName": "s"}
// expect: {"setRID":"r","setName":"s","value":7}
// query: test.pds/heard
// expect: [["data_added","a","b"],["data_added","a","d"],["data_updated","a","b"],["data_added","m",["e","f"]],["data_deleted","m","e"],["namespace_deleted","a",null],["profile_updated",null,null],["profile_updated",null,null],["settings_added",null,null]]
// event: pds:clear_all_data
// query: io.picolabs.pds/items
// expect: {}
// query: io.picolabs.pds/profile
// expect: {}
