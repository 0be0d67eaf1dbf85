// Package leftout lets a tool hear of the records that the lists of a store leave out because they are damaged. They
// open no session, and for a site they are not there; whoever checks a store, or moves what it holds, wants to know.
//
// The store says it to the context, so that no list has to be asked for more than records.
package leftout
