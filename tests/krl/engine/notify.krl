ruleset test.notify {
  // Webhooks and mail: they leave when what the event did is kept.
  meta {
    shares id
  }
  global {
    id = function() { ent:id.match(re#^c[a-z0-9]{24}$#) }
  }
  rule hook {
    select when n hook
    webhook:post(event:attrs{"url"}, {"n": 1}) setting(id)
    fired { ent:id := id }
  }
  rule mail {
    select when n mail
    mail:send(event:attrs{"to"}, "Subject", "Text") setting(id)
    fired { ent:id := id }
  }
  rule undone {
    select when n undone
    every {
      webhook:post("https://example.com/never", {})
      mail:send("a@example.com", "Never", "x")
      webhook:post("nonsense", {})
    }
  }
}
// event: n:hook {"url": "https://example.com/hook"}
// expect: asked POST https://example.com/hook {"n":1}
// query: test.notify/id
// expect: true
// event: n:mail {"to": "ann@example.com"}
// expect: mailed ann@example.com Subject: Text
// query: test.notify/id
// expect: true
// event: n:undone
// expect: error TypeError: webhook:post wants the url of a receiver: https://...
// event: n:mail {"to": "nobody"}
// expect: error Error: a mail address is not of the form NAME <LOCAL@DOMAIN>
// event: n:hook {"url": "https://nobody.example/hook"}
// expect: asked POST https://nobody.example/hook {"n":1}
// wait: 1000
// expect: asked POST https://nobody.example/hook {"n":1}
// wait: 2000
// expect: asked POST https://nobody.example/hook {"n":1}
