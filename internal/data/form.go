package data

import "bytes"

// Form is a form with the bytes that it was decoded from. A page asks for one field after the other, and whoever sent
// the form chose how large it is. The zero value is what no bytes are decoded as.
type Form struct {
	raw    []byte
	values map[string][]string
}

// FormOf is what the bytes were decoded as. Neither is to be changed from here on.
func FormOf(raw []byte, values map[string][]string) Form { return Form{raw, values} }

// Of returns the form if it was decoded from the same bytes.
func (f Form) Of(raw []byte) (values map[string][]string, same bool) {
	if same = bytes.Equal(f.raw, raw); same {
		values = f.values
	}
	return values, same
}
