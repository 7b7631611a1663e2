ruleset test.interface {
  // What a browser interface asks and tells each pico.
  meta {
    use module io.picolabs.wrangler alias wrangler
    shares known, boxes, made
  }
  global {
    known = function(ui) { ui == wrangler:channels("engine,ui").head(){"id"} }
    boxes = function(ecis, ui) {
      ecis.map(function(eci) { ctx:query(eci, "io.picolabs.pico-engine-ui", "box") })
        .map(function(b) { [b{"name"}, b{"backgroundColor"}, b{"parent"} == ui] })
    }
    made = function() { wrangler:channels("made").head(){"id"} }
  }
}
ruleset test.second {
}
// query: io.picolabs.pico-engine-ui/logs
// expect: []
// query: io.picolabs.pico-engine-ui/uiECI
// expect: "*"
// set: ui io.picolabs.pico-engine-ui/uiECI
// query: test.interface/known {"ui": $ui}
// expect: true
// query: io.picolabs.pico-engine-ui/box
// expect: {"eci":"*","parent":null,"children":[],"name":"Pico","backgroundColor":"#87cefa","x":100,"y":100,"width":100,"height":100}
// event: engine_ui:box {"x": 5, "y": "7", "width": 1, "height": 300, "backgroundColor": "#ff0000", "name": "Boxed", "parentUiEci": "p"}
// query: io.picolabs.pico-engine-ui/box
// expect: {"eci":"*","parent":"p","children":[],"name":"Boxed","backgroundColor":"#ff0000","x":5,"y":7,"width":20,"height":300}
// event: engine_ui:box {"x": "far", "backgroundColor": "red"}
// query: io.picolabs.pico-engine-ui/name
// expect: "Boxed"
// event: engine_ui:new {"name": "Kid", "backgroundColor": "#00ff00"}
// query: io.picolabs.pico-engine-ui/box
// expect: {"eci":"*","parent":"p","children":["*"],"name":"Boxed","backgroundColor":"#ff0000","x":5,"y":7,"width":20,"height":300}
// event: wrangler:new_child_created {"eci": "stranger", "uiEci": "x"}
// event: wrangler:child_deleted {"eci": "stranger"}
// event: engine_ui:uninstall {"rid": "test.second"}
// event: engine_ui:install {"url": "hanse:///files/test.second.krl", "config": {}}
// query: io.picolabs.wrangler/rulesetConfig {"rid": "test.second"}
// expect: {}
// event: engine_ui:flush {"url": "hanse:///files/test.second.krl"}
// event: engine_ui:flush
// event: engine_ui:new_channel {"tags": "made,here"}
// set: made test.interface/made
// event: engine_ui:del_channel {"eci": $made}
// query: test.interface/made
// expect: null
// query: io.picolabs.pico-engine-ui/testingECI
// expect: null
// event: engine_ui:testing_eci {"eci": "x"}
// query: io.picolabs.pico-engine-ui/testingECI
// expect: "x"
// event: engine_ui:del {"eci": "nobody"}
// event: engine_ui:setup {"name": "Again", "backgroundColor": "#123456"}
// event: engine:started
// query: io.picolabs.pico-engine-ui/box
// expect: {"eci":"*","parent":"p","children":["*"],"name":"Again","backgroundColor":"#123456","x":5,"y":7,"width":20,"height":300}
// query: io.picolabs.pico-engine-ui/logs
// expect: []
// event: engine_ui:del_channel {"eci": "nobody"}
// expect: error Error: ECI not found nobody
// query: io.picolabs.pico-engine-ui/logs
// expect: [{"txnId":"*","time":"2025-11-24T16:00:16Z","header":"Error: ECI not found nobody","entries":[{"level":10,"time":"2025-11-24T16:00:16Z","picoId":"*","txnId":"*","rid":"io.picolabs.pico-engine-ui","msg":"Error: ECI not found nobody"}]}]
// query: io.picolabs.pico-engine-ui/pico
// expect: {"eci":"*","parent":"p","children":["*"],"channels":[{"id":"*","tags":["system","self"],"eventPolicy":{"allow":[{"domain":"*","name":"*"}],"deny":[]},"queryPolicy":{"allow":[{"rid":"*","name":"*"}],"deny":[]},"familyChannelPicoID":"*"},...
