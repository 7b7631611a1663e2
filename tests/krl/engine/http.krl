ruleset test.http {
  // Requests to others. The one that answers here says what it was asked.
  meta {
    shares get, parsed, header, missing, nobody, changes
  }
  global {
    get = function() { http:get("https://example.com/a?b=1", qs={"c": [1, {"d": "x y"}]}, headers={"X-One": "1"}) }
    parsed = function() { http:get("https://example.com/", parseJSON=true, dontFollowRedirect=true){"content"} }
    header = function() { http:head("https://example.com/"){["headers", "content-type"]} }
    missing = function() { r = http:get("https://example.com/missing"); [r{"status_code"}, r{"status_line"}] }
    nobody = function() { http:get("https://nobody.example/") }
    changes = function() { http:get("https://example.com/", autoraise="x") }
  }
  rule post {
    select when h post
    every {
      http:post("https://example.com/json", json={"a": [1]}, auth={"username": "u", "password": "p"}, parseJSON=true) setting(one)
      http:post("https://example.com/form", form={"a": [1, 2], "b": "x&y"}, parseJSON=true) setting(two)
      http:post("https://example.com/body", body="plain", json={"a": 1}, parseJSON=true) setting(three)
      send_directive("one", one{"content"})
      send_directive("two", two{"content"})
      send_directive("three", three{"content"})
    }
  }
  rule others {
    select when h others
    every {
      http:put("https://example.com/put", body="1")
      http:patch("https://example.com/patch", body="2")
      http:delete("https://example.com/delete")
      http:get("https://example.com/get") setting(got)
      http:head("https://example.com/head")
      send_directive("got", {"status": got{"status_code"}, "keys": got.keys()})
    }
  }
  rule raises { select when h raise http:put("https://example.com/raise", autoraise="mine") }
  rule raised {
    select when http put
    send_directive("raised", {"label": event:attrs{"label"}, "status": event:attrs{"status_code"}})
  }
  rule sends {
    select when h send
    http:delete("https://example.com/send",
      autosend={"eci": meta:eci, "domain": "h", "name": "sent", "data": {"attrs": {"k": "v"}}}) setting(answer)
    fired { ent:answer := [answer] }
  }
  rule sent {
    select when h sent
    fired { ent:sent := [event:attrs{"k"}, event:attrs{"status_code"}] }
  }
  rule what { select when h what send_directive("sent", {"sent": ent:sent, "answer": ent:answer}) }
  rule wrong { select when h wrong http:post(event:attrs{"url"}) }
}
// query: test.http/get
// expect: asked GET https://example.com/a?b=1&c%5B0%5D=1&c%5B1%5D%5Bd%5D=x%20y
// expect: {"content":"{\"method\":\"GET\",\"body\":\"\",\"follow\":true,\"User-Agent\":\"pico-engine-core-http\",\"X-One\":\"1\"}","content_type":"application/json","content_length":0,"headers":{"content-type":"application/json"},"status_code":200,"status_line":"OK"}
// query: test.http/parsed
// expect: asked GET https://example.com/
// expect: {"method":"GET","body":"","follow":false,"User-Agent":"pico-engine-core-http"}
// query: test.http/header
// expect: asked HEAD https://example.com/
// expect: "application/json"
// query: test.http/missing
// expect: asked GET https://example.com/missing
// expect: [404,"Not Found"]
// query: test.http/nobody
// expect: asked GET https://nobody.example/
// expect: Error: http:get failed: nobody is there
// query: test.http/changes
// expect: Error: a query neither raises nor sends events
// event: h:post
// expect: asked POST https://example.com/json {"a":[1]}
// expect: asked POST https://example.com/form a%5B0%5D=1&a%5B1%5D=2&b=x%26y
// expect: asked POST https://example.com/body plain
// expect: directive one {"method":"POST","body":"{\"a\":[1]}","follow":true,"User-Agent":"pico-engine-core-http","Authorization":"Basic dTpw","Content-Type":"application/json"}
// expect: directive two {"method":"POST","body":"a%5B0%5D=1&a%5B1%5D=2&b=x%26y","follow":true,"User-Agent":"pico-engine-core-http","Content-Type":"application/x-www-form-urlencoded"}
// expect: directive three {"method":"POST","body":"plain","follow":true,"User-Agent":"pico-engine-core-http"}
// event: h:others
// expect: asked PUT https://example.com/put 1
// expect: asked PATCH https://example.com/patch 2
// expect: asked DELETE https://example.com/delete
// expect: asked GET https://example.com/get
// expect: asked HEAD https://example.com/head
// expect: directive got {"status":200,"keys":["content","content_type","content_length","headers","status_code","status_line"]}
// event: h:raise
// expect: asked PUT https://example.com/raise
// expect: directive raised {"label":"mine","status":200}
// event: h:send
// expect: asked DELETE https://example.com/send
// event: h:what
// expect: directive sent {"sent":["v",200],"answer":[null]}
// event: h:wrong {"url": 5}
// expect: error TypeError: http:post was given 5 instead of a url string
// event: h:wrong
// expect: error Error: http:post needs a url string
