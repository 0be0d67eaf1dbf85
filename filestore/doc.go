// Package filestore keeps sessions in files: for a service that runs on one machine, as one process or as several, and
// that has no database or does not want its logins to depend on one. It works well with up to a million sessions.
//
// # What is in the folder
//
// There is one file for each session, records/ab/ab12…, named after the SHA-256 of the id, so an id is never part of a
// path. It begins with a header that has a version and checksums; the data follows as it was given. Beside the files
// lie one named lock and one named due, which tells sweeps which sessions may have expired. The folder users lists the
// sessions of each user. Folders have mode 0700 and files 0600, whatever the umask; a folder that others own or may
// write to is refused, and only regular files with a single link and the right owner are opened. The data is not
// encrypted here: the manager's Seal option does that.
//
// Leave the folder to the store. Deleting a file under records by hand ends that session; one that was changed by hand
// gives [session.ErrCorrupt] until it is deleted.
//
// # What survives
//
// Every change is written to a temporary file, which then takes the place of the old one in one step. Whenever a
// process is killed, each session is there as it was before the change or as it is after it.
//
// Once a call has returned, its effect also survives a loss of power, because file and folder are synced first. Touches
// are the exception: those of the last half minute or so may be lost. Neither kind of crash leaves a session alive and
// missing from the list of its user. Entries that lead nowhere are removed when lists are read, and by sweeps. No call
// waits until a file named due is on the disk. Sweeps find what a crash took from one, because each of them reads a few
// hundred sessions more than it has to. You may delete these files at any time: the next sweep then reads every header
// once and writes them again.
//
// [Options.NoSync] gives up the guarantee about a loss of power. That no session is missing from the list of its user
// then needs a file system that keeps changes of names in order, as those with a journal do.
//
// If the disk is full, a save fails and leaves the record as it was. An error in the very last step, the sync of the
// folder, leaves a record that is saved, but perhaps not for good.
//
// # Several processes
//
// Versions are compared under a lock that holds between the processes of a machine, and that is released when its
// process ends. So an old and a new release may share the folder while one takes over from the other.
//
// On NFS this is true if flock locks on the server: NFSv4, or NFSv3 with lockd, without the mount options nolock and
// local_lock. Another machine may read an old record for as long as it caches names (up to acdirmax, a minute), and so
// accept a session that has ended. Use a database if several machines share sessions.
//
// # Backup
//
// Copy the folder while it is in use, with anything that copies bytes and keeps owners and modes: each file is whole at
// every moment. Do not copy by hard links, as cp -l does: a file with a second name is neither read nor written, which
// is an outage, for logouts too, until the copy is removed. A session that ended after a copy was made comes back with
// it, so sign everybody out after a restore, with a new secret.
//
// # Other systems
//
// On Windows, access is what the folder inherits: choose one that only the account of the service may open. Systems
// that have neither flock nor LockFileEx can read a folder, but refuse to write.
package filestore
