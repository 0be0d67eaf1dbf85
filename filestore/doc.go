// Package filestore keeps sessions in files: for a service that runs on one machine, as one process or as several, and
// has no database, or does not want its logins to depend on one. Up to a million sessions are fine.
//
// # What is in the folder
//
// One file for each session, records/ab/ab12…, named by the SHA-256 of the id, so that an id is never part of a path.
// It begins with a header that has a version and checksums; the data follows as it was given. Beside the files lies a
// file named lock, and the folder users lists the sessions of each user. Folders have mode 0700, files 0600, whatever
// the umask is; a folder that others own or may write is refused, and only plain files with one link and the right
// owner are opened. The data is not encrypted here: that is what the manager's Seal option does.
//
// Leave the folder to the store. To delete a file under records by hand is to end that session; one that was changed by
// hand gives [session.ErrCorrupt] until it is deleted.
//
// # What survives
//
// Every change is made in a temporary file that takes the place of the old one in one step. Whatever instant a process
// is killed at, each session is there as it was before the change or as it is after it.
//
// When a call has returned, its effect also survives a loss of power, since file and folder are synced first. Excepted
// are touches: those of the last half minute or so may be lost. After neither kind of crash is a session alive and
// missing from the list of its user; entries that lead nowhere are removed as lists are read, and by sweeps.
//
// [Options.NoSync] gives up the second of these guarantees, and for the third one then needs a file system that keeps
// the order of changes of names, as those with a journal do.
//
// A save fails when the disk is full, and leaves the record as it was. An error in the very last step, the sync of the
// folder, leaves a record that is saved, but maybe not for good.
//
// # Several processes
//
// Versions are compared under a lock that holds between the processes of a machine, and goes with the process that has
// it. So may an old and a new release share the folder while one takes over from the other.
//
// On NFS that is true where flock locks on the server: NFSv4, or NFSv3 with lockd, without the mount options nolock and
// local_lock. Another machine may read an old record for as long as it caches names (up to acdirmax, a minute), and so
// accept a session that has ended: use a database when machines share sessions.
//
// # Backup
//
// Copy the folder while it is in use, by any means that keeps owners and modes: each file is whole at every instant. A
// session that ended after the copy was made comes back with it, so sign everybody out after a restore, by a new
// secret.
//
// # Other systems
//
// On Windows access is what the folder inherits: choose one that only the service's account may open. Systems that have
// neither flock nor LockFileEx can read a folder, and refuse to write.
package filestore
