// Words, precedence and scopes, as the grammar has them.
k = function(a, b = 7) { [a, b] };

007                                    //= 7
.5 + 1                                 //= 1.5
1.5.as("String")                       //= "1.5"
"a\"b\\c\n"                            //= "a\"b\\c\\n"
/* one */ 1 /* two // */               //= 1
<<a #{1 + 1} \> \#{x} \\ #{[1]}>>      //= "a 2 > #{x} \\ [Array]"
<<#{ {"a": <<b#{"}"}>>}{"a"} }>>       //= "b}"
re#a\#b\/#gi                           //= "re#a#b\\/#gi"
1 + 2 * 3 - 4 / 2 % 3                  //= 5
1 + 2 < 4 && 2 > 1 || false            //= true
1 < 2 == true != false                 //= true
not false && false                     //= false
not (false && false)                   //= true
-2 * -3                                //= 6
true => 1 | false => 2 | 3             //= 1
false => 1 | false => 2 | 3            //= 3
false => 1 | true => 2 | 3             //= 2
0 || "" || "x"                         //= "x"
[1 && null && 2]                       //= [null]
[1,2,][1]                              //= 2
{"a":1,}{"a"}                          //= 1
{"a":{"b":[5,6]}}{["a","b",1]}         //= 6
{"a":{"b":[5,6]}}{"a"}{"b"}[0]         //= 5
"Ab".uc().lc().capitalize()            //= "Ab"
k(1)                                   //= [1,7]
k(1, null)                             //= [1,7]
k(1, "null".decode())                  //= [1,null]
k(b = 1, a = 2)                        //= [2,1]
k(1, 2, 3)                             //= [1,2]
k()                                    //= [null,7]
1.k(2)                                 //= [1,2]
function(x) { function(y) { x + y } }(1)(2)   //= 3
[1,2].map(k).length()                  //= 2
10 cmp 9                               //= -1
10.cmp(9)                              //= -1
"abc".like(re#b#)                      //= true
{"a.b": 1, "c": {"d": 2}} >< "c.d"     //= true
{"a.b": 1} >< "a.b"                    //= true
if = 3 if + 1                          //= 4
event = 2 rule = 3 event * rule        //= 6
