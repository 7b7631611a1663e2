// math:hash and math:hmac; the digests are those of "abc" in RFC 1321, FIPS 180-4 and FIPS 202.
math:hash("md5", "abc")                        //= "900150983cd24fb0d6963f7d28e17f72"
math:hash("sha1", "abc")                       //= "a9993e364706816aba3e25717850c26c9cd0d89d"
math:hash("sha256", "abc")                     //= "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
math:hash("sha3-256", "abc")                   //= "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"
math:hash("ripemd160", "abc")                  //= "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"
math:hash("sha1", "")                          //= "da39a3ee5e6b4b0d3255bfef95601890afd80709"
math:hash("sha1", "abc", "base64")             //= "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="
math:hash("sha1", "abc", "")                   //= "a9993e364706816aba3e25717850c26c9cd0d89d"
math:hash("sha1", "abc", "latin1")             //= Error: math:hash encoding must be "hex" or "base64" but was latin1
math:hash("SHA1", "abc")                       //= Error: math:hash doesn't recognize the hash algorithm SHA1
math:hash(1, "abc")                            //= TypeError: math:hash was given 1 instead of a algorithm string
math:hmac("md5", "key", "The quick brown fox jumps over the lazy dog") //= "80070713463e7749b90c2dc24911e275"
math:hmac("sha256", "key", "The quick brown fox jumps over the lazy dog") //= "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
math:hmac("sha256", 1, "x")                    //= Error: math:hmac needs a key string
math:hmac("none", "k", "x")                    //= Error: math:hmac doesn't recognize the hash algorithm none
math:hashAlgorithms >< "sha256"                //= true
math:hashFunctions() == math:hashAlgorithms    //= true
math:hashAlgorithms.all(function(a) { math:hash(a, "x").length() > 31 }) //= true
random:word().match(re#^[a-z]+$#)              //= true
