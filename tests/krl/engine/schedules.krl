ruleset test.schedules {
  // Events that come later: once, again and again, looked at, and taken away.
  meta {
    shares list, one, ticks
  }
  global {
    list = function() { schedule:list().map(function(s) { [s{"type"}, s{"time"} || s{"timespec"}, s{["event", "domain"]}, s{["event", "name"]}, s{["event", "data", "attrs"]}] }) }
    one = function() {
      s = schedule:get(ent:id);
      [s{"id"} == ent:id, s.keys(), s{"event"}.keys(), s{["event", "time"]}]
    }
    ticks = function() { ent:ticks.defaultsTo(0) }
  }
  rule at {
    select when s at
    fired {
      schedule s event "tick" at event:attrs{"at"} attributes {"by": 1} setting(s);
      ent:id := s{"id"}
    }
  }
  rule often {
    select when s often
    fired { schedule event "s:tick" repeat event:attrs{"spec"} setting(s); ent:id := s{"id"} }
  }
  rule tick {
    select when s tick
    fired { ent:ticks := ticks() + event:attrs{"by"}.defaultsTo(10) }
  }
  rule away {
    select when s away
    schedule:remove(ent:id) setting(gone)
    fired { ent:gone := gone }
  }
  rule all { select when s all schedule:clear() }
}
// event: s:at {"at": 1764000005000}
// query: test.schedules/list
// expect: [["at",1764000005000,"s","tick",{"by":1}]]
// query: test.schedules/one
// expect: [true,["id","type","time","event"],["eci","domain","name","data","time"],0]
// wait: 3999
// query: test.schedules/ticks
// expect: 0
// wait: 1
// query: test.schedules/ticks
// expect: 1
// query: test.schedules/list
// expect: []
// event: s:at {"at": "2025-11-24T16:01:00Z"}
// query: test.schedules/list
// expect: [["at","2025-11-24T16:01:00.000Z","s","tick",{"by":1}]]
// event: s:away
// query: test.schedules/list
// expect: []
// event: s:often {"spec": "*/30 * * * * *"}
// query: test.schedules/list
// expect: [["repeat","*/30 * * * * *","s","tick",{}]]
// query: test.schedules/one
// expect: [true,["id","type","timespec","event"],["eci","domain","name","data","time"],0]
// wait: 30000
// query: test.schedules/ticks
// expect: 11
// restart
// wait: 30000
// query: test.schedules/ticks
// expect: 21
// event: s:all
// wait: 60000
// query: test.schedules/ticks
// expect: 21
// event: s:at {"at": "soon"}
// expect: error TypeError: schedule .. at expected a timestamp but got soon
// event: s:often {"spec": "nonsense"}
// expect: error TypeError: schedule .. repeat: a schedule has five fields, or six with the seconds in front
