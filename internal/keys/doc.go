// Package keys is what is made of a secret, and nothing that needs none. A [Ring] holds the keys of all secrets
// (ring.go), one for each purpose: it signs a session's ticket (ticket.go), signs or seals the data of its record
// (record.go), seals a record that travels with its client (token.go), signs the cookie values of an application and
// hides names (signed.go). A [Rotation] says which secret signs while a new one is on its way to every node
// (rotation.go), and [CheckSecrets] which ones nobody should use (secret.go). What texts and bytes look like, to the
// last bit, is decided here, and what is written today must open tomorrow: keys_test.go keeps some of each.
//
// Sessions, stores, options and HTTP are not here. What the bytes of a record mean is for package envelope to say, and
// how they are encrypted for package sealed.
package keys
