// What a browser interface for developers needs of each pico: where its box lies, its channel for
// the interface, and the events by which it is worked with.
ruleset io.picolabs.pico-engine-ui {
  meta {
    name "Pico engine interface"
    version "1.0.0"
    description <<Boxes, and what developers do with a pico>>
    author "Hanse"
    shares uiECI, name, testingECI, box, pico, logs
  }
  global {
    UI_TAGS = ["engine", "ui"]
    UI_EVENTS = {"allow": [
        {"domain": "engine_ui", "name": "*"},
        {"domain": "engine", "name": "started"},
        {"domain": "wrangler", "name": "subscription"},
        {"domain": "wrangler", "name": "pending_subscription_approval"},
        {"domain": "wrangler", "name": "inbound_rejection"},
        {"domain": "wrangler", "name": "outbound_cancellation"},
        {"domain": "wrangler", "name": "subscription_cancellation"}
      ], "deny": []}
    UI_QUERIES = {"allow": [
        {"rid": "io.picolabs.pico-engine-ui", "name": "uiECI"},
        {"rid": "io.picolabs.pico-engine-ui", "name": "name"},
        {"rid": "io.picolabs.pico-engine-ui", "name": "testingECI"},
        {"rid": "io.picolabs.pico-engine-ui", "name": "box"},
        {"rid": "io.picolabs.pico-engine-ui", "name": "pico"},
        {"rid": "io.picolabs.pico-engine-ui", "name": "logs"},
        {"rid": "io.picolabs.subscription", "name": "established"},
        {"rid": "io.picolabs.subscription", "name": "inbound"},
        {"rid": "io.picolabs.subscription", "name": "outbound"},
        {"rid": "io.picolabs.subscription", "name": "wellKnown_Rx"},
        {"rid": "*", "name": "__testing"}
      ], "deny": []}
    DEFAULT_COLOR = "#87cefa"

    uiChannel = function() {
      ctx:channels.filter(function(c) { c{"familyChannelPicoID"}.isnull() && c{"tags"}.sort() == UI_TAGS }).head()
    }
    uiECI = function() { uiChannel(){"id"} }
    name = function() { ent:name.defaultsTo("Pico") }
    testingECI = function() { ent:testingECI }
    // The channels for the interface of those children that have told theirs.
    childrenECIs = function() {
      ent:children.defaultsTo({}).filter(function(ui, eci) { ctx:children >< eci }).values()
    }
    childOf = function(ui) {
      ent:children.defaultsTo({}).filter(function(u) { u == ui }).keys().head()
    }
    box = function() {
      {
        "eci": uiECI(),
        "parent": ent:parentUiEci,
        "children": childrenECIs(),
        "name": name(),
        "backgroundColor": ent:backgroundColor.defaultsTo(DEFAULT_COLOR),
        "x": ent:x.defaultsTo(100),
        "y": ent:y.defaultsTo(100),
        "width": ent:width.defaultsTo(100),
        "height": ent:height.defaultsTo(100)
      }
    }
    pico = function() {
      {
        "eci": uiECI(),
        "parent": ent:parentUiEci,
        "children": childrenECIs(),
        "channels": ctx:channels,
        "rulesets": ctx:rulesets
      }
    }
    // What was logged, by transaction, the latest first.
    logs = function() {
      groups = ctx:logs().collect(function(e) { e{"txnId"}.defaultsTo("") });
      groups.map(function(entries, txn) {
        {
          "txnId": txn,
          "time": entries.head(){"time"},
          "header": headerOf(entries),
          "entries": entries
        }
      }).values().sort(function(a, b) { b{"time"} cmp a{"time"} })
    }
    headerOf = function(entries) {
      txn = entries.map(function(e) { e{"txn"} }).filter(function(t) { not t.isnull() }).head().defaultsTo({});
      event = txn{"event"};
      query = txn{"query"};
      event => "EVENT " + event{"eci"} + "/" + event{"eid"} + " " + event{"domain"} + ":" + event{"name"}
        | query => "QUERY " + query{"eci"} + " " + query{"rid"} + "/" + query{"name"}
        | entries.head(){"msg"}
    }
    colorOf = function(text) { text.match(re#^\#[0-9A-Fa-f]{6}$#) => text | null }
    sizeOf = function(value, least) {
      number = value.as("Number");
      number.isnull() => null | number < least => least | number
    }
  }

  rule open_channel {
    select when engine_ui setup
    if uiChannel().isnull() then
      ctx:newChannel(UI_TAGS, UI_EVENTS, UI_QUERIES)
  }
  rule set_up {
    select when engine_ui setup
    pre {
      color = colorOf(event:attrs{"backgroundColor"}.defaultsTo("").as("String"))
    }
    always {
      ent:name := event:attrs{"name"} if event:attrs{"name"};
      ent:backgroundColor := color if color;
      ent:parentUiEci := event:attrs{"parentUiEci"} if event:attrs{"parentUiEci"}
    }
  }
  rule know_child {
    select when wrangler new_child_created where event:attrs{"uiEci"}
    always {
      ent:children := ent:children.defaultsTo({}).put([event:attrs{"eci"}], event:attrs{"uiEci"})
    }
  }
  rule forget_child {
    select when wrangler child_deleted
    always {
      ent:children := ent:children.defaultsTo({}).delete([event:attrs{"eci"}])
    }
  }

  // --- the box ---

  rule change_box {
    select when engine_ui box
    pre {
      color = colorOf(event:attrs{"backgroundColor"}.defaultsTo("").as("String"))
      x = sizeOf(event:attrs{"x"}, 0)
      y = sizeOf(event:attrs{"y"}, 0)
      width = sizeOf(event:attrs{"width"}, 20)
      height = sizeOf(event:attrs{"height"}, 20)
    }
    always {
      ent:x := x if event:attrs >< "x" && not x.isnull();
      ent:y := y if event:attrs >< "y" && not y.isnull();
      ent:width := width if event:attrs >< "width" && not width.isnull();
      ent:height := height if event:attrs >< "height" && not height.isnull();
      ent:backgroundColor := color if color;
      ent:parentUiEci := event:attrs{"parentUiEci"} if event:attrs{"parentUiEci"};
      raise wrangler event "name_changed" attributes {"name": event:attrs{"name"}} if event:attrs{"name"}
    }
  }
  rule change_name {
    select when wrangler name_changed where event:attrs{"name"}
    always {
      ent:name := event:attrs{"name"}
    }
  }
  rule testing_channel {
    select when engine_ui testing_eci
    always {
      ent:testingECI := event:attrs{"eci"}
    }
  }

  // --- what developers do ---

  rule new_child {
    select when engine_ui new
    always {
      raise wrangler event "new_child_request" attributes {
        "name": event:attrs{"name"} || name(),
        "backgroundColor": event:attrs{"backgroundColor"} || ent:backgroundColor.defaultsTo(DEFAULT_COLOR),
        "parentUiEci": uiECI()
      }
    }
  }
  rule delete_child {
    select when engine_ui del
    pre {
      eci = childOf(event:attrs{"eci"}) || event:attrs{"eci"}
    }
    always {
      raise wrangler event "child_deletion_request" attributes {"eci": eci}
    }
  }
  rule install {
    select when engine_ui install
    always {
      raise wrangler event "install_ruleset_request" attributes {"url": event:attrs{"url"}, "config": event:attrs{"config"}}
    }
  }
  rule uninstall {
    select when engine_ui uninstall
    always {
      raise wrangler event "uninstall_ruleset_request" attributes {"rid": event:attrs{"rid"}}
    }
  }
  rule flush {
    select when engine_ui flush
    if event:attrs{"url"} then
      ctx:flush(event:attrs{"url"})
  }
  rule new_channel {
    select when engine_ui new_channel
    pre {
      tags = event:attrs{"tags"}
    }
    ctx:newChannel(tags.typeof() == "String" => tags.split(",") | tags, event:attrs{"eventPolicy"}, event:attrs{"queryPolicy"})
  }
  rule delete_channel {
    select when engine_ui del_channel
    ctx:delChannel(event:attrs{"eci"})
  }
}
