ruleset test.events {
  rule before { select when t1 a before t1 b  send_directive("before") }
  rule then { select when t2 a then t2 b  send_directive("then") }
  rule after { select when t3 a after t3 b  send_directive("after") }
  rule and { select when t4 a and t4 b  send_directive("and") }
  rule or { select when t5 a or t5 b  send_directive("or") }
  rule between { select when t6 a between(t6 b, t6 c)  send_directive("between") }
  rule not_between { select when t7 a not between(t7 b, t7 c)  send_directive("not between") }
  rule any { select when any 2 (t8 a, t8 b, t8 c)  send_directive("any") }
  rule count { select when count 3 (t9 a)  send_directive("count") }
  rule repeat { select when repeat 2 (t10 a v re#(.*)#) sum(s)  send_directive("repeat", {"s": s}) }
  rule max { select when count 2 (t11 a v re#(.*)#) max(x)  send_directive("max", {"x": x}) }
  rule push { select when count 2 (t12 a v re#(.*)#) push(x)  send_directive("push", {"x": x}) }
  rule within { select when t13 a before t13 b within 5 seconds  send_directive("within") }
  rule where { select when t14 a n re#(\d+)# setting(n) where n > 5  send_directive("where", {"n": n}) }
  rule list { select when before(t15 a, t15 b, t15 c)  send_directive("list") }
  rule settings { select when t16 a x re#(.)(.)# setting(p, q) before t16 b y re#(.)# setting(r)
    send_directive("settings", {"p": p, "q": q, "r": r}) }
  rule nested { select when (t17 a before t17 b) or t17 c  send_directive("nested") }
  rule avg { select when count 2 (t18 a v re#(.*)#) avg(x)  send_directive("avg", {"x": x}) }
  rule min { select when count 2 (t19 a v re#(.*)#) min(x)  send_directive("min", {"x": x}) }
}
// event: t1:b
// event: t1:a
// event: t1:a
// event: t1:b
// expect: directive before {}
// event: t1:b
// event: t2:a
// event: t2:a
// event: t2:b
// event: t2:a
// event: t2:b
// expect: directive then {}
// event: t3:b
// event: t3:a
// expect: directive after {}
// event: t4:b
// event: t4:b
// event: t4:a
// expect: directive and {}
// event: t5:b
// expect: directive or {}
// event: t5:a
// expect: directive or {}
// event: t6:b
// event: t6:c
// event: t6:a
// event: t6:c
// expect: directive between {}
// event: t7:b
// event: t7:a
// event: t7:c
// event: t7:b
// event: t7:c
// expect: directive not between {}
// event: t8:a
// event: t8:a
// event: t8:c
// expect: directive any {}
// event: t9:a
// event: t9:a
// event: t9:a
// expect: directive count {}
// event: t9:a
// event: t10:a {"v":"1"}
// event: t10:a {"v":"2"}
// expect: directive repeat {"s":3}
// event: t10:a {"v":"5"}
// expect: directive repeat {"s":7}
// event: t11:a {"v":"4"}
// event: t11:a {"v":"2"}
// expect: directive max {"x":4}
// event: t12:a {"v":"4"}
// event: t12:a {"v":"2"}
// expect: directive push {"x":["4","2"]}
// event: t13:a
// wait: 6000
// event: t13:b
// event: t13:a
// event: t13:b
// expect: directive within {}
// event: t14:a {"n": 3}
// event: t14:a {"n": 7}
// expect: directive where {"n":"7"}
// event: t14:a {"n": "x"}
// event: t15:a
// event: t15:c
// event: t15:b
// event: t15:c
// expect: directive list {}
// event: t16:a {"x":"12"}
// event: t16:b {"y":"3"}
// expect: directive settings {"p":"1","q":"2","r":"3"}
// event: t17:c
// expect: directive nested {}
// event: t17:a
// event: t17:b
// expect: directive nested {}
// event: t18:a {"v":"1"}
// event: t18:a {"v":"2"}
// expect: directive avg {"x":1.5}
// event: t19:a {"v":"1"}
// event: t19:a {"v":"2"}
// expect: directive min {"x":1}
