package guard

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
)

// maxLook is how much of a body is looked through for a field of a form.
const maxLook = 1 << 20

// formField returns the first value that the form in the body has for a name, "" when it is not in the first maxLook
// bytes. The body can be read from its beginning afterwards, and the request is not parsed: whoever needs the form sets
// the limits. Request.PostFormValue would write a stranger's files to the disk.
func formField(r *http.Request, name string) string {
	if values := r.PostForm[name]; len(values) > 0 { // parsed by whoever stands outside
		return values[0]
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || r.Body == nil {
		return ""
	}
	body := looked{Closer: r.Body}
	rest := io.TeeReader(io.LimitReader(r.Body, maxLook), &body.seen)
	value := ""
	switch {
	case kind == "application/x-www-form-urlencoded":
		value = pair(rest, name)
	case kind == "multipart/form-data" && params["boundary"] != "":
		value = part(multipart.NewReader(rest, params["boundary"]), name)
	default:
		return ""
	}
	body.Reader = io.MultiReader(&body.seen, r.Body)
	r.Body = &body
	return value
}

// named asks a function what a request names or describes, and leaves the request as it came. What stands behind the
// part of a body that is read would pass for nothing, so the whole body must come.
func named(r *http.Request, name func(*http.Request) string) (string, Refusal) {
	probe := *r
	if r.Body != nil && r.Body != http.NoBody {
		text, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxLook))
		if err != nil {
			return "", unreadable(err)
		}
		r.Body = &looked{Reader: bytes.NewReader(text), Closer: r.Body}
		probe.Body = io.NopCloser(bytes.NewReader(text))
	}
	defer func() {
		if probe.MultipartForm != nil && probe.MultipartForm != r.MultipartForm {
			_ = probe.MultipartForm.RemoveAll() // what the function had written to the disk; nobody else knows of it
		}
	}()
	return name(&probe), Refusal{}
}

// handBack gives a request what was made of an upload in a copy of it: the server removes the files of the request that
// it knows, and of no copy.
func handBack(r, own *http.Request) {
	if r.MultipartForm == nil && own.MultipartForm != nil {
		r.MultipartForm = own.MultipartForm
	}
}

// unreadable says why a body is not looked at.
func unreadable(err error) Refusal {
	if errors.As(err, new(*http.MaxBytesError)) {
		return Refusal{Reason: BadBody, Status: http.StatusRequestEntityTooLarge, Text: "What you sent is too large."}
	}
	return Refusal{Reason: BadBody, Status: http.StatusBadRequest,
		Text: "What you sent did not arrive in full. Please send it again."}
}

// looked is a body of which the beginning was read, and is read again.
type looked struct {
	io.Reader
	io.Closer
	seen bytes.Buffer
}

// pair finds a field in the text of a form. One that goes on behind the text is none.
func pair(text io.Reader, name string) string {
	read, err := io.ReadAll(text)
	if err != nil || len(read) == maxLook {
		read = read[:max(bytes.LastIndexByte(read, '&'), 0)]
	}
	for pair := range strings.SplitSeq(string(read), "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key, err := url.QueryUnescape(key); err != nil || key != name {
			continue
		}
		if value, err := url.QueryUnescape(value); err == nil {
			return value
		}
	}
	return ""
}

// part finds a field among the parts of a form. Files are passed by.
func part(parts *multipart.Reader, name string) string {
	for {
		p, err := parts.NextPart()
		if err != nil {
			return ""
		}
		if p.FormName() != name || p.FileName() != "" {
			continue
		}
		value, err := io.ReadAll(p)
		if err != nil {
			return ""
		}
		return string(value)
	}
}
