package explore

import (
	"context"
	"net/http"
)

// checkGuesses wants that one wrong password is tried: one on all devices that nobody knows, and one on that of ada's.
// Who was right is not counted, and nobody has to wait for what others did elsewhere.
func (v *sight) checkGuesses() {
	const promise = "a limit lets through as many as it says"
	for _, where := range []string{anywhere, atHome} {
		there := func(a *act) bool { return a.tries == where }
		if !v.any(there) {
			continue
		}
		counted := v.any(func(a *act) bool { return there(a) && (a.passed || a.faulted()) })
		guessed := 0
		for _, a := range v.acts {
			if there(a) && a.signs == "" && a.passed {
				guessed++
			}
		}
		switch late := v.guess(where); {
		case guessed > 1 || guessed == 1 && late.passed:
			v.fail(promise, "%d wrong passwords were tried %s, and later another one: %t", guessed, where, late.passed)
		case !counted && v.any(func(a *act) bool { return there(a) && a.status == http.StatusTooManyRequests }):
			v.fail(promise, "who tried a password %s has to wait for those elsewhere", where)
		case guessed == 0 && !late.passed && !v.any((*act).faulted):
			v.fail(promise, "who was right %s was counted: %d", where, late.status)
		}
	}
}

// guess tries a wrong password when all is over.
func (v *sight) guess(where string) *act {
	device := ""
	for _, a := range v.acts {
		if where == atHome && a.tries == atHome {
			device = a.device
		}
	}
	return v.guessOn(device)
}

func (v *sight) guessOn(device string) *act {
	late := &act{sc: v.scene, node: v.nodes[0], status: http.StatusOK, device: device}
	late.signIn(context.Background(), wrong)
	return late
}

// checkDevices wants that a sign-in makes its device known, on which people have to wait for nobody. One that is new is
// told of when somebody is signed in on it, and perhaps where the answer to that was lost.
func (v *sight) checkDevices() {
	news, sure := 0, 0
	for _, a := range v.acts {
		if a.tries == "" || a.signs == "" || !a.passed {
			continue
		}
		if a.tries == anywhere {
			news++
			if a.done() {
				sure++
			}
		}
		if a.done() && !a.told {
			v.fail("a sign-in makes the device known", "that of %s does not", a)
		}
		if a.tries == anywhere && a.told && !v.guessOn(a.device).passed {
			v.fail("a sign-in makes the device known", "on that of %s people have to wait", a)
		}
	}
	if v.news < sure || v.news > news {
		v.fail("a sign-in makes the device known", "%d to %d devices were new, %d were told of", sure, news, v.news)
	}
}
