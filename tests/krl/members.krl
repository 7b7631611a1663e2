// Functions of the library and of modules, where they meet what they were not made for.
odd = function(v) { v % 2 == 1 };
as("x", "String")                //= "x"
as(null, "Hex")                  //= TypeError: Cannot read properties of undefined (reading 'toString')
as([1], "Hex")                   //= null
as(true, "Hex")                  //= "true"
as(5)                            //= 5
isnull("null".decode())          //= true
("1e308" * 10) + ""              //= "[JSObject]"
defaultsTo(null, 1, "no value")  //= 1
defaultsTo("", 1)                //= ""
5.decode()                       //= 5
[1].encode(20)                   //= "[\n          1\n]"
[1].encode(-1)                   //= "[1]"
null.encode()                    //= "null"
re#a#g.encode()                  //= "\"re#a#g\""
"$&x$1".sprintf("a%sb")          //= "aa%sxab"
"x".sprintf("%s %s\%s\\\\%s%s")          //= "x x%s\\x%s"
5.sprintf("%d%d")                //= "5%d"
5.sprintf("%s")                  //= "%s"
chr("x")                         //= null
range(3, "x")                    //= []
range("1", "3")                  //= [1,2,3]
band("x", 1)                     //= TypeError: x cannot be bitwise anded 1
bor(1, head)                     //= TypeError: 1 cannot be bitwise anded [Function]
bxor(4294967295, 1)              //= -2
bnot("x")                        //= TypeError: x cannot be inverted 
shiftRight("a", "b")             //= TypeError: a cannot be shifted by b
shiftLeft(1, 31)                 //= -2147483648
"anullb".split(null)             //= ["a","b"]
5051.split(0)                    //= ["5","51"]
"abc".replace("b", null)         //= "ac"
"abcb".replace("b", function(m, i) { m.uc() + i }) //= "aB1cb"
"abc".replace(5, "x")            //= "abc"
123.replace(2, "x")              //= "1x3"
"abc".extract("b")               //= []
"abc".match(null)                //= false
"abc".contains(null)             //= false
123.startsWith(12)               //= true
123.endsWith(3)                  //= true
substr("abc", "1")               //= "bc"
"abc".substr(1, null)            //= "bc"
"abc".substr(1, 0)               //= "bc"
"abc".substr(1, 9)               //= "bc"
12.length()                      //= 0
head.length()                    //= 0
null.capitalize()                //= "Null"
true.uc()                        //= "TRUE"
[1].lc()                         //= "[array]"
" a".ord()                       //= 32
12.trim()                        //= "12"
[3,1].filter()                   //= [3,1]
[0,1].filter()                   //= [1]
{"a":0,"b":2}.filter()           //= {"b":2}
[1,1,2].collect()                //= {"1":[1,1],"2":[2]}
{"a":1,"b":2}.collect(odd)       //= {"true":[1],"false":[2]}
[1,2].any(odd)                   //= true
{"a":1}.all(odd)                 //= true
{}.any(5)                        //= false
[1].any()                        //= TypeError: iter is not a function
{"a":1}.none(odd)                //= false
{"a":1}.notall(odd)              //= false
[1].map(function(v, k, all) { [v, k, all] }) //= [[1,0,[1]]]
{"a":1}.map(function(v, k, all) { [v, k, all] }) //= {"a":[1,"a",{"a":1}]}
append([1], 2, [3], 4, 5, 6)     //= [1,2,3,4,5,6]
append()                         //= []
index([null], null)              //= 0
"ab".join("-")                   //= "ab"
isEmpty(true)                    //= true
isEmpty(head)                    //= false
isEmpty({})                      //= true
isEmpty([null])                  //= false
isEmpty(null)                    //= true
pairwise({}, odd)                //= TypeError: The .pairwise() operator cannot be called on [Map]
[[1],[2]].pairwise(5)            //= TypeError: The .pairwise() operator cannot use 5 as a function
[[1],2].pairwise(function(a, b) { [a, b] }) //= [[1,2]]
[5].reduce(function(a, v, i) { [a, v, i] }, 7) //= [7,5,0]
"ab".reduce(odd)                 //= TypeError: only works on Arrays
"ab".reverse()                   //= TypeError: only works on Arrays
"ab".sort()                      //= "ab"
[2,1].sort("default")            //= [1,2]
[2,1].sort("sideways")           //= [1,2]
[2,10,1].sort(5)                 //= [1,10,2]
[1,2].sort().length()            //= 2
[1,2].slice()                    //= [1,2]
"ab".slice(1)                    //= TypeError: only works on Arrays
[1,2,3].splice(5, 1)             //= [1,2]
[1,2,3].splice(0, 9, 7)          //= [7]
[].splice(0, 1, 5)               //= []
[1,2,3].splice(-1, 1)            //= [2,3]
"ab".unique()                    //= "ab"
5.duplicates()                   //= []
"a".once()                       //= "a"
[1,2,1].once()                   //= [2]
union(1)                         //= 1
intersection([1], 1)             //= [1]
difference(1, [2])               //= [1]
[1].difference()                 //= [1]
has([1,2], 2)                    //= true
5.keys()                         //= []
{"a":{"b":1}}.values("a")        //= [1]
{"a":{"b":1}}.keys(["a","c"])    //= []
"ab".get("length")               //= null
{"a":[5]}.get(["a",0])           //= 5
{"a":1}.get(["a","b"])           //= null
[1].set([3], 2)                  //= [1,null,null,2]
{}.set(["a",0,"b"], 1)           //= {"a":[{"b":1}]}
{"a":5}.put(["a","b"], 1)        //= {"a":{"b":1}}
[1,2].put([2], 3)                //= [1,2,3]
[1,2].put(["k"], 3)              //= [1,2]
{"a":[1,2]}.put(["a","k"], 3)    //= {"a":{"0":1,"1":2,"k":3}}
{"a":1}.put(5)                   //= 5
{"a":{"b":1}}.delete(["a","b","c"]) //= {"a":{"b":1}}
5.delete("a")                    //= 5
[1] >< "0"                       //= false
5 >< 5                           //= false
(0 - 3).math:abs()               //= 3
math:abs("x")                    //= null
math:abs("-2")                   //= 2
math:ceiling(-1.5)               //= -1
math:floor(-1.5)                 //= -2
math:round(0.5)                  //= 1
math:round(2.5)                  //= 3
math:round(1234, -2)             //= 1200
math:int("7.9")                  //= 7
math:base64decode(math:base64encode("a?>😀")) //= "a?>😀"
math:base64encode("666f6fzz", "hex")    //= "Zm9v"
math:base64encode("Zm9v", "base64url")  //= "Zm9v"
math:base64encode("ÿ€", "latin1")       //= "/6w="
math:base64encode("Z€", "ucs2")         //= "WgCsIA=="
math:base64encode("é", "UTF-8")         //= "w6k="
math:base64encode("é", null)            //= "w6k="
math:base64encode("x", "foo")           //= TypeError: Unknown encoding: foo
math:base64decode("/+D/4oKs", "hex")    //= "ffe0ffe282ac"
math:base64decode("_-D_4oKs", "base64url") //= "_-D_4oKs"
math:base64decode("/+D/", "Base64")     //= "/+D/"
math:base64decode("/+D/", "binary")     //= "ÿàÿ"
math:base64decode("gWI=", "ascii").ord() //= 1
math:base64decode("WgCsIA==", "utf16le") //= "Z€"
math:base64decode("WgA=", 5)            //= TypeError: Unknown encoding: 5
math:base64decode("!", "foo")           //= ""
math:base64decode("", "foo")            //= ""
math:base64decode("WgA=", "")           //= TypeError: Unknown encoding:
math:base64decode("WgA=", "null".decode()) //= TypeError: Unknown encoding: null
math:base64decode("Wg==", ["hex"])      //= "5a"
math:base64encode("", "foo")            //= TypeError: Unknown encoding: foo
math:base64encode("a", "")              //= "YQ=="
math:base64encode("a", 5)               //= "YQ=="
math:floor([]) + math:ceiling([2.5]) + math:round(["7"]) + math:abs([-3]) + math:int([[1.5]]) //= 14
math:round(1.25, [1]) + math:round(1.25, {"a": 1}) //= 2.3
math:floor([null])                      //= 0
math:floor([1, 2]).isnull()             //= true
math:abs({}).isnull()                   //= true
math:base64encode(null)          //= "bnVsbA=="
math:hmac("sha256", "k", "m", "base64").length() //= 44
[random:integer(5, 9)].all(function(x) { x >= 5 && x <= 9 }) //= true
range(1, 200).map(function(x) { random:integer(2) }).unique().sort("numeric") //= [0,1,2]
range(1, 50).all(function(x) { n = random:number(3, 2); n >= 2 && n < 3 }) //= true
range(1, 50).all(function(x) { n = random:number(); n >= 0 && n < 1 }) //= true
random:uuid().match(re#^c[a-z0-9]{24}$#) //= true
random:uuid() == random:uuid()   //= false
random:word() == null            //= false
event:attrs                      //= null
event:attr("x")                  //= null
[event:eci, event:domain, event:name, event:eid, event:time] //= [null,null,null,null,null]
time:now() == time:new(1764000000000) //= true
function() { head = 5; head }()  //= 5
map = 3 map + 1                  //= 4
[1,2].map(typeof)                //= ["Number","Number"]
[[1,2]].map(tail)[0]             //= [2]
1 + 1 +　2                      //= 4
﻿1 + 1                       //= 2
re#a#m                           //= "re#a#"
{"a":null} == {"a":"null".decode()} //= true
("x" cmp "y") + ("y" cmp "x")    //= 0
1 <=> "a"                        //= -1
random:nope()                    //= TypeError: random:nope is not a function
math:nope                        //= TypeError: math:nope is not defined
