ruleset test.ursa {
  // Envelopes and signatures of Aries agents. What was packed and signed outside was made by the official engine's module.
  meta {
    shares opens, named, both, hidden, many, wrong_key, signed, verified, refused, big, sealed_for_nobody
  }
  global {
    own = {
      "a": {"ariesPublicKey":"AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9","secret":{"ariesPrivateKey":"2AXDGYSE4f2sz7tvMMzyHvUfcoJmxudvdhBcmiUSo6iuCXagjUCKEQF21awZnUGxmwD4m9vGXuC3qieHXJQHAcT"}},
      "b": {"ariesPublicKey":"9hSR6S7WPtxmTojgo6GG3k4yDPecgJY292j7xrsUGWBu","secret":{"ariesPrivateKey":"3L3RY5sT8K4kyEnqhizwaqxLEbcYvpGrGPNEYRwtbCSdSvvMAJawwEEPE3NhshFbVUqmvDV74Ct4vo7MEu7yxJX"}}
    }
    opens = function(m, who) { ursa:unpack(m, own{who}) }
    named = function() {
      did = ursa:generateDID();
      did.keys().append(did{"secret"}.keys()).append([did{["secret", "seed"]}.length(), did{["secret", "signKey"]} == did{["secret", "encryptionPrivateKey"]}])
    }
    both = function(text) {
      to = ursa:generateDID();
      from = ursa:generateDID();
      got = ursa:unpack(ursa:pack(text, [own{["a", "ariesPublicKey"]}, to{"ariesPublicKey"}], from), to);
      [got{"message"} == text, got{"sender_key"} == from{"ariesPublicKey"}, got{"recipient_key"} == to{"ariesPublicKey"}]
    }
    hidden = function(text) {
      to = ursa:generateDID();
      packed = ursa:pack(text, [to{"ariesPublicKey"}]);
      got = ursa:unpack(packed.decode(), to);
      [got{"message"} == text, got{"sender_key"}, got{"recipient_key"} == to{"ariesPublicKey"}, packed.decode().keys()]
    }
    many = function(n) { ursa:pack("x", 1.range(n).map(function(i) { own{["a", "ariesPublicKey"]} })).length() > 0 }
    wrong_key = function() { ursa:pack("x", ["nonsense"]) }
    signed = function() { [ursa:sig_data([0, 0, 0, 0, 1, 2, 3, 255, 104, 105, 233]), ursa:crypto_sign([0, 0, 0, 0, 1, 2, 3, 255, 104, 105, 233], own{"a"})] }
    verified = function(signature, who, data) {
      ursa:verify_signed_field({"signature": signature, "sig_data": data.defaultsTo("AAAAAAECA_9oaek="), "signer": own{[who, "ariesPublicKey"]}})
    }
    refused = function(m) { ursa:unpack(m, {}) }
    big = function() { ursa:pack(1.range(200000).join("-"), [own{["a", "ariesPublicKey"]}]) }
    sealed_for_nobody = function() { ursa:pack("x", ["11111111111111111111111111111111"]) }
  }
}
// query: test.ursa/opens {"m":{"protected":"eyJlbmMiOiJ4Y2hhY2hhMjBwb2x5MTMwNV9pZXRmIiwidHlwIjoiSldNLzEuMCIsImFsZyI6IkF1dGhjcnlwdCIsInJlY2lwaWVudHMiOlt7ImVuY3J5cHRlZF9rZXkiOiJ1U3lVNkIwRHRsNmtHc1h3YnQtMF9rVmZoams2cnVNYUJpY0VYb1pia05LOVpNM2R6dlYwSGx5WFhvUUpyY1Y0IiwiaGVhZGVyIjp7ImtpZCI6IjloU1I2UzdXUHR4bVRvamdvNkdHM2s0eURQZWNnSlkyOTJqN3hyc1VHV0J1Iiwic2VuZGVyIjoiQ29yUlh1NnZ1anJVc2F6T0pIekItOEZlZEoyUmpMeElQZDZWbEZ6MkkyOWRXVUs1d0xWVUlvbkl6YkhzNEF1dUhCT0FZcmJZajl3N1BpY2VhS19XVVVqWm9CS0E3VTJNX2ZqYWxndjh3b3VGLTFBZTVhQWV5UEF2NmtnPSIsIml2IjoiamlwdmgxTWdhOWdFa2hXczdWdWRsa3JMeEVhWlhVUGIifX0seyJlbmNyeXB0ZWRfa2V5IjoiVVlVY1BMWDVOYzFtY2h2Z2liOEJUakRCRjlzcC1SdXh5RTdNVGRwLTV2aUJ5SXdJT1ZRTXoxRG9CVGxoWE9KOSIsImhlYWRlciI6eyJraWQiOiJBS25MNE5OZjNER1daSlM2Y1BrbkJ1RUduVnNWNEE0bTV0Z2ViTEhhUlNaOSIsInNlbmRlciI6ImtOcjNnVEt2Mmhnb2xibXpYOW5VTzZReTVERlFUTC1SV2hLWmNsVTNIU0pZNHhEcHE5cjQ2TzRpU2Y3VFBTclBxaUxMYkg2bXNZTXgzZ2ZVbFdCNEp3TjAwSFNrNkxIalRBLThhZGFjemJ2NEhYUEhJb05uMHlhNDFDYz0iLCJpdiI6ImM5LUgwazBpOVdGTXFSVlZoYTU4a3p3M2ZDemVNRV83In19XX0=","iv":"vGmZk1LN4mOCWY-k","ciphertext":"WhsgGLHBBkmE","tag":"VWx6QlduCNlZ1rjy5lR-OA=="},"who":"a"}
// expect: {"message":"hello ☃","sender_key":"AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9","recipient_key":"AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9"}
// query: test.ursa/opens {"m":{"protected":"eyJlbmMiOiJ4Y2hhY2hhMjBwb2x5MTMwNV9pZXRmIiwidHlwIjoiSldNLzEuMCIsImFsZyI6IkF1dGhjcnlwdCIsInJlY2lwaWVudHMiOlt7ImVuY3J5cHRlZF9rZXkiOiJ1U3lVNkIwRHRsNmtHc1h3YnQtMF9rVmZoams2cnVNYUJpY0VYb1pia05LOVpNM2R6dlYwSGx5WFhvUUpyY1Y0IiwiaGVhZGVyIjp7ImtpZCI6IjloU1I2UzdXUHR4bVRvamdvNkdHM2s0eURQZWNnSlkyOTJqN3hyc1VHV0J1Iiwic2VuZGVyIjoiQ29yUlh1NnZ1anJVc2F6T0pIekItOEZlZEoyUmpMeElQZDZWbEZ6MkkyOWRXVUs1d0xWVUlvbkl6YkhzNEF1dUhCT0FZcmJZajl3N1BpY2VhS19XVVVqWm9CS0E3VTJNX2ZqYWxndjh3b3VGLTFBZTVhQWV5UEF2NmtnPSIsIml2IjoiamlwdmgxTWdhOWdFa2hXczdWdWRsa3JMeEVhWlhVUGIifX0seyJlbmNyeXB0ZWRfa2V5IjoiVVlVY1BMWDVOYzFtY2h2Z2liOEJUakRCRjlzcC1SdXh5RTdNVGRwLTV2aUJ5SXdJT1ZRTXoxRG9CVGxoWE9KOSIsImhlYWRlciI6eyJraWQiOiJBS25MNE5OZjNER1daSlM2Y1BrbkJ1RUduVnNWNEE0bTV0Z2ViTEhhUlNaOSIsInNlbmRlciI6ImtOcjNnVEt2Mmhnb2xibXpYOW5VTzZReTVERlFUTC1SV2hLWmNsVTNIU0pZNHhEcHE5cjQ2TzRpU2Y3VFBTclBxaUxMYkg2bXNZTXgzZ2ZVbFdCNEp3TjAwSFNrNkxIalRBLThhZGFjemJ2NEhYUEhJb05uMHlhNDFDYz0iLCJpdiI6ImM5LUgwazBpOVdGTXFSVlZoYTU4a3p3M2ZDemVNRV83In19XX0=","iv":"vGmZk1LN4mOCWY-k","ciphertext":"WhsgGLHBBkmE","tag":"VWx6QlduCNlZ1rjy5lR-OA=="},"who":"b"}
// expect: {"message":"hello ☃","sender_key":"AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9","recipient_key":"9hSR6S7WPtxmTojgo6GG3k4yDPecgJY292j7xrsUGWBu"}
// query: test.ursa/opens {"m":"{\"protected\":\"eyJlbmMiOiJ4Y2hhY2hhMjBwb2x5MTMwNV9pZXRmIiwidHlwIjoiSldNLzEuMCIsImFsZyI6IkF1dGhjcnlwdCIsInJlY2lwaWVudHMiOlt7ImVuY3J5cHRlZF9rZXkiOiJ1U3lVNkIwRHRsNmtHc1h3YnQtMF9rVmZoams2cnVNYUJpY0VYb1pia05LOVpNM2R6dlYwSGx5WFhvUUpyY1Y0IiwiaGVhZGVyIjp7ImtpZCI6IjloU1I2UzdXUHR4bVRvamdvNkdHM2s0eURQZWNnSlkyOTJqN3hyc1VHV0J1Iiwic2VuZGVyIjoiQ29yUlh1NnZ1anJVc2F6T0pIekItOEZlZEoyUmpMeElQZDZWbEZ6MkkyOWRXVUs1d0xWVUlvbkl6YkhzNEF1dUhCT0FZcmJZajl3N1BpY2VhS19XVVVqWm9CS0E3VTJNX2ZqYWxndjh3b3VGLTFBZTVhQWV5UEF2NmtnPSIsIml2IjoiamlwdmgxTWdhOWdFa2hXczdWdWRsa3JMeEVhWlhVUGIifX0seyJlbmNyeXB0ZWRfa2V5IjoiVVlVY1BMWDVOYzFtY2h2Z2liOEJUakRCRjlzcC1SdXh5RTdNVGRwLTV2aUJ5SXdJT1ZRTXoxRG9CVGxoWE9KOSIsImhlYWRlciI6eyJraWQiOiJBS25MNE5OZjNER1daSlM2Y1BrbkJ1RUduVnNWNEE0bTV0Z2ViTEhhUlNaOSIsInNlbmRlciI6ImtOcjNnVEt2Mmhnb2xibXpYOW5VTzZReTVERlFUTC1SV2hLWmNsVTNIU0pZNHhEcHE5cjQ2TzRpU2Y3VFBTclBxaUxMYkg2bXNZTXgzZ2ZVbFdCNEp3TjAwSFNrNkxIalRBLThhZGFjemJ2NEhYUEhJb05uMHlhNDFDYz0iLCJpdiI6ImM5LUgwazBpOVdGTXFSVlZoYTU4a3p3M2ZDemVNRV83In19XX0=\",\"iv\":\"vGmZk1LN4mOCWY-k\",\"ciphertext\":\"WhsgGLHBBkmE\",\"tag\":\"VWx6QlduCNlZ1rjy5lR-OA==\"}","who":"b"}
// expect: {"message":"hello ☃","sender_key":"AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9","recipient_key":"9hSR6S7WPtxmTojgo6GG3k4yDPecgJY292j7xrsUGWBu"}
// query: test.ursa/opens {"m":{"protected":"eyJlbmMiOiJ4Y2hhY2hhMjBwb2x5MTMwNV9pZXRmIiwidHlwIjoiSldNLzEuMCIsImFsZyI6IkFub25jcnlwdCIsInJlY2lwaWVudHMiOlt7ImVuY3J5cHRlZF9rZXkiOiJEbHFqSk15QWNXYVB5SEZxXzdMajRIYldTQXZVZVdnRl9pQ3F4QVAydGtNTTVyN2V6VjB0a3N6aDhCakFhUlY0M0xVMlVSTVpCNWVYX210cThxSkRyQnc1ZFRjWTRXVTFjWmdaOG5CNl9sRT0iLCJoZWFkZXIiOnsia2lkIjoiOWhTUjZTN1dQdHhtVG9qZ282R0czazR5RFBlY2dKWTI5Mmo3eHJzVUdXQnUiLCJzZW5kZXIiOm51bGwsIml2IjpudWxsfX1dfQ==","iv":"b2j0juYsXhOQ70ac","ciphertext":"iekxet0=","tag":"1I2oEJUzywx6KKk2JR0GjQ=="},"who":"b"}
// expect: {"message":"hello","sender_key":null,"recipient_key":"9hSR6S7WPtxmTojgo6GG3k4yDPecgJY292j7xrsUGWBu"}
// query: test.ursa/opens {"m":{"protected":"eyJlbmMiOiJ4Y2hhY2hhMjBwb2x5MTMwNV9pZXRmIiwidHlwIjoiSldNLzEuMCIsImFsZyI6IkFub25jcnlwdCIsInJlY2lwaWVudHMiOlt7ImVuY3J5cHRlZF9rZXkiOiJEbHFqSk15QWNXYVB5SEZxXzdMajRIYldTQXZVZVdnRl9pQ3F4QVAydGtNTTVyN2V6VjB0a3N6aDhCakFhUlY0M0xVMlVSTVpCNWVYX210cThxSkRyQnc1ZFRjWTRXVTFjWmdaOG5CNl9sRT0iLCJoZWFkZXIiOnsia2lkIjoiOWhTUjZTN1dQdHhtVG9qZ282R0czazR5RFBlY2dKWTI5Mmo3eHJzVUdXQnUiLCJzZW5kZXIiOm51bGwsIml2IjpudWxsfX1dfQ==","iv":"b2j0juYsXhOQ70ac","ciphertext":"iekxet0=","tag":"1I2oEJUzywx6KKk2JR0GjQ=="},"who":"a"}
// expect: Error: No corresponding recipient key found
// query: test.ursa/opens {"m":{"protected":"eyJlbmMiOiJ4Y2hhY2hhMjBwb2x5MTMwNV9pZXRmIiwidHlwIjoiSldNLzEuMCIsImFsZyI6IkF1dGhjcnlwdCIsInJlY2lwaWVudHMiOlt7ImVuY3J5cHRlZF9rZXkiOiJ1U3lVNkIwRHRsNmtHc1h3YnQtMF9rVmZoams2cnVNYUJpY0VYb1pia05LOVpNM2R6dlYwSGx5WFhvUUpyY1Y0IiwiaGVhZGVyIjp7ImtpZCI6IjloU1I2UzdXUHR4bVRvamdvNkdHM2s0eURQZWNnSlkyOTJqN3hyc1VHV0J1Iiwic2VuZGVyIjoiQ29yUlh1NnZ1anJVc2F6T0pIekItOEZlZEoyUmpMeElQZDZWbEZ6MkkyOWRXVUs1d0xWVUlvbkl6YkhzNEF1dUhCT0FZcmJZajl3N1BpY2VhS19XVVVqWm9CS0E3VTJNX2ZqYWxndjh3b3VGLTFBZTVhQWV5UEF2NmtnPSIsIml2IjoiamlwdmgxTWdhOWdFa2hXczdWdWRsa3JMeEVhWlhVUGIifX0seyJlbmNyeXB0ZWRfa2V5IjoiVVlVY1BMWDVOYzFtY2h2Z2liOEJUakRCRjlzcC1SdXh5RTdNVGRwLTV2aUJ5SXdJT1ZRTXoxRG9CVGxoWE9KOSIsImhlYWRlciI6eyJraWQiOiJBS25MNE5OZjNER1daSlM2Y1BrbkJ1RUduVnNWNEE0bTV0Z2ViTEhhUlNaOSIsInNlbmRlciI6ImtOcjNnVEt2Mmhnb2xibXpYOW5VTzZReTVERlFUTC1SV2hLWmNsVTNIU0pZNHhEcHE5cjQ2TzRpU2Y3VFBTclBxaUxMYkg2bXNZTXgzZ2ZVbFdCNEp3TjAwSFNrNkxIalRBLThhZGFjemJ2NEhYUEhJb05uMHlhNDFDYz0iLCJpdiI6ImM5LUgwazBpOVdGTXFSVlZoYTU4a3p3M2ZDemVNRV83In19XX0=","iv":"vGmZk1LN4mOCWY-k","ciphertext":"WhsgGLHBBkmE","tag":"AWx6QlduCNlZ1rjy5lR-OA=="},"who":"b"}
// expect: Error: the message cannot be opened
// query: test.ursa/opens {"m":{"protected":"eyJlbmMiOiJ4Y2hhY2hhMjBwb2x5MTMwNV9pZXRmIiwidHlwIjoiSldNLzEuMCIsImFsZyI6IkF1dGhjcnlwdCIsInJlY2lwaWVudHMiOlt7ImVuY3J5cHRlZF9rZXkiOiJ1U3lVNkIwRHRsNmtHc1h3YnQtMF9rVmZoams2cnVNYUJpY0VYb1pia05LOVpNM2R6dlYwSGx5WFhvUUpyY1Y0IiwiaGVhZGVyIjp7ImtpZCI6IjloU1I2UzdXUHR4bVRvamdvNkdHM2s0eURQZWNnSlkyOTJqN3hyc1VHV0J1Iiwic2VuZGVyIjoiQ29yUlh1NnZ1anJVc2F6T0pIekItOEZlZEoyUmpMeElQZDZWbEZ6MkkyOWRXVUs1d0xWVUlvbkl6YkhzNEF1dUhCT0FZcmJZajl3N1BpY2VhS19XVVVqWm9CS0E3VTJNX2ZqYWxndjh3b3VGLTFBZTVhQWV5UEF2NmtnPSIsIml2IjoiamlwdmgxTWdhOWdFa2hXczdWdWRsa3JMeEVhWlhVUGIifX0seyJlbmNyeXB0ZWRfa2V5IjoiVVlVY1BMWDVOYzFtY2h2Z2liOEJUakRCRjlzcC1SdXh5RTdNVGRwLTV2aUJ5SXdJT1ZRTXoxRG9CVGxoWE9KOSIsImhlYWRlciI6eyJraWQiOiJBS25MNE5OZjNER1daSlM2Y1BrbkJ1RUduVnNWNEE0bTV0Z2ViTEhhUlNaOSIsInNlbmRlciI6ImtOcjNnVEt2Mmhnb2xibXpYOW5VTzZReTVERlFUTC1SV2hLWmNsVTNIU0pZNHhEcHE5cjQ2TzRpU2Y3VFBTclBxaUxMYkg2bXNZTXgzZ2ZVbFdCNEp3TjAwSFNrNkxIalRBLThhZGFjemJ2NEhYUEhJb05uMHlhNDFDYz0iLCJpdiI6ImM5LUgwazBpOVdGTXFSVlZoYTU4a3p3M2ZDemVNRV83In19XX0=","iv":"vGmZk1LN4mOC","ciphertext":"WhsgGLHBBkmE","tag":"VWx6QlduCNlZ1rjy5lR-OA=="},"who":"b"}
// expect: Error: the message cannot be opened
// query: test.ursa/opens {"m":{},"who":"b"}
// expect: Error: this is no packed message
// query: test.ursa/opens {"m":{"protected":"AAAA"},"who":"b"}
// expect: Error: this is no packed message
// query: test.ursa/refused {"m":{"protected":"eyJlbmMiOiJ4Y2hhY2hhMjBwb2x5MTMwNV9pZXRmIiwidHlwIjoiSldNLzEuMCIsImFsZyI6IkF1dGhjcnlwdCIsInJlY2lwaWVudHMiOlt7ImVuY3J5cHRlZF9rZXkiOiJ1U3lVNkIwRHRsNmtHc1h3YnQtMF9rVmZoams2cnVNYUJpY0VYb1pia05LOVpNM2R6dlYwSGx5WFhvUUpyY1Y0IiwiaGVhZGVyIjp7ImtpZCI6IjloU1I2UzdXUHR4bVRvamdvNkdHM2s0eURQZWNnSlkyOTJqN3hyc1VHV0J1Iiwic2VuZGVyIjoiQ29yUlh1NnZ1anJVc2F6T0pIekItOEZlZEoyUmpMeElQZDZWbEZ6MkkyOWRXVUs1d0xWVUlvbkl6YkhzNEF1dUhCT0FZcmJZajl3N1BpY2VhS19XVVVqWm9CS0E3VTJNX2ZqYWxndjh3b3VGLTFBZTVhQWV5UEF2NmtnPSIsIml2IjoiamlwdmgxTWdhOWdFa2hXczdWdWRsa3JMeEVhWlhVUGIifX0seyJlbmNyeXB0ZWRfa2V5IjoiVVlVY1BMWDVOYzFtY2h2Z2liOEJUakRCRjlzcC1SdXh5RTdNVGRwLTV2aUJ5SXdJT1ZRTXoxRG9CVGxoWE9KOSIsImhlYWRlciI6eyJraWQiOiJBS25MNE5OZjNER1daSlM2Y1BrbkJ1RUduVnNWNEE0bTV0Z2ViTEhhUlNaOSIsInNlbmRlciI6ImtOcjNnVEt2Mmhnb2xibXpYOW5VTzZReTVERlFUTC1SV2hLWmNsVTNIU0pZNHhEcHE5cjQ2TzRpU2Y3VFBTclBxaUxMYkg2bXNZTXgzZ2ZVbFdCNEp3TjAwSFNrNkxIalRBLThhZGFjemJ2NEhYUEhJb05uMHlhNDFDYz0iLCJpdiI6ImM5LUgwazBpOVdGTXFSVlZoYTU4a3p3M2ZDemVNRV83In19XX0=","iv":"vGmZk1LN4mOCWY-k","ciphertext":"WhsgGLHBBkmE","tag":"VWx6QlduCNlZ1rjy5lR-OA=="}}
// expect: TypeError: ursa:unpack wants the keys of ursa:generateDID
// query: test.ursa/named
// expect: ["did","verifyKey","encryptionPublicKey","ariesPublicKey","secret","seed","signKey","encryptionPrivateKey","ariesPrivateKey",64,true]
// query: test.ursa/both {"text":"hé ☃"}
// expect: [true,true,true]
// query: test.ursa/both {"text":""}
// expect: [true,true,true]
// query: test.ursa/hidden {"text":"hé ☃"}
// expect: [true,null,true,["protected","iv","ciphertext","tag"]]
// query: test.ursa/many {"n":100}
// expect: true
// query: test.ursa/many {"n":101}
// expect: TypeError: ursa:pack wants a text and an array of at most 100 public keys
// query: test.ursa/wrong_key
// expect: TypeError: ursa:pack wants the public keys of who gets it, in base58
// query: test.ursa/sealed_for_nobody
// expect: TypeError: ursa:pack wants the public keys of who gets it, in base58
// query: test.ursa/big
// expect: Error: ursa:pack takes at most 1048576 bytes
// query: test.ursa/signed
// expect: ["AAAAAAECA_9oaek=","QdlFUWyCDunsLHEifYkDxKbcUSKRXmNoGd5yTI78s0CPJ8NgcuTmLmStDJ7dzIYnqNpUJV0gSKs8TekojL4hCA=="]
// query: test.ursa/verified {"signature":"QdlFUWyCDunsLHEifYkDxKbcUSKRXmNoGd5yTI78s0CPJ8NgcuTmLmStDJ7dzIYnqNpUJV0gSKs8TekojL4hCA==","who":"a"}
// expect: {"sig_verified":true,"field":"hii","timestamp":[0,0,0,0,1,2,3,255]}
// query: test.ursa/verified {"signature":"QdlFUWyCDunsLHEifYkDxKbcUSKRXmNoGd5yTI78s0CPJ8NgcuTmLmStDJ7dzIYnqNpUJV0gSKs8TekojL4hCA==","who":"b"}
// expect: {"sig_verified":false,"field":"hii","timestamp":[0,0,0,0,1,2,3,255]}
// query: test.ursa/verified {"signature":"AAAA","who":"b"}
// expect: TypeError: ursa:verify_signed_field wants signature, sig_data and signer
