// Every operator, with its coercions and its errors.
n = [].head()
f = function(x) { x };

1 + 2                            //= 3
"1" + 2                          //= "12"
true + true                      //= "truetrue"
null + 1                         //= "null1"
[1] + [2]                        //= "[Array][Array]"
{} + re#a#gi                     //= "[Map]re#a#gi"
f + send_directive               //= "[Function][Action]"
noop + 1                         //= "[ActionFunction]1"
0.1 + 0.2                        //= 0.30000000000000004
+ "7"                            //= "7"
- "7"                            //= -7
- - 1                            //= 1
- "x"                            //= TypeError: Cannot negate x
7 - "2"                          //= 5
"0x1f" - 1                       //= 30
"a" - 1                          //= TypeError: 1 cannot be subtracted from a
true - null                      //= 1
[1,2,3] - {"a":1}                //= 2
2 * "3"                          //= 6
2 * f                            //= TypeError: 2 cannot be multiplied by [Function]
7 / 2                            //= 3.5
7 / 0                            //= 0
7 / re#a#                        //= TypeError: 7 cannot be divided by re#a#
7 % 3                            //= 1
-7 % 3                           //= -1
7 % 0                            //= 0
5.5 % 2                          //= 1.5
"x" % 2                          //= TypeError: Cannot calculate x modulo 2
1 == 1                           //= true
1 == "1"                         //= false
null == n                        //= true
"null".decode() == null          //= true
{"a":null} == {}                 //= false
{"a":1,"b":2} == {"b":2,"a":1}   //= true
[1,[2]] == [1,[2]]               //= true
re#a#g == re#a#g                 //= true
re#a#g == re#a#                  //= false
f == f                           //= true
0 == -0                          //= true
1 != 2                           //= true
1 < 2                            //= true
"10" < "9"                       //= false
"a10" < "a9"                     //= true
null <= 0                        //= true
true > 0                         //= true
[1,2] >= 2                       //= true
"b" > "a"                        //= true
1 < 2 == true                    //= true
1 <=> 2                          //= -1
"10" <=> 9                       //= 1
"a" <=> "a"                      //= 0
"10" cmp "9"                     //= -1
10 cmp 10                        //= 0
"abc" like re#b#                 //= true
"abc" like "^b"                  //= false
123 like re#2#                   //= true
"abc" like "("                   //= SyntaxError: Invalid regular expression: /(/: Unterminated group
[1,[2]] >< [2]                   //= true
[1] >< 2                         //= false
{"a":{"b":1}} >< "a.b"           //= true
{"a":{"b":1}} >< ["a","b"]       //= true
{"a":{"b":1}} >< "b"             //= false
{"a.b":1} >< "a.b"               //= true
"abc" >< "a"                     //= false
not true || true                 //= true
-2 * 3                           //= -6
1 + 2 * 3                        //= 7
(1 + 2) * 3                      //= 9
2 - 1 - 1                        //= 0
null || 0                        //= 0
0 || "x"                         //= "x"
[] && 1                          //= 1
"" && 1                          //= ""
"0" && 1                         //= 1
not []                           //= false
not ""                           //= true
true => 1 | 2                    //= 1
false => 1 | false => 2 | 3      //= 3
0 => "a" | "b"                   //= "b"
null                             //= undefined
[null]                           //= [null]
{"a":1}{"a"}                     //= 1
{"a":{"b":[1,2]}}{["a","b",1]}   //= 2
{"a":{"b":1}}["a"]               //= {"b":1}
[5,6][1]                         //= 6
[1]{"length"}                    //= 1
{"a":1}.a                        //= 1
"abc".uc().lc()                  //= "abc"
5.isnull()                       //= false
<<a#{1+1}b#{[1]}>>               //= "a2b[Array]"
<<\>\>\#{x}\\>>                  //= ">>#{x}\\"
<<a #{ <<b#{ {"c":1}{"c"} }>> }>> //= "a b1"
"a\"b\\c\n"                      //= "a\"b\\c\\n"
.5 + 007                         //= 7.5
f(1)                             //= 1
function(a, b = 2) { a + b }(1)  //= 3
function(a, b = 2) { b }(1, null) //= 2
function(a, b = a) { b }(a = 4)  //= 4
function(a, b) { [a, b] }(b = 1) //= [null,1]
1(2)                             //= TypeError: 1 is not a function
x + 1                            //= Error: Undefined id: x
send_directive("x")              //= Error: Not a function: Action
noop()                           //= Error: Not a function: ActionFunction
f(a = 1, 2)                      //= Error: Once you used a named arg, all following must be named.
function(a, a) { a }             //= Error: Duplicate parameter: a
function(a = 1, b) { a }         //= Error: Cannot have a non-default parameter after a defaulted one
f2 = function() { g2() } g2 = function() { 5 } f2() //= 5
fac = function(n) { n <= 1 => 1 | n * fac(n - 1) } fac(10) //= 3628800
function(n) { ev = function(k) { k == 0 => true | od(k - 1) }; od = function(k) { k == 0 => false | ev(k - 1) }; ev(n) }(10) //= true
function(n) { add = function(k) { k + n }; [1,2].map(add) }(10) //= [11,12]
function() { g = function() { later }; later = 3; g() }() //= 3
