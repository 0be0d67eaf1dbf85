package main

// push pushes the branch and the tags of a version, all of them or none: a module without those that it requires cannot
// be got. The remote gets its tags first, and we fetch them from there, so that a push that fails leaves no tag that
// keeps the release from being repeated. A tag that is there already stays where it is, and is an error.
func (t *tree) push(version string) error {
	push, fetch := []string{"push", "--atomic", "origin", "HEAD"}, []string{"fetch", "--quiet", "origin"}
	for _, tag := range t.tags(version) {
		push = append(push, "HEAD:refs/tags/"+tag)
		fetch = append(fetch, "refs/tags/"+tag+":refs/tags/"+tag)
	}
	_, err := git(t.root, push...)
	if err == nil {
		_, err = git(t.root, fetch...)
	}
	return err
}
