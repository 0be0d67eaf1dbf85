package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// remote is an empty repository to which another one pushes, with a hook that refuses until it is removed.
func remote(t *testing.T, root string) (folder, hook string) {
	t.Helper()
	folder = t.TempDir()
	mustGit(t, folder, "init", "--quiet", "--bare")
	hook = filepath.Join(folder, "hooks", "pre-receive")
	if err := os.MkdirAll(filepath.Dir(hook), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(hook, []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	mustGit(t, root, "remote", "add", "origin", folder)
	return folder, hook
}

func TestAReleaseWhosePushFailedCanBeRepeated(t *testing.T) {
	root := repository(t, small())
	origin, hook := remote(t, root)
	release := func() error {
		if err := mustRead(t, root).prepare("v0.2.0", today); err != nil {
			t.Fatal(err)
		}
		commit(t, root)
		return mustRead(t, root).push("v0.2.0")
	}
	if err := release(); err == nil {
		t.Fatal("push = nil, want the refusal of the hook")
	}
	if tags := mustGit(t, root, "tag", "--list") + mustGit(t, origin, "tag", "--list"); tags != "" {
		t.Errorf("after a push that failed there are the tags %q", tags)
	}
	if err := os.Remove(hook); err != nil {
		t.Fatal(err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{root, origin} {
		got := strings.Fields(mustGit(t, folder, "tag", "--list"))
		if want := []string{"cmd/v0.2.0", "redis/v0.2.0", "v0.2.0"}; !slices.Equal(got, want) {
			t.Errorf("the tags are %q, want %q", got, want)
		}
		if at, want := mustGit(t, folder, "rev-parse", "v0.2.0"), mustGit(t, root, "rev-parse", "HEAD"); at != want {
			t.Errorf("v0.2.0 is at %s, want %s", at, want)
		}
	}
	if err := mustRead(t, root).push("v0.2.0"); err != nil {
		t.Errorf("a push that was interrupted cannot be finished: %v", err)
	}
}

func TestATagThatSomebodyElsePushedIsNotMoved(t *testing.T) {
	root := repository(t, small())
	origin, hook := remote(t, root)
	if err := os.Remove(hook); err != nil {
		t.Fatal(err)
	}
	if err := mustRead(t, root).push("v0.2.0"); err != nil {
		t.Fatal(err)
	}
	first := mustGit(t, origin, "rev-parse", "v0.2.0")
	mustGit(t, root, "tag", "--delete", "v0.2.0", "redis/v0.2.0", "cmd/v0.2.0")
	write(t, root, "session.go", "package session // changed\n")
	commit(t, root)
	if err := mustRead(t, root).push("v0.2.0"); err == nil {
		t.Error("push = nil, want that the tag is there")
	}
	if at := mustGit(t, origin, "rev-parse", "v0.2.0"); at != first {
		t.Errorf("v0.2.0 was moved from %s to %s", first, at)
	}
}
