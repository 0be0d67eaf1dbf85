package filestore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
)

func TestTheListOfAUserFollowsTheRecord(t *testing.T) {
	s, _ := newStore(t)
	rec := record("id")
	for _, step := range []struct {
		user string
		kind session.RecordKind
		ann  bool
		bob  bool
	}{
		{"ann", session.KindLive, true, false},
		{"ann", session.KindLive, true, false},
		{"bob", session.KindLive, false, true},
		{"", session.KindLive, false, false},
		{"ann", session.KindLive, true, false},
		{"ann", session.KindAlias, false, false},
		{"bob", session.KindTombstone, false, false},
		{"bob", session.KindLive, false, true},
	} {
		rec.User, rec.Kind = step.user, step.kind
		create(t, s, rec)
		rec.Version++
		if ann, bob := byUser(t, s, "ann"), byUser(t, s, "bob"); (ann != nil) != step.ann || (bob != nil) != step.bob {
			t.Errorf("after a save as %+v: ann has %q, bob %q", step, ann, bob)
		}
	}
	remove(t, s, "id")
	if bob := byUser(t, s, "bob"); bob != nil {
		t.Errorf("after the delete bob has %q", bob)
	}
}

func TestNobodyIsSignedInAsTheEmptyUser(t *testing.T) {
	s, dir := newStore(t)
	rec := record("id")
	rec.User = ""
	create(t, s, rec)
	if ids := byUser(t, s, ""); ids != nil {
		t.Errorf(`ByUser("") = %q, want none`, ids)
	}
	if marks := filesIn(t, filepath.Join(dir, "users")); marks != nil {
		t.Errorf("the marks are %q, want none", marks)
	}
}

// TestACrashBetweenTheStepsListsNothingWrong puts marks where a process leaves them that is killed between two steps of
// a save or a delete, and sees that they are not believed, and are removed.
func TestACrashBetweenTheStepsListsNothingWrong(t *testing.T) {
	for name, leave := range map[string]func(t *testing.T, s *filestore.Store){
		"before the first save": func(t *testing.T, s *filestore.Store) {},
		"with the shelf there":  func(t *testing.T, s *filestore.Store) { hold(t, s, "id")() },
		"in a change of user":   func(t *testing.T, s *filestore.Store) { create(t, s, record("id")) },
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newStore(t)
			leave(t, s)
			mark := filepath.Join(dir, filestore.MarkOf("other", "id"))
			for range 2 {
				if err := s.Mark("other", "id"); err != nil {
					t.Fatal(err)
				}
				if _, err := os.Stat(mark); err != nil {
					t.Fatal(err)
				}
				if ids := byUser(t, s, "other"); ids != nil {
					t.Errorf("ByUser = %q, want none", ids)
				}
				if _, err := os.Stat(mark); err == nil {
					t.Error("the stale mark is still there")
				}
			}
		})
	}
}

// TestAMarkWhoseRecordIsAboutToAppearStays: the repair has to wait for a save that has made its mark and not yet its
// record, and then to look again.
func TestAMarkWhoseRecordIsAboutToAppearStays(t *testing.T) {
	s, dir := newStore(t)
	for name, repair := range map[string]func(context.Context) error{
		"ByUser": func(ctx context.Context) error { _, err := s.ByUser(ctx, "user"); return err },
		"Sweep":  func(ctx context.Context) error { _, err := s.Sweep(ctx, start, 10); return err },
	} {
		release := hold(t, s, "id")
		if err := s.Mark("user", "id"); err != nil {
			t.Fatal(err)
		}
		wait := background(t, repair)
		writeFile(t, filepath.Join(dir, filestore.PathOf("id")), string(encode(t, record("id"))))
		release()
		wait()
		if ids := byUser(t, s, "user"); !slices.Equal(ids, []string{"id"}) {
			t.Errorf("after %s there is %q, want the session", name, ids)
		}
		remove(t, s, "id")
	}
}

func TestUsersWhoShareAFolderDoNotShareAList(t *testing.T) {
	s, _ := newStore(t)
	ann, bob := twoInOneFolder(t)
	for _, user := range []string{ann, bob} {
		rec := record("of " + user)
		rec.User = user
		create(t, s, rec)
	}
	for _, user := range []string{ann, bob} {
		if ids := byUser(t, s, user); !slices.Equal(ids, []string{"of " + user}) {
			t.Errorf("ByUser(%q) = %q", user, ids)
		}
	}
}

// twoInOneFolder returns two users whose marks are neighbours.
func twoInOneFolder(t *testing.T) (a, b string) {
	t.Helper()
	folders := map[string]string{}
	for i := range 4097 { // more than there are folders
		user := fmt.Sprint("user ", i)
		folder := filepath.Dir(filestore.MarkOf(user, "id"))
		if other, taken := folders[folder]; taken {
			return other, user
		}
		folders[folder] = user
	}
	t.Fatal("there are more folders than 4096")
	return
}
