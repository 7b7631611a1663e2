ruleset test.windows {
  // Each period of "within", in both its forms; and what else an event expression can say.
  rule second { select when w0 a before w0 b within 1 second send_directive("second") }
  rule seconds { select when w1 a before w1 b within 2 seconds send_directive("seconds") }
  rule minute { select when w2 a before w2 b within 1 minute send_directive("minute") }
  rule minutes { select when w3 a before w3 b within 2 minutes send_directive("minutes") }
  rule hour { select when w4 a before w4 b within 1 hour send_directive("hour") }
  rule hours { select when w5 a before w5 b within 1 + 1 hours send_directive("hours") }
  rule day { select when w6 a before w6 b within 1 day send_directive("day") }
  rule days { select when w7 a before w7 b within 2 days send_directive("days") }
  rule week { select when w8 a before w8 b within 1 week send_directive("week") }
  rule weeks { select when w9 a before w9 b within 2 weeks send_directive("weeks") }
  rule month { select when w10 a before w10 b within 1 month send_directive("month") }
  rule months { select when w11 a before w11 b within 2 months send_directive("months") }
  rule year { select when w12 a before w12 b within 1 year send_directive("year") }
  rule years { select when w13 a before w13 b within 2 years send_directive("years") }
  rule same { select when x a k re#1# or x a k re#2# send_directive("same") }
  rule colon { select when x:b or then(x:c, x:d) send_directive("colon") }
  rule words { select when event rule or select when send_directive("words") }
  rule absent { select when x e k re#^$# send_directive("absent") }
  rule shape { select when x f k re#^\[Map\]$# send_directive("shape") }
  rule number { select when x g k re#^1\.5$# setting(all) send_directive("number", {"all": all}) }
  rule any_one { select when any 1 (x j, x k) send_directive("one") }
  rule counts { select when count 2 (x l v re#(\d+) (\w+)#) push(n, w) send_directive("counts", {"n": n, "w": w}) }
  rule repeats { select when repeat 2 (x m v re#(.*)#) max(hi) send_directive("repeats", {"hi": hi}) }
  rule averages { select when repeat 2 (x n v re#(.*)#) avg(mean) send_directive("mean", {"mean": mean}) }
  rule counts_only { select when count 2 (x o) send_directive("two") }
  rule where_all { select where event:attrs{"all"} == true send_directive("all", {"name": event:name}) }
  rule nested { select when (x p or x q) between(x r, x s or x t) send_directive("nested") }
  rule reused { select when x u k re#(.)# setting(a) before x v k re#(.)# setting(b) send_directive("reused", {"a": a, "b": b}) }
}
// event: w0:a
// event: w0:b
// expect: directive second {}
// event: w0:a
// wait: 1
// event: w0:b
// event: w1:a
// wait: 1000
// event: w1:b
// expect: directive seconds {}
// event: w1:a
// wait: 1001
// event: w1:b
// event: w2:a
// wait: 59000
// event: w2:b
// expect: directive minute {}
// event: w2:a
// wait: 59001
// event: w2:b
// event: w3:a
// wait: 119000
// event: w3:b
// expect: directive minutes {}
// event: w3:a
// wait: 119001
// event: w3:b
// event: w4:a
// wait: 3599000
// event: w4:b
// expect: directive hour {}
// event: w4:a
// wait: 3599001
// event: w4:b
// event: w5:a
// wait: 7199000
// event: w5:b
// expect: directive hours {}
// event: w5:a
// wait: 7199001
// event: w5:b
// event: w6:a
// wait: 86399000
// event: w6:b
// expect: directive day {}
// event: w6:a
// wait: 86399001
// event: w6:b
// event: w7:a
// wait: 172799000
// event: w7:b
// expect: directive days {}
// event: w7:a
// wait: 172799001
// event: w7:b
// event: w8:a
// wait: 604799000
// event: w8:b
// expect: directive week {}
// event: w8:a
// wait: 604799001
// event: w8:b
// event: w9:a
// wait: 1209599000
// event: w9:b
// expect: directive weeks {}
// event: w9:a
// wait: 1209599001
// event: w9:b
// event: w10:a
// wait: 1295999000
// wait: 1296000000
// event: w10:b
// expect: directive month {}
// event: w10:a
// wait: 1295999001
// wait: 1296000000
// event: w10:b
// event: w11:a
// wait: 1727999000
// wait: 1728000000
// wait: 1728000000
// event: w11:b
// expect: directive months {}
// event: w11:a
// wait: 1727999001
// wait: 1728000000
// wait: 1728000000
// event: w11:b
// event: w12:a
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 1535999000
// event: w12:b
// expect: directive year {}
// event: w12:a
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 1535999001
// event: w12:b
// event: w13:a
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 1071999000
// event: w13:b
// expect: directive years {}
// event: w13:a
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 2000000000
// wait: 1071999001
// event: w13:b
// event: x:a {"k": "1"}
// expect: directive same {}
// event: x:a {"k": "2"}
// expect: directive same {}
// event: x:a {"k": "12"}
// expect: directive same {}
// event: x:a {"k": "3"}
// event: x:b
// expect: directive colon {}
// event: x:c
// event: x:b
// event: x:b
// expect: directive colon {}
// event: x:d
// event: x:c
// event: x:d
// expect: directive colon {}
// event: event:rule
// expect: directive words {}
// event: select:when
// expect: directive words {}
// event: x:e
// expect: directive absent {}
// event: x:e {"k": "a"}
// event: x:f {"k": {"a": 1}}
// expect: directive shape {}
// event: x:g {"k": 1.5}
// expect: directive number {"all":null}
// event: x:j
// expect: directive one {}
// event: x:l {"v": "1 a"}
// event: x:l {"v": "none"}
// event: x:l {"v": "2 b"}
// expect: directive counts {"n":["1","2"],"w":["a","b"]}
// event: x:m {"v": "5"}
// event: x:m {"v": "3"}
// expect: directive repeats {"hi":5}
// event: x:m {"v": "1"}
// expect: directive repeats {"hi":3}
// event: x:n {"v": "2"}
// event: x:n {"v": "x"}
// expect: directive mean {"mean":1}
// event: x:o
// event: x:o
// expect: directive two {}
// event: x:any {"all": true}
// expect: directive all {"name":"any"}
// event: other:thing {"all": true}
// expect: directive all {"name":"thing"}
// event: x:r
// event: x:q
// event: x:t
// expect: directive nested {}
// event: x:u {"k": "1"}
// event: x:u {"k": "2"}
// event: x:v {"k": "3"}
// expect: directive reused {"a":"1","b":"3"}
